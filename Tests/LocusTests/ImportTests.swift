import Formats
import Foundation
import Lineage
import Measures
import Testing

/// Proves that a checkpoint which PyTorch wrote becomes a denoiser like any trained one, and that one
/// which does not fit is refused by name and shape.
@Suite("Imported weights", .serialized)
struct ImportTests {
  static let golden = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Golden")
  static let checkpoint = golden.appending(path: "local.safetensors").path
  static let stated = [
    "--network", "local", "--width", "4", "--dilations", "1,2", "--size", "8", "--cells", "4",
    "--labelling", "single", "--objects", "1,3",
  ]

  private func values(_ url: URL) throws -> [Float] {
    guard case .float32(let values) = try NPYArray(npy: Data(contentsOf: url)).elements else {
      throw CancellationError()
    }
    return values
  }

  @Test("weights that are not what their hash says are used by no command")
  func damaged() throws {
    try withFolder { folder in
      let first = try Executable.run(
        ["import", "weights", Self.checkpoint, "--name", "theirs"] + Self.stated, in: folder)
      let hash = try #require(
        first.output.split(whereSeparator: \.isWhitespace).last.map(String.init))
      let data = folder.appending(path: "data")
      let object = Store.objectURL(hash, in: data)
      var content = try Data(contentsOf: object)
      content[content.count - 1] ^= 1
      try FileManager.default.removeItem(at: object)
      try content.write(to: object)
      let words = [
        [
          "denoise", "theirs", "--x", Self.golden.appending(path: "x.npy").path, "--sigma",
          Self.golden.appending(path: "sigma.npy").path, "--labels",
          Self.golden.appending(path: "c.npy").path, "--output", "D.npy",
        ], ["sample", "theirs", "--steps", "2"],
      ]
      for words in words {
        let result = try Executable.run(words, in: folder)
        #expect(result.code == 65, "\(result.error)")
        #expect(result.error.contains(object.path) && result.error.contains("another hash"))
      }
      let made = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      #expect(!made.contains("D.npy") && !made.contains("sample.png"))
    }
  }

  @Test("denoises as PyTorch does, is found by name and by hash, and has a receipt")
  func importing() throws {
    try withFolder { folder in
      let first = try Executable.run(
        ["import", "weights", Self.checkpoint, "--name", "theirs", "--json"] + Self.stated,
        in: folder)
      #expect(first.code == 0, "\(first.error)")
      let result = try JSONValue.parse(Data(first.output.utf8))
      let hash = try #require(result["weights"]?.string)
      #expect(result["parameters"] == .integer(7883))
      for word in ["theirs", hash] {
        let denoised = try Executable.run(
          [
            "denoise", word, "--x", Self.golden.appending(path: "x.npy").path, "--sigma",
            Self.golden.appending(path: "sigma.npy").path, "--labels",
            Self.golden.appending(path: "c.npy").path, "--output", "D.npy",
          ], in: folder)
        #expect(denoised.code == 0, "\(denoised.error)")
        let mine = try values(folder.appending(path: "D.npy"))
        let theirs = try values(Self.golden.appending(path: "D.npy"))
        let largest = theirs.map(abs).max() ?? 0
        #expect(mine.count == theirs.count)
        #expect(zip(mine, theirs).allSatisfy { abs($0 - $1) < 1e-5 * largest })
      }
      // What the store holds has the metadata: it can be imported again without a word, and is the
      // same.
      let store = try Store.open(folder.appending(path: "data"), .readOnly, .locus)
      let again = try Executable.run(
        ["import", "weights", store.objectURL(hash).path, "--name", "again"], in: folder)
      #expect(again.output == "again \(hash)\n", "\(again.error)")
      let rows = try store.query(
        """
        SELECT e.kind, e.status, p.path, s.status FROM stage s
        JOIN execution e ON e.id = s.execution_id JOIN run r ON r.id = s.run_id
        JOIN pipeline p ON p.id = r.pipeline_id ORDER BY r.started_at, s.id
        """
      ).rows
      #expect(
        rows == [
          [.text("import"), .text("succeeded"), .text(Self.checkpoint), .text("executed")],
          [
            .text("import"), .text("succeeded"), .text(store.objectURL(hash).path),
            .text("reused"),
          ],
        ])
      #expect(try Executable.run(["verify"], in: folder).code == 0)
    }
  }

  @Test("numbers that no picture and no noise level can be are refused before anything is read")
  func numbers() throws {
    try withFolder { folder in
      func array(_ name: String, _ shape: [Int], _ values: [Float]) throws {
        try NPYArray(shape: shape, elements: .float32(values)).npyData()
          .write(to: folder.appending(path: name))
      }
      try array("nan.npy", [1, 3, 2, 2], [Float](repeating: 0, count: 11) + [.nan])
      try array("x.npy", [1, 3, 2, 2], [Float](repeating: 0, count: 12))
      try array("zero.npy", [1], [0])
      try array("sigma.npy", [1], [1])
      try array("c.npy", [1, 2, 2], [0, 0, .infinity, 0])
      for (x, sigma, said) in [
        ("nan.npy", "sigma.npy", "nan.npy: element [0, 2, 1, 1] is nan; finite float32"),
        ("x.npy", "zero.npy", "zero.npy: element [0] is 0.0; noise levels are above 0"),
        ("x.npy", "sigma.npy", "c.npy: element [0, 1, 0] is inf; finite float32"),
      ] {
        let refused = try Executable.run(
          ["denoise", "any", "--x", x, "--sigma", sigma, "--labels", "c.npy", "--output", "D.npy"],
          in: folder)
        #expect(refused.code == 65 && refused.error.contains(said), "\(refused.error)")
      }
    }
  }

  @Test("a pipeline names the artifact by its hash, whatever its seed; without it, it says how")
  func pipeline() throws {
    try withFolder { folder in
      let imported = try Executable.run(
        ["import", "weights", Self.checkpoint, "--name", "theirs"] + Self.stated, in: folder)
      let hash = try #require(imported.output.split(whereSeparator: \.isWhitespace).last)
      func write(_ hash: some StringProtocol) throws {
        try Data(
          """
          { pipeline: "p", question: "q", seed: 5, stages: {
            theirs: { kind: "import", weights: "\(hash)" },
            scenes: { kind: "generate", size: 8, cells: 4, objects: [1, 2], count: 40 },
            masked: { kind: "intervene", mask: "conditioner", radius: 2,
              inputs: { denoiser: "theirs", scenes: "scenes" } },
            judge: { kind: "judge", size: 8, cells: 4, renders: 100, pictures: 64, held_out: 5 },
            drawn: { kind: "evaluate", inputs: { denoiser: "theirs", judge: "judge" },
              counts: [1, 2], layouts: 2, steps: 2 },
          } }
          """.utf8
        ).write(to: folder.appending(path: "p.json5"))
      }
      try write(hash)
      let found = try Executable.run(["run", "p.json5"], in: folder)
      #expect(found.code == 0, "\(found.error)")
      #expect(found.error.contains("theirs unchanged, reused"))
      let store = try Store.open(folder.appending(path: "data"), .readOnly, .locus)
      let models = try store.query("SELECT DISTINCT model FROM length_generalization").rows
      #expect(models == [[.text("theirs")]])

      try write(String(repeating: "0", count: 64))
      let missing = try Executable.run(["run", "p.json5", "--only", "theirs"], in: folder)
      #expect(missing.code == 66)
      #expect(missing.error.contains("bring weights in with `locus import weights FILE`"))
      // A judge for other pictures is refused before anything runs, here too.
      try write(hash)
      let fitting = try String(contentsOf: folder.appending(path: "p.json5"), encoding: .utf8)
      try Data(fitting.replacing("\"judge\", size: 8", with: "\"judge\", size: 16").utf8)
        .write(to: folder.appending(path: "p.json5"))
      for words in [[], ["--dry-run"]] {
        let misfit = try Executable.run(["run", "p.json5", "--set", "seed=6"] + words, in: folder)
        #expect(misfit.code == 65, "\(misfit.error)")
        #expect(
          misfit.error.contains("stage `drawn`: inputs.judge: judge and denoiser look at different")
        )
      }
      // Before anything else runs.
      try write(String(repeating: "0", count: 64))
      let none = folder.appending(path: "none")
      let other = try Executable.run(["run", "p.json5", "--store", none.path], in: folder)
      #expect(other.code == 66 && !FileManager.default.fileExists(atPath: none.path))
      try write("../../../etc/passwd")
      #expect(try Executable.run(["run", "p.json5"], in: folder).code == 65)
    }
  }

  @Test("a denoiser whose values are no numbers is refused wherever it is used, and draws nothing")
  func notFinite() throws {
    try withFolder { folder in
      var file = try Safetensors(data: Data(contentsOf: URL(filePath: Self.checkpoint)))
      for (name, tensor) in file.tensors {
        file.tensors[name]?.values = tensor.values.map { _ in 1e30 }
      }
      try file.data().write(to: folder.appending(path: "m.safetensors"))
      let imported = try Executable.run(
        ["import", "weights", "m.safetensors"] + Self.stated, in: folder)
      let hash = try #require(imported.output.split(whereSeparator: \.isWhitespace).last)
      let said = "values that are no finite numbers"
      let sample = try Executable.run(["sample", "m", "--steps", "2"], in: folder)
      #expect(sample.code == 65 && sample.error.contains(said), "\(sample)")
      let arrays = ["x", "sigma", "c"].map { Self.golden.appending(path: "\($0).npy").path }
      let denoise = try Executable.run(
        [
          "denoise", "m", "--x", arrays[0], "--sigma", arrays[1], "--labels", arrays[2],
          "--output", "D.npy",
        ], in: folder)
      #expect(denoise.code == 65 && denoise.error.contains(said), "\(denoise)")
      let made = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      #expect(!made.contains("D.npy") && !made.contains("sample.png"))
      try Data(
        """
        { pipeline: "p", question: "q", seed: 1, stages: {
          theirs: { kind: "import", weights: "\(hash)" },
          scenes: { kind: "generate", size: 8, cells: 4, objects: [1, 2], count: 8 },
          agreed: { kind: "agree", sigmas: [0.5], counts: [1], pictures: 2, layouts: 0,
            inputs: { denoiser: "theirs", reference: "theirs", scenes: "scenes" } } } }
        """.utf8
      ).write(to: folder.appending(path: "p.json5"))
      let run = try Executable.run(["run", "p.json5"], in: folder)
      #expect(run.code == 65 && run.error.contains("agreed failed: the denoiser gives picture 0"))
    }
  }

  @Test("what does not fit is refused by name and shape, before anything is stored")
  func refused() throws {
    func refusal(_ words: [String], _ file: String = Self.checkpoint) throws -> String {
      try withFolder { folder in
        let found = try Executable.run(["import", "weights", file] + words, in: folder)
        #expect([64, 65, 66].contains(found.code), "\(found.code)")
        #expect(!FileManager.default.fileExists(atPath: folder.appending(path: "data").path))
        return found.error
      }
    }
    func stating(_ option: String, _ value: String) -> [String] {
      var words = Self.stated
      if let place = words.firstIndex(of: option) { words[place + 1] = value }
      return words
    }
    #expect(
      try refusal(stating("--width", "8")).contains(
        "weight stem.weight has shape [4, 6, 3, 3], the network needs [8, 6, 3, 3]"))
    #expect(try refusal(stating("--dilations", "1,2,1")).contains("missing: blocks.2.conv.weight"))
    #expect(
      try refusal(stating("--dilations", "1")).contains("does not have: blocks.1.conv.bias"))
    #expect(try refusal(stating("--network", "gan")).contains("accepted: unet, local, patchwise"))
    #expect(try refusal(stating("--objects", "3,1")).contains("fewest and most"))
    #expect(
      try refusal([]).contains(
        "lacks network, width, size, cells, labelling, objects_min, objects_max; state --network,"))
    #expect(try refusal(Self.stated + ["--name", "../up"]).contains("--name"))
    #expect(try refusal([], "none.safetensors").contains("none.safetensors"))
    #expect(try refusal([], #filePath).contains("this is a text; a .safetensors file is read"))
    #expect(try Bench().locus("import", "scenes", Self.checkpoint).code == 64)
  }
}
