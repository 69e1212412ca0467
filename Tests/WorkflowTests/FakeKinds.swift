import Formats
import Foundation
import Synchronization

@testable import Workflow

extension ArtifactType {
  static let pixels = ArtifactType("pixels")
  static let weights = ArtifactType("weights")
  static let mask = ArtifactType("mask")
  static let outcomes = ArtifactType("outcomes")
  static let comparison = ArtifactType("comparison")
  static let values = ArtifactType("values")
}

/// Kinds of a few lines each: their results are texts made of their parameters and inputs.
enum Fake {
  static let network = ParameterType.variant(
    tag: "type",
    cases: [
      "unet": [
        Parameter("width", .integer(1...64), default: .integer(16), help: "channels"),
        Parameter("attention", .bool, default: .bool(false), help: "self-attention"),
      ],
      "local": [
        Parameter("width", .integer(1...64), default: .integer(32), help: "channels"),
        Parameter(
          "dilations", .list(.integer(1...8), count: 1...8),
          default: .array([.integer(1), .integer(1)]), help: "one a layer"),
      ],
    ])

  /// `generate` → `pixels`.
  static func generate(version: Int = 1, calls: Calls? = nil) -> StageKind {
    StageKind(
      name: "generate", version: version, summary: "Makes scenes.",
      parameters: [
        Parameter("count", .integer(1...1_000_000), help: "how many pictures"),
        Parameter(
          "objects", .list(.integer(0...12), count: 2...2),
          default: .array([.integer(1), .integer(3)]), help: "least and most objects"),
        Parameter("gap", .number(0...1), default: .integer(0), help: "scene units"),
        Parameter(
          "camera", .choice(["overhead", "clevr"]), default: .string("overhead"), help: "camera"),
      ],
      inputs: [], produces: .pixels,
      check: { parameters in
        let bounds = parameters["objects"]?.array?.compactMap(\.integer) ?? []
        guard bounds.count == 2, bounds[0] > bounds[1] else { return [] }
        return [
          ParameterProblem(path: "objects", message: "the least exceeds the most; swap them")
        ]
      },
      run: { try write($0, role: "pixels", calls: calls, name: "generate") })
  }

  /// `train` takes `scenes`, gives `weights`.
  static func train(version: Int = 1, calls: Calls? = nil) -> StageKind {
    StageKind(
      name: "train", version: version, summary: "Trains.",
      parameters: [
        Parameter(
          "labelling", .choice(["all", "single", "none"]), default: .string("all"), help: "labels"),
        Parameter(
          "network", network, default: .object(["type": .string("unet")]), help: "the network"),
        Parameter("pictures", .integer(1...1_000_000), default: .integer(10), help: "budget"),
      ],
      inputs: [InputDeclaration("scenes", accepts: [.pixels], help: "pictures to learn")],
      produces: .weights, run: { try write($0, role: "weights", calls: calls, name: "train") })
  }

  /// `intervene` takes `denoiser`, gives `mask`.
  static func intervene(calls: Calls? = nil) -> StageKind {
    StageKind(
      name: "intervene", version: 1, summary: "Masks.",
      parameters: [
        Parameter(
          "mask", .choice(["identity", "pixel", "both"]), default: .string("identity"),
          help: "the mask")
      ],
      inputs: [InputDeclaration("denoiser", accepts: [.weights], help: "what is masked")],
      produces: .mask, run: { try write($0, role: "mask", calls: calls, name: "intervene") })
  }

  /// `evaluate` takes `denoiser` and optionally `reference`, gives `outcomes`.
  static func evaluate(calls: Calls? = nil) -> StageKind {
    StageKind(
      name: "evaluate", version: 1, summary: "Evaluates.",
      parameters: [Parameter("layouts", .integer(1...1000), default: .integer(4), help: "layouts")],
      inputs: [
        InputDeclaration("denoiser", accepts: [.weights, .mask], help: "what is evaluated"),
        InputDeclaration(
          "reference", accepts: [.weights], arity: .optional, help: "a second model"),
      ],
      produces: .outcomes, run: { try write($0, role: "outcomes", calls: calls, name: "evaluate") })
  }

  /// `compare` gathers `evaluations`, gives `comparison`.
  static func compare(calls: Calls? = nil) -> StageKind {
    StageKind(
      name: "compare", version: 1, summary: "Compares.", parameters: [],
      inputs: [
        InputDeclaration(
          "evaluations", accepts: [.outcomes], arity: .many, help: "what is compared")
      ],
      produces: .comparison,
      run: { try write($0, role: "comparison", calls: calls, name: "compare") })
  }

  static func kinds(calls: Calls? = nil) -> [StageKind] {
    [
      generate(calls: calls), train(calls: calls), intervene(calls: calls),
      evaluate(calls: calls), compare(calls: calls),
    ]
  }

  /// Counts what ran, by kind.
  final class Calls: Sendable {
    private let counts = Mutex<[String: Int]>([:])
    func add(_ name: String) { counts.withLock { $0[name, default: 0] += 1 } }
    var all: [String: Int] { counts.withLock { $0 } }
    var total: Int { all.values.reduce(0, +) }
  }

  private static func write(
    _ context: StageContext, role: String, calls: Calls?, name: String
  ) throws -> StageOutput {
    try context.checkCancellation()
    calls?.add(name)
    var text = "\(context.parameters.canonicalText()) \(context.seed)\n"
    for (role, inputs) in context.inputs.sorted(by: { $0.key < $1.key }) {
      for input in inputs {
        for (name, file) in input.files.sorted(by: { $0.key < $1.key }) {
          text += "\(role)/\(name) \(try String(contentsOf: file.url, encoding: .utf8))"
        }
      }
    }
    let url = context.scratch.appending(path: "\(role).txt")
    try Data(text.utf8).write(to: url)
    context.progress(StageProgress(done: 1, total: 1, unit: "files"))
    return StageOutput(files: [
      StageOutput.File(role: role, url: url, kind: role, mediaType: "text/plain")
    ])
  }
}

func parse(
  _ text: String, kinds: [StageKind] = Fake.kinds(), overrides: [String] = []
) throws(WorkflowError) -> Pipeline {
  try Pipeline.parse(
    bytes: Array(text.utf8), path: "p.json5", kinds: kinds, overrides: overrides)
}

/// The problems as they are shown, or none.
func problems(_ text: String, overrides: [String] = []) -> [String] {
  do {
    _ = try parse(text, overrides: overrides)
    return []
  } catch {
    return error.description.split(separator: "\n").map(String.init)
  }
}

/// A pipeline around the text of its stages.
func pipeline(_ stages: String, name: String = "p", seed: String = "1") -> String {
  "{ pipeline: \"\(name)\", question: \"q\", seed: \(seed), stages: {\n\(stages)\n} }"
}

func scenario(_ name: String) -> URL {
  URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Scenarios/\(name).json5")
}

func withTemporaryFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory
    .appending(path: "locus-workflow-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder)
}
