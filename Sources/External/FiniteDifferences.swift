import Diffusion

/// How good estimated gradients are.
package struct GradientEstimate: Sendable, Hashable {
  /// Pairs of passes an input, and how many there would be of all directions.
  package var directions: Int
  package var all: Int
  /// Root of the expected squared error over the squared gradient, for want of the other directions; 0 when
  /// there are none.
  package var samplingError: Double
  /// The relative change of the differences when the step is halved.
  package var stepError: Double

  /// In words that follow "but".
  var text: String {
    func number(_ value: Double) -> String {
      value.isFinite ? "\((value * 1000).rounded() / 1000)" : "more than all of it"
    }
    return
      "differences along \(directions) of \(all) directions; expected error over the gradient's length:"
      + " \(number(samplingError)) for want of the others, \(number(stepError)) by the step"
  }

  func worse(_ other: GradientEstimate) -> GradientEstimate {
    GradientEstimate(
      directions: min(directions, other.directions), all: max(all, other.all),
      samplingError: max(samplingError, other.samplingError),
      stepError: max(stepError, other.stepError))
  }
}

/// Vector–Jacobian products by central differences along random directions.
///
/// The directions are rows of a Hadamard matrix of P ≥ n columns whose columns have random signs, n the values of
/// a picture and its labels together: u_kj = s_j (−1)^|k ∧ j|. They are orthogonal, so that all P of them give
/// the gradient itself, g = (1/P) Σ_k (∂_k L) u_k, and N of them, drawn without replacement, an estimate without
/// bias whose error is known from the differences.
///
/// A batch that asks about one input many times, each time with another cotangent, costs the passes of one.
///
/// - Parameters:
///   - cotangent: (N, S, S, 3).
///   - portion: pictures of a pass.
///   - denoise: D.
func estimatedGradients(
  _ batch: NoisedBatch, cotangent: [Float], directions: Int, portion: Int,
  denoise: (NoisedBatch) throws -> [Float]
) throws -> (gradient: (x: [Float], labels: [Float]), estimate: GradientEstimate) {
  let pictures = max(1, batch.count)
  let count = batch.x.count / pictures
  let entries = batch.labels.count / pictures
  let signs = DirectionSigns(values: count + entries)
  let rows = signs.rows(min(directions, signs.all))
  var x: [Float] = []
  var labels: [Float] = []
  var estimate = GradientEstimate(
    directions: rows.count, all: signs.all, samplingError: 0, stepError: 0)
  var start = 0
  while start < batch.count {
    let end = endOfRun(batch, from: start, count, entries)
    var run = InputDifferences(
      batch: batch, item: start, signs: signs, portion: portion,
      cotangents: Array(cotangent[start * count..<end * count]), number: end - start)
    try run.measure(rows, denoise)
    x += run.gradient.x
    labels += run.gradient.labels
    estimate = estimate.worse(
      GradientEstimate(
        directions: rows.count, all: signs.all, samplingError: run.samplingError,
        stepError: try run.stepError(rows, denoise)))
    start = end
  }
  return ((x, labels), estimate)
}

/// The end of the run of items that ask about the same input.
private func endOfRun(_ batch: NoisedBatch, from start: Int, _ count: Int, _ entries: Int) -> Int {
  func same(_ values: [Float], _ other: Int, _ width: Int) -> Bool {
    values[start * width..<(start + 1) * width].elementsEqual(
      values[other * width..<(other + 1) * width])
  }
  var end = start + 1
  while end < batch.count, batch.sigma[end] == batch.sigma[start],
    batch.draws[end] == batch.draws[start], same(batch.labels, end, entries),
    same(batch.x, end, count)
  {
    end += 1
  }
  return end
}

/// Rows of a Hadamard matrix with random signs on its columns.
struct DirectionSigns {
  /// P: a power of two.
  let all: Int
  private let signs: [Float]

  init(values: Int) {
    var power = 1
    while power < values { power *= 2 }
    all = power
    signs = (0..<values).map { Self.mixed(UInt64($0)) & 1 == 0 ? 1 : -1 }
  }

  func sign(row: Int, _ column: Int) -> Float {
    (row & column).nonzeroBitCount & 1 == 0 ? signs[column] : -signs[column]
  }

  /// So many, each once.
  func rows(_ wanted: Int) -> [Int] {
    if wanted >= all { return Array(0..<all) }
    return (0..<all).map { (Self.mixed(UInt64($0) | 1 << 40), $0) }.sorted { $0 < $1 }
      .prefix(wanted).map(\.1)
  }

  /// The same for every input and every run: the directions are a part of the instrument (SplitMix64).
  private static func mixed(_ value: UInt64) -> UInt64 {
    var z = value &+ 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// The differences of one input under some cotangents.
private struct InputDifferences {
  let input: NoisedBatch
  let signs: DirectionSigns
  let portion: Int
  /// (M, S, S, 3).
  let cotangents: [Float]
  let number: Int
  let step: Float
  private(set) var gradient: (x: [Float], labels: [Float])
  private var squares: [Double]
  private var used = 0

  /// Entries of a conditioner are counts, of the size of 1 as pixels are; a step of a hundredth of σ keeps a noised
  /// pixel where it was, and float32 has digits for it.
  init(
    batch: NoisedBatch, item: Int, signs: DirectionSigns, portion: Int, cotangents: [Float],
    number: Int
  ) {
    let count = batch.x.count / batch.count
    let entries = batch.labels.count / batch.count
    input = NoisedBatch(
      x: Array(batch.x[item * count..<(item + 1) * count]), sigma: [batch.sigma[item]],
      labels: Array(batch.labels[item * entries..<(item + 1) * entries]),
      draws: [batch.draws[item]])
    self.signs = signs
    self.portion = max(1, portion / 2)
    self.cotangents = cotangents
    self.number = number
    step = min(0.01, 0.01 * batch.sigma[item])
    gradient = (
      [Float](repeating: 0, count: number * count), [Float](repeating: 0, count: number * entries)
    )
    squares = [Double](repeating: 0, count: number)
  }

  mutating func measure(_ rows: [Int], _ denoise: (NoisedBatch) throws -> [Float]) throws {
    let (count, entries) = (input.x.count, input.labels.count)
    let share = 1 / Float(rows.count)
    for start in stride(from: 0, to: rows.count, by: portion) {
      let some = Array(rows[start..<min(start + portion, rows.count)])
      let slopes = try slopes(some, step, denoise)
      for (place, row) in some.enumerated() {
        for m in 0..<number {
          let slope = slopes[place * number + m]
          squares[m] += Double(slope) * Double(slope)
          let scaled = slope * share
          for i in 0..<count { gradient.x[m * count + i] += scaled * signs.sign(row: row, i) }
          for i in 0..<entries {
            gradient.labels[m * entries + i] += scaled * signs.sign(row: row, count + i)
          }
        }
      }
    }
    used = rows.count
  }

  /// (rows, M): central differences of each cotangent's sum along each direction.
  private func slopes(
    _ rows: [Int], _ step: Float, _ denoise: (NoisedBatch) throws -> [Float]
  ) throws -> [Float] {
    let count = input.x.count
    var batch = NoisedBatch(x: [], sigma: [], labels: [])
    for row in rows {
      for side in [step, -step] {
        var moved = input
        for i in 0..<count { moved.x[i] += side * signs.sign(row: row, i) }
        for i in moved.labels.indices { moved.labels[i] += side * signs.sign(row: row, count + i) }
        batch.append(moved)
      }
    }
    let values = try denoise(batch)
    var result = [Float](repeating: 0, count: rows.count * number)
    for place in rows.indices {
      let (above, below) = (2 * place * count, (2 * place + 1) * count)
      for m in 0..<number {
        var sum = 0.0
        for i in 0..<count {
          let weight = cotangents[m * count + i]
          if weight != 0 {
            sum += Double(weight) * (Double(values[above + i]) - Double(values[below + i]))
          }
        }
        result[place * number + m] = Float(sum / Double(2 * step))
      }
    }
    return result
  }

  /// Σ_j Var(g_j) = (n · mean slope² − |g|²) / (N − 1) · (1 − N/P), over |g|² without that share.
  var samplingError: Double {
    if used == signs.all { return 0 }
    let n = Double(input.x.count + input.labels.count)
    let (width, entries) = (input.x.count, input.labels.count)
    var worst = 0.0
    for m in 0..<number {
      let squared =
        gradient.x[m * width..<(m + 1) * width].reduce(0.0) { $0 + Double($1) * Double($1) }
        + gradient.labels[m * entries..<(m + 1) * entries].reduce(0.0) {
          $0 + Double($1) * Double($1)
        }
      let variance =
        max(0, n * squares[m] / Double(used) - squared) / Double(max(1, used - 1))
        * (1 - Double(used) / Double(signs.all))
      let signal = squared - variance
      worst = max(worst, signal > 0 ? (variance / signal).squareRoot() : .infinity)
    }
    return worst
  }

  /// Over a few directions.
  func stepError(_ rows: [Int], _ denoise: (NoisedBatch) throws -> [Float]) throws -> Double {
    let few = Array(rows.prefix(8))
    let (whole, half) = (try slopes(few, step, denoise), try slopes(few, step / 2, denoise))
    let change = zip(whole, half).reduce(0.0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
    let size = half.reduce(0.0) { $0 + Double($1) * Double($1) }
    return size > 0 ? (change / size).squareRoot() : 0
  }
}
