import Foundation

/// Which quantity stands where in the values that are measured at a point.
struct QuantityIndex: Sendable {
  let cells: Int
  static let pixelCells = 0
  static let labelCells = 1
  static let pixelBlock = 2
  static let labelBlock = 3
  static let scoreGap = 4
  private static let pairs = 5

  /// Cells i ≠ j, in either order: the Jacobian of a score is symmetric.
  func pixel(_ i: Int, _ j: Int) -> Int { Self.pairs + min(i, j) * cells + max(i, j) }
  /// The change at cell i when label l is knocked out.
  func label(_ i: Int, _ l: Int) -> Int { Self.pairs + cells * cells + i * cells + l }
  var count: Int { Self.pairs + 2 * cells * cells }
}

/// Everything of one conditioner that is needed at a point: its mixture, those of its knock-outs, and
/// what CPC says it should be.
struct PointMeasure: Sendable {
  let labels: Labels
  let index: QuantityIndex
  let mixture: GaussianMixture
  let composed: ByForm<Composition>
  private let cellDimension: Int
  private let labelled: [Int]
  private let others: [Int]
  /// For each of `labelled`: p_σ(x ∣ c without it), and its marginal over the unlabelled cells of c.
  private let knockouts: [(full: GaussianMixture, background: GaussianMixture?)]
  private let backgroundCoordinates: [Int]

  init(
    _ noised: NoisedWorld, conditioner: Int,
    perturb: (Composition, Labels) -> Composition
  ) throws(TheoryError) {
    let world = noised.world
    let labels = world.conditioners[conditioner]
    self.labels = labels
    index = QuantityIndex(cells: world.cells)
    cellDimension = world.cellDimension
    labelled = labels.cells(of: world.cells)
    let others = (0..<world.cells).filter { !labels.contains($0) }
    self.others = others
    mixture = noised.mixtures[conditioner]
    composed = try ByForm { form throws(TheoryError) in
      perturb(try Composition(noised, labels: labels, form: form), labels)
    }
    var knockouts: [(full: GaussianMixture, background: GaussianMixture?)] = []
    for label in labelled {
      guard let without = world.index(of: labels.without(label)) else {
        throw .missingConditioner(labels.without(label).cells(of: world.cells))
      }
      knockouts.append(
        (
          noised.mixtures[without],
          others.isEmpty ? nil : try noised.marginal(without, cells: others)
        ))
    }
    self.knockouts = knockouts
    backgroundCoordinates = noised.coordinates(of: others)
  }

  /// log p_σ(x ∣ c) − log q_σ(x ∣ c) for a form of windows.
  func logRatio(_ x: [Double], _ form: WindowForm, _ workspace: inout MeasureWorkspace) -> Double {
    mixture.evaluate(x, into: &workspace.point)
    return workspace.point.logDensity - composed[form].evaluate(x, &workspace.composition)
  }

  /// Fills in the squared violations of locality at x, and returns the log ratios of both forms.
  func measure(
    _ x: [Double], into values: inout [Double], _ workspace: inout MeasureWorkspace
  ) -> (block: Double, cells: Double) {
    let n = index.cells
    let d = cellDimension
    for i in values.indices { values[i] = 0 }
    mixture.evaluate(x, jacobian: true, into: &workspace.point)
    for i in 0..<n {
      for j in i + 1..<max(n, i + 1) {
        var sum = 0.0
        for a in i * d..<(i + 1) * d {
          for b in j * d..<(j + 1) * d {
            let value = workspace.point.jacobian[a * n * d + b]
            sum += value * value
          }
        }
        values[index.pixel(i, j)] = sum
        // Both orders of the pair.
        values[QuantityIndex.pixelCells] += 2 * sum
        if labels.contains(i) || labels.contains(j) {
          values[QuantityIndex.pixelBlock] += 2 * sum
        }
      }
    }
    for (place, label) in labelled.enumerated() {
      knockOut(x, place, label, &values, &workspace)
    }
    let block = composed.block.evaluate(x, &workspace.composition)
    let cells = composed.cells.evaluate(x, &workspace.composition, score: true)
    for i in 0..<n * d {
      let gap = workspace.point.score[i] - workspace.composition.score[i]
      values[QuantityIndex.scoreGap] += gap * gap
    }
    return (workspace.point.logDensity - block, workspace.point.logDensity - cells)
  }

  private func knockOut(
    _ x: [Double], _ place: Int, _ label: Int, _ values: inout [Double],
    _ workspace: inout MeasureWorkspace
  ) {
    let n = index.cells
    let d = cellDimension
    knockouts[place].full.evaluate(x, into: &workspace.knocked)
    for i in 0..<n where i != label {
      var sum = 0.0
      for a in i * d..<(i + 1) * d {
        let change = workspace.point.score[a] - workspace.knocked.score[a]
        sum += change * change
      }
      values[index.label(i, label)] = sum
      values[QuantityIndex.labelCells] += sum
      if labels.contains(i) { values[QuantityIndex.labelBlock] += sum }
    }
    // The window of the unlabelled cells grows when a label goes: what is compared is the score
    // with the cell that came free integrated out.
    guard let background = knockouts[place].background else { return }
    if workspace.part.count < x.count { workspace.part = [Double](repeating: 0, count: x.count) }
    for (k, coordinate) in backgroundCoordinates.enumerated() { workspace.part[k] = x[coordinate] }
    background.evaluate(workspace.part, into: &workspace.knocked)
    for (k, coordinate) in backgroundCoordinates.enumerated() {
      let change = workspace.point.score[coordinate] - workspace.knocked.score[k]
      values[QuantityIndex.labelBlock] += change * change
    }
  }
}

/// Reused from point to point.
struct MeasureWorkspace: Sendable {
  var point = MixturePoint()
  var knocked = MixturePoint()
  var composition = CompositionPoint()
  var part: [Double] = []
}

/// r + e^{−r} − 1 ≥ 0, of which E_p is KL(p ‖ q) when r = log p/q, for E_p[q/p] = 1: unlike r, its
/// spread is as small as its mean, so that a tiny divergence can be told from none.
func divergenceTerm(_ r: Double) -> Double {
  if abs(r) < 0.01 {
    // The terms cancel to r²/2.
    return r * r * (0.5 - r * (1 / 6 - r * (1 / 24 - r * (1 / 120 - r / 720))))
  }
  return r + expm1(-r)
}

/// The same under x ~ ½p + ½q: 2(r + e^{−r} − 1)/(1 + e^{−r}), at most 2 where q exceeds p, so that
/// mass of q which p never visits is not missed.
func balancedDivergenceTerm(_ r: Double) -> Double {
  if r < -1 {
    let e = exp(r)
    return 2 * ((r - 1) * e + 1) / (e + 1)
  }
  return 2 * divergenceTerm(r) / (1 + exp(-r))
}
