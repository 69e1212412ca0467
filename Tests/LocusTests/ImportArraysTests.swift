// Proves that arrays of other programs come in as they are, or not at all.
import Foundation
import Lineage
import Testing

@testable import Formats

/// A zip archive as NumPy writes it.
func zipArchive(_ files: [(name: String, data: Data)], deflated: Bool) -> Data {
  func number(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
  var archive: [UInt8] = []
  var directory: [UInt8] = []
  for (name, data) in files {
    let bytes = [UInt8](data)
    let packed = deflated ? Deflate.compress(bytes) : bytes
    var sum = CRC32()
    sum.update(bytes)
    let facts =
      number(20, 2) + number(0, 2) + number(deflated ? 8 : 0, 2) + number(0, 4)
      + number(Int(sum.value), 4) + number(packed.count, 4) + number(bytes.count, 4)
      + number(name.utf8.count, 2)
    directory += [0x50, 0x4B, 1, 2] + number(20, 2) + facts + number(0, 2) + number(0, 2)
    directory += number(0, 8) + number(archive.count, 4) + Array(name.utf8)
    archive += [0x50, 0x4B, 3, 4] + facts + number(0, 2) + Array(name.utf8) + packed
  }
  let end =
    [0x50, 0x4B, 5, 6] + number(0, 4) + number(files.count, 2) + number(files.count, 2)
    + number(directory.count, 4) + number(archive.count, 4) + number(0, 2)
  return Data(archive + directory + end)
}

@Suite("Imported arrays", .serialized)
struct ImportArraysTests {
  private static let count = 3

  private static func pictures(_ side: Int) -> [UInt8] {
    (0..<count * side * side * 3).map { UInt8($0 * 37 % 253) }
  }

  private static func npy(_ shape: [Int], _ elements: NPYArray.Elements) throws -> Data {
    try NPYArray(shape: shape, elements: elements).npyData()
  }

  private static func positions(
    _ places: [Float] = [0.1, 0.2, 0.99, 0.5, 0, 1], ims: Data? = nil, deflated: Bool
  ) throws -> Data {
    zipArchive(
      [
        ("ims.npy", try ims ?? npy([count, 32, 32, 3], .uint8(pictures(32)))),
        ("coords_labels.npy", try npy([places.count / 2, 2], .float32(places))),
      ], deflated: deflated)
  }

  private func set(_ words: [String], in folder: URL) throws -> (
    manifest: JSONValue, pixels: [UInt8], conditioners: [UInt8]
  ) {
    let result = try Executable.run(["import"] + words + ["--json"], in: folder)
    #expect(result.code == 0, "\(result.error)")
    let hash = try #require(JSONValue.parse(Data(result.output.utf8))["pictures"]?.string)
    let store = try Store.open(folder.appending(path: "data"), .readOnly, .locus)
    let value = try JSONValue.parse(Data(contentsOf: store.objectURL(hash)))
    func bytes(_ key: String) throws -> [UInt8] {
      let data = try Data(contentsOf: store.objectURL(try #require(value[key]?.string)))
      guard case .uint8(let bytes) = try NPYArray(npy: data).elements else {
        throw CancellationError()
      }
      return bytes
    }
    return (value, try bytes("pixels"), try bytes("conditioners"))
  }

  @Test(
    "stored and deflated archives are the same pictures, each with its one place",
    arguments: [false, true])
  func positions(deflated: Bool) throws {
    try withFolder { folder in
      try Self.positions(deflated: deflated).write(to: folder.appending(path: "pos.npz"))
      let found = try set(
        [
          "positions", "pos.npz", "--set", "size=16", "--set", "cells=8", "--set", "objects=[1, 5]",
        ],
        in: folder)
      #expect(found.manifest["objects"] == .array([.integer(1), .integer(5)]))
      let whole = Self.pictures(32)
      for n in 0..<Self.count {
        for (x, y) in [(0, 0), (15, 15), (3, 9)] {
          for c in 0..<3 {
            let sum = (0..<4).reduce(0) {
              $0 + Int(whole[((n * 32 + 2 * y + $1 / 2) * 32 + 2 * x + $1 % 2) * 3 + c])
            }
            #expect(Int(found.pixels[((n * 16 + y) * 16 + x) * 3 + c]) == (2 * sum + 4) / 8)
          }
        }
      }
      // x 0.1, y 0.2 of 8 cells; x 0.99, y 0.5; x 0, y 1, which is the last row.
      var grids = [UInt8](repeating: 0, count: 3 * 64)
      for (n, place) in [1 * 8 + 0, 4 * 8 + 7, 7 * 8 + 0].enumerated() { grids[n * 64 + place] = 1 }
      #expect(found.conditioners == grids)
    }
  }

  @Test("arrays come in as they are")
  func arrays() throws {
    try withFolder { folder in
      let grids = (0..<Self.count * 16).map { UInt8($0 % 3) }
      try Self.npy([3, 8, 8, 3], .uint8(Self.pictures(8))).write(
        to: folder.appending(path: "pixels.npy"))
      try Self.npy([3, 4, 4], .uint8(grids)).write(to: folder.appending(path: "conditioners.npy"))
      let found = try set(["arrays", ".", "--name", "a", "--set", "objects=[0, 5]"], in: folder)
      #expect(found.pixels == Self.pictures(8) && found.conditioners == grids)
      #expect(found.manifest["camera"]?.string == "clevr" && found.manifest["count"] == .integer(3))
    }
  }

  @Test("what is wrong is told, and nothing is half imported")
  func refusals() throws {
    let sound = try Self.positions(deflated: true)
    var flipped = sound
    flipped[sound.count / 4] ^= 0x10
    let large = zipArchive([("ims.npy", Data(repeating: 0, count: 9))], deflated: false)
    let cases: [(Data, [String])] = [
      (Data("hello, this is no archive".utf8), ["npz", "no directory"]),
      (sound.dropLast(60), ["npz", "no directory"]),
      (flipped, ["npz"]),
      (large, ["npy"]),
      (zipArchive([("x.npy", Data())], deflated: false), ["no array `ims`", "x.npy"]),
      (try Self.positions([0.1, 0.2], deflated: false), ["coords_labels", "3 × 2"]),
      (
        try Self.positions([0.1, 0.2, 1.5, 0, 0, 0], deflated: false), ["coords_labels[1]", "1.5"]
      ),
      (
        try Self.positions([0.1, 0.2, .nan, 0, 0, 0], deflated: false), ["coords_labels[1]", "nan"]
      ),
      (
        try Self.positions(
          ims: Self.npy([3, 4], .float32([Float](repeating: 0, count: 12))), deflated: true),
        ["ims", "<f4", "N × S × S × 3"]
      ),
    ]
    for (data, words) in cases {
      try withFolder { folder in
        try data.write(to: folder.appending(path: "pos.npz"))
        let result = try Executable.run(
          ["import", "positions", "pos.npz", "--set", "size=16", "--set", "objects=[1, 5]"],
          in: folder)
        #expect(result.code == 65, "\(words): \(result)")
        for word in words { #expect(result.error.contains(word), "\(word): \(result.error)") }
        let store = try Store.open(folder.appending(path: "data"), .readOnly, .locus)
        #expect(try store.texts("SELECT sha256 FROM artifact", []).isEmpty)
      }
    }
    try withFolder { folder in
      let arrays: [(Data, Data, String)] = [
        (
          try Self.npy([3, 8, 8, 3], .uint8(Self.pictures(8))), Data("text, not numbers".utf8),
          "a text"
        ),
        (
          try Self.npy([3, 8, 8, 3], .uint8(Self.pictures(8))),
          try Self.npy([2, 4, 4], .uint8([UInt8](repeating: 0, count: 32))), "3 × cells × cells"
        ),
        (
          try Self.npy([3, 8, 8, 3], .uint8(Self.pictures(8))).dropLast(5),
          try Self.npy([3, 4, 4], .uint8([UInt8](repeating: 0, count: 48))), "cut off"
        ),
      ]
      for (pixels, grids, word) in arrays {
        try pixels.write(to: folder.appending(path: "pixels.npy"))
        try grids.write(to: folder.appending(path: "conditioners.npy"))
        let result = try Executable.run(
          ["import", "arrays", ".", "--name", "a", "--set", "objects=[0, 5]"], in: folder)
        #expect(result.code == 65 && result.error.contains(word), "\(result)")
      }
    }
  }

  @Test(
    "an archive that states more than its bytes can hold is refused before anything is allocated")
  func bomb() throws {
    var bytes = [UInt8](try Self.positions(deflated: true))
    // The size of the first entry, in the directory.
    let place = try #require(
      bytes.indices.first { bytes[$0...].starts(with: [0x50, 0x4B, 1, 2]) })
    for i in 0..<4 { bytes[place + 24 + i] = i == 3 ? 0x7F : 0xFF }
    #expect(throws: FormatError.self) { try ZipArchive(Data(bytes), format: "npz") }
  }
}
