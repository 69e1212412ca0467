import Artifacts
import Formats
import Testing
import Workflow

@testable import Reporting

/// A file that makes masked models, around some claims.
private func problems(
  _ claims: String, replicate: Bool = false,
  measured: String = "evaluated: { kind: 'evaluate', inputs: { denoiser: 'base' } }, "
    + "other_evaluated: { kind: 'evaluate', inputs: { denoiser: 'other' } }, "
    + "masked_evaluated: { kind: 'evaluate', inputs: { denoiser: 'masked' } }, "
    + "probed: { kind: 'probe', inputs: { denoiser: 'base' } }, "
    + "other_probed: { kind: 'probe', inputs: { denoiser: 'other' } }"
) -> [String] {
  var evaluate = StageKind(
    name: "evaluate", version: 1, summary: "",
    parameters: [
      Parameter("most", .integer(0...12), default: .integer(12), help: ""),
      Parameter("guidance", .number(0...100), default: .integer(1), help: ""),
    ],
    inputs: [InputDeclaration("denoiser", accepts: [.denoiser], help: "")], produces: .outcomes,
    run: { _ in StageOutput(files: []) })
  evaluate.foresee = { parameters, _ in
    var foreseen = Foreseen(counts: Array(0...(parameters["most"]?.integer ?? 0)))
    foreseen.guidance = parameters["guidance"]?.number
    return foreseen.value
  }
  var probe = StageKind(
    name: "probe", version: 1, summary: "", parameters: [],
    inputs: [InputDeclaration("denoiser", accepts: [.denoiser], help: "")], produces: .locality,
    run: { _ in StageOutput(files: []) })
  probe.foresee = { _, _ in Foreseen(size: 8, counts: [3, 9], sigmas: [2, 8]).value }
  let kinds = [
    evaluate, probe,
    StageKind(
      name: "train", version: 1, summary: "",
      parameters: [Parameter("labelling", .choice(["all", "single"]), help: "")], inputs: [],
      produces: .denoiser, run: { _ in StageOutput(files: []) }),
    StageKind(
      name: "judge", version: 1, summary: "", parameters: [], inputs: [], produces: .judge,
      run: { _ in StageOutput(files: []) }),
    StageKind(
      name: "intervene", version: 1, summary: "",
      parameters: [Parameter("mask", .choice(["pixel", "sum"]), help: "")],
      inputs: [InputDeclaration("denoiser", accepts: [.denoiser], help: "")],
      produces: .denoiser, run: { _ in StageOutput(files: []) }),
  ]
  let source = """
    {
      pipeline: "p", question: "q", seed: 1,
      \(replicate ? "replicate: { axis: 'seed', from: 2, to: 4, until: { metric: 'm', width: 1 } }," : "")
      claims: \(claims),
      stages: {
        base: { kind: "train", matrix: { labelling: ["all", "single"] } },
        judge: { kind: "judge" },
        other: { kind: "train", labelling: "all" },
        masked: { kind: "intervene", inputs: { denoiser: "base[labelling=single]" },
          matrix: { mask: ["pixel", "sum"] } },
        \(measured)
      },
    }
    """
  do {
    let pipeline = try Pipeline.parse(
      bytes: Array(source.utf8), path: "p.json5", kinds: kinds, extensions: [.claims])
    #expect(Claims(source: pipeline.source) != nil)
    return []
  } catch {
    return error.description.split(separator: "\n").map(String.init)
  }
}

@Suite("A pipeline states its claims")
struct ClaimsTests {
  static let sound = """
    {
      fails: [{ model: "base[labelling=single]", against: "base[labelling=all]", k: [4, 12] }],
      composes: [{ model: "other", against: "base[labelling=single]" }],
      local: [{ model: "other", against: "base[labelling=single]", window: 9, sigma: 8, objects: 9 }],
      repairs: [{ mask: "masked[mask=pixel]", of: "base[labelling=single]",
        control: "masked[mask=sum]", k: [4, 4] }],
    }
    """

  @Test("sound claims are read, with and without replicates")
  func reading() {
    #expect(problems(Self.sound).isEmpty)
    #expect(problems(Self.sound, replicate: true).isEmpty)
    let claims = Claims(source: "{ claims: \(Self.sound) }")
    #expect(
      claims
        == Claims(
          recalls: [
            Claims.Recall(
              direction: .fails, model: "base[labelling=single]", against: "base[labelling=all]",
              counts: 4...12),
            Claims.Recall(
              direction: .composes, model: "other", against: "base[labelling=single]"),
          ],
          locals: [
            Claims.Local(
              model: "other", against: "base[labelling=single]", window: 9, sigma: 8, count: 9)
          ],
          repairs: [
            Claims.Repair(
              mask: "masked[mask=pixel]", of: "base[labelling=single]",
              control: "masked[mask=sum]", counts: 4...4)
          ]))
    #expect(Claims(source: "{ pipeline: 'p' }") == nil)
  }

  @Test(
    "faults are named with their place before any work",
    arguments: [
      ("[]", "p.json5:4:11: claims: found an empty list"),
      ("{ fail: [] }", "4:13: claims.fail: unknown key `fail` (did you mean `fails`?)"),
      ("{ fails: [{ model: 'other' }] }", "4:21: claims.fails[0].against: missing"),
      (
        "{ fails: [{ model: 'othr', against: 'other' }] }",
        "4:30: claims.fails[0].model: there is no stage \"othr\" (did you mean `other`?)"
      ),
      (
        "{ fails: [{ model: 'base[labelling=singel]', against: 'other' }] }",
        "no value \"singel\" (did you mean `single`?)"
      ),
      (
        "{ fails: [{ model: 'base[label=single]', against: 'other' }] }", "has no axis `label`"
      ),
      (
        "{ fails: [{ model: 'base', against: 'other' }] }",
        "claims.fails[0].model: names 2 instances; accepted: one of \"base[labelling=all]\""
      ),
      (
        "{ fails: [{ model: 'judge', against: 'other' }] }",
        "claims.fails[0].model: makes a judge; accepted: what makes a denoiser"
      ),
      ("{ fails: [{ model: 'other', against: 'other' }] }", "is the same instance as `model`"),
      (
        "{ fails: [{ model: 'other', against: 'base[labelling=all]', k: [9, 4] }] }",
        "claims.fails[0].k: the least, 9, exceeds the most, 4"
      ),
      (
        "{ repairs: [{ mask: 'masked[mask=pixel]', of: 'base[labelling=all]' }] }",
        "`masked[mask=pixel]` does not take `base[labelling=all]` as an input"
      ),
      (
        "{ local: [{ model: 'other', against: 'base[labelling=all]', space: 'pixels' }] }",
        "did you mean \"pixel\"?"
      ),
    ])
  func faults(claims: String, said: String) {
    let found = problems(claims)
    #expect(found.count == 1 && found[0].contains(said), "\(found)")
  }

  @Test(
    "so is what would never be measured",
    arguments: [
      (
        "{ fails: [{ model: 'other', against: 'base[labelling=all]' }] }",
        "evaluated: { kind: 'evaluate', inputs: { denoiser: 'base' } }",
        "claims.fails[0].model: no stage evaluates `other`; add one, or drop the claim"
      ),
      (
        "{ fails: [{ model: 'other', against: 'base[labelling=all]', k: [9, 12] }] }",
        "a: { kind: 'evaluate', inputs: { denoiser: 'base' } }, "
          + "b: { kind: 'evaluate', inputs: { denoiser: 'other' }, most: 2 }",
        "claims.fails[0].k: no K from 9 to 12 is evaluated on all that the claim compares; "
          + "evaluated: 0, 1, 2"
      ),
      (
        "{ local: [{ model: 'other', against: 'base[labelling=all]', sigma: 3 }] }", nil,
        "claims.local[0].sigma: σ 3.0 is not probed on both; probed: 2.0, 8.0"
      ),
      (
        "{ local: [{ model: 'other', against: 'base[labelling=all]', objects: 4 }] }", nil,
        "claims.local[0].objects: K = 4 is not probed on both; probed: 3, 9"
      ),
      (
        "{ local: [{ model: 'other', against: 'base[labelling=all]', window: 12 }] }", nil,
        "claims.local[0].window: no window of 12 px is probed; accepted: an odd number from 1 to 15"
      ),
      (
        "{ local: [{ model: 'other', against: 'base[labelling=all]' }] }",
        "probed: { kind: 'probe', inputs: { denoiser: 'base' } }",
        "claims.local[0].model: no stage probes `other`"
      ),
    ])
  func unmeasured(claims: String, measured: String?, said: String) {
    let found = measured.map { problems(claims, measured: $0) } ?? problems(claims)
    #expect(found.count == 1 && found[0].contains(said), "\(found)")
  }

  @Test("claims support or refute statements by name")
  func statements() {
    let text = """
      {
        statements: [{ name: "labels", says: "one fails where the other composes" }],
        fails: [{ model: "base[labelling=single]", against: "other", supports: "labels" }],
        composes: [{ model: "other", against: "base[labelling=single]", refutes: "labels" }],
      }
      """
    #expect(problems(text).isEmpty)
    let claims = Claims(source: "{ claims: \(text) }")?.recalls
    #expect(claims?.map(\.statement?.side) == [.supports, .refutes])
    #expect(claims?.first?.statement?.text == "one fails where the other composes")
    func said(_ claim: String, _ statements: String = "{ name: 'a', says: 'b' }") -> [String] {
      problems(
        "{ statements: [\(statements)], fails: [{ model: 'base[labelling=single]', against: 'other', \(claim) }] }"
      )
    }
    #expect(said("supports: 'a'").isEmpty)
    #expect(
      said("supports: 'c'").contains {
        $0.contains("claims.fails[0].supports: found \"c\", accepted: a")
      })
    #expect(
      said("k: [4, 12]").first?.contains(
        "claims.statements[0]: no claim supports or refutes \"a\"") == true)
    #expect(
      said("supports: 'a', refutes: 'a'").first?.contains(
        "claims.fails[0].refutes: stands beside `supports`; accepted: one of the two") == true)
    #expect(
      said("supports: 'a'", "{ name: 'a', says: 'b' }, { name: 'a', says: 'c' }").first?.contains(
        "claims.statements[1].name: \"a\" is stated before") == true)
  }

  @Test("a stated guidance is one that all that is compared is evaluated with")
  func guidance() throws {
    let measured =
      "evaluated: { kind: 'evaluate', inputs: { denoiser: 'base' }, matrix: { guidance: [1, 2] } }, "
      + "other_evaluated: { kind: 'evaluate', inputs: { denoiser: 'other' }, matrix: { guidance: [2, 4] } }"
    func said(_ guidance: Int) -> [String] {
      problems(
        "{ composes: [{ model: 'other', against: 'base[labelling=single]', guidance: \(guidance) }] }",
        measured: measured)
    }
    #expect(said(2).isEmpty)
    let first = try #require(said(4).first)
    #expect(
      first.contains("claims.composes[0].guidance: no K is evaluated with guidance 4")
        && first.contains("guidance that all have: 2"), "\(first)")
  }

  @Test("the number of labels, and pixels, are claimed as remote labels are")
  func kinds() {
    let claims = Claims(
      source: """
        { claims: {
          remote: [{ model: "a", against: "b" }], number: [{ model: "a", objects: 9 }],
          pixels: [{ model: "a", against: "b", sigma: [1, 8], family: "f" }] } }
        """)
    #expect(
      claims?.remotes == [
        Claims.Remote(model: "a", against: "b"),
        Claims.Remote(kind: .number, model: "a", against: "a", count: 9),
        Claims.Remote(kind: .pixels, model: "a", against: "b", sigmas: 1...8, family: "f"),
      ])
    #expect(
      problems("{ number: [{ model: 'othr' }] }").first?.contains(
        "claims.number[0].model: there is no stage")
        == true)
    #expect(
      problems("{ pixels: [{ model: 'other' }] }").first?.contains(
        "claims.pixels[0].against: missing") == true)
  }

  @Test("all faults are told at once")
  func several() {
    let found = problems(
      "{ fails: [{ model: 'a', against: 'b' }], repairs: [{ mask: 'c', of: 'other' }] }")
    #expect(found.count == 3)
  }
}
