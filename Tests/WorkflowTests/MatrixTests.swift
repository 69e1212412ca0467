import Formats
import Testing

@testable import Workflow

@Suite("matrix")
struct MatrixTests {
  static let scenes = "s: { kind: 'generate', count: 1 },"
  static let trained =
    scenes
    + "t: { kind: 'train', inputs: { scenes: 's' }, matrix: { labelling: ['all', 'single'] } },"

  func names(_ stages: String) throws -> [String] {
    try parse(pipeline(stages)).instances.map(\.name)
  }

  @Test("a consumer fans out over its input and adds axes of its own")
  func fanOut() throws {
    let found = try names(
      Self.trained
        + "m: { kind: 'intervene', inputs: { denoiser: 't' }, matrix: { mask: ['pixel', 'both'] } }"
    )
    #expect(
      found.suffix(4) == [
        "m[labelling=all,mask=pixel]", "m[labelling=single,mask=pixel]",
        "m[labelling=all,mask=both]", "m[labelling=single,mask=both]",
      ])
  }

  @Test("axes of the same name join: of two inputs, and of an input and the stage")
  func join() throws {
    let two = try parse(
      pipeline(
        Self.trained
          + """
          m: { kind: 'intervene', inputs: { denoiser: 't' } },
          e: { kind: 'evaluate', inputs: { denoiser: 'm', reference: 't' } }
          """))
    #expect(two.instances.map(\.name).suffix(2) == ["e[labelling=all]", "e[labelling=single]"])
    #expect(two.instances[5].inputs == ["denoiser": [3], "reference": [1]])

    let seeds = try parse(
      pipeline(
        """
        s: { kind: 'generate', count: 1, matrix: { seed: [1, 2, 3] } },
        t: { kind: 'train', inputs: { scenes: 's' }, matrix: { seed: [2, 3] } },
        """))
    #expect(seeds.instances.map(\.name).suffix(2) == ["t[seed=2]", "t[seed=3]"])
    #expect(seeds.instances.map(\.seed) == [1, 2, 3, 2, 3])
    #expect(seeds.instances[3].inputs == ["scenes": [1]])
  }

  @Test("an inherited seed names an instance; its own seed stays the pipeline's")
  func inheritedSeed() throws {
    let read = try parse(
      pipeline(
        """
        s: { kind: 'generate', count: 1, matrix: { seed: [5, 6] } },
        t: { kind: 'train', inputs: { scenes: 's' } },
        """))
    #expect(read.instances.map(\.name).suffix(2) == ["t[seed=5]", "t[seed=6]"])
    #expect(read.instances.map(\.seed) == [5, 6, 1, 1])
  }

  @Test("a dotted axis sets a nested parameter, a list becomes part of a name")
  func nested() throws {
    let read = try parse(
      pipeline(
        """
        s: { kind: 'generate', count: 1, matrix: { objects: [[1, 1], [1, 3]] } },
        t: { kind: 'train', inputs: { scenes: 's[objects=1-3]' },
             matrix: { 'network.width': [8, 16] }, network: { type: 'unet' } },
        """))
    #expect(
      read.instances.map(\.name) == [
        "s[objects=1-1]", "s[objects=1-3]", "t[network.width=8]", "t[network.width=16]",
      ])
    #expect(read.instances[3].parameters["network"]?["width"] == .integer(16))
    #expect(read.instances[3].inputs == ["scenes": [1]])
  }

  @Test("exclude names own and inherited axes")
  func exclude() throws {
    let found = try names(
      Self.trained
        + """
        m: { kind: 'intervene', inputs: { denoiser: 't' }, matrix: {
          mask: ['pixel', 'both'], exclude: [{ labelling: 'all', mask: 'both' }] } }
        """)
    #expect(found.count == 6)
    #expect(!found.contains("m[labelling=all,mask=both]"))
  }

  @Test("a list gathers every instance, in the order of the list")
  func gather() throws {
    let read = try parse(
      pipeline(
        Self.trained
          + """
          e: { kind: 'evaluate', inputs: { denoiser: 't' } },
          c: { kind: 'compare', inputs: { evaluations: ['e[labelling=single]', 'e[labelling=all]'] } },
          d: { kind: 'compare', inputs: { evaluations: 'e' } },
          """))
    #expect(read.instances[5].inputs == ["evaluations": [4, 3]])
    #expect(read.instances[6].inputs == ["evaluations": [3, 4]])
  }

  @Test(
    "a matrix that cannot be meant is refused",
    arguments: [
      (scenes + "t: { kind: 'train', inputs: { scenes: 's' }, matrix: {} }", "without an axis"),
      (
        scenes + "t: { kind: 'train', inputs: { scenes: 's' }, matrix: { labelling: 'all' } }",
        "accepted: a list of values"
      ),
      (
        scenes + "t: { kind: 'train', inputs: { scenes: 's' }, matrix: { labeling: ['all'] } }",
        "did you mean `labelling`?"
      ),
      (
        scenes + "t: { kind: 'train', inputs: { scenes: 's' }, matrix: { labelling: ['al'] } }",
        "found \"al\""
      ),
      (
        scenes
          + "t: { kind: 'train', inputs: { scenes: 's' }, matrix: { pictures: [1, 1.0] } }",
        "the value `1` occurs twice"
      ),
      (
        scenes
          + "t: { kind: 'train', inputs: { scenes: 's' }, pictures: 3, matrix: { pictures: [1] } }",
        "is an axis of the matrix and a parameter"
      ),
      (
        scenes + "t: { kind: 'train', inputs: { scenes: 's' }, seed: 3, matrix: { seed: [1] } }",
        "is an axis of the matrix and a parameter"
      ),
      (
        scenes
          + "t: { kind: 'train', inputs: { scenes: 's' }, matrix: { network: [{ type: 'unet' }] } }",
        "cannot be part of an instance's name"
      ),
      (trained + "m: { kind: 'intervene', inputs: { denoiser: 't[label=all]' } }", "has no axis"),
      (
        trained + "m: { kind: 'intervene', inputs: { denoiser: 't[labelling=sngle]' } }",
        "did you mean `single`?"
      ),
      (
        trained
          + "m: { kind: 'intervene', inputs: { denoiser: 't' }, matrix: { exclude: [{ x: 1 }] } }",
        "has no axis `x`"
      ),
      (
        trained
          + """
          m: { kind: 'intervene', inputs: { denoiser: 't' }, matrix: {
            exclude: [{ labelling: 'all' }, { labelling: 'single' }] } }
          """,
        "every instance is excluded"
      ),
      (
        trained
          + """
          m: { kind: 'intervene', inputs: { denoiser: 't' }, matrix: {
            exclude: [{ labelling: 'all' }, { labelling: 'all' }] } }
          """,
        "no instance is excluded by this"
      ),
      (
        trained
          + """
          e: { kind: 'evaluate', inputs: { denoiser: 't' } },
          c: { kind: 'compare', inputs: { evaluations: ['e', 'e[labelling=all]'] } }
          """,
        "`e[labelling=all]` is gathered twice"
      ),
      (
        """
        s: { kind: 'generate', count: 1, matrix: { seed: [1, 2] } },
        t: { kind: 'train', inputs: { scenes: 's' }, matrix: { seed: [2, 3] } },
        """,
        "no input has an instance for `t[seed=3]`"
      ),
      (
        """
        s: { kind: 'generate', count: 1, matrix: { seed: [1, 2] } },
        a: { kind: 'train', inputs: { scenes: 's' }, matrix: { exclude: [{ seed: 1 }] } },
        b: { kind: 'train', inputs: { scenes: 's' }, matrix: { exclude: [{ seed: 2 }] } },
        e: { kind: 'evaluate', inputs: { denoiser: 'a', reference: 'b' } },
        """,
        "no instance of `b` agrees with the other inputs on `seed`"
      ),
      (
        """
        s: { kind: 'generate', matrix: {
          count: [\((1...150).map { "\($0)" }.joined(separator: ","))],
          seed: [\((1...150).map { "\($0)" }.joined(separator: ","))] } },
        """,
        "more than 20000 instances"
      ),
    ])
  func refused(_ stages: String, _ message: String) {
    let found = problems(pipeline(stages))
    #expect(found.count == 1, "\(found)")
    #expect(found.first?.contains(message) == true, "\(found)")
  }
}
