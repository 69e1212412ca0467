import Streams

/// Which objects a training conditioner tells of.
package enum Labelling: String, Sendable, CaseIterable {
  /// Every object.
  case all
  /// One object, drawn at random, though others may be in the picture.
  case single
  /// Each object with probability ½: how many are told of and where they are come apart.
  case subset
  case none

  /// Makes a training conditioner from the counts of all objects, entry by entry of any space.
  ///
  /// - Parameter count: entries of `counts` and of `target`.
  package func draw(
    from counts: UnsafePointer<UInt8>, into target: UnsafeMutablePointer<Float>, count: Int,
    stream: inout RandomStream
  ) {
    switch self {
    case .all: for i in 0..<count { target[i] = Float(counts[i]) }
    case .none: for i in 0..<count { target[i] = 0 }
    case .subset:
      for i in 0..<count {
        target[i] = (0..<Int(counts[i])).reduce(0) { told, _ in
          told + Float(stream.integer(below: 2))
        }
      }
    case .single:
      var total = 0
      for i in 0..<count {
        target[i] = 0
        total += Int(counts[i])
      }
      if total == 0 { return }
      var chosen = stream.integer(below: total)
      for i in 0..<count {
        if chosen < Int(counts[i]) {
          target[i] = 1
          return
        }
        chosen -= Int(counts[i])
      }
    }
  }
}
