import Foundation

/// How far an output pixel sees, noise level by noise level.
package struct WindowSchedule: Sendable, Hashable, Codable {
  package struct Step: Sendable, Hashable, Codable {
    /// The step holds from this σ up to the next step's.
    package var from: Double
    /// The window is the square of side 2 · radius + 1 px around the output, clipped to the picture.
    package var radius: Int

    package init(from: Double, radius: Int) {
      self.from = from
      self.radius = radius
    }
  }

  /// Rising in σ; the first holds below its own σ too.
  package let steps: [Step]

  /// - Throws: `AnalyticError.schedule` unless there are steps, of rising σ and radii from 0 up.
  package init(steps: [Step]) throws(AnalyticError) {
    guard !steps.isEmpty, steps.allSatisfy({ $0.radius >= 0 && $0.from.isFinite }),
      zip(steps, steps.dropFirst()).allSatisfy({ $0.from < $1.from })
    else { throw .schedule("\(steps.map { "\($0.from): \($0.radius)" })") }
    self.steps = steps
  }

  /// One window for every σ.
  package init(radius: Int) { steps = [Step(from: 0, radius: max(radius, 0))] }

  /// The radius nearest in ln σ among those of some noise levels, which may come in any order.
  package init(sigmas: [Double], radii: [Int]) throws(AnalyticError) {
    let sorted = zip(sigmas, radii).sorted { $0.0 < $1.0 }
    try self.init(
      steps: sorted.indices.map { i in
        Step(
          from: i == 0 ? 0 : (sorted[i - 1].0 * sorted[i].0).squareRoot(), radius: sorted[i].1)
      })
  }

  package func radius(at sigma: Float) -> Int {
    (steps.last { $0.from <= Double(sigma) } ?? steps[0]).radius
  }

  package var largestRadius: Int { steps.map(\.radius).max() ?? 0 }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    try self.init(steps: try container.decode([Step].self))
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(steps)
  }
}

/// Schedules that others published.
package enum PublishedSchedule: String, Sendable, CaseIterable {
  /// Niedoba et al. 2024 (arXiv 2411.19339), PSPC-Square for CIFAR-10, as in the authors' code: the side
  /// of a square patch at each of EDM's 18 noise levels (80 down to 0.002, ρ = 7), the nearest level
  /// deciding. They average overlapping patches; here a window has its output pixel in its middle.
  case niedobaCIFAR10 = "niedoba-cifar10"
  /// Bradley et al. 2025 (arXiv 2509.16447), Exp 2L: patches of 2k + 1 cells, k = 2, at every σ.
  case bradley = "bradley"

  private static let niedobaSides = [
    32, 32, 32, 32, 32, 32, 32, 23, 15, 11, 7, 5, 3, 3, 3, 3, 3, 3,
  ]

  /// For pictures of `size` px with cells of `cellSize` px. A side as large as CIFAR-10's pictures is
  /// the whole picture at every size; sides between are in px.
  package func schedule(size: Int, cellSize: Int) throws(AnalyticError) -> WindowSchedule {
    switch self {
    case .bradley: return WindowSchedule(radius: 5 * cellSize / 2)
    case .niedobaCIFAR10:
      let count = Self.niedobaSides.count
      // EDM eq. 5.
      let levels = (0..<count).map { i -> Double in
        let high = pow(80, 1 / 7.0)
        let low = pow(0.002, 1 / 7.0)
        return pow(high + Double(i) / Double(count - 1) * (low - high), 7)
      }
      var steps: [WindowSchedule.Step] = []
      for (level, side) in zip(levels, Self.niedobaSides).reversed() {
        let radius = side >= 32 ? size - 1 : side / 2
        if steps.last?.radius == radius { continue }
        let index = levels.firstIndex(of: level) ?? 0
        let below = index + 1 < count ? (level + levels[index + 1]) / 2 : 0
        steps.append(WindowSchedule.Step(from: below, radius: radius))
      }
      return try WindowSchedule(steps: steps)
    }
  }
}
