import Streams

/// How the pixels that no label speaks of are treated; the theorem is exact for either form.
///
/// CPC ⇔ LCS at any one σ > 0, over conditioners that are closed under knocking out labels: a mixed
/// derivative ∂²log p_σ/∂x_i∂x_j that vanishes between windows makes log p_σ(x ∣ c) a sum over
/// windows; a score that does not change when a label outside its window goes leads, label by label,
/// from c to the window's own conditioner. So every factor is the one that CPC names, and back.
/// Deconvolving the noise is unique, so that what holds at one σ holds at all (after Bradley et al.
/// 2025, arXiv 2509.16447).
package enum WindowForm: String, Sendable, CaseIterable {
  /// CPC as it is defined, p(x ∣ c_J) = p(x_{M_Jᶜ} ∣ ∅) · Π_{j∈J} p(x_{M_j} ∣ c_j): the unlabelled
  /// cells are one window.
  case block
  /// Every cell is a window of its own: p(x ∣ c_J) = Π_{i∉J} p(x_{M_i} ∣ ∅) · Π_{j∈J} p(x_{M_j} ∣ c_j).
  /// This is `block` with a background that is itself local, and what probes of small windows see.
  case cells

  /// The windows under some labels, each with the labels that its pixels are drawn under.
  func windows(_ labels: Labels, cells: Int) -> [(cells: [Int], labels: Labels)] {
    let labelled = labels.cells(of: cells).map { (cells: [$0], labels: Labels([$0])) }
    let others = (0..<cells).filter { !labels.contains($0) }
    switch self {
    case .block: return labelled + (others.isEmpty ? [] : [(others, .none)])
    case .cells: return labelled + others.map { ([$0], .none) }
    }
  }
}

/// A value for each form of windows.
package struct ByForm<Value> {
  package var block: Value
  package var cells: Value

  package init<E: Error>(_ value: (WindowForm) throws(E) -> Value) throws(E) {
    block = try value(.block)
    cells = try value(.cells)
  }

  package subscript(form: WindowForm) -> Value {
    get { form == .block ? block : cells }
    set { if form == .block { block = newValue } else { cells = newValue } }
  }
}

extension ByForm: Sendable where Value: Sendable {}
extension ByForm: Equatable where Value: Equatable {}

/// A density that is a product over windows: Π_b p_σ(x_{M_b} ∣ c_b).
package struct Composition: Sendable {
  struct Factor: Sendable {
    /// The coordinates that the window holds.
    var coordinates: [Int]
    var mixture: GaussianMixture
  }
  let factors: [Factor]

  /// What CPC says p_σ(x ∣ c) is, for any labels, also where p(x ∣ c) itself does not exist.
  package init(_ noised: NoisedWorld, labels: Labels, form: WindowForm) throws(TheoryError) {
    let world = noised.world
    var factors: [Factor] = []
    for window in form.windows(labels, cells: world.cells) {
      guard let source = world.index(of: window.labels) else {
        throw .missingConditioner(window.labels.cells(of: world.cells))
      }
      factors.append(
        Factor(
          coordinates: noised.coordinates(of: window.cells),
          mixture: try noised.marginal(source, cells: window.cells)))
    }
    self.factors = factors
  }

  init(factors: [Factor]) { self.factors = factors }

  /// log q_σ(x); fills in the score when it is asked for.
  func evaluate(_ x: [Double], _ workspace: inout CompositionPoint, score: Bool = false) -> Double {
    var sum = 0.0
    if score, workspace.score.count != x.count {
      workspace.score = [Double](repeating: 0, count: x.count)
    }
    while workspace.points.count < factors.count { workspace.points.append(MixturePoint()) }
    for (index, factor) in factors.enumerated() {
      let count = factor.coordinates.count
      if workspace.part.count < count { workspace.part = [Double](repeating: 0, count: x.count) }
      for k in 0..<count { workspace.part[k] = x[factor.coordinates[k]] }
      factor.mixture.evaluate(workspace.part, into: &workspace.points[index])
      sum += workspace.points[index].logDensity
      if score {
        for k in 0..<count {
          workspace.score[factor.coordinates[k]] = workspace.points[index].score[k]
        }
      }
    }
    return sum
  }

  func draw(_ stream: inout RandomStream, into x: inout [Double], _ part: inout [Double]) {
    if part.count < x.count { part = [Double](repeating: 0, count: x.count) }
    for factor in factors {
      part.withUnsafeMutableBufferPointer { buffer in
        if let base = buffer.baseAddress { factor.mixture.draw(&stream, into: base) }
      }
      for (k, coordinate) in factor.coordinates.enumerated() { x[coordinate] = part[k] }
    }
  }
}

/// Reused when a composition is evaluated.
struct CompositionPoint: Sendable {
  var score: [Double] = []
  var part: [Double] = []
  var points: [MixturePoint] = []
}
