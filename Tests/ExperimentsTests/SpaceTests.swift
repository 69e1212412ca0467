import Artifacts
import Diffusion
import Formats
import Testing
import Workflow

@testable import Experiments

/// What is refused before any work, where conditioners say what occurs and not where.
@Suite("Conditioners without places, at plan time")
struct SpaceTests {
  static let words = ConditionerSpace.set(words: ["red", "blue", "green"])

  /// The faults that a kind finds with these settings, when all its inputs are of a space; but for `features`,
  /// which belong to one mask alone.
  static func problems(
    _ kind: StageKind, _ settings: [String: JSONValue] = [:], _ space: ConditionerSpace = words
  ) -> [ParameterProblem] {
    var parameters: [String: JSONValue] = [:]
    for parameter in kind.parameters { parameters[parameter.name] = parameter.defaultValue }
    parameters.merge(settings) { _, new in new }
    let foreseen = Foreseen(camera: .overhead, size: 32, space: space, objects: [1, 3]).value
    let upstream = Upstream(
      Dictionary(
        uniqueKeysWithValues: kind.inputs.filter { $0.role != "features" }
          .map { ($0.role, [foreseen]) }))
    return kind.checkInputs(.object(parameters), upstream)
  }

  static func network(_ members: [String: JSONValue]) -> [String: JSONValue] {
    ["network": .object(members.merging(["width": .integer(16)]) { $1 }), "pictures": .integer(64)]
  }

  static let unet: [String: JSONValue] = [
    "type": .string("unet"), "normalization": .string("pixel"), "attention": .bool(false),
  ]

  /// A kind with settings under which it needs places, and the path that it blames.
  static let refusing: [(kind: StageKind, settings: [String: JSONValue], path: String)] = [
    (AnalyticStage.kind, [:], "inputs.scenes"),
    (AnalyticStage.kind, ["schedule": .string("calibrated")], "inputs.scenes"),
    (InterveneStage.kind, ["mask": .string("conditioner")], "mask"),
    (InterveneStage.kind, ["mask": .string("both")], "mask"),
    (InterveneStage.kind, ["mask": .string("window")], "mask"),
    (AgreeStage.kind, [:], "inputs.denoiser"),
    (
      TrainStage.kind, network(["type": .string("local"), "dilations": .array([.integer(1)])]),
      "network.type"
    ),
    (
      TrainStage.kind, network(unet.merging(["conditioning": .string("grid")]) { $1 }),
      "network.conditioning"
    ),
    (
      TrainStage.kind,
      network(unet.merging(["conditioning": .string("vector")]) { $1 }).merging([
        "balance": .number(2)
      ]) { $1 },
      "balance"
    ),
  ]

  @Test(
    "whatever goes by places refuses words by the setting at fault", arguments: refusing.indices)
  func refused(index: Int) {
    let (kind, settings, path) = Self.refusing[index]
    let found = Self.problems(kind, settings)
    #expect(found.map(\.path) == [path], "\(kind.name)")
    #expect(found.allSatisfy { $0.message.contains("a set of 3 words") }, "\(kind.name)")
    #expect(Self.problems(kind, settings, .grid(cells: 16)).isEmpty, "\(kind.name)")
  }

  @Test("what does without places accepts words")
  func accepted() {
    let vector = Self.network(Self.unet.merging(["conditioning": .string("vector")]) { $1 })
    #expect(Self.problems(TrainStage.kind, vector).isEmpty)
    for mask in ["identity", "stitched", "sum", "pixel"] {
      #expect(Self.problems(InterveneStage.kind, ["mask": .string(mask)]).isEmpty)
    }
    #expect(Self.problems(ProbeStage.kind, ["counts": .array([.integer(2)])]).isEmpty)
    let found = Self.problems(ProbeStage.kind, ["counts": .array([.integer(4)])])
    #expect(found.map(\.path) == ["counts"])
  }

  @Test(
    "channels for each word are refused where conditioners are cells, and go with words",
    arguments: ["words", "lowest"])
  func ownChannels(conditioning: String) {
    let settings = Self.network(
      Self.unet.merging(["conditioning": .string(conditioning)]) { $1 })
    #expect(Self.problems(TrainStage.kind, settings).isEmpty)
    let found = Self.problems(TrainStage.kind, settings, .grid(cells: 16))
    #expect(found.map(\.path) == ["network.conditioning"])
    #expect(found.allSatisfy { $0.message.contains("accepted: grid, vector, channels") })
  }
}
