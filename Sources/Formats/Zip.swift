import Foundation

/// Bytes that can be read at any place.
package protocol PlacedBytes: Sendable {
  var count: Int { get }
  /// - Throws: unless all of them are there.
  func bytes(at place: Int, count: Int) throws(FormatError) -> [UInt8]
}

extension Data: PlacedBytes {
  package func bytes(at place: Int, count: Int) throws(FormatError) -> [UInt8] {
    guard place >= 0, count >= 0, place <= self.count, count <= self.count - place else {
      throw FormatError("zip", "it ends before byte \(place) + \(count)")
    }
    return [UInt8](self[(startIndex + place)..<(startIndex + place + count)])
  }
}

/// The directory of a zip archive (APPNOTE 6.3), stored or deflated, with the sizes of zip64.
package struct ZipArchive: Sendable {
  package struct Entry: Sendable {
    package let name: String
    let isDeflated: Bool
    let packed: Int
    package let size: Int
    let sum: UInt32
    /// Of its local header.
    let place: Int
  }

  package let entries: [Entry]
  private let bytes: any PlacedBytes
  private let format: String

  /// More files than any archive of arrays has.
  private static let mostEntries = 4096

  /// - Parameter format: what errors call the file.
  package init(_ bytes: any PlacedBytes, format: String) throws(FormatError) {
    self.bytes = bytes
    self.format = format
    let (place, size, count) = try Self.directory(bytes, format)
    guard count <= Self.mostEntries, size <= 64 << 20 else {
      throw FormatError(
        format, "its directory has \(count) entries, accepted: up to \(Self.mostEntries)")
    }
    var reader = LittleEndian(try Self.read(bytes, place, size, format), format: format)
    var entries: [Entry] = []
    for _ in 0..<count { entries.append(try Self.entry(&reader, available: bytes.count, format)) }
    self.entries = entries
  }

  private static func read(_ bytes: any PlacedBytes, _ place: Int, _ count: Int, _ format: String)
    throws(FormatError) -> [UInt8]
  {
    guard place >= 0, count >= 0, place <= bytes.count, count <= bytes.count - place else {
      throw FormatError(
        format,
        "bytes \(place) to \(place)+\(count) lie outside its \(bytes.count); it is cut off: copy it again"
      )
    }
    return try bytes.bytes(at: place, count: count)
  }

  /// The end of the archive says where its directory lies.
  private static func directory(_ bytes: any PlacedBytes, _ format: String) throws(FormatError) -> (
    place: Int, size: Int, count: Int
  ) {
    // A comment of up to 65535 bytes may stand behind it.
    let tail = min(bytes.count, 22 + 65535)
    let start = bytes.count - tail
    let end = try read(bytes, start, tail, format)
    guard
      let found = (0...max(0, tail - 22)).last(where: {
        $0 + 22 <= tail && end[$0..<$0 + 4].elementsEqual([0x50, 0x4B, 5, 6])
      })
    else {
      throw FormatError(format, "it has no directory at its end; it is cut off, or no zip archive")
    }
    var reader = LittleEndian(Array(end[(found + 10)...]), format: format)
    let count = try reader.number(2)
    let size = try reader.number(4)
    let place = try reader.number(4)
    let isLarge = count == 0xFFFF || size == 0xFFFF_FFFF || place == 0xFFFF_FFFF
    guard isLarge else { return (place, size, count) }
    // zip64: a locator of 20 bytes before it says where the large record lies.
    var locator = LittleEndian(try read(bytes, start + found - 20, 20, format), format: format)
    guard try locator.number(4) == 0x0706_4B50 else {
      throw FormatError(format, "its directory is of zip64, and where it lies is not said")
    }
    _ = try locator.number(4)
    var large = LittleEndian(try read(bytes, try locator.number(8), 56, format), format: format)
    guard try large.number(4) == 0x0606_4B50 else {
      throw FormatError(format, "its directory of zip64 is not where it says")
    }
    try large.skip(28)
    let entryCount = try large.number(8)
    let length = try large.number(8)
    return (try large.number(8), length, entryCount)
  }

  private static func entry(_ reader: inout LittleEndian, available: Int, _ format: String)
    throws(FormatError) -> Entry
  {
    guard try reader.number(4) == 0x0201_4B50 else {
      throw FormatError(format, "an entry of its directory is damaged")
    }
    try reader.skip(4)
    let flags = try reader.number(2)
    let method = try reader.number(2)
    try reader.skip(4)
    let sum = UInt32(try reader.number(4))
    var packed = try reader.number(4)
    var size = try reader.number(4)
    let nameLength = try reader.number(2)
    let extraLength = try reader.number(2)
    let commentLength = try reader.number(2)
    try reader.skip(8)
    var place = try reader.number(4)
    let name = String(decoding: try reader.bytes(nameLength), as: UTF8.self)
    var extra = LittleEndian(try reader.bytes(extraLength), format: format)
    try reader.skip(commentLength)
    while extra.left >= 4 {
      let kind = try extra.number(2)
      var field = LittleEndian(try extra.bytes(try extra.number(2)), format: format)
      if kind != 1 { continue }
      if size == 0xFFFF_FFFF { size = try field.number(8) }
      if packed == 0xFFFF_FFFF { packed = try field.number(8) }
      if place == 0xFFFF_FFFF { place = try field.number(8) }
    }
    let shown = Escape.line(String(name.prefix(80)))
    guard flags & 1 == 0 else { throw FormatError(format, "\(shown) is encrypted; save it plain") }
    guard method == 0 || method == 8 else {
      throw FormatError(
        format,
        "\(shown) is packed by method \(method), accepted: stored and deflated, as NumPy writes")
    }
    guard packed <= available, place <= available, method == 8 || packed == size,
      // Deflate makes at most 1032 bytes of one.
      size / 1032 <= packed
    else {
      throw FormatError(
        format,
        "\(shown) states \(size) bytes in \(packed), which the file's \(available) bytes cannot hold"
      )
    }
    return Entry(
      name: name, isDeflated: method == 8, packed: packed, size: size, sum: sum, place: place)
  }

  /// The content of an entry, from its begin to its end.
  package func content(of entry: Entry) throws(FormatError) -> ZipContent {
    var header = LittleEndian(
      try Self.read(bytes, entry.place, 30, format), format: format)
    guard try header.number(4) == 0x0403_4B50 else {
      throw FormatError(format, "\(Escape.line(entry.name)) is not where the directory says")
    }
    try header.skip(22)
    let start = entry.place + 30 + (try header.number(2)) + (try header.number(2))
    guard start <= bytes.count, entry.packed <= bytes.count - start else {
      throw FormatError(
        format, "\(Escape.line(entry.name)) is not whole; the file is cut off: copy it again")
    }
    return ZipContent(
      entry, PartOfFile(bytes: bytes, place: start, end: start + entry.packed), format: format)
  }
}

/// One file of an archive as it is read.
package struct ZipContent: Sendable {
  package let entry: ZipArchive.Entry
  private var part: PartOfFile
  private var inflater: Inflater?
  private var held: ArraySlice<UInt8> = []
  private var sum = CRC32()
  private let format: String
  /// Bytes that were not read yet.
  package private(set) var left: Int

  fileprivate init(_ entry: ZipArchive.Entry, _ part: PartOfFile, format: String) {
    self.entry = entry
    self.part = part
    self.format = format
    left = entry.size
    if entry.isDeflated { inflater = Inflater(part, format: format) }
  }

  /// The next bytes; with the last of them their sum is checked.
  ///
  /// - Throws: where fewer are left.
  package mutating func read(_ count: Int) throws(FormatError) -> [UInt8] {
    guard count >= 0, count <= left else {
      throw FormatError(format, "\(Escape.line(entry.name)) holds less than its array needs")
    }
    var result = [UInt8](repeating: 0, count: count)
    var failure: FormatError?
    let found = result.withUnsafeMutableBufferPointer { buffer -> Int in
      do throws(FormatError) {
        if inflater != nil { return try inflater?.read(into: buffer) ?? 0 }
        var place = 0
        while place < buffer.count {
          if held.isEmpty { held = try part.piece() }
          if held.isEmpty { break }
          let share = min(held.count, buffer.count - place)
          for (i, byte) in held.prefix(share).enumerated() { buffer[place + i] = byte }
          held = held.dropFirst(share)
          place += share
        }
        return place
      } catch {
        failure = error
        return 0
      }
    }
    if let failure { throw failure }
    guard found == count else {
      throw FormatError(format, "\(Escape.line(entry.name)) ends too early; copy the file again")
    }
    sum.update(result)
    left -= count
    if left == 0, sum.value != entry.sum {
      throw FormatError(
        format, "\(Escape.line(entry.name)) has another sum than it states; copy the file again")
    }
    return result
  }
}

private struct PartOfFile: ByteSource {
  let bytes: any PlacedBytes
  var place: Int
  let end: Int

  mutating func piece() throws(FormatError) -> ArraySlice<UInt8> {
    let count = min(1 << 18, end - place)
    if count == 0 { return [] }
    defer { place += count }
    return try bytes.bytes(at: place, count: count)[...]
  }
}

/// Numbers of a header, the lowest byte first.
private struct LittleEndian {
  private var rest: ArraySlice<UInt8>
  private let format: String

  init(_ bytes: [UInt8], format: String) {
    rest = bytes[...]
    self.format = format
  }

  var left: Int { rest.count }

  mutating func bytes(_ count: Int) throws(FormatError) -> [UInt8] {
    guard count <= rest.count else { throw FormatError(format, "its directory is cut off") }
    defer { rest = rest.dropFirst(count) }
    return Array(rest.prefix(count))
  }

  mutating func skip(_ count: Int) throws(FormatError) { _ = try bytes(count) }

  /// - Throws: for numbers that no file is so large for.
  mutating func number(_ count: Int) throws(FormatError) -> Int {
    let value = try bytes(count).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard let number = Int(exactly: value), number < 1 << 62 else {
      throw FormatError(format, "its directory states \(value) bytes")
    }
    return number
  }
}
