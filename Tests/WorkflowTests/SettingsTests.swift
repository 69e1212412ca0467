import Formats
import Testing

@testable import Workflow

/// Proves that a setting stands once: its name, type, range, default, unit and help make the parameter that
/// files are read by, and its value comes back typed.
@Suite("Settings")
struct SettingsTests {
  enum Mode: String, Decodable, CaseIterable { case plain, fancy }

  enum Shape: SettingVariant, Equatable {
    case round(radius: Double, turns: Int)
    case square

    private struct Round: Settings {
      @Setting(0...9, default: 1, unit: "px", "radius") var radius: Double
      @Setting(0...9, default: 3, isLate: true, "came later") var turns: Int
    }
    private enum Key: String, CodingKey { case kind, radius, turns }

    static let tag = "kind"
    static var cases: [String: [Parameter]] { ["round": Round.parameters, "square": []] }
    static var placeholder: Shape { .square }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: Key.self)
      self =
        try container.decode(String.self, forKey: .kind) == "round"
        ? .round(
          radius: try container.decode(Double.self, forKey: .radius),
          turns: try container.decode(Int.self, forKey: .turns)) : .square
    }
  }

  static let shared = Setting<Int>(1...5, default: 2, "shared by kinds")

  struct Options: Settings {
    @Setting(1...100, "how many") var pictureCount: Int
    @Setting(0...1, default: 0.5, unit: "of the side", "a share") var share: Double
    @Setting(default: .plain, "how") var mode: Mode
    @Setting(required: .plain, "which") var of: Mode
    @Setting(default: true, "whether") var isOn: Bool
    @Setting(each: 0...12, count: 1...3, default: [1, 2], "counts") var counts: [Int]
    @Setting("a shape") var shape: Shape
    @Setting(SettingsTests.shared) var common: Int
    @Setting(default: .plain, isLate: true, "came later") var late: Mode
  }

  static let kind = StageKind(
    name: "made", version: 1, summary: "Made.", settings: Options.self, inputs: [],
    produces: .values,
    check: { options in
      options.pictureCount > 50
        ? [ParameterProblem(path: "picture_count", message: "more than 50")] : []
    },
    memory: { _, _ in 0 }, run: { _, _ in StageOutput(files: []) })

  @Test("members become parameters, in their order, by their names in snake case")
  func declarations() {
    let parameters = Options.parameters
    #expect(
      parameters.map(\.name) == [
        "picture_count", "share", "mode", "of", "is_on", "counts", "shape", "common", "late",
      ])
    #expect(
      parameters.map(\.defaultValue) == [
        nil, .number(0.5), .string("plain"), nil, .bool(true), .array([.integer(1), .integer(2)]),
        nil, .integer(2), .string("plain"),
      ])
    #expect(parameters.map(\.unit) == [nil, "of the side", nil, nil, nil, nil, nil, nil, nil])
    #expect(parameters[7].help == "shared by kinds")
    #expect(accepted(parameters[0].type) == "an integer from 1 to 100")
    #expect(accepted(parameters[2].type) == "\"plain\", \"fancy\"")
  }

  private func read(_ text: String) throws -> Options {
    let pipeline = try parse(
      "{ pipeline: 'p', question: 'q', seed: 1, stages: { s: { kind: 'made', \(text) } } }",
      kinds: [Self.kind])
    return try Options(normalised: pipeline.instances[0].parameters)
  }

  @Test("a setting that came later is in a key only where it is not at its default")
  func late() throws {
    func parameters(_ text: String) throws -> JSONValue {
      try parse(
        "{ pipeline: 'p', question: 'q', seed: 1, stages: { s: { kind: 'made', picture_count: 1,"
          + " of: 'plain', \(text) } } }", kinds: [Self.kind]
      ).instances[0].parameters
    }
    let without = try parameters("shape: { kind: 'round' }")
    #expect(without["late"] == nil && without["shape"]?["turns"] == nil)
    #expect(
      try parameters("late: 'plain', shape: { kind: 'round', turns: 3.0 }") == without)
    #expect(try Options(normalised: without).late == .plain)
    let with = try parameters("late: 'fancy', shape: { kind: 'round', turns: 4 }")
    #expect(with["late"] == .string("fancy") && with["shape"]?["turns"] == .integer(4))
    let options = try Options(normalised: with)
    #expect(options.late == .fancy && options.shape == .round(radius: 1, turns: 4))
  }

  @Test("what a declaration does not accept never reaches the kind; its check does its part")
  func refused() {
    for (text, message) in [
      ("picture_count: 0, of: 'plain', shape: { kind: 'square' }", "picture_count: found 0"),
      ("picture_count: 60, of: 'plain', shape: { kind: 'square' }", "picture_count: more than 50"),
      ("picture_count: 1, of: 'other', shape: { kind: 'square' }", "of: found \"other\""),
      ("picture_count: 1, of: 'plain'", "shape: missing parameter"),
      ("picture_count: 1, of: 'plain', shape: { kind: 'square', radius: 1 }", "unknown key"),
    ] {
      let error = #expect(throws: WorkflowError.self) { try read(text) }
      #expect(error?.description.contains(message) == true, "\(error.map { "\($0)" } ?? "")")
    }
  }

  @Test("what is known of an input before it is made can be held against the settings")
  func upstream() {
    var maker = Self.kind
    maker.foresee = { parameters, _ in .object(["size": parameters["common"] ?? .null]) }
    var taker = Fake.train()
    taker.inputs = [InputDeclaration("scenes", accepts: [.values], help: "values")]
    taker.checkInputs = { _, upstream in
      upstream.one("scenes")?["size"] == .integer(3)
        ? [ParameterProblem(path: "inputs.scenes", message: "3 is too many")] : []
    }
    func text(_ common: String) -> String {
      """
      { pipeline: 'p', question: 'q', seed: 1, stages: {
        a: { kind: 'made', picture_count: 1, of: 'plain', shape: { kind: 'square' }, \(common) },
        b: { kind: 'train', inputs: { scenes: 'a' } } } }
      """
    }
    #expect(throws: Never.self) { try parse(text("common: 2"), kinds: [maker, taker]) }
    for common in ["common: 3", "matrix: { common: [2, 3] }"] {
      let error = #expect(throws: WorkflowError.self) {
        try parse(text(common), kinds: [maker, taker])
      }
      #expect(
        error?.description == "p.json5:3:41: stages.b.inputs.scenes: 3 is too many", "\(common)")
    }
  }
}
