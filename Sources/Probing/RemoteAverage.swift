import Statistics

/// How much the output at labelled objects depends on what is remote to them, over several noise levels.
///
/// At each level the root mean square of a change over the objects of all pictures, relative to that of the
/// own label going, or of all pixels being another picture's; then the plain mean over the levels. Pictures are the sample: the same ones at every level.
package struct RemoteAverage: Sendable {
  /// What becomes of the remote labels, or pixels.
  package enum Change: String, Sendable, CaseIterable {
    /// One of them goes, whichever.
    case single
    /// All go at once.
    case removed
    /// All move to other remote cells.
    case moved
    /// Pixels outside the window are another picture's.
    case swapped

    /// The change, and what it is held against.
    fileprivate func parts(_ changes: RemoteChanges) -> (part: Double, whole: Double) {
      switch self {
      case .single: (changes.single, changes.remoteOwn)
      case .removed: (changes.removed, changes.remoteOwn)
      case .moved: (changes.moved, changes.remoteOwn)
      case .swapped: (changes.swapped, changes.replaced)
      }
    }
  }

  private let levels: [[RemoteChanges]]

  /// - Parameter levels: by noise level, the pictures in one order.
  package init(levels: [[RemoteChanges]]) {
    self.levels = levels
  }

  package var pictures: Int { levels.map(\.count).min() ?? 0 }

  /// - Parameter weights: how often each picture counts.
  /// - Returns: `nil` where at some level that which it is held against has no effect, or without levels.
  package func value(_ change: Change, _ weights: [Int]) -> Double? {
    var sum = 0.0
    for level in levels {
      var (above, below) = (0.0, 0.0)
      for (weight, picture) in zip(weights, level) {
        let (part, whole) = change.parts(picture)
        above += Double(weight) * part
        below += Double(weight) * whole
      }
      if below <= 0 { return nil }
      sum += (above / below).squareRoot()
    }
    return levels.isEmpty ? nil : sum / Double(levels.count)
  }

  /// 95 %, over resampled pictures.
  package func interval(_ change: Change, seed: UInt64) -> Interval? {
    sample(change) { value(change, $0) }?.interval(seed)
  }

  /// This one's less another change of the other's, by default the same one, on the same pictures.
  package func difference(
    _ change: Change, from other: RemoteAverage, of theirs: Change? = nil, seed: UInt64
  ) -> Interval? {
    sample(change, with: other) { difference(change, from: other, of: theirs, $0) }?.interval(seed)
  }

  /// The same as `interval`, each resampling of its own.
  package func draws(_ change: Change, seed: UInt64) -> [Double] {
    sample(change) { value(change, $0) }?.distribution(seed) ?? []
  }

  /// The same as `difference`, each resampling of its own.
  package func differences(
    _ change: Change, from other: RemoteAverage, of theirs: Change? = nil, seed: UInt64
  ) -> [Double] {
    sample(change, with: other) { difference(change, from: other, of: theirs, $0) }?
      .distribution(seed) ?? []
  }

  private func difference(
    _ change: Change, from other: RemoteAverage, of otherChange: Change?, _ weights: [Int]
  ) -> Double? {
    guard let own = value(change, weights),
      let theirs = other.value(otherChange ?? change, weights)
    else { return nil }
    return own - theirs
  }

  /// Pictures that are drawn again and again for one number.
  private struct Sample {
    var count: Int
    /// Pictures that say anything: with labels remote to an object.
    var n: Int
    var statistic: ([Int]) -> Double?

    private func number(_ weights: [Int]) -> Double { statistic(weights) ?? 0 }

    func interval(_ seed: UInt64) -> Interval {
      Bootstrap(seed: seed).interval(strata: [0..<count], count: count, n: n, number)
    }

    func distribution(_ seed: UInt64) -> [Double] {
      Bootstrap(seed: seed).distribution(strata: [0..<count], count: count, number)
    }
  }

  /// `nil` where the number is not defined.
  private func sample(
    _ change: Change, with other: RemoteAverage? = nil, _ statistic: @escaping ([Int]) -> Double?
  ) -> Sample? {
    let count = min(pictures, other?.pictures ?? pictures)
    guard count > 0, statistic([Int](repeating: 1, count: count)) != nil else { return nil }
    let n = (0..<count).count { picture in
      levels.contains { change.parts($0[picture]).whole > 0 }
    }
    return Sample(count: count, n: n, statistic: statistic)
  }
}
