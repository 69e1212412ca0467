/// Compression by RFC 1951 with fixed Huffman codes: small and good enough for charts and sample grids.
///
/// Matches are found through a table of the last place of each three bytes.
enum Deflate {
  /// A zlib stream (RFC 1950).
  static func zlib(_ bytes: [UInt8]) -> [UInt8] {
    var output: [UInt8] = [0x78, 0x01]
    output += compress(bytes)
    let sum = adler32(bytes)
    for shift in [24, 16, 8, 0] { output.append(UInt8(truncatingIfNeeded: sum >> UInt32(shift))) }
    return output
  }

  private static let longest = 258
  private static let shortest = 3
  private static let window = 32768

  static func compress(_ bytes: [UInt8]) -> [UInt8] {
    var writer = BitWriter()
    // One final block with fixed codes.
    writer.write(1, bits: 1)
    writer.write(1, bits: 2)
    var last = [Int](repeating: -1, count: 1 << 15)
    var index = 0
    while index < bytes.count {
      var length = 0
      var distance = 0
      if index + shortest <= bytes.count {
        let hash = hash(bytes, index)
        let candidate = last[hash]
        last[hash] = index
        if candidate >= 0, index - candidate <= window {
          length = match(bytes, candidate, index)
          distance = index - candidate
        }
      }
      if length < shortest {
        writer.symbol(Int(bytes[index]))
        index += 1
        continue
      }
      writer.length(length)
      writer.distance(distance)
      for passed in index + 1..<index + length where passed + shortest <= bytes.count {
        last[hash(bytes, passed)] = passed
      }
      index += length
    }
    writer.symbol(256)
    return writer.finish()
  }

  private static func hash(_ bytes: [UInt8], _ i: Int) -> Int {
    let word = UInt32(bytes[i]) | UInt32(bytes[i + 1]) << 8 | UInt32(bytes[i + 2]) << 16
    return Int((word &* 0x9E37_79B1) >> 17)
  }

  private static func match(_ bytes: [UInt8], _ from: Int, _ to: Int) -> Int {
    var length = 0
    while length < longest, to + length < bytes.count, bytes[from + length] == bytes[to + length] {
      length += 1
    }
    return length
  }
}

/// Bits from the lowest up; Huffman codes from the highest down, as the format has them.
private struct BitWriter {
  private var bytes: [UInt8] = []
  private var pending: UInt64 = 0
  private var count = 0

  mutating func write(_ value: Int, bits: Int) {
    pending |= UInt64(value) << UInt64(count)
    count += bits
    while count >= 8 {
      bytes.append(UInt8(truncatingIfNeeded: pending))
      pending >>= 8
      count -= 8
    }
  }

  private mutating func code(_ value: Int, bits: Int) {
    var reversed = 0
    for i in 0..<bits where value >> i & 1 == 1 { reversed |= 1 << (bits - 1 - i) }
    write(reversed, bits: bits)
  }

  /// A literal, the end (256) or a length (257 …), RFC 1951 §3.2.6.
  mutating func symbol(_ value: Int) {
    switch value {
    case 0..<144: code(0x30 + value, bits: 8)
    case 144..<256: code(0x190 + value - 144, bits: 9)
    case 256..<280: code(value - 256, bits: 7)
    default: code(0xC0 + value - 280, bits: 8)
    }
  }

  /// RFC 1951 §3.2.5: 29 codes of lengths 3 … 258.
  mutating func length(_ length: Int) {
    if length == 258 { return symbol(285) }
    var extra = 0
    var base = 3
    var first = 257
    while true {
      let codes = extra == 0 ? 8 : 4
      let span = codes << extra
      if length < base + span {
        symbol(first + (length - base) >> extra)
        write((length - base) & (1 << extra - 1), bits: extra)
        return
      }
      base += span
      first += codes
      extra += 1
    }
  }

  /// 30 codes of distances 1 … 32768.
  mutating func distance(_ distance: Int) {
    var extra = 0
    var base = 1
    var first = 0
    while true {
      let codes = extra == 0 ? 4 : 2
      let span = codes << extra
      if distance < base + span {
        code(first + (distance - base) >> extra, bits: 5)
        write((distance - base) & (1 << extra - 1), bits: extra)
        return
      }
      base += span
      first += codes
      extra += 1
    }
  }

  mutating func finish() -> [UInt8] {
    if count > 0 { write(0, bits: 8 - count) }
    return bytes
  }
}
