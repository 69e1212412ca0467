import Foundation

/// An expectation with how far it may be off.
package struct TheoryEstimate: Sendable, Hashable {
  package var value: Double
  /// 1.96 standard errors of a Monte Carlo mean, or the change of a quadrature when its step is
  /// doubled.
  package var error: Double
  /// What rounding alone may contribute.
  package var rounding: Double

  package var low: Double { value - error - rounding }
  package var high: Double { value + error + rounding }
}

/// How far a world is from local conditional scores and from projective composition at one σ;
/// expectations over c ~ P(c) and x ~ p_σ(x ∣ c).
package struct Violations: Sendable {
  package var sigma: Double
  /// Points a conditioner; 0 for a quadrature.
  package var samples: Int
  /// KL(p_σ(x ∣ c) ‖ composed), nats.
  package var divergence: ByForm<TheoryEstimate>
  /// The same by the number of labels.
  package var divergenceByCount: ByForm<[Int: TheoryEstimate]>
  /// Σ ‖∂score_i/∂x_j‖² over ordered pairs of cells in different windows.
  package var pixel: ByForm<TheoryEstimate>
  /// Σ ‖change of score_i‖² over cells i and labels l outside its window that are knocked out.
  package var label: ByForm<TheoryEstimate>
  /// E ‖∇log p_σ − ∇log q_σ‖² for `cells`; KL(σ) = ∫_σ^∞ τ · this(τ) dτ (de Bruijn's identity).
  package var scoreGap: TheoryEstimate
  /// [i][j] ‖∂score_i/∂x_j‖² for i ≠ j.
  package var pixelPairs: [[TheoryEstimate]]
  /// [i][l] ‖change of score_i without label l‖² for i ≠ l.
  package var labelPairs: [[TheoryEstimate]]
}

/// Measures a world at one noise level: by quadrature in two dimensions, by Monte Carlo in more.
///
/// - Parameters:
///   - samples: Monte Carlo points of each conditioner and density.
///   - draw: names the random numbers; the same `draw` gives worlds of different coupling the same
///     ones, so that their difference is not their noise.
///   - perturb: changes the density that CPC predicts; only a test does.
/// The result does not depend on `threads`.
package func measureViolations(
  _ noised: NoisedWorld, samples: Int, seed: UInt64, draw: UInt64 = 0, threads: Int = 1,
  perturb: (Composition, Labels) -> Composition = { composition, _ in composition },
  checkCancellation: () throws -> Void = {}
) throws -> Violations {
  let world = noised.world
  var measures: [PointMeasure] = []
  for conditioner in world.conditioners.indices {
    measures.append(
      try PointMeasure(noised, conditioner: conditioner, perturb: perturb))
  }
  var moments: [ConditionerMoments] = []
  let isQuadrature = world.dimension == 2
  for measure in measures {
    try checkCancellation()
    moments +=
      isQuadrature
      ? integrate([measure], noised, threads: threads)
      : drawMoments([measure], samples: samples, seed: seed, draw: draw, threads: threads)
  }
  return summarize(moments, noised, samples: isQuadrature ? 0 : samples)
}

/// Means of one conditioner with the error of each: a standard error, or a quadrature's change.
struct ConditionerMoments: Sendable {
  var values: [Double]
  var errors: [Double]
  var divergence: ByForm<(value: Double, error: Double)>
  /// Errors of different conditioners are independent when they are sampled, not when integrated.
  var isSampled: Bool
}

private func summarize(
  _ moments: [ConditionerMoments], _ noised: NoisedWorld, samples: Int
) -> Violations {
  let world = noised.world
  let index = QuantityIndex(cells: world.cells)
  let rounding = Rounding(noised)
  func combine(
    _ kept: [Int], _ rounding: Double,
    _ pick: (ConditionerMoments) -> (value: Double, error: Double)
  ) -> TheoryEstimate {
    let total = kept.reduce(0) { $0 + world.conditionerProbabilities[$1] }
    var value = 0.0
    var squares = 0.0
    var sum = 0.0
    for c in kept {
      let weight = world.conditionerProbabilities[c] / total
      let one = pick(moments[c])
      value += weight * one.value
      squares += weight * weight * one.error * one.error
      sum += weight * one.error
    }
    let isSampled = moments.first?.isSampled ?? true
    return TheoryEstimate(
      value: value, error: isSampled ? 1.959963984540054 * squares.squareRoot() : sum,
      rounding: rounding)
  }
  let all = Array(world.conditioners.indices)
  func quantity(_ place: Int, _ rounding: Double) -> TheoryEstimate {
    combine(all, rounding) { ($0.values[place], $0.errors[place]) }
  }
  func divergence(_ form: WindowForm, _ kept: [Int]) -> TheoryEstimate {
    combine(kept, rounding.divergence) { $0.divergence[form] }
  }
  let counts = Set(world.conditioners.map(\.count)).sorted()
  let cells = 0..<world.cells
  let nothing = TheoryEstimate(value: 0, error: 0, rounding: 0)
  return Violations(
    sigma: noised.sigma, samples: samples,
    divergence: ByForm { divergence($0, all) },
    divergenceByCount: ByForm { form in
      Dictionary(
        uniqueKeysWithValues: counts.map { count in
          (count, divergence(form, all.filter { world.conditioners[$0].count == count }))
        })
    },
    pixel: ByForm {
      quantity($0 == .cells ? QuantityIndex.pixelCells : QuantityIndex.pixelBlock, rounding.pixel)
    },
    label: ByForm {
      quantity($0 == .cells ? QuantityIndex.labelCells : QuantityIndex.labelBlock, rounding.label)
    },
    scoreGap: quantity(QuantityIndex.scoreGap, rounding.label),
    pixelPairs: cells.map { i in
      cells.map { i == $0 ? nothing : quantity(index.pixel(i, $0), rounding.pixel) }
    },
    labelPairs: cells.map { i in
      cells.map { i == $0 ? nothing : quantity(index.label(i, $0), rounding.label) }
    })
}

/// What rounding may contribute to squared quantities that are exactly zero.
///
/// Responsibilities r_s carry a relative error of about an ulp times their exponent, whose largest
/// part is R²/2σ² with R the distance between components; scores and Jacobians multiply it by R/σ²
/// and R²/σ⁴, and by Σ⁻¹ where the noise has a shape.
struct Rounding: Sendable {
  let pixel: Double
  let label: Double
  let divergence: Double

  init(_ noised: NoisedWorld) {
    let rows = noised.mixtures.flatMap(\.plainMeans)
    let d = Double(noised.world.dimension)
    var squared = 0.0
    for i in 0..<noised.world.dimension {
      let values = rows.map { $0[i] }
      let range = (values.max() ?? 0) - (values.min() ?? 0)
      squared += range * range
    }
    let inverse = 1 / (noised.sigma * noised.sigma)
    // The largest row sum of Σ⁻¹ bounds its norm.
    var shape = 1.0
    if let noise = noised.view.noise, let precision = try? noise.inverse() {
      for i in 0..<precision.size {
        shape = max(shape, (0..<precision.size).reduce(0) { $0 + abs(precision[i, $1]) })
      }
    }
    let relative = 0x1p-52 * (64 + squared * shape * inverse)
    let jacobian = relative * (squared * shape * shape * inverse * inverse + shape * inverse)
    let score = relative * squared.squareRoot() * shape * inverse
    pixel = d * d * jacobian * jacobian
    label = d * d * score * score
    divergence = d * d * relative * relative
  }
}
