// Proves that what goes out comes back as it was, and that nothing that was there is lost without a word.
import Foundation
import Lineage
import Testing

@testable import Formats
@testable import Scenes
@testable import locus

@Suite("exports", .serialized)
struct ExportTests {
  /// A folder with a store: pictures as CLEVR's camera takes them, from above, and told by words; networks that
  /// were hardly trained; a mask.
  private static let pipeline = """
    { pipeline: "p", question: "q", seed: 3, stages: {
      whole: { kind: "generate", camera: "clevr-whole", size: 16, cells: 8, objects: [1, 2], count: 12 },
      center: { kind: "generate", camera: "clevr-center", size: 16, cells: 8, objects: [1, 2], count: 12 },
      above: { kind: "generate", size: 16, cells: 8, objects: [0, 2], count: 8 },
      told: { kind: "generate", size: 16, cells: 8, objects: [1, 2], count: 4, conditioner: "colors" },
      net: { kind: "untrained", inputs: { scenes: "above" }, network: { type: "local", width: 8, dilations: [1] } },
      trained: { kind: "train", inputs: { scenes: "above" }, network: { type: "local", width: 8, dilations: [1] },
                 pictures: 64, batch: 16 },
      masked: { kind: "intervene", inputs: { denoiser: "trained", scenes: "above" }, mask: "identity", radius: 4 },
      machine: { kind: "analytic", inputs: { scenes: "above" }, counts: [1] },
    } }
    """

  private func withStore(_ body: (URL) throws -> Void) throws {
    try withFolder { folder in
      try Data(Self.pipeline.utf8).write(to: folder.appending(path: "p.json5"))
      let run = try Executable.run(["run", "p.json5", "--quiet"], in: folder)
      #expect(run.code == 0, "\(run.error)")
      try body(folder)
    }
  }

  @discardableResult
  private func export(_ words: String..., in folder: URL, code: Int32 = 0) throws
    -> Executable.Result
  {
    let result = try Executable.run(["export"] + words, in: folder)
    #expect(result.code == code, "\(words): \(result)")
    return result
  }

  /// The manifest of what an instance made.
  private func manifest(_ name: String, in folder: URL) throws -> (hash: String, body: JSONValue) {
    let store = try Store.open(folder.appending(path: "data"), .readOnly, .locus)
    let found = try store.texts(
      """
      SELECT o.sha256 FROM stage s JOIN execution_output o USING (execution_id)
      WHERE s.name = ? AND o.role = 'manifest' ORDER BY s.id DESC LIMIT 1
      """, [.text(name)])
    let hash = try #require(found.first)
    return (hash, try JSONValue.parse(Data(contentsOf: store.objectURL(hash))))
  }

  private func bytes(_ path: String, _ folder: URL) throws -> Data {
    try Data(contentsOf: folder.appending(path: path))
  }

  @Test("scenes that went out as CLEVR's folder come back as the same set, hash for hash")
  func scenes() throws {
    try withStore { folder in
      let said = try export("scenes", "whole", "--to", "clevr", in: folder)
      #expect(said.error.contains("locus import clevr"), "\(said.error)")
      #expect(said.error.contains("--set size=16 --set cells=8"), "\(said.error)")
      let file = try JSONValue.parse(bytes("clevr/scenes/CLEVR_train_scenes.json", folder))
      let scenes = try #require(file["scenes"]?.array)
      #expect(scenes.count == 12 && file["info"]?["split"]?.string == "train")
      for scene in scenes {
        // What CLEVR's question generator asks of a scene.
        let objects = try #require(scene["objects"]?.array)
        let name = try #require(scene["image_filename"]?.string)
        #expect(
          name.split(separator: "_").last.flatMap { Int($0.prefix(6)) }
            == scene["image_index"]?.integer)
        for direction in ["left", "right", "front", "behind"] {
          let related = scene["relationships"]?[direction]?.array
          #expect(related?.count == objects.count)
        }
        let picture = try PNGImage(
          png: bytes("clevr/images/train/\(name)", folder), over: (0, 0, 0))
        #expect(picture.width == 48 && picture.height == 32)
        for object in objects {
          let pixel = object["pixel_coords"]?.array?.compactMap { $0.number } ?? []
          #expect(pixel.count == 3)
          #expect((0..<48).contains(pixel[0]) && (0..<32).contains(pixel[1]))
        }
      }
      let back = try Executable.run(
        [
          "import", "clevr", "clevr", "--name", "back", "--set", "size=16", "--set", "cells=8",
        ], in: folder)
      #expect(back.code == 0, "\(back.error)")
      let (old, new) = (try manifest("whole", in: folder), try manifest("back", in: folder))
      #expect(old.hash == new.hash, "\(old.body.canonicalText()) \(new.body.canonicalText())")
      // And again: the imported set is exported to the same bytes.
      try export("scenes", "back", "--to", "again", in: folder)
      #expect(
        FileManager.default.contentsEqual(
          atPath: folder.appending(path: "clevr").path,
          andPath: folder.appending(path: "again").path))
    }
  }

  @Test("the middle of CLEVR's pictures goes out between grey sides, and comes back hash for hash")
  func middle() throws {
    try withStore { folder in
      let said = try export("scenes", "center", "--to", "clevr", in: folder)
      #expect(said.error.contains("--set camera=clevr-center"), "\(said.error)")
      let picture = try PNGImage(
        png: bytes("clevr/images/train/LOCUS_000000.png", folder), over: (0, 0, 0))
      #expect(picture.width == 96 && picture.height == 64)
      #expect(Set(picture.pixels[..<(16 * 3)]) == [128])
      #expect(Set(picture.pixels[(16 * 3)..<(80 * 3)]) != [128])
      let back = try Executable.run(
        [
          "import", "clevr", "clevr", "--name", "back", "--set", "size=16", "--set", "cells=8",
          "--set", "camera=clevr-center",
        ], in: folder)
      #expect(back.code == 0, "\(back.error)")
      let (old, new) = (try manifest("center", in: folder), try manifest("back", in: folder))
      #expect(old.hash == new.hash, "\(old.body.canonicalText()) \(new.body.canonicalText())")
    }
  }

  @Test("of other cameras and of words it is said what does not come back")
  func oneWay() throws {
    try withStore { folder in
      let said = try export("scenes", "above", "--to", "above", in: folder)
      #expect(said.error.contains("the camera overhead"), "\(said.error)")
      let picture = try PNGImage(
        png: bytes("above/images/train/LOCUS_000000.png", folder), over: (0, 0, 0))
      #expect(picture.width == 16 && picture.height == 16)
      let words = try export("arrays", "told", "--to", "told", in: folder)
      #expect(words.error.contains("conditioners are words"), "\(words.error)")
    }
  }

  @Test("arrays that went out come back byte for byte, and the second time as the same set")
  func arrays() throws {
    try withStore { folder in
      let said = try export("arrays", "above", "--to", "arrays", in: folder)
      #expect(said.error.contains("--set camera=overhead --set 'objects=[0, 2]'"), "\(said.error)")
      func back(_ path: String, _ name: String) throws {
        let result = try Executable.run(
          [
            "import", "arrays", path, "--name", name, "--set", "camera=overhead", "--set",
            "objects=[0, 2]",
          ], in: folder)
        #expect(result.code == 0, "\(result.error)")
      }
      try back("arrays", "first")
      let (old, new) = (try manifest("above", in: folder), try manifest("first", in: folder))
      for key in ["pixels", "conditioners", "camera", "objects", "count", "space"] {
        #expect(old.body[key] == new.body[key], "\(key)")
      }
      // Scenes are not in the arrays.
      #expect(old.body["scenes"] != new.body["scenes"])
      try export("arrays", "first", "--to", "again", in: folder)
      try back("again", "second")
      let second = try manifest("second", in: folder)
      #expect(second.hash == new.hash)
      // Each import is a run of its own, and none hides another.
      let told = try Executable.run(["query", "pictures", "--format", "csv"], in: folder)
      for name in ["above", "first", "second"] {
        #expect(told.output.contains("\n\(name),pictures,"), "\(told.output)")
      }
      let none = try export("scenes", "first", "--to", "none", in: folder, code: 65)
      #expect(none.error.contains("no scenes") && none.error.contains("export arrays"))
    }
  }

  @Test("weights go out as they are; what has none says why")
  func weights() throws {
    try withStore { folder in
      try export("weights", "trained", "--to", "w.safetensors", in: folder)
      let file = try Safetensors(data: bytes("w.safetensors", folder))
      #expect(file.metadata["network"] == "local" && !file.tensors.isEmpty)
      let back = try Executable.run(["import", "weights", "w.safetensors"], in: folder)
      let body = try manifest("trained", in: folder).body
      let hash = try #require(body["weights"]?.string)
      #expect(back.code == 0 && back.output.contains(hash), "\(back)")
      for (name, words) in [
        ("masked", "behind a mask"), ("machine", "without training"), ("whole", "no denoiser"),
      ] {
        let refused = try export("weights", name, "--to", "x", in: folder, code: 64)
        #expect(refused.error.contains(words), "\(refused.error)")
      }
    }
  }

  @Test("what is there stays, unless it is told to be replaced; the same content is no matter")
  func replacing() throws {
    try withStore { folder in
      try export("arrays", "above", "--to", "a", in: folder)
      try export("arrays", "above", "--to", "a", in: folder)
      let mine = folder.appending(path: "a/pixels.npy")
      try Data("mine".utf8).write(to: mine)
      try Data("mine too".utf8).write(to: folder.appending(path: "a/notes.txt"))
      let refused = try export("arrays", "above", "--to", "a", in: folder, code: 73)
      #expect(refused.error.contains("a/pixels.npy") && refused.error.contains("--replace"))
      let kept = try bytes("a/pixels.npy", folder)
      #expect(kept == Data("mine".utf8))
      let names = try FileManager.default.contentsOfDirectory(
        atPath: folder.appending(path: "a").path)
      #expect(Set(names) == ["pixels.npy", "conditioners.npy", "notes.txt"])
      let replaced = try export("arrays", "above", "--to", "a", "--replace", in: folder)
      #expect(replaced.error.contains("replaced 1 files"))
      let notes = try bytes("a/notes.txt", folder)
      #expect(notes == Data("mine too".utf8))

      try Data("mine".utf8).write(to: folder.appending(path: "p.json"))
      let mineStays = try export("prov", "--to", "p.json", in: folder, code: 73)
      #expect(mineStays.error.contains("--replace"))
      try export("prov", "--to", "p.json", "--replace", in: folder)
      try export("prov", "--to", "p.json", in: folder)
      // A stream is no file that could be lost.
      let piped = try export("prov", "--to", "/dev/stdout", in: folder)
      let written = try bytes("p.json", folder)
      #expect(Data(piped.output.utf8) == written)
      let file = try export("tables", "--to", "p.json", in: folder, code: 73)
      #expect(file.error.contains("p.json"))
    }
  }

  @Test("arguments that do not fit are refused")
  func arguments() throws {
    try withStore { folder in
      let cases: [([String], Int32, String)] = [
        (["pictures", "--to", "x"], 64, "accepted: scenes, arrays"),
        (["scenes", "whole"], 64, "--to DIR|FILE"),
        (["scenes", "--to", "x"], 64, "a picture set"),
        (["scenes", "trained", "--to", "x"], 64, "no picture set"),
        (["prov", "nothing", "--to", "x"], 64, "names no run"),
        (["mlflow", "whole", "--to", "x"], 64, "is no run"),
        (["prov", "--to", "x", "--license", "MIT"], 64, "rocrate only"),
        (["prov", "--to", "nowhere/x"], 73, "nowhere/x"),
        (["prov", "--store", "none", "--to", "x"], 66, "locus run"),
      ]
      for (words, code, text) in cases {
        let result = try Executable.run(["export"] + words, in: folder)
        #expect(result.code == code && result.error.contains(text), "\(words): \(result)")
      }
      #expect(!FileManager.default.fileExists(atPath: folder.appending(path: "x").path))
    }
  }
}
