import Foundation

/// How long work keeps what it has done, so that a later process can go on from there.
///
/// The science knows nothing of where that is. Work that goes on from a checkpoint gives the same
/// bytes as work that was never stopped: random streams are counted, so the units of work that are
/// done are all the state there is.
package struct Checkpointing {
  /// What an earlier process kept, by name.
  package let saved: [String: Data]
  /// Whether enough time has passed since the last time.
  package let isDue: () -> Bool
  /// Keeps blobs: those of the same names are replaced, all together or none.
  package let save: ([String: Data]) throws -> Void
  /// Gives up what was saved, because it cannot be used, and says why.
  package let discard: (String) -> Void
  /// Throws `CancellationError` when the work shall stop.
  package let checkCancellation: @Sendable () throws -> Void

  package init(
    saved: [String: Data], isDue: @escaping () -> Bool,
    save: @escaping ([String: Data]) throws -> Void,
    discard: @escaping (String) -> Void, checkCancellation: @escaping @Sendable () throws -> Void
  ) {
    self.saved = saved
    self.isDue = isDue
    self.save = save
    self.discard = discard
    self.checkCancellation = checkCancellation
  }

  /// Keeps nothing and never stops.
  package static var none: Checkpointing {
    Checkpointing(
      saved: [:], isDue: { false }, save: { _ in }, discard: { _ in }, checkCancellation: {})
  }

  /// For a part of the work: its names are its own.
  package func scoped(_ name: String) -> Checkpointing {
    let prefix = name + "/"
    var own: [String: Data] = [:]
    for (key, blob) in saved where key.hasPrefix(prefix) {
      own[String(key.dropFirst(prefix.count))] = blob
    }
    return Checkpointing(
      saved: own, isDue: isDue,
      save: { [save] blobs in
        try save(Dictionary(uniqueKeysWithValues: blobs.map { (prefix + $0.key, $0.value) }))
      },
      discard: discard, checkCancellation: checkCancellation)
  }

  /// Does unit after unit while `isUnfinished`; keeps `state` when it is time, and when the work is
  /// stopped, whether between units or inside one.
  ///
  /// - Parameters:
  ///   - state: what is new or has changed since it was asked last.
  ///   - unit: a stopped one leaves the state as it was before it.
  package func run(
    while isUnfinished: () -> Bool, state: () throws -> [String: Data], unit: () throws -> Void
  ) throws {
    do {
      while isUnfinished() {
        try checkCancellation()
        try unit()
        if isDue() { try save(try state()) }
      }
    } catch let error as CancellationError {
      try save(try state())
      throw error
    }
  }
}

/// An array that only grows, kept in pieces: a piece holds what came since the last one.
package struct GrowingBlob<Element: BitwiseCopyable> {
  private let name: String
  private var kept = 0

  package init(name: String) { self.name = name }

  /// - Parameter saved: where earlier pieces may be.
  /// - Returns: nothing when the pieces do not follow one another.
  package static func restored(_ name: String, from saved: [String: Data]) -> (Self, [Element])? {
    let prefix = name + "-"
    let pieces = saved.filter { $0.key.hasPrefix(prefix) }.sorted { $0.key < $1.key }
    var elements: [Element] = []
    let stride = MemoryLayout<Element>.stride
    for (key, data) in pieces {
      guard key == prefix + number(elements.count), data.count % stride == 0 else { return nil }
      let start = elements.count
      elements += [Element](unsafeUninitializedCapacity: data.count / stride) { buffer, count in
        _ = data.copyBytes(to: UnsafeMutableRawBufferPointer(buffer))
        count = data.count / stride
      }
      if elements.count == start { return nil }
    }
    var blob = GrowingBlob(name: name)
    blob.kept = elements.count
    return (blob, elements)
  }

  /// What is new in `elements`, under a name of its own; nothing when there is nothing new.
  package mutating func piece(of elements: [Element]) -> [String: Data] {
    if elements.count == kept { return [:] }
    let data = elements[kept...].withUnsafeBytes { Data($0) }
    let key = "\(name)-\(Self.number(kept))"
    kept = elements.count
    return [key: data]
  }

  /// So that names sort as numbers do.
  private static func number(_ value: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, 12 - digits.count)) + digits
  }
}
