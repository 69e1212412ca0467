import Formats
import Testing

@testable import Workflow

/// Proves that a pipeline's `scale` makes every budget smaller, within its range, and nothing else.
@Suite("The scale of a pipeline")
struct ScaleTests {
  struct Options: Settings {
    @Setting(8...1000, isBudget: true, "pictures") var pictures: Int
    @Setting(each: 1...1000, count: 0...9, default: [], isBudget: true, "moments") var moments:
      [Int]
    @Setting(0...1000, default: 0, isBudget: true, "layouts") var layouts: Int
    @Setting(1...1000, default: 100, "what is no budget") var width: Int
  }
  static let kind = StageKind(
    name: "made", version: 1, summary: "Made.", settings: Options.self, inputs: [],
    produces: .values,
    check: { options in
      options.pictures > 500
        ? [ParameterProblem(path: "pictures", message: "more than 500")] : []
    },
    memory: { _, _ in 0 }, run: { _, _ in StageOutput(files: []) })

  private func read(_ scale: String, _ overrides: [String] = []) throws -> [JSONValue] {
    let text = """
      { pipeline: "p", question: "q", seed: 1, \(scale) stages: {
        one: { kind: "made", matrix: { pictures: [20, 1000] }, moments: [10, 55], width: 50 } } }
      """
    return try Pipeline.parse(
      bytes: Array(text.utf8), path: "p.json5", kinds: [Self.kind], overrides: overrides
    ).instances.map(\.parameters)
  }

  @Test("budgets are multiplied, rounded up and kept in their range; the rest stays")
  func scaled() throws {
    let small = try read("scale: 0.1,")
    #expect(small.map { $0["pictures"]?.integer } == [8, 100])
    #expect(small[0]["moments"] == .array([.integer(1), .integer(6)]))
    #expect(small[0]["layouts"]?.integer == 0)
    #expect(small[0]["width"]?.integer == 50)
  }

  @Test("names stay, so that what refers to instances still does")
  func names() throws {
    let text = """
      { pipeline: "p", question: "q", seed: 1, stages: {
        one: { kind: "made", matrix: { pictures: [20, 100] } } } }
      """
    let pipeline = try Pipeline.parse(
      bytes: Array(text.utf8), path: "p.json5", kinds: [Self.kind], overrides: ["scale=0.5"])
    #expect(pipeline.instances.map(\.name) == ["one[pictures=20]", "one[pictures=100]"])
  }

  @Test("what a kind refuses is what would run, not what the file states")
  func checked() throws {
    #expect(throws: WorkflowError.self) { try read("") }
    #expect(try read("", ["scale=0.5"]).map { $0["pictures"]?.integer } == [10, 500])
  }

  @Test(
    "a scale out of range, or of another type, is refused",
    arguments: ["scale: 0,", "scale: 1.5,", "scale: \"small\","])
  func refused(scale: String) {
    #expect(throws: WorkflowError.self) { try read(scale) }
  }
}
