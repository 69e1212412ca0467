import Foundation
import Statistics
import Streams

/// How often each filling of the cells came out of a sampler.
package struct SampledPictures: Sendable {
  /// By the states of the cells.
  package let counts: [[Int]: Int]
  package let total: Int
  /// Share of labelled cells in which an object came out; `nil` without labels.
  package let recall: Double?

  /// Against the enumerated probabilities.
  package func test(against pictures: [Picture]) -> ChiSquareTest {
    let known = pictures.map { counts[$0.states] ?? 0 }
    let unknown = total - known.reduce(0, +)
    return ChiSquareTest(
      counts: known + [unknown], probabilities: pictures.map(\.probability) + [0])
  }
}

/// Noise levels of EDM's sampler (Karras et al. 2022, eq. 5, ρ = 7), then 0.
func noiseLevels(steps: Int, low: Double = 0.01, high: Double = 80) -> [Double] {
  let start = pow(high, 1 / 7.0)
  let end = pow(low, 1 / 7.0)
  let inner = (0..<steps).map { i -> Double in
    let fraction = Double(i) / Double(max(steps - 1, 1))
    return pow(start + fraction * (end - start), 7)
  }
  return inner + [0]
}

/// Draws pictures by Heun's method on the probability-flow ODE dx/dσ = −σ ∇log p_σ(x)
/// (Karras et al. 2022, algorithm 1 without churn), with exact scores, and reads each cell as its
/// nearest state.
///
/// - Parameters:
///   - world: for pixels that are the cells' own.
///   - labels: what the sampled density is conditioned on.
///   - density: p_σ or what is composed, as a product over windows, at each σ.
/// The result does not depend on `threads`.
package func samplePictures(
  _ world: CellWorld, labels: Labels, count: Int, steps: Int, seed: UInt64, draw: UInt64,
  threads: Int, checkCancellation: () throws -> Void = {},
  density: (_ sigma: Double) throws -> Composition
) throws -> SampledPictures {
  let levels = noiseLevels(steps: steps)
  var densities: [Composition] = []
  for sigma in levels.dropLast() { densities.append(try density(sigma)) }
  let schedule = densities
  var drawn = [[Int]](repeating: [], count: count)
  let portion = 200
  for first in stride(from: 0, to: count, by: portion) {
    try checkCancellation()
    drawn.withUnsafeMutableBufferPointer { buffer in
      nonisolated(unsafe) let buffer = buffer
      parallel(min(portion, count - first), threads: threads) { place, _ in
        let item = first + place
        var stream = RandomStream(
          seed: seed, purpose: .sampler, index: draw << 40 | UInt64(item))
        let x = integrate(
          (0..<world.dimension).map { _ in levels[0] * Double(stream.gaussian()) }, levels, schedule
        )
        buffer[item] = world.nearestStates(x)
      }
    }
  }
  var counts: [[Int]: Int] = [:]
  var found = 0
  for states in drawn {
    counts[states, default: 0] += 1
    found += labels.cells(of: world.cells).count { world.states[states[$0]].isOccupied }
  }
  return SampledPictures(
    counts: counts, total: count,
    recall: labels.count == 0 ? nil : Double(found) / Double(labels.count * count))
}

private func integrate(
  _ start: [Double], _ levels: [Double], _ densities: [Composition]
) -> [Double] {
  var x = start
  var workspace = CompositionPoint()
  var slope = x
  for i in densities.indices {
    let step = levels[i + 1] - levels[i]
    _ = densities[i].evaluate(x, &workspace, score: true)
    for k in x.indices { slope[k] = -levels[i] * workspace.score[k] }
    let ahead = x.indices.map { x[$0] + step * slope[$0] }
    if i + 1 == densities.count { return ahead }
    _ = densities[i + 1].evaluate(ahead, &workspace, score: true)
    for k in x.indices {
      x[k] += step * 0.5 * (slope[k] - levels[i + 1] * workspace.score[k])
    }
  }
  return x
}

extension CellWorld {
  /// The state whose patch is nearest, for each cell.
  func nearestStates(_ x: [Double]) -> [Int] {
    let d = cellDimension
    return (0..<cells).map { cell in
      let distances = states.map { state in
        (0..<d).reduce(0) { sum, k in
          let difference = x[cell * d + k] - state.patch[k]
          return sum + difference * difference
        }
      }
      return distances.indices.min { distances[$0] < distances[$1] } ?? 0
    }
  }

  /// The pictures of a composition, with their probabilities: products over its windows.
  package func composedPictures(_ labels: Labels, form: WindowForm) throws(TheoryError) -> [Picture]
  {
    var result = [Picture(states: [Int](repeating: 0, count: cells), probability: 1)]
    for window in form.windows(labels, cells: cells) {
      guard let source = index(of: window.labels) else {
        throw .missingConditioner(window.labels.cells(of: cells))
      }
      let rows = marginal(source, cells: window.cells)
      result = result.flatMap { picture in
        rows.map { row in
          var next = picture
          for (place, cell) in window.cells.enumerated() { next.states[cell] = row.states[place] }
          next.probability *= row.probability
          return next
        }
      }
    }
    return result
  }

  /// KL(p(x₀ ∣ c) ‖ composed) without noise, from the enumerated probabilities: nats, expected over c;
  /// +∞ where composition excludes a picture that occurs.
  package func enumeratedDivergence(_ form: WindowForm) throws(TheoryError) -> Double {
    var total = 0.0
    for (c, labels) in conditioners.enumerated() {
      let composed = Dictionary(
        try composedPictures(labels, form: form).map { ($0.states, $0.probability) },
        uniquingKeysWith: +)
      for picture in pictures[c] {
        let q = composed[picture.states] ?? 0
        total +=
          conditionerProbabilities[c] * picture.probability * log(picture.probability / q)
      }
    }
    return total
  }
}

extension Composition {
  /// p_σ(x ∣ c) itself, as a product of one factor.
  package init(exactly noised: NoisedWorld, conditioner: Int) {
    let mixture = noised.mixtures[conditioner]
    self.init(
      factors: [Factor(coordinates: Array(0..<mixture.dimension), mixture: mixture)])
  }
}
