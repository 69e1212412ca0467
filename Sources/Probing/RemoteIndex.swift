import Statistics

/// How much the output at labelled objects depends on what is remote to them.
package struct RemoteIndex: Sendable, Hashable {
  /// Of every remote label going at once, over the effect of the object's own label; `nil` where no picture
  /// has a remote label.
  package var removed: Interval?
  /// The same of one remote label, root mean square over them.
  package var single: Interval?
  /// The same of remote labels that move and keep their number.
  package var moved: Interval?
  /// Of another picture's pixels outside the window, over that of another picture's everywhere.
  package var swapped: Interval?

  /// Root mean squares pooled over objects; the intervals resample pictures.
  ///
  /// `nil` for a ratio whose scale is 0.
  package init(_ pictures: [RemoteChanges], seed: UInt64) {
    func ratio(_ part: (RemoteChanges) -> Double, _ whole: (RemoteChanges) -> Double) -> Interval? {
      let pairs = pictures.map { (part($0), whole($0)) }
      if pairs.reduce(0, { $0 + $1.1 }) <= 0 { return nil }
      return Bootstrap(seed: seed).interval(
        strata: [0..<pairs.count], count: pairs.count, n: pairs.count { $0.1 > 0 }
      ) { weights in
        var (above, below) = (0.0, 0.0)
        for (weight, pair) in zip(weights, pairs) {
          above += Double(weight) * pair.0
          below += Double(weight) * pair.1
        }
        return below > 0 ? (above / below).squareRoot() : 0
      }
    }
    single = ratio(\.single, \.remoteOwn)
    removed = ratio(\.removed, \.remoteOwn)
    moved = ratio(\.moved, \.remoteOwn)
    swapped = ratio(\.swapped, \.replaced)
  }
}
