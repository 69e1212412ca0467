import Foundation

/// A seeded mutator of bytes: any failure can be repeated.
///
/// Besides flipped, lost, doubled and cut bytes it puts in what breaks readers: numbers at the ends of
/// their range, brackets, names that lead out of a folder.
package struct Mutator {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  package mutating func next(_ bound: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int((state >> 33) % UInt64(max(bound, 1)))
  }

  private static let tokens: [[UInt8]] = [
    "0", "-1", "1e99", "1e-99", "-0", "9223372036854775807", "-9223372036854775808", "1e400",
    "18446744073709551616", "4294967296", "2147483648", "0x7fffffffffffffff", "NaN", "Infinity",
    "null", "true", "\"\"", "\"..\"", "\"../../x\"", "\"/\"", "\"\\u0000\"", "\"\\ud800\"", "[",
    "]",
    "{", "}", "[[[[[[[[", "{\"a\":", "(", ",", ":", "'", "//", "/*", "\n", "é", "\u{2028}",
    "[0,0]", "[-1]", "[9223372036854775807]", "{}", "[]",
  ].map { Array($0.utf8) }

  /// 1 to 4 changes; at most some hundred bytes more than before.
  package mutating func mutate(_ data: Data) -> Data {
    var bytes = [UInt8](data)
    for _ in 0...next(4) where !bytes.isEmpty {
      let place = next(bytes.count)
      let end = min(bytes.count, place + 1 + next(48))
      switch next(11) {
      case 0: bytes[place] = UInt8(next(256))
      case 1: bytes[place] ^= 1 << UInt8(next(8))
      case 2: bytes.remove(at: place)
      case 3: bytes.insert(UInt8(next(256)), at: place)
      case 4: bytes.removeSubrange(place..<end)
      case 5: bytes.insert(contentsOf: Array(bytes[place..<end]), at: next(bytes.count))
      case 6: bytes.insert(contentsOf: Self.tokens[next(Self.tokens.count)], at: place)
      case 7, 8: replaceNumber(&bytes, from: place)
      case 9: for i in place..<min(place + 8, bytes.count) { bytes[i] = next(2) == 0 ? 0 : 255 }
      default: if next(4) == 0 { bytes.removeLast(bytes.count - place) }
      }
    }
    return Data(bytes)
  }

  private mutating func replaceNumber(_ bytes: inout [UInt8], from place: Int) {
    let isDigit = { (byte: UInt8) in (48...57).contains(byte) }
    guard let first = bytes[place...].firstIndex(where: isDigit) else { return }
    let end = bytes[first...].firstIndex { !isDigit($0) } ?? bytes.count
    bytes.replaceSubrange(first..<end, with: Self.tokens[next(Self.tokens.count)])
  }
}

/// How many mutated inputs a test tries: `LOCUS_MUTATIONS`, or ten thousand.
package var mutationCount: Int {
  ProcessInfo.processInfo.environment["LOCUS_MUTATIONS"].flatMap { Int($0) } ?? 10_000
}

/// Tries `body` on mutations of the samples in turn. With `LOCUS_MUTATION_TRACE=FOLDER` each input is
/// written to a file there first, so that one that ends the process can be found.
package func forEachMutation(
  of samples: [Data], kind: String, count: Int = mutationCount, seed: UInt64 = 1,
  _ body: (Data) throws -> Void
) throws {
  let trace = ProcessInfo.processInfo.environment["LOCUS_MUTATION_TRACE"].map {
    URL(filePath: $0).appending(path: kind)
  }
  var mutator = Mutator(seed: seed)
  for round in 0..<count {
    let input = mutator.mutate(samples[round % samples.count])
    if let trace { try input.write(to: trace) }
    try body(input)
  }
}
