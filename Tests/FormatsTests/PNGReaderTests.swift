import Foundation
import Testing

@testable import Formats

@Suite("Reading PNG")
struct PNGReaderTests {
  private static let here = URL(filePath: #filePath).deletingLastPathComponent()
  private static let suite = here.appending(path: "PngSuite")

  /// Name, size and CRC-32 of the pixels over black and over white.
  private static func line(_ file: URL) throws -> String {
    let data = try Data(contentsOf: file)
    let black = try PNGImage(png: data, over: (0, 0, 0))
    let white = try PNGImage(png: data, over: (255, 255, 255))
    let sums = [black, white].map { picture in
      var sum = CRC32()
      sum.update(picture.pixels)
      let digits = String(sum.value, radix: 16)
      return String(repeating: "0", count: 8 - digits.count) + digits
    }
    return "\(file.lastPathComponent) \(black.width) \(black.height) \(sums[0]) \(sums[1])"
  }

  @Test("PngSuite's pixels are those that other decoders see")
  func pngSuite() throws {
    let expected = try String(contentsOf: Self.suite.appending(path: "pixels.txt"), encoding: .utf8)
      .split(separator: "\n").dropFirst().map(String.init)
    #expect(expected.count == 60)
    let found = try expected.map { line in
      try Self.line(Self.suite.appending(path: String(line.prefix { $0 != " " })))
    }
    #expect(found == expected)
  }

  // MARK: - Other decoders

  private static let python = ProcessInfo.processInfo.environment["LOCUS_PYTHON"] ?? "python3"
  private static let canDecode = (try? run(["-c", "import PIL, numpy, png"])) != nil

  private static func run(_ words: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [python] + words
    let (said, wrong) = (Pipe(), Pipe())
    process.standardOutput = said
    process.standardError = wrong
    try process.run()
    let text = String(decoding: said.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      let words = String(decoding: wrong.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      throw FormatError("Python", words)
    }
    return text
  }

  @Test(
    "what Pillow writes in each of its modes is read as Pillow and pypng read it",
    .enabled(
      if: canDecode,
      "LOCUS_PYTHON (or python3) has not all of pillow, numpy, pypng: pip install them"))
  func pillow() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "modes-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let oracle = Self.here.appending(path: "picture_oracle.py").path
    _ = try Self.run([oracle, "modes", folder.path])
    var files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
      .map { folder.appending(path: $0) }
    #expect(files.count == 18)
    if let more = ProcessInfo.processInfo.environment["LOCUS_PNG_FOLDER"] {
      files += try FileManager.default.contentsOfDirectory(atPath: more).sorted()
        .filter { $0.hasSuffix(".png") }.map { URL(filePath: more).appending(path: $0) }
    }
    let expected = try Self.run([oracle, "pixels"] + files.map(\.path))
    let found = try files.map(Self.line)
    for (found, expected) in zip(found, expected.split(separator: "\n")) {
      #expect(found == expected)
    }
  }

  @Test("what Locus writes it reads")
  func own() throws {
    let pixels = (0..<17 * 9 * 3).map { UInt8($0 * 7 % 256) }
    let picture = try PNGImage(width: 17, height: 9, pixels: pixels)
    #expect(try PNGImage(png: picture.pngData(), over: (1, 2, 3)) == picture)
    let header = try PNGHeader(data: picture.pngData().prefix(40))
    #expect((header.width, header.height, header.depth) == (17, 9, 8))
  }

  // MARK: - Refused

  private static func chunk(_ type: String, _ data: [UInt8]) -> [UInt8] {
    var sum = CRC32()
    sum.update(Array(type.utf8) + data)
    return number(data.count) + Array(type.utf8) + data + number(Int(sum.value))
  }

  private static func number(_ value: Int) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
  }

  private static func header(_ width: Int, _ height: Int, _ rest: [UInt8]) -> [UInt8] {
    chunk("IHDR", number(width) + number(height) + rest)
  }

  private static func file(_ chunks: [UInt8]...) -> Data {
    Data(PNGImage.signature + chunks.flatMap { $0 })
  }

  private static let end = chunk("IEND", [])
  private static let gray: [UInt8] = [8, 0, 0, 0, 0]

  /// A 2 × 2 picture of rows as they are filtered.
  private static func picture(_ rest: [UInt8], _ rows: [UInt8], before: [UInt8] = []) -> Data {
    file(header(2, 2, rest), before, chunk("IDAT", Deflate.zlib(rows)), end)
  }

  private static let sound = picture(gray, [0, 1, 2, 0, 3, 4])

  static let refused: [(data: Data, words: [String])] = {
    var flipped = sound
    flipped[45] ^= 4
    let palette = chunk("PLTE", [1, 2, 3, 4, 5, 6])
    return [
      (Data("GIF89a, and more of it".utf8), ["signature"]),
      (Data(), ["signature"]),
      (sound.dropLast(12), ["cut off", "copy it again"]),
      (sound.prefix(50), ["IDAT", "cut off"]),
      (flipped, ["IDAT", "byte 33", "another sum"]),
      (file(header(0, 2, gray), end), ["IHDR", "0 × 2"]),
      (file(header(1 << 30, 1 << 30, gray), end), ["IHDR", "smaller"]),
      (file(header(2, 2, [3, 0, 0, 0, 0]), end), ["IHDR", "3 bits"]),
      (file(header(2, 2, [8, 1, 0, 0, 0]), end), ["IHDR", "colour type 1"]),
      (file(header(2, 2, [8, 0, 0, 0, 2]), end), ["interlace 2"]),
      (file(header(2, 2, gray), end), ["IEND"]),
      (file(header(2, 2, gray), chunk("ABcD", []), end), ["ABcD", "critical"]),
      // A kilobyte that says it is 64 million pixels.
      (
        file(
          header(8000, 8000, gray), chunk("IDAT", Deflate.zlib([UInt8](repeating: 0, count: 9))),
          end),
        ["cannot hold"]
      ),
      (picture(gray, [0, 1, 2, 0, 3]), ["less"]),
      (picture(gray, [0, 1, 2, 0, 3, 4, 5]), ["more"]),
      (picture(gray, [0, 1, 2, 9, 3, 4]), ["row 1", "filter 9"]),
      (picture([8, 3, 0, 0, 0], [0, 0, 0, 0, 0, 0]), ["PLTE"]),
      (picture([8, 3, 0, 0, 0], [0, 0, 1, 0, 2, 0], before: palette), ["colour 2"]),
      (
        picture([1, 3, 0, 0, 0], [0, 0, 0, 0], before: chunk("PLTE", [1, 2])), ["PLTE", "2 bytes"]
      ),
      (
        picture([8, 3, 0, 0, 0], [0, 0, 0, 0, 0, 0], before: palette + chunk("tRNS", [1, 2, 3])),
        ["tRNS", "3 bytes"]
      ),
      (picture(gray, [0, 1, 2, 0, 3, 4], before: chunk("tRNS", [1])), ["tRNS"]),
    ]
  }()

  @Test("what is wrong is refused: where, what, and what to do")
  func refusals() throws {
    _ = try PNGImage(png: Self.sound, over: (0, 0, 0))
    for (data, words) in Self.refused {
      let error = #expect(throws: FormatError.self) { try PNGImage(png: data, over: (0, 0, 0)) }
      for word in words {
        #expect(error?.description.contains(word) == true, "\(word): \(error?.description ?? "")")
      }
    }
  }
}

@Suite("Inflating")
struct InflateTests {
  private func inflate(_ bytes: [UInt8], pieces: Int = 1 << 20, most: Int = 1 << 20) throws
    -> [UInt8]
  {
    struct Pieces: ByteSource {
      var rest: ArraySlice<UInt8>
      let size: Int
      mutating func piece() -> ArraySlice<UInt8> {
        defer { rest = rest.dropFirst(size) }
        return rest.prefix(size)
      }
    }
    var inflater = Inflater(Pieces(rest: bytes[...], size: pieces), format: "test")
    var output = [UInt8](repeating: 0, count: most)
    let count = try output.withUnsafeMutableBufferPointer { try inflater.read(into: $0) }
    return Array(output.prefix(count))
  }

  @Test("whatever the pieces it comes in and is read by, a stream means the same")
  func pieces() throws {
    let text = (0..<90_000).map { UInt8($0 * $0 / 777 % 251) }
    let packed = Deflate.compress(text)
    #expect(try inflate(packed, pieces: 1) == text)
    #expect(try inflate(packed, pieces: 7) == text)
    var inflater = Inflater(HeldBytes(packed), format: "test")
    var found: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 1013)
    while try !inflater.isAtEnd() {
      let count = try part.withUnsafeMutableBufferPointer { try inflater.read(into: $0) }
      found += part.prefix(count)
    }
    #expect(found == text)
  }

  @Test("a stream that would fill a disk gives what was asked for, in the memory of a window")
  func bomb() throws {
    let packed = Deflate.compress([UInt8](repeating: 0, count: 1 << 20))
    #expect(try inflate(packed, most: 100) == [UInt8](repeating: 0, count: 100))
  }

  @Test("codes and blocks that there are not are refused")
  func refused() {
    let streams: [[UInt8]] = [
      [], [7], [1], [1, 2, 0, 0, 0], [1, 5, 0, 0xFA, 0xFF, 1],
      // A distance before the first byte; a code with more lengths than there are.
      [0x4B, 0x04, 0x62, 0], [5, 0xFF, 0xFF, 0xFF, 0xFF],
      [0xED, 0xFD, 0, 0, 0, 0],
    ]
    for stream in streams {
      #expect(throws: FormatError.self, "\(stream)") { try inflate(stream) }
    }
    #expect(HuffmanCode([1, 1, 1]) == nil)
    #expect(HuffmanCode([1, 2]) == nil)
    #expect(HuffmanCode([0, 2], allowsOne: true) == nil)
  }
}
