import Foundation
import Testing

@testable import Formats

/// A plain inflate (RFC 1951) for blocks with fixed codes, which is what we write.
private struct Inflate {
  private var bits: [UInt8]
  private var place = 0

  static func zlib(_ stream: [UInt8]) -> [UInt8]? {
    guard stream.count > 6, (Int(stream[0]) << 8 | Int(stream[1])) % 31 == 0 else { return nil }
    var inflate = Inflate(
      bits: stream[2..<stream.count - 4].flatMap { byte in (0..<8).map { byte >> $0 & 1 } })
    guard let output = inflate.run() else { return nil }
    let sum = stream.suffix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    return sum == adler32(output) ? output : nil
  }

  private mutating func number(_ count: Int) -> Int {
    (0..<count).reduce(0) { value, i in
      defer { place += 1 }
      return value | Int(bits[place]) << i
    }
  }

  private mutating func code(_ count: Int) -> Int {
    (0..<count).reduce(0) { value, _ in
      defer { place += 1 }
      return value << 1 | Int(bits[place])
    }
  }

  private mutating func symbol() -> Int {
    let short = code(7)
    if short < 0x18 { return 256 + short }
    let medium = short << 1 | code(1)
    if (0x30..<0xC0).contains(medium) { return medium - 0x30 }
    if (0xC0..<0xC8).contains(medium) { return 280 + medium - 0xC0 }
    return 144 + (medium << 1 | code(1)) - 0x190
  }

  private mutating func run() -> [UInt8]? {
    guard number(1) == 1, number(2) == 1 else { return nil }
    let lengths = [
      3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131,
      163, 195, 227, 258,
    ]
    let lengthBits = [
      0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
    ]
    let distances = [
      1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537,
      2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577,
    ]
    var output: [UInt8] = []
    while true {
      let next = symbol()
      if next == 256 { return output }
      if next < 256 {
        output.append(UInt8(next))
        continue
      }
      let length = lengths[next - 257] + number(lengthBits[next - 257])
      let code = code(5)
      let distance = distances[code] + number(max(0, code / 2 - 1))
      guard distance <= output.count else { return nil }
      for _ in 0..<length { output.append(output[output.count - distance]) }
    }
  }
}

@Suite("PNG")
struct PictureFormatTests {
  @Test("checksums have the published values")
  func checksums() {
    var crc = CRC32()
    crc.update("123456789".utf8)
    #expect(crc.value == 0xCBF4_3926)
    #expect(adler32(Array("Wikipedia".utf8)) == 0x11E6_0398)
  }

  @Test("what is deflated is inflated again")
  func deflate() {
    var noise: [UInt8] = []
    var state: UInt64 = 1
    for _ in 0..<70_000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1
      noise.append(UInt8(truncatingIfNeeded: state >> 56))
    }
    let inputs: [[UInt8]] = [
      [], [0], Array("abcabcabcabcabcabcabd".utf8), [UInt8](repeating: 7, count: 100_000), noise,
      noise + noise, (0..<40_000).map { UInt8($0 / 300 % 256) },
    ]
    for input in inputs { #expect(Inflate.zlib(Deflate.zlib(input)) == input) }
    #expect(Deflate.zlib([UInt8](repeating: 7, count: 100_000)).count < 1000)
  }

  @Test("a PNG has its chunks, their sums and the pixels")
  func png() throws {
    let pixels = (0..<5 * 3 * 3).map { UInt8($0 * 5 % 256) }
    let data = try PNGImage(width: 5, height: 3, pixels: pixels).pngData()
    let chunks = try Self.chunks(data)
    #expect(chunks.map(\.type) == ["IHDR", "IDAT", "IEND"])
    let stream = chunks[1].data
    let rows = try #require(Inflate.zlib(stream))
    var decoded: [UInt8] = []
    for row in 0..<3 {
      #expect(rows[row * 16] == 2)
      for i in 0..<15 {
        let above = row == 0 ? 0 : decoded[(row - 1) * 15 + i]
        decoded.append(rows[row * 16 + 1 + i] &+ above)
      }
    }
    #expect(decoded == pixels)
    #expect(throws: FormatError.self) { try PNGImage(width: 2, height: 2, pixels: [1]) }
    #expect(throws: FormatError.self) { try PNGImage(width: .max, height: .max, pixels: []) }
  }

  @Test("a PNG tells the texts that were added to it, and is the same picture")
  func texts() throws {
    let plain = try PNGImage(width: 2, height: 1, pixels: [1, 2, 3, 4, 5, 6]).pngData()
    let signed = try PNGImage.adding(
      [("Source", "run r, stage “a\u{0}\nb”"), ("Software", "Locus")], to: plain)
    let found = try Self.chunks(signed)
    #expect(found.map(\.type) == ["IHDR", "iTXt", "iTXt", "IDAT", "IEND"])
    #expect(found[1].data == Array("Source\0\0\0\0\0run r, stage “a\\u{0} b”".utf8))
    #expect(found[2].data == Array("Software\0\0\0\0\0Locus".utf8))
    let rest = found.filter { $0.type != "iTXt" }.map(\.data)
    #expect(try rest == Self.chunks(plain).map(\.data))
    for bytes in [Data(), Data("GIF89a".utf8), plain.prefix(20), Data(plain.dropFirst())] {
      #expect(throws: FormatError.self) { try PNGImage.adding([("Source", "r")], to: bytes) }
    }
    // A part of a larger file begins at an index of its own.
    let part = (Data([0, 0]) + plain).dropFirst(2)
    #expect(try PNGImage.adding([("Source", "r")], to: part).count > plain.count)
  }

  /// A file's chunks with their sums checked.
  private static func chunks(_ file: Data) throws -> [(type: String, data: [UInt8])] {
    let data = [UInt8](file)
    #expect(data.prefix(8) == [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
    var place = 8
    var chunks: [(type: String, data: [UInt8])] = []
    while place < data.count {
      let length = data[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
      let body = data[place + 4..<place + 8 + length]
      var sum = CRC32()
      sum.update(body)
      let written = data[place + 8 + length..<place + 12 + length].reduce(UInt32(0)) {
        $0 << 8 | UInt32($1)
      }
      #expect(sum.value == written)
      chunks.append((String(decoding: body.prefix(4), as: UTF8.self), Array(body.dropFirst(4))))
      place += 12 + length
    }
    return chunks
  }
}
