import Foundation

/// How values fall on an axis.
package enum ChartScale: Sendable { case linear, logarithmic }

/// An axis: a range of values, the pixels that it covers, and round ticks.
struct ChartAxis {
  let scale: ChartScale
  let low: Double
  let high: Double
  let start: Double
  let end: Double

  /// Widens an empty range, so that there is always something to divide by.
  init(_ scale: ChartScale, _ low: Double, _ high: Double, from start: Double, to end: Double) {
    self.scale = scale
    switch scale {
    case .linear:
      self.low = low
      self.high = high > low ? high : low + 1
    case .logarithmic:
      self.low = max(low, 1e-300)
      self.high = high > self.low ? high : self.low * 10
    }
    self.start = start
    self.end = end
  }

  func place(_ value: Double) -> Double {
    let part =
      scale == .linear
      ? (value - low) / (high - low) : log(max(value, 1e-300) / low) / log(high / low)
    return start + part * (end - start)
  }

  /// Multiples of 1, 2 or 5 times a power of ten, about `count` of them; powers of ten on a log axis.
  ///
  /// - Parameter isWhole: whether what lies between whole numbers is nothing.
  func ticks(_ count: Int, isWhole: Bool = false) -> [Double] {
    switch scale {
    case .linear:
      let rough = (high - low) / Double(max(count, 1))
      let power = pow(10, floor(log10(rough)))
      let round = [1, 2, 5, 10].map { $0 * power }.first { $0 >= rough * 0.999 } ?? rough
      let step = isWhole ? max(round, 1) : round
      let first = Int((low / step - 1e-9).rounded(.up))
      let last = Int((high / step + 1e-9).rounded(.down))
      return first <= last ? (first...last).map { Double($0) * step } : [low]
    case .logarithmic:
      let first = Int(log10(low).rounded(.down))
      let last = Int(log10(high).rounded(.up))
      let decades = first <= last ? Array(first...last) : []
      // Over few decades powers of ten alone leave the axis bare.
      let factors: [Double] = decades.count > 4 ? [1] : [1, 2, 5]
      let all = decades.flatMap { decade in factors.map { $0 * pow(10, Double(decade)) } }
      return all.filter { $0 >= low * 0.999 && $0 <= high * 1.001 }
    }
  }
}
