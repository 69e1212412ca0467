import Diffusion
import Foundation

/// How many objects a picture has whose conditioner tells of K.
package struct ConditionalLaw: Sendable {
  /// Whether training has such conditioners.
  package var isOnTraining: Bool
  /// Each number with how probable it is, what lies where aside.
  package var numbers: [(count: Int, share: Double)]

  /// Of a training law: as many objects as `objects` says, each number as often, and `labelling` tells of some.
  ///
  /// `all` tells of every object, so that there are K. `single` tells of one, whatever their number n: for K = 1
  /// every n is as probable as it was, for a picture with an object in a cell is n times as frequent and tells of
  /// it one time in n. `subset` tells of K of n objects in C(n, K) of 2ⁿ cases. Where training has no such
  /// conditioner, there is no posterior of its law: then it is what was asked for, K objects and no others.
  ///
  /// - Returns: `nil` for a labelling that tells of none.
  package init?(_ labelling: Labelling, k: Int, objects: ClosedRange<Int>) {
    let most = objects.upperBound
    let possible = objects.filter { $0 >= k }
    switch labelling {
    case .none: return nil
    case .all: numbers = objects.contains(k) ? [(k, 1)] : []
    case .single: numbers = k == 1 ? possible.map { ($0, 1) } : []
    case .subset: numbers = k <= most ? possible.map { ($0, Self.told(k, of: $0)) } : []
    }
    isOnTraining = !numbers.isEmpty
    if numbers.isEmpty { numbers = [(k, 1)] }
  }

  /// C(n, K) / 2ⁿ.
  private static func told(_ k: Int, of n: Int) -> Double {
    (0..<k).reduce(pow(0.5, Double(n))) { $0 * Double(n - $1) / Double($1 + 1) }
  }
}
