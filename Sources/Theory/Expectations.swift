import Foundation
import Streams

/// Sums of one portion of the points.
private struct Portion: Sendable {
  var count = 0
  var sums: [Double] = []
  var squares: [Double] = []
  /// Sum and sum of squares of the divergence's term, under p and under what is composed.
  var exact = ByForm { _ in (0.0, 0.0) }
  var composed = ByForm { _ in (0.0, 0.0) }
}

/// Points of a portion: fixed, so that sums are taken in the same order for any number of threads.
private let portionSize = 250

/// Monte Carlo: x ~ p_σ(x ∣ c) for the violations of locality; for KL half of the points from p and
/// half from q, by the estimator of `balancedDivergenceTerm`.
func drawMoments(
  _ measures: [PointMeasure], samples: Int, seed: UInt64, draw: UInt64, threads: Int
) -> [ConditionerMoments] {
  let portions = (samples + portionSize - 1) / portionSize
  var results = [Portion](repeating: Portion(), count: measures.count * portions)
  results.withUnsafeMutableBufferPointer { buffer in
    nonisolated(unsafe) let buffer = buffer
    parallel(buffer.count, threads: threads) { item, _ in
      let measure = measures[item / portions]
      let first = item % portions * portionSize
      // Named by the labels, not their place in the list: that depends on the coupling.
      let stream =
        draw << 44 | UInt64(measure.labels.bits) << 20 | UInt64(item % portions)
      buffer[item] = drawPortion(
        measure, count: min(portionSize, samples - first), seed: seed, stream: stream)
    }
  }
  return measures.indices.map { c in
    moments(Array(results[c * portions..<(c + 1) * portions]), of: measures[c])
  }
}

private func drawPortion(
  _ measure: PointMeasure, count: Int, seed: UInt64, stream: UInt64
) -> Portion {
  var portion = Portion(count: count)
  let quantities = measure.index.count
  portion.sums = [Double](repeating: 0, count: quantities)
  portion.squares = portion.sums
  var values = portion.sums
  var workspace = MeasureWorkspace()
  var x = [Double](repeating: 0, count: measure.mixture.dimension)
  var random = RandomStream(seed: seed, purpose: .exactDraws, index: stream)
  func add(_ sums: inout (Double, Double), _ ratio: Double) {
    let term = balancedDivergenceTerm(ratio)
    sums = (sums.0 + term, sums.1 + term * term)
  }
  for _ in 0..<count {
    x.withUnsafeMutableBufferPointer { buffer in
      if let base = buffer.baseAddress { measure.mixture.draw(&random, into: base) }
    }
    let ratios = measure.measure(x, into: &values, &workspace)
    add(&portion.exact.block, ratios.block)
    add(&portion.exact.cells, ratios.cells)
    for i in 0..<quantities {
      portion.sums[i] += values[i]
      portion.squares[i] += values[i] * values[i]
    }
  }
  for form in WindowForm.allCases {
    let composed = measure.composed[form]
    var random = RandomStream(
      seed: seed, purpose: form == .cells ? .composedDraws : .blockDraws, index: stream)
    for _ in 0..<count {
      composed.draw(&random, into: &x, &workspace.part)
      add(&portion.composed[form], measure.logRatio(x, form, &workspace))
    }
  }
  return portion
}

private func moments(_ portions: [Portion], of measure: PointMeasure) -> ConditionerMoments {
  let count = Double(portions.reduce(0) { $0 + $1.count })
  /// The mean, and the variance of the mean.
  func mean(_ sum: Double, _ squares: Double) -> (Double, Double) {
    let mean = sum / count
    return (mean, max(0, squares / count - mean * mean) / max(count - 1, 1))
  }
  var result = ConditionerMoments(
    values: [], errors: [], divergence: ByForm { _ in (0, 0) }, isSampled: true)
  for i in 0..<measure.index.count {
    let (value, variance) = mean(
      portions.reduce(0) { $0 + $1.sums[i] }, portions.reduce(0) { $0 + $1.squares[i] })
    result.values.append(value)
    result.errors.append(variance.squareRoot())
  }
  for form in WindowForm.allCases {
    func half(_ sums: (Portion) -> (Double, Double)) -> (Double, Double) {
      let all = portions.map(sums)
      return mean(all.reduce(0) { $0 + $1.0 }, all.reduce(0) { $0 + $1.1 })
    }
    let exact = half { $0.exact[form] }
    let composed = half { $0.composed[form] }
    result.divergence[form] = (
      0.5 * (exact.0 + composed.0), 0.5 * (exact.1 + composed.1).squareRoot()
    )
  }
  return result
}

/// Quadrature in two dimensions by the trapezoidal rule, which converges faster than any power of
/// its step for functions analytic in a strip (Trefethen and Weideman 2014, theorem 5.1).
///
/// log p_σ has branch points at a distance of about πσ²/2 from the real axis for components 2 apart,
/// which sets the step; the error is the change when the step is doubled.
func integrate(_ measures: [PointMeasure], _ noised: NoisedWorld, threads: Int)
  -> [ConditionerMoments]
{
  let rows = noised.mixtures.flatMap(\.plainMeans)
  let sigma = noised.sigma
  let step = min(sigma / 3, 1.2 * sigma * sigma)
  let axes = (0..<2).map { axis -> (start: Double, count: Int) in
    let reach = 8.5 * sigma * (noised.view.noise?[axis, axis] ?? 1).squareRoot()
    let low = (rows.map { $0[axis] }.min() ?? 0) - reach
    let high = (rows.map { $0[axis] }.max() ?? 0) + reach
    return (low, Int(((high - low) / step).rounded(.up)) + 1)
  }
  let height = axes[1].count
  var lines = [Line](repeating: Line(), count: measures.count * height)
  lines.withUnsafeMutableBufferPointer { buffer in
    nonisolated(unsafe) let buffer = buffer
    parallel(buffer.count, threads: threads) { item, _ in
      buffer[item] = integrateLine(
        measures[item / height], y: axes[1].start + Double(item % height) * step,
        start: axes[0].start, count: axes[0].count, step: step)
    }
  }
  return measures.indices.map { c in
    let own = lines[c * height..<(c + 1) * height]
    func total(_ pick: (Line) -> Double) -> Double { own.reduce(0) { $0 + pick($1) } * step * step }
    func coarse(_ pick: (Line) -> Double) -> Double {
      var sum = 0.0
      for (row, line) in own.enumerated() where row % 2 == 0 { sum += pick(line) }
      return sum * 4 * step * step
    }
    var result = ConditionerMoments(
      values: [], errors: [], divergence: ByForm { _ in (0, 0) }, isSampled: false)
    for i in 0..<measures[c].index.count {
      let value = total { $0.sums[i] }
      result.values.append(value)
      result.errors.append(abs(value - coarse { $0.evenSums[i] }))
    }
    result.divergence = ByForm { form in
      let value = total { $0.divergence[form] }
      return (value, abs(value - coarse { $0.evenDivergence[form] }))
    }
    return result
  }
}

/// The sums along one row of the grid: of all points, and of every second one.
private struct Line: Sendable {
  var sums: [Double] = []
  var evenSums: [Double] = []
  var divergence = ByForm { _ in 0.0 }
  var evenDivergence = ByForm { _ in 0.0 }

  /// Adds p(r + e^{−r} − 1), which is q where q exceeds p by far.
  mutating func add(
    _ logDensity: Double, _ ratio: Double, to form: WindowForm, isEven: Bool
  ) {
    let term = ratio < -700 ? exp(logDensity - ratio) : exp(logDensity) * divergenceTerm(ratio)
    divergence[form] += term
    if isEven { evenDivergence[form] += term }
  }
}

private func integrateLine(
  _ measure: PointMeasure, y: Double, start: Double, count: Int, step: Double
) -> Line {
  let quantities = measure.index.count
  let zeros = [Double](repeating: 0, count: quantities)
  var line = Line(sums: zeros, evenSums: zeros)
  var values = zeros
  var workspace = MeasureWorkspace()
  var x = [start, y]
  for column in 0..<count {
    x[0] = start + Double(column) * step
    let ratios = measure.measure(x, into: &values, &workspace)
    let logDensity = workspace.point.logDensity
    let density = exp(logDensity)
    line.add(logDensity, ratios.block, to: .block, isEven: column % 2 == 0)
    line.add(logDensity, ratios.cells, to: .cells, isEven: column % 2 == 0)
    for i in 0..<quantities {
      line.sums[i] += density * values[i]
      if column % 2 == 0 { line.evenSums[i] += density * values[i] }
    }
  }
  return line
}
