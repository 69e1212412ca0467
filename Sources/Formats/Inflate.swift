/// Where compressed bytes come from.
package protocol ByteSource: Sendable {
  /// The next bytes; empty at the end.
  mutating func piece() throws(FormatError) -> ArraySlice<UInt8>
}

/// Bytes at hand.
package struct HeldBytes: ByteSource {
  private var bytes: ArraySlice<UInt8>

  package init(_ bytes: some Collection<UInt8>) { self.bytes = ArraySlice(bytes) }

  package mutating func piece() -> ArraySlice<UInt8> {
    defer { bytes = [] }
    return bytes
  }
}

/// Decompression by RFC 1951 as a stream: it holds a piece of the input and 64 KiB of the output, whatever
/// the input says.
///
/// Whoever reads decides how much comes out; a small input that would fill a disk is never let.
package struct Inflater {
  private var input: BitReader
  private let format: String
  /// A ring: what was produced last, up to the longest distance back, then what nobody has read yet.
  private var ring = [UInt8](repeating: 0, count: Self.capacity)
  private var produced = 0
  private var consumed = 0
  private var state = State.between
  private var isLast = false
  /// Of a match, what does not fit before somebody reads.
  private var match = (length: 0, distance: 0)

  private static let capacity = 1 << 16
  private static let window = 1 << 15

  private enum State {
    case between
    case stored(left: Int)
    case coded(literals: HuffmanCode, distances: HuffmanCode)
    case ended
  }

  /// - Parameter format: what errors call the file.
  package init(_ source: any ByteSource, format: String) {
    input = BitReader(source, format: format)
    self.format = format
  }

  /// Fills as much of a buffer as there is output for: less than all of it only at the end.
  package mutating func read(into target: UnsafeMutableBufferPointer<UInt8>) throws(FormatError)
    -> Int
  {
    var count = 0
    while count < target.count {
      if consumed == produced {
        try produce()
        if consumed == produced { break }
      }
      let place = consumed % Self.capacity
      let share = min(target.count - count, produced - consumed, Self.capacity - place)
      for i in 0..<share { target[count + i] = ring[place + i] }
      count += share
      consumed += share
    }
    return count
  }

  /// Whether the stream ends where it has been read to.
  package mutating func isAtEnd() throws(FormatError) -> Bool {
    if consumed == produced { try produce() }
    return consumed == produced
  }

  /// The byte behind the stream, from the next whole one on; `nil` where the input ends.
  package mutating func byteBehind() throws(FormatError) -> UInt8? {
    input.align()
    return try input.byte()
  }

  private func refuse(_ message: String) -> FormatError {
    FormatError(format, "its compressed data are damaged: \(message)")
  }

  private var room: Int { Self.capacity - Self.window - (produced - consumed) }

  /// Until half of the ring waits to be read, or the stream ends.
  private mutating func produce() throws(FormatError) {
    while room > 0 {
      switch state {
      case .ended: return
      case .between:
        if isLast {
          state = .ended
          return
        }
        try beginBlock()
      case .stored(let left): try copyStored(left)
      case .coded(let literals, let distances): try decode(literals, distances)
      }
    }
  }

  private mutating func beginBlock() throws(FormatError) {
    isLast = try input.bits(1) == 1
    switch try input.bits(2) {
    case 0:
      input.align()
      let length = try input.bits(16)
      guard try input.bits(16) == ~length & 0xFFFF else {
        throw refuse("a stored block states two lengths")
      }
      state = .stored(left: length)
    case 1: state = .coded(literals: .fixedLiterals, distances: .fixedDistances)
    case 2: state = try dynamicCodes()
    default: throw refuse("a block of a kind that there is not")
    }
  }

  private mutating func copyStored(_ left: Int) throws(FormatError) {
    let share = min(left, room)
    for _ in 0..<share { try put(input.wholeByte()) }
    state = left == share ? .between : .stored(left: left - share)
  }

  @inline(__always)
  private mutating func put(_ byte: UInt8) {
    ring[produced % Self.capacity] = byte
    produced += 1
  }

  private mutating func decode(_ literals: HuffmanCode, _ distances: HuffmanCode)
    throws(FormatError)
  {
    copyMatch()
    while room > 0 {
      let symbol = try input.symbol(literals)
      if symbol < 256 {
        put(UInt8(symbol))
        continue
      }
      if symbol == 256 {
        state = .between
        return
      }
      guard symbol - 257 < DeflateTables.lengths.count else {
        throw refuse("a length that there is not")
      }
      let (base, extra) = DeflateTables.lengths[symbol - 257]
      let length = try base + input.bits(extra)
      let code = try input.symbol(distances)
      guard code < DeflateTables.distances.count else {
        throw refuse("a distance that there is not")
      }
      let (near, further) = DeflateTables.distances[code]
      let distance = try near + input.bits(further)
      if distance > produced { throw refuse("it refers to what lies before its begin") }
      match = (length, distance)
      copyMatch()
    }
  }

  private mutating func copyMatch() {
    let share = min(match.length, room)
    for _ in 0..<share { put(ring[(produced - match.distance) % Self.capacity]) }
    match.length -= share
  }

  /// RFC 1951 §3.2.7.
  private mutating func dynamicCodes() throws(FormatError) -> State {
    let literalCount = try input.bits(5) + 257
    let distanceCount = try input.bits(5) + 1
    let lengthCount = try input.bits(4) + 4
    if literalCount > 286 || distanceCount > 30 { throw refuse("a block states too many codes") }
    var order = [UInt8](repeating: 0, count: 19)
    for i in 0..<lengthCount { order[DeflateTables.order[i]] = UInt8(try input.bits(3)) }
    guard let lengthCode = HuffmanCode(order) else {
      throw refuse("the code of its code lengths is none")
    }
    var lengths: [UInt8] = []
    while lengths.count < literalCount + distanceCount {
      let symbol = try input.symbol(lengthCode)
      switch symbol {
      case 16:
        guard let last = lengths.last else { throw refuse("it repeats a length before the first") }
        lengths += repeatElement(last, count: try 3 + input.bits(2))
      case 17: lengths += repeatElement(0, count: try 3 + input.bits(3))
      case 18: lengths += repeatElement(0, count: try 11 + input.bits(7))
      default: lengths.append(UInt8(symbol))
      }
    }
    guard lengths.count == literalCount + distanceCount, lengths[256] > 0,
      let literals = HuffmanCode(lengths[..<literalCount], allowsOne: true),
      let distances = HuffmanCode(lengths[literalCount...], allowsOne: true)
    else { throw refuse("the codes of a block are none") }
    return .coded(literals: literals, distances: distances)
  }
}

/// Bits of a source from the lowest up.
private struct BitReader {
  private var source: any ByteSource
  private let format: String
  private var piece: ArraySlice<UInt8> = []
  private var place = 0
  private var pending: UInt64 = 0
  private var count = 0

  init(_ source: any ByteSource, format: String) {
    self.source = source
    self.format = format
  }

  /// As many bits as there is room for; at the end fewer.
  @inline(__always)
  private mutating func refill() throws(FormatError) {
    while count <= 56 {
      if place == piece.endIndex {
        piece = try source.piece()
        place = piece.startIndex
        if piece.isEmpty { return }
      }
      pending |= UInt64(piece[place]) << UInt64(count)
      place += 1
      count += 8
    }
  }

  private var ended: FormatError {
    FormatError(format, "its compressed data end too early; the file is cut off: copy it again")
  }

  @inline(__always)
  mutating func bits(_ wanted: Int) throws(FormatError) -> Int {
    if count < wanted {
      try refill()
      if count < wanted { throw ended }
    }
    let value = pending & (1 << UInt64(wanted) - 1)
    pending >>= UInt64(wanted)
    count -= wanted
    return Int(value)
  }

  @inline(__always)
  mutating func symbol(_ code: HuffmanCode) throws(FormatError) -> Int {
    if count < HuffmanCode.longest { try refill() }
    guard let (symbol, length) = code.first(in: pending) else {
      throw FormatError(format, "its compressed data are damaged: bits that no code has")
    }
    if length > count { throw ended }
    pending >>= UInt64(length)
    count -= length
    return symbol
  }

  /// Drops the rest of a byte.
  mutating func align() {
    pending >>= UInt64(count % 8)
    count -= count % 8
  }

  mutating func byte() throws(FormatError) -> UInt8? {
    if count < 8 { try refill() }
    return count < 8 ? nil : UInt8(try bits(8))
  }

  mutating func wholeByte() throws(FormatError) -> UInt8 {
    guard let byte = try byte() else { throw ended }
    return byte
  }
}
