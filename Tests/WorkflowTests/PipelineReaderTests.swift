import Formats
import Foundation
import Testing

@testable import Workflow

@Suite("pipeline file")
struct PipelineReaderTests {
  @Test("a study of the usual shape is read, expanded and ordered")
  func quickstart() throws {
    let study = try Pipeline.read(
      path: scenario("quickstart-shape").path, kinds: Fake.kinds())
    #expect(study.name == "quickstart")
    #expect(
      study.instances.map(\.name) == [
        "scenes", "baseline[labelling=all]", "baseline[labelling=single]",
        "plain[labelling=all]", "plain[labelling=single]", "masked[mask=identity]",
        "masked[mask=pixel]", "repaired[mask=identity]", "repaired[mask=pixel]", "compared",
      ])
    let compared = try #require(study.instances.last)
    #expect(compared.inputs == ["evaluations": [3, 4, 7, 8]])
    #expect(study.instances[5].inputs == ["denoiser": [2]])
  }

  @Test("parameters are normalised: defaults, whole numbers, numbers")
  func normalised() throws {
    let read = try parse(
      pipeline("s: { kind: 'generate', count: 2e1, gap: 1 }"))
    #expect(
      read.instances[0].parameters
        == .object([
          "count": .integer(20), "gap": .number(1), "camera": .string("overhead"),
          "objects": .array([.integer(1), .integer(3)]),
        ]))
    let nested = try parse(
      pipeline(
        """
        s: { kind: 'generate', count: 1 },
        t: { kind: 'train', inputs: { scenes: 's' }, network: { type: 'local' } }
        """))
    #expect(
      nested.instances[1].parameters["network"]
        == .object([
          "type": .string("local"), "width": .integer(32),
          "dilations": .array([.integer(1), .integer(1)]),
        ]))
  }

  @Test("all faults are reported at once, in the order of the file, each with its place")
  func manyFaults() throws {
    let path = scenario("many-faults").path
    let error = #expect(throws: WorkflowError.self) {
      try Pipeline.read(path: path, kinds: Fake.kinds())
    }
    #expect(error?.exitCode == ExitCode.badData)
    let lines = (error?.description ?? "").split(separator: "\n")
      .map { $0.replacingOccurrences(of: "\(path):", with: "") }
    #expect(
      lines.map { $0.split(separator: ": ").prefix(2).joined(separator: " ") } == [
        "2:1 question", "3:13 pipeline", "4:9 seed", "6:40 stages.scenes.count",
        "6:51 stages.scenes.gap", "6:64 stages.scenes.camera", "6:76 stages.scenes.colour",
        "9:25 stages.baseline.inputs.scenes", "9:34 stages.baseline.inputs.picture",
        "10:28 stages.baseline.matrix.labelling", "10:32 stages.baseline.matrix.network.depth",
        "11:39 stages.baseline.network.width", "13:53 stages.first.inputs.denoiser",
        "14:20 stages.other.kind", "15:5 stages.compared.inputs.evaluations",
      ])
    #expect(lines[5].contains("did you mean \"overhead\"?"))
    #expect(lines[7].contains("did you mean `scenes`?"))
    #expect(lines[11].hasSuffix("found 65; accepted: an integer from 1 to 64"))
  }

  @Test(
    "each fault is refused with its own words",
    arguments: [
      ("", "the file is empty"),
      ("  \n", "the file is empty"),
      ("[]", "found an empty list; accepted: an object with `pipeline`"),
      ("{", "p.json5:1:2"),
      (pipeline(""), "there are no stages"),
      (pipeline("s: 3"), "found 3; accepted: an object with `kind`"),
      (pipeline("s: {}"), "missing; accepted: \"generate\""),
      (pipeline("s: { kind: 'generate', count: 1 }", name: "../x"), "the name \"../x\""),
      (pipeline("'a/b': { kind: 'generate', count: 1 }"), "the name \"a/b\""),
      (pipeline("s: { kind: 'generate' }"), "missing parameter (how many pictures)"),
      (pipeline("s: { kind: 'generate', count: 1.5 }"), "found 1.5; accepted: an integer from 1"),
      (pipeline("s: { kind: 'generate', count: 1e99 }"), "found 1e99; accepted: an integer from 1"),
      (
        pipeline("s: { kind: 'generate', count: '1' }"),
        "found the text \"1\"; accepted: an integer"
      ),
      (
        pipeline("s: { kind: 'generate', count: 1, gap: Infinity }"),
        "accepted: a number from 0 to 1"
      ),
      (pipeline("s: { kind: 'generate', count: 1, gap: 2 }"), "found 2; accepted: a number from 0"),
      (pipeline("s: { kind: 'generate', count: 1, objects: [1] }"), "found a list of 1"),
      (pipeline("s: { kind: 'generate', count: 1, objects: [1, 99] }"), "objects[1]: found 99"),
      (
        pipeline("s: { kind: 'generate', count: 1, objects: [3, 1] }"), "objects: the least exceeds"
      ),
      (pipeline("s: { kind: 'generate', count: 1, replicate: {} }"), "unknown key `replicate`"),
      (pipeline("s: { kind: 'generate', count: 1, seed: 1.5 }"), "stages.s.seed: found 1.5"),
      (pipeline("s: { kind: 'generate', count: null }"), "found null"),
      (pipeline("s: { kind: 'generate', count: 1, inputs: { x: 's' } }"), "takes no inputs"),
      (pipeline("t: { kind: 'train' }"), "missing input (pictures to learn)"),
      (
        pipeline(
          "s: { kind: 'generate', count: 1 }, t: { kind: 'train', inputs: { scenes: ['s'] } }"),
        "this input takes one stage"
      ),
      (
        pipeline("s: { kind: 'generate', count: 1 }, t: { kind: 'train', inputs: { scenes: 3 } }"),
        "found 3; accepted: \"stage\""
      ),
      (
        pipeline(
          "s: { kind: 'generate', count: 1 }, t: { kind: 'train', inputs: { scenes: 's[' } }"),
        "\"s[\" names no stage"
      ),
      (pipeline("c: { kind: 'compare', inputs: { evaluations: [] } }"), "found an empty list"),
      (
        pipeline("e: { kind: 'evaluate', inputs: { denoiser: 'e' } }"),
        "`e` is of kind `evaluate`; accepted"
      ),
    ])
  func refused(_ text: String, _ message: String) {
    let found = problems(text)
    #expect(found.count == 1, "\(found)")
    #expect(found.first?.contains(message) == true, "\(found)")
    #expect(found.first?.hasPrefix("p.json5:") == true)
  }

  @Test("stages that wait for each other are named in a circle")
  func cycle() {
    var loop = Fake.intervene()
    loop.inputs = [InputDeclaration("denoiser", accepts: [.mask], help: "any")]
    let text = pipeline(
      """
      a: { kind: 'intervene', inputs: { denoiser: 'b' } },
      b: { kind: 'intervene', inputs: { denoiser: 'c' } },
      c: { kind: 'intervene', inputs: { denoiser: 'b' } },
      """)
    let error = #expect(throws: WorkflowError.self) { try parse(text, kinds: [loop]) }
    #expect(
      error?.description
        == "p.json5:3:1: stages.b: the stages wait for each other: b ← c ← b; break the circle")
  }

  @Test("bytes that are no UTF-8 and files beyond the limit are refused")
  func bytes() {
    let bad = #expect(throws: WorkflowError.self) {
      try Pipeline.parse(bytes: [0x7B, 0xFF, 0x7D], path: "p", kinds: [])
    }
    #expect(bad?.description.contains("not UTF-8") == true)
    let large = [UInt8](repeating: 0x20, count: Pipeline.sizeLimit + 1)
    let error = #expect(throws: WorkflowError.self) {
      try Pipeline.parse(bytes: large, path: "p", kinds: [])
    }
    #expect(error?.exitCode == ExitCode.badData)
  }

  @Test("a file cut off anywhere is refused with a place, or read as far as it means something")
  func truncated() throws {
    for name in ["quickstart-shape", "many-faults"] {
      let bytes = [UInt8](try Data(contentsOf: scenario(name)))
      for length in 0..<bytes.count {
        do {
          let cut = try Pipeline.parse(
            bytes: Array(bytes[..<length]), path: "p", kinds: Fake.kinds())
          // Only white space may be missing.
          #expect(cut.instances.count == 10)
        } catch {
          #expect(error.exitCode == ExitCode.badData)
          #expect(error.description.hasPrefix("p:"))
        }
      }
    }
  }

  @Test("any byte replaced is refused or read, never a crash")
  func mutated() throws {
    let bytes = [UInt8](try Data(contentsOf: scenario("quickstart-shape")))
    for index in bytes.indices {
      for byte in [UInt8(ascii: "{"), UInt8(ascii: "]"), UInt8(ascii: "-"), 0, 0xFF] {
        var changed = bytes
        changed[index] = byte
        _ = try? Pipeline.parse(bytes: changed, path: "p", kinds: Fake.kinds())
      }
    }
  }

  @Test("a check sees only parameters that passed their declarations, in every instance")
  func checkedParameters() {
    var train = Fake.train()
    train.check = { parameters in
      parameters["network"]?["width"]?.integer == nil
        ? [ParameterProblem(path: "network", message: "seen incomplete")] : []
    }
    let kinds = Fake.kinds().map { $0.name == "train" ? train : $0 }
    let error = #expect(throws: WorkflowError.self) {
      try parse(
        pipeline(
          """
          s: { kind: 'generate', count: 1 },
          t: { kind: 'train', inputs: { scenes: 's' }, network: { type: 'unet', width: 0 },
               matrix: { labelling: ['all', 'single'] } },
          """), kinds: kinds)
    }
    #expect(error?.description.contains("seen incomplete") == false)
  }

  @Test("a hundred problems are printed, more are counted")
  func flood() {
    let stages = (1...150).map { "s\($0): 3," }.joined()
    let found = problems(pipeline(stages))
    #expect(found.count == 101)
    #expect(found.last == "p.json5: … and 50 more")
  }

  @Test("a missing file and a folder are missing inputs")
  func missing() throws {
    try withTemporaryFolder { folder in
      for path in [folder.path, folder.appending(path: "none.json5").path] {
        let error = #expect(throws: WorkflowError.self) {
          try Pipeline.read(path: path, kinds: [])
        }
        #expect(error?.exitCode == ExitCode.missingInput)
      }
    }
  }

  @Test("an override is checked as if it stood in the file")
  func overrides() throws {
    let text = pipeline(
      """
      s: { kind: 'generate', count: 1 },
      t: { kind: 'train', inputs: { scenes: 's' }, network: { type: 'unet' } }
      """)
    let read = try parse(
      text, overrides: ["t.network.width=8", "t.labelling=single", "seed=7", "s.seed=9"])
    #expect(read.instances[1].parameters["network"]?["width"] == .integer(8))
    #expect(read.instances[1].parameters["labelling"] == .string("single"))
    #expect(read.instances.map(\.seed) == [9, 7])
    #expect(
      problems(text, overrides: ["t.network.width=0"]) == [
        "--set t.network.width=0: stages.t.network.width: found 0; accepted: an integer from 1 to 64"
      ])
    #expect(problems(text, overrides: ["t.netwrk.width=1"])[0].contains("did you mean `network`?"))
    for (change, found) in [
      ("s.count.foo=5", "stages.s.count: found 1, in which there is no key `foo`"),
      ("t.inputs.scenes.0=64", "stages.t.inputs.scenes: found the text \"s\", in which"),
      ("s.kind.0.x=1", "stages.s.kind: found the text \"generate\", in which there is no key `0`"),
    ] {
      let error = #expect(throws: WorkflowError.self) { try parse(text, overrides: [change]) }
      #expect(error?.exitCode == ExitCode.badData, "\(change)")
      #expect(error?.description.hasPrefix("--set \(change): \(found)") == true, "\(change)")
    }
    let list = pipeline("s: { kind: 'generate', count: 1, objects: [1, 2] }")
    #expect(
      problems(list, overrides: ["s.objects.0=64"])[0].contains("found a list of 2, in which"))
    for bad in ["t", "x.y=1", "=1", "t.pictures=", "pictures=3", "t.pictures=[1", "t..x=1"] {
      let error = #expect(throws: WorkflowError.self) { try parse(text, overrides: [bad]) }
      #expect(error?.exitCode == ExitCode.usage, "\(bad)")
    }
  }
}
