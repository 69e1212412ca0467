// Proves that a pipeline file to begin with is one, and that a pipeline is shown before anything ran.
import Experiments
import Formats
import Foundation
import Reporting
import Testing
import Workflow

@testable import locus

@Suite("locus init and locus dag")
struct InitTests {
  @Test("every template is a pipeline that is ready to run", arguments: Template.allCases)
  func templates(_ template: Template) throws {
    let bench = try Bench()
    let path = bench.path("\(template.rawValue)-1.json5")
    let made = try Executable.run(
      ["init", template.rawValue, "--output", path], in: bench.folder)
    #expect(made.code == 0 && made.output == path + "\n", "\(made)")
    let pipeline = try Pipeline.read(
      path: path, kinds: Experiments.stageKinds, extensions: [.claims])
    #expect(pipeline.name == "\(template.rawValue)-1")
    let uses = pipeline.source.split(separator: "\n").filter { $0.hasPrefix("//   locus ") }
    #expect(uses.map { $0.contains("locus run \(path)") } == [true, true, false])
    let columns = uses.map { line in
      line.range(of: "   ", options: .backwards).map { line[..<$0.upperBound].count }
    }
    #expect(Set(columns).count == 1, "\(uses)")
    let dry = try Executable.run(["run", path, "--dry-run"], in: bench.folder)
    #expect(dry.code == 0, "\(dry.error)")
    #expect(dry.output.contains("\(pipeline.instances.count) of \(pipeline.instances.count) "))
    let schema = SchemaCommand.schema(Experiments.stageKinds)
    let faults = KindHelpTests.faults(try JSONValue.parse(Data(pipeline.source.utf8)), schema)
    #expect(faults.isEmpty, "\(faults)")

    let again = try Executable.run(
      ["init", template.rawValue, "--output", path], in: bench.folder)
    #expect(again.code == 73 && again.error.contains("it is there already"), "\(again)")
    let printed = try Executable.run(
      ["init", template.rawValue, "--output", "-"], in: bench.folder)
    #expect(printed.output.contains("pipeline: \"\(template.rawValue)\""))
  }

  @Test("a file's name that is no pipeline's name gives the template's, and the command as typed")
  func names() throws {
    let bench = try Bench()
    let path = bench.path("my study.json5")
    #expect(try Executable.run(["init", "--output", path], in: bench.folder).code == 0)
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(text.contains("pipeline: \"study\"") && text.contains("locus run '\(path)'"))
  }

  @Test("a file's name in the place of a template's is told where it goes")
  func misplaced() throws {
    let found = try Executable.run(
      ["init", "mine.json5"], in: FileManager.default.temporaryDirectory)
    #expect(found.code == 64)
    #expect(
      found.error == """
        locus: `locus init` has no TEMPLATE `mine.json5`; accepted: study, masks, analytic, theory, colors; \
        --output FILE names the file that is written

        """)
  }

  @Test("a template runs to its report")
  func runs() throws {
    try withFolder { folder in
      #expect(try Executable.run(["init", "theory"], in: folder).code == 0)
      let run = try Executable.run(
        [
          "run", "theory.json5", "--set", "world.samples=20", "--set", "world.draws=20", "--set",
          "world.sigmas=[1]",
        ], in: folder)
      #expect(run.code == 0, "\(run.error)")
      #expect(run.output.hasPrefix("reports/theory/"))
    }
  }

  @Test("the template of words runs to its report, in small")
  func colors() throws {
    try withFolder { folder in
      #expect(try Executable.run(["init", "colors"], in: folder).code == 0)
      let small =
        [
          "scenes.size=16", "scenes.cells=8", "scenes.count=60", "judge.size=16", "judge.cells=8",
          "judge.renders=200", "judge.pictures=640", "judge.held_out=5", "model.pictures=64",
          "model.network.width=4",
        ]
        + ["model_evaluated", "added_evaluated", "pairs_evaluated"].flatMap {
          ["\($0).layouts=3", "\($0).steps=2", "\($0).renders=40"]
        }
      let run = try Executable.run(
        ["run", "colors.json5"] + small.flatMap { ["--set", $0] }, in: folder)
      #expect(run.code == 0, "\(run.error)")
      #expect(run.output.hasPrefix("reports/colors/"))
      let drawn = try Executable.run(
        ["sample", "model", "--word", "red", "--word", "blue", "--steps", "2", "--guidance", "2"],
        in: folder)
      #expect(drawn.code == 0, "\(drawn.error)")
      for (odd, said) in [
        (["--word", "mauve"], "gray, red"), (["--at", "0.5,0.5"], "a set of 8 words"),
      ] {
        let refused = try Executable.run(["sample", "model"] + odd, in: folder)
        #expect([64, 65].contains(refused.code) && refused.error.contains(said), "\(refused)")
      }
      let blind = try Executable.run(["blind", "latest"], in: folder)
      #expect(blind.code == 65 && blind.error.contains("asked for words"), "\(blind)")
    }
  }

  @Test("a pipeline's stages are boxes, with as many instances as it has")
  func graph() throws {
    let bench = try Bench()
    let path = bench.path("p.json5")
    try Data(
      """
      { pipeline: "p", question: "q", seed: 1, stages: {
        scenes: { kind: "generate", size: 16, cells: 8, objects: [1, 2], count: 10 },
        judge: { kind: "judge", size: 16, cells: 8 },
        model: { kind: "train", inputs: { scenes: "scenes" }, pictures: 64,
                 network: { type: "unet", width: 8 },
                 matrix: { labelling: ["all", "single"], batch: [1, 2, 3, 4, 5, 6, 7, 8] } },
        drawn: { kind: "evaluate", inputs: { denoiser: "model", judge: "judge" } },
        together: { kind: "compare", inputs: { evaluations: ["drawn"] } } } }
      """.utf8
    ).write(to: URL(filePath: path))
    func dag(_ format: String) throws -> String {
      let found = try Executable.run(["dag", path, "--format", format], in: bench.folder)
      #expect(found.code == 0, "\(found.error)")
      return found.output
    }
    #expect(
      try dag("text") == """
        scenes    generate
        judge     judge
        model     train × 16 (labelling: all, single; batch: 1, 2, 3, …, 8)  ← scenes
        drawn     evaluate × 16 (labelling: all, single; batch: 1, 2, 3, …, 8)  ← judge, model
        together  compare  ← drawn

        """)
    #expect(try dag("mermaid").contains("  s2 -- \"denoiser\" --> s3\n"))
    #expect(try dag("dot").contains("  s3 -> s4 [label=\"evaluations\"];\n"))
    let json = try JSONValue.parse(Data(try dag("json").utf8))
    #expect(
      json["stages"]?.array?.map { $0["instances"] } == [1, 1, 16, 16, 1].map { .integer($0) })
    #expect(json["arrows"]?.array?.count == 4)
    let wider = try Executable.run(
      ["dag", path, "--set", "model.matrix.batch=[4]"], in: bench.folder)
    #expect(wider.output.contains("train × 2 (labelling: all, single; batch: 4)"), "\(wider)")
    let bad = try Executable.run(["dag", path, "--set", "model.pictures=0"], in: bench.folder)
    #expect(bad.code == 65 && bad.error.contains("model.pictures"), "\(bad)")
  }
}
