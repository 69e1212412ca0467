import Foundation
import Testing

@testable import Formats

/// What a zlib stream holds, whose end is checked too.
func inflated(_ stream: [UInt8], count: Int) throws -> [UInt8] {
  var reader = try ZlibReader(HeldBytes(stream), format: "test")
  var output = [UInt8](repeating: 0, count: count)
  try output.withUnsafeMutableBufferPointer { try reader.read(into: $0) }
  try reader.finish()
  return output
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
  func deflate() throws {
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
    for input in inputs {
      #expect(try inflated(Deflate.zlib(input), count: input.count) == input)
    }
    #expect(Deflate.zlib([UInt8](repeating: 7, count: 100_000)).count < 1000)
  }

  @Test("a PNG has its chunks, their sums and the pixels")
  func png() throws {
    let pixels = (0..<5 * 3 * 3).map { UInt8($0 * 5 % 256) }
    let data = try PNGImage(width: 5, height: 3, pixels: pixels).pngData()
    let chunks = try Self.chunks(data)
    #expect(chunks.map(\.type) == ["IHDR", "IDAT", "IEND"])
    let stream = chunks[1].data
    let rows = try inflated(stream, count: 3 * 16)
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
