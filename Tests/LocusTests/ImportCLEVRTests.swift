// Proves that scenes and pictures in CLEVR's format come in as they are, or not at all.
import Foundation
import Lineage
import Measures
import Testing

@testable import Formats
@testable import Scenes

@Suite("Imported CLEVR", .serialized)
struct ImportCLEVRTests {
  private func set(_ manifest: String, in store: Store) throws -> (
    manifest: JSONValue, pixels: [UInt8], conditioners: [UInt8], scenes: Data
  ) {
    let value = try JSONValue.parse(Data(contentsOf: store.objectURL(manifest)))
    func object(_ key: String) throws -> Data {
      try Data(contentsOf: store.objectURL(try #require(value[key]?.string)))
    }
    guard case .uint8(let pixels) = try NPYArray(npy: object("pixels")).elements,
      case .uint8(let grids) = try NPYArray(npy: object("conditioners")).elements
    else { throw CancellationError() }
    return (value, pixels, grids, try object("scenes"))
  }

  private func run(_ words: [String], in folder: URL) throws -> String {
    let result = try Executable.run(["import", "clevr"] + words + ["--json"], in: folder)
    #expect(result.code == 0, "\(result.error)")
    let value = try JSONValue.parse(Data(result.output.utf8))
    return try #require(value["pictures"]?.string)
  }

  /// What the store says of the last import, by metric and what it is of.
  private func stored(_ store: Store) throws -> [String: Double] {
    let query = try #require(store.vocabulary.allQueries.first { $0.name == "pictures" })
    let rows = try store.query(query.sql).rows
    return Dictionary(
      uniqueKeysWithValues: rows.compactMap { row in
        guard let metric = row[1].text, let value = row[4].number else { return nil }
        let of = row[2].integer.map { " \($0)" } ?? row[3].text.map { " \($0)" } ?? ""
        return (metric + of, value)
      })
  }

  /// The same, counted from a scenes file.
  private func counted(_ scenes: [JSONValue]) -> [String: Double] {
    var result: [String: Double] = ["pictures": Double(scenes.count)]
    for scene in scenes {
      let objects = scene["objects"]?.array ?? []
      result["imported_pictures \(objects.count)", default: 0] += 1
      for object in objects {
        for key in ["color", "shape", "size", "material"] {
          result["imported_objects \(key) \(object[key]?.string ?? "")", default: 0] += 1
        }
      }
    }
    return result
  }

  private func expectSame(_ stored: [String: Double], _ counted: [String: Double]) {
    #expect(stored.filter { counted[$0.key] != nil } == counted)
    let attributes = stored.filter { $0.key.hasPrefix("imported_objects") }
    #expect(Set(attributes.keys).isSubset(of: counted.keys))
  }

  @Test("every pixel is the mean of its area, every object in its cell, every count as in the file")
  func whole() throws {
    try withFolder { folder in
      let clevr = try SmallCLEVR(in: folder.appending(path: "clevr"))
      let manifest = try run(["clevr", "--set", "size=32"], in: folder)
      let store = try Store.open(folder.appending(path: "data"), .readOnly, .locus)
      let found = try set(manifest, in: store)
      #expect(found.manifest["camera"]?.string == "clevr-whole")
      #expect(found.pixels.count == 6 * 32 * 32 * 3)
      for (index, scene) in clevr.scenes.enumerated() {
        let picture = try SmallCLEVR.picture(index).pixels
        for (x, y, c) in [(0, 0, 0), (31, 31, 1), (7, 12, 2), (20, 3, 2)] {
          // 480 / 32 = 15 columns and 320 / 32 = 10 rows a pixel.
          var sum = 0
          for row in 10 * y..<10 * y + 10 {
            for column in 15 * x..<15 * x + 15 { sum += Int(picture[(row * 480 + column) * 3 + c]) }
          }
          let mean = (Double(sum) / 150).rounded()
          #expect(Double(found.pixels[((index * 32 + y) * 32 + x) * 3 + c]) == mean)
        }
        var grid = [UInt8](repeating: 0, count: 256)
        for object in scene.objects {
          grid[Int(object.pixel.y / 20) * 16 + Int(object.pixel.x / 30)] += 1
        }
        #expect(Array(found.conditioners[index * 256..<index * 256 + 256]) == grid)
      }
      let file = try JSONValue.parse(Data(contentsOf: clevr.file))
      let values = try stored(store)
      expectSame(values, counted(try #require(file["scenes"]?.array)))
      #expect(try #require(values["imported_camera"]) < 1)
      // Scenes are kept as they are, in the pixels of the new picture.
      var reader = try CLEVRReader(HeldBytes(found.scenes))
      for scene in clevr.scenes {
        let kept = try #require(try reader.next())
        #expect(kept.index == scene.index && kept.picture == scene.picture)
        #expect(kept.relationships == scene.relationships)
        for (object, original) in zip(kept.objects, scene.objects) {
          #expect(object.color == original.color && object.shape == original.shape)
          #expect(abs(object.pixel.x - original.pixel.x / 15) < 1e-5)
          #expect(abs(object.pixel.y - original.pixel.y / 10) < 1e-5)
        }
      }
      #expect(try reader.next() == nil)
    }
  }

  @Test("the middle of a picture: what is cut off is left out and counted")
  func center() throws {
    try withFolder { folder in
      let clevr = try SmallCLEVR(in: folder.appending(path: "clevr"), count: 24)
      let manifest = try run(
        ["clevr", "--set", "size=32", "--set", "camera=clevr-center"], in: folder)
      let store = try Store.open(folder.appending(path: "data"), .readOnly, .locus)
      let inside = clevr.scenes.indices.filter { index in
        clevr.scenes[index].objects.allSatisfy { (80..<400).contains($0.pixel.x) }
      }
      let values = try stored(store)
      #expect(values["pictures"] == Double(inside.count))
      #expect(values["imported_left_out cut"] == Double(24 - inside.count))
      #expect(inside.count < 24)
      let found = try set(manifest, in: store)
      for (place, index) in inside.enumerated() {
        let picture = try SmallCLEVR.picture(index).pixels
        var sum = 0
        for row in 50..<60 {
          for column in 110..<120 { sum += Int(picture[(row * 480 + column) * 3]) }
        }
        #expect(
          Double(found.pixels[((place * 32 + 5) * 32 + 3) * 3]) == (Double(sum) / 100).rounded())
      }
    }
  }

  @Test("scenes alone are rendered, to the same bytes by any number of threads")
  func rendered() throws {
    try withFolder { folder in
      let clevr = try SmallCLEVR(in: folder.appending(path: "clevr"))
      let pipeline = """
        { pipeline: "p", question: "q", seed: 1, stages: {
          real: { kind: "import-clevr", scenes: "clevr/scenes/CLEVR_train_scenes.json", size: 32 } } }
        """
      try Data(pipeline.utf8).write(to: folder.appending(path: "p.json5"))
      var manifests: [String] = []
      for threads in ["1", "2"] {
        let result = try Executable.run(
          ["run", "p.json5", "--threads", threads, "--store", threads, "--quiet"], in: folder)
        #expect(result.code == 0, "\(result.error)")
        let store = try Store.open(folder.appending(path: threads), .readOnly, .locus)
        manifests += try store.texts(
          "SELECT sha256 FROM execution_output WHERE role = 'manifest'", [])
      }
      #expect(manifests.count == 2 && manifests[0] == manifests[1])
      let store = try Store.open(folder.appending(path: "1"), .readOnly, .locus)
      let found = try set(manifests[0], in: store)
      // An object's colour is where its scene says that it is.
      var near = 0
      for (index, scene) in clevr.scenes.enumerated() {
        for object in scene.objects {
          let (x, y) = (Int(object.pixel.x / 15), Int(object.pixel.y / 10))
          let place = ((index * 32 + y) * 32 + x) * 3
          let ground = index * 32 * 32 * 3
          let difference = (0..<3).map {
            abs(Int(found.pixels[place + $0]) - Int(found.pixels[ground + $0]))
          }
          if difference.max() ?? 0 > 8 { near += 1 }
        }
      }
      let total = clevr.scenes.reduce(0) { $0 + $1.objects.count }
      #expect(near >= total - 1, "\(near) of \(total)")
    }
  }

  @Test("the key is what lies outside, not where: moved it is reused, changed it runs again")
  func key() throws {
    try withFolder { folder in
      let clevr = try SmallCLEVR(in: folder.appending(path: "clevr"))
      func pipeline(_ place: String) throws {
        let text = """
          { pipeline: "p", question: "q", seed: 1, stages: { real: { kind: "import-clevr", size: 32,
            scenes: "\(place)/scenes/CLEVR_train_scenes.json", images: "\(place)/images/train" } } }
          """
        try Data(text.utf8).write(to: folder.appending(path: "p.json5"))
      }
      try pipeline("clevr")
      #expect(try Executable.run(["run", "p.json5", "--quiet"], in: folder).code == 0)
      try FileManager.default.moveItem(at: clevr.folder, to: folder.appending(path: "moved"))
      let absent = try Executable.run(["run", "p.json5", "--quiet"], in: folder)
      #expect(absent.code == 66)
      #expect(absent.error.contains("scenes: ") && absent.error.contains("is not there"))
      try pipeline("moved")
      let plan = try Executable.run(["run", "p.json5", "--dry-run"], in: folder)
      #expect(plan.output.contains("unchanged"), "\(plan.output)")
      let picture = folder.appending(path: "moved/images/train/CLEVR_train_2.png")
      try SmallCLEVR.picture(77).pngData().write(to: picture)
      let again = try Executable.run(["run", "p.json5", "--dry-run"], in: folder)
      #expect(again.output.contains("parameter `images`"), "\(again.output)")
    }
  }

  @Test("filters keep what was asked for, and count the rest; nothing left is said")
  func filters() throws {
    try withFolder { folder in
      let clevr = try SmallCLEVR(in: folder.appending(path: "clevr"), count: 12)
      let wanted = clevr.scenes.filter { scene in
        (2...3).contains(scene.objects.count) && scene.objects.allSatisfy { $0.shape != .cube }
      }
      _ = try run(
        [
          "clevr", "--set", "size=32", "--set", "objects=[2, 3]", "--set",
          "shapes=[\"sphere\", \"cylinder\"]",
        ], in: folder)
      let store = try Store.open(folder.appending(path: "data"), .readOnly, .locus)
      let values = try stored(store)
      #expect(!wanted.isEmpty && values["pictures"] == Double(wanted.count))
      #expect(values["imported_left_out filtered"] == Double(12 - wanted.count))
      let none = try Executable.run(
        ["import", "clevr", "clevr", "--set", "objects=[50, 60]"], in: folder)
      #expect(none.code == 65 && none.error.contains("none is left"), "\(none.error)")
    }
  }

  private struct Fault: Sendable {
    let name: String
    let code: Int32
    let words: [String]
    let spoil: @Sendable (SmallCLEVR) throws -> Void

    init(
      _ name: String, _ code: Int32, _ words: [String],
      _ spoil: @escaping @Sendable (SmallCLEVR) throws -> Void
    ) {
      self.name = name
      self.code = code
      self.words = words
      self.spoil = spoil
    }
  }

  /// What is done to a folder, how the import ends, and what it says.
  private static let faults: [Fault] = [
    Fault(
      "a shape", 65, ["scenes[0].objects[0].shape", "\"cone\"", "cube, sphere, cylinder"],
      { try $0.write($0.replacing(#/"shape":"[a-z]*"/#, "\"shape\":\"cone\"")) }
    ),
    Fault(
      "a colour", 65, ["scenes[0].objects[0].color", "\"pink\"", "gray, red"],
      { try $0.write($0.replacing(#/"color":"[a-z]*"/#, "\"color\":\"pink\"")) }
    ),
    Fault(
      "a material", 65, ["scenes[0].objects[0].material", "\"wood\"", "rubber, metal"],
      { try $0.write($0.replacing(#/"material":"[a-z]*"/#, "\"material\":\"wood\"")) }
    ),
    Fault(
      "relations", 65, ["scenes[0].relations", "`relationships`"],
      { try $0.write($0.replacing(#/"relationships"/#, "\"relations\"")) }
    ),
    Fault(
      "an index twice", 65, ["scenes[1].image_index", "10 stands twice"],
      { try $0.write($0.replacing(#/"image_index":11/#, "\"image_index\":10")) }
    ),
    Fault(
      "no index", 65, ["scenes[0].image_index", "needed"],
      { try $0.write($0.replacing(#/"image_index":10,/#, "")) }
    ),
    Fault(
      "a cut file", 65, ["cut off"],
      { try $0.write(String($0.text().dropLast(200))) }
    ),
    Fault("no JSON", 65, ["scenes.json"], { try $0.write("hello") }),
    Fault(
      "coordinates of another size", 65, ["pixel_coords", "480 × 320", "import arrays"],
      { clevr in
        var clevr = clevr
        for i in clevr.scenes.indices {
          for j in clevr.scenes[i].objects.indices {
            clevr.scenes[i].objects[j].pixel.x /= 2
            clevr.scenes[i].objects[j].pixel.y /= 2
          }
        }
        try clevr.write()
      }
    ),
    Fault(
      "a height", 65, ["3d_coords", "height of 0.5"],
      { clevr in
        var clevr = clevr
        clevr.scenes[0].objects[0].coordinates.z = 0.5
        try clevr.write()
      }
    ),
    Fault(
      "a missing picture", 66, ["CLEVR_train_3.png", "image_index 13", "not there"],
      { try FileManager.default.removeItem(at: $0.images.appending(path: "CLEVR_train_3.png")) }
    ),
    Fault(
      "a truncated picture", 65, ["CLEVR_train_3.png", "IDAT", "cut off"],
      { clevr in
        let url = clevr.images.appending(path: "CLEVR_train_3.png")
        try Data(contentsOf: url).dropLast(1000).write(to: url)
      }
    ),
    Fault(
      "a picture of another size", 65, ["CLEVR_train_3.png", "240 × 160", "480 × 320"],
      { clevr in
        try SmallCLEVR.picture(3, width: 240, height: 160).pngData().write(
          to: clevr.images.appending(path: "CLEVR_train_3.png"))
      }
    ),
    Fault(
      "pictures of other proportions", 65, ["CLEVR_train_0.png", "320 × 240", "proportions"],
      { clevr in
        try SmallCLEVR.picture(0, width: 320, height: 240).pngData().write(
          to: clevr.images.appending(path: "CLEVR_train_0.png"))
      }
    ),
    Fault(
      "a text for a picture", 65, ["CLEVR_train_3.png", "signature", "a text"],
      { clevr in
        try Data("version https://git-lfs.github.com/spec/v1".utf8).write(
          to: clevr.images.appending(path: "CLEVR_train_3.png"))
      }
    ),
  ]

  @Test("what is wrong is told: where, what, and what to do; nothing is half imported")
  func refusals() throws {
    for fault in Self.faults {
      let (name, code, words) = (fault.name, fault.code, fault.words)
      try withFolder { folder in
        try fault.spoil(SmallCLEVR(in: folder.appending(path: "clevr")))
        let result = try Executable.run(
          ["import", "clevr", "clevr", "--set", "size=32"], in: folder)
        #expect(result.code == code, "\(name): \(result)")
        for word in words { #expect(result.error.contains(word), "\(name): \(result.error)") }
        let store = try Store.open(folder.appending(path: "data"), .readOnly, .locus)
        #expect(try store.texts("SELECT sha256 FROM artifact", []).isEmpty, "\(name)")
      }
    }
  }

  @Test("arguments that do not fit are refused")
  func arguments() throws {
    try withFolder { folder in
      _ = try SmallCLEVR(in: folder.appending(path: "clevr"))
      let cases: [([String], Int32, String)] = [
        (["nowhere"], 66, "no such file"),
        (["."], 66, "CLEVR_<split>_scenes.json"),
        (["clevr", "--split", "val"], 66, "CLEVR_val_scenes.json"),
        (["clevr", "--set", "camera=overhead"], 65, "clevr-whole"),
        (["clevr", "--set", "sise=32"], 65, "sise"),
        (["clevr", "--size", "32"], 64, "--set"),
      ]
      for (words, code, text) in cases {
        let result = try Executable.run(["import", "clevr"] + words, in: folder)
        #expect(result.code == code, "\(words): \(result)")
        #expect(result.error.contains(text), "\(words): \(result.error)")
      }
    }
  }

  // MARK: - Published pictures

  static let published: URL? = {
    let named = ProcessInfo.processInfo.environment["LOCUS_CLEVR"].map { URL(filePath: $0) }
    let beside = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../../shared/clevr").standardizedFileURL
    return [named, beside].compactMap { $0 }.first {
      FileManager.default.fileExists(atPath: $0.appending(path: "scenes").path)
    }
  }()

  @Test(
    "CLEVR v1.0: every count and attribute in the store is the file's, every camera is found",
    .enabled(
      if: published != nil, "LOCUS_CLEVR (or ../shared/clevr) is no folder of CLEVR v1.0"),
    arguments: ["train", "val"])
  func real(_ split: String) throws {
    let clevr = try #require(Self.published)
    try withFolder { folder in
      // At 16 px, so that 500 renders take seconds.
      _ = try run(
        [
          clevr.path, "--split", split, "--set", "size=16", "--set", "cells=8", "--set",
          "supersample=1",
        ], in: folder)
      let store = try Store.open(folder.appending(path: "data"), .readOnly, .locus)
      let file = try JSONValue.parse(
        Data(contentsOf: clevr.appending(path: "scenes/CLEVR_\(split)_scenes.json")))
      let values = try stored(store)
      expectSame(values, counted(try #require(file["scenes"]?.array)))
      #expect(try #require(values["imported_camera"]) < 1)
    }
  }
}

extension SmallCLEVR {
  fileprivate func replacing(_ pattern: Regex<Substring>, _ text: String) -> String {
    self.text().replacing(pattern, with: text, maxReplacements: 1)
  }
}
