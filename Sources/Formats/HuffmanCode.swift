/// A canonical Huffman code (RFC 1951 §3.2.2), its short codes in a table, the others by counting.
struct HuffmanCode {
  static let longest = 15
  private static let short = 10

  /// By the next `short` bits: symbol · 16 + length; 0 for longer codes and for none.
  private var table = [UInt16](repeating: 0, count: 1 << short)
  /// By length: how many symbols have it.
  private let counts: [Int]
  /// In the order of their codes.
  private var symbols: [UInt16] = []

  /// - Parameters:
  ///   - lengths: of each symbol's code in bits, 0 for those without.
  ///   - allowsOne: whether a code of one symbol, or of none, may leave bits without a meaning.
  /// - Returns: `nil` for lengths that make no code: bits with two meanings, or with none.
  init?(_ lengths: some Collection<UInt8>, allowsOne: Bool = false) {
    let counts = Self.counts(lengths)
    let used = counts.reduce(0, +)
    var left = 1
    for length in 1...Self.longest {
      left = left << 1 - counts[length]
      if left < 0 { return nil }
    }
    if left > 0, !(allowsOne && (used == 0 || used == 1 && counts[1] == 1)) { return nil }
    self.init(known: lengths, counts)
  }

  /// Of lengths that make a code.
  private init(known lengths: some Collection<UInt8>, _ counts: [Int]) {
    self.counts = counts
    var next = [Int](repeating: 0, count: Self.longest + 1)
    var place = [Int](repeating: 0, count: Self.longest + 1)
    for length in 1..<Self.longest {
      next[length + 1] = (next[length] + counts[length]) << 1
      place[length + 1] = place[length] + counts[length]
    }
    symbols = [UInt16](repeating: 0, count: counts.reduce(0, +))
    for (symbol, length) in lengths.enumerated() where length > 0 {
      let length = Int(length)
      symbols[place[length]] = UInt16(symbol)
      place[length] += 1
      if length <= Self.short {
        let entry = UInt16(symbol << 4 | length)
        var index = Self.reversed(next[length], bits: length)
        while index < table.count {
          table[index] = entry
          index += 1 << length
        }
      }
      next[length] += 1
    }
  }

  private static func reversed(_ code: Int, bits: Int) -> Int {
    (0..<bits).reduce(0) { $0 | (code >> $1 & 1) << (bits - 1 - $1) }
  }

  /// The symbol whose code the bits begin with.
  @inline(__always)
  func first(in bits: UInt64) -> (symbol: Int, length: Int)? {
    let entry = Int(table[Int(bits & UInt64(1 << Self.short - 1))])
    return entry > 0 ? (entry >> 4, entry & 15) : long(bits)
  }

  private func long(_ bits: UInt64) -> (symbol: Int, length: Int)? {
    var code = 0
    var first = 0
    var place = 0
    for length in 1...Self.longest {
      code |= Int(bits >> UInt64(length - 1) & 1)
      let count = counts[length]
      if code - first < count { return (Int(symbols[place + code - first]), length) }
      place += count
      first = (first + count) << 1
      code <<= 1
    }
    return nil
  }

  /// By length: how many symbols have it; none has length 0.
  private static func counts(_ lengths: some Collection<UInt8>) -> [Int] {
    var counts = [Int](repeating: 0, count: longest + 1)
    for length in lengths where length > 0 { counts[Int(length)] += 1 }
    return counts
  }

  private init(complete lengths: [UInt8]) { self.init(known: lengths, Self.counts(lengths)) }

  /// RFC 1951 §3.2.6.
  static let fixedLiterals = HuffmanCode(
    complete: [UInt8](repeating: 8, count: 144) + [UInt8](repeating: 9, count: 112)
      + [UInt8](repeating: 7, count: 24) + [UInt8](repeating: 8, count: 8))
  static let fixedDistances = HuffmanCode(complete: [UInt8](repeating: 5, count: 32))
}

/// RFC 1951 §3.2.5 and §3.2.7.
enum DeflateTables {
  /// By the code from 257 on: the least length, and the bits that add to it.
  static let lengths: [(Int, Int)] = {
    var result: [(Int, Int)] = []
    var base = 3
    for code in 0..<28 {
      let extra = max(0, code / 4 - 1)
      result.append((base, extra))
      base += 1 << extra
    }
    return result + [(258, 0)]
  }()

  static let distances: [(Int, Int)] = {
    var result: [(Int, Int)] = []
    var base = 1
    for code in 0..<30 {
      let extra = max(0, code / 2 - 1)
      result.append((base, extra))
      base += 1 << extra
    }
    return result
  }()

  /// In which the lengths of the code of code lengths stand.
  static let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
}
