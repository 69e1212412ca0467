// Group norms with statistics that are given: what they cost, and who gives them.

import Vectors

/// A group norm whose mean and variance are given, not those of the picture at hand: a multiply-add a value,
/// and no path across space.
struct FrozenNormalizationLayer: Layer {
  /// The norm with its own statistics.
  let norm: NormalizationLayer

  var inputs: [Value] { norm.inputs }
  var label: String { "frozen " + norm.label }
  var multiplyAdds: Int { 0 }

  func forward(_ frame: Frame) {
    scaleAndShift(
      frame.field(norm.input), into: frame.field(norm.output), kind: .none,
      affine: norm.affine(frame), silu: norm.silu, state: norm.state(frame))
  }

  func backward(_ frame: Frame, accumulate: [Bool]) {
    norm.backward(frame, kind: .none, accumulate: accumulate)
  }
}

/// Mean and variance of the groups of one norm.
package struct GroupMoments: Sendable, Hashable {
  package var means: [Float]
  package var variances: [Float]

  package init(means: [Float], variances: [Float]) {
    self.means = means
    self.variances = variances
  }
}

/// A group norm of a graph, frozen or not.
package struct GroupNorm: Sendable {
  package let groups: Int
  fileprivate let layer: NormalizationLayer
  package let isFrozen: Bool

  fileprivate init?(_ layer: any Layer) {
    let frozen = layer as? FrozenNormalizationLayer
    guard let norm = frozen?.norm ?? layer as? NormalizationLayer,
      case .group(let groups) = norm.kind
    else { return nil }
    self.layer = norm
    self.groups = groups
    isFrozen = frozen != nil
  }

  /// As PyTorch calls it.
  package var name: String {
    layer.gamma.map { String($0.name.dropLast(".weight".count)) } ?? ""
  }

  fileprivate var groupSize: Int { layer.input.channels / groups }
}

extension Graph {
  /// In the order in which a picture comes to them.
  package var groupNorms: [GroupNorm] { layers.compactMap(GroupNorm.init) }
}

extension Workspace {
  /// What a norm found in the last forward pass.
  package func moments(of norm: GroupNorm) -> GroupMoments {
    let state = state(norm)
    let first = (0..<norm.groups).map { $0 * norm.groupSize }
    return GroupMoments(
      means: first.map { state.mean[$0] },
      variances: first.map {
        let deviation = 1 / Double(state.rstd[$0])
        return Float(max(0, deviation * deviation - Double(groupEpsilon)))
      })
  }

  /// What a frozen norm takes for those of every picture from now on.
  package func freeze(_ norm: GroupNorm, at moments: GroupMoments) {
    let state = state(norm)
    for g in 0..<norm.groups {
      let rstd = 1 / (moments.variances[g] + groupEpsilon).squareRoot()
      for c in g * norm.groupSize..<(g + 1) * norm.groupSize {
        state.mean[c] = moments.means[g]
        state.rstd[c] = rstd
      }
    }
  }

  private func state(_ norm: GroupNorm) -> NormalizationState {
    NormalizationState(
      field(norm.layer.state).base, channels: paddedChannels(norm.layer.input.channels))
  }
}
