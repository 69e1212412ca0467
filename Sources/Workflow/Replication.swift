import Formats
import Foundation

/// `replicate: { axis: "seed", from: 4, to: 10, until: { metric: "recall", k: 9, width: 0.06 } }`:
/// a study that grows by repetitions of its seeded stages, each with a seed of its own.
package struct Replication: Sendable, Hashable {
  /// When it is enough: by the width of an interval, never by what the interval says, and never with fewer
  /// than `fewest` replicates.
  package struct Target: Sendable, Hashable {
    package var metric: String
    package var k: Int?
    /// Of a 95 % interval, in the metric's unit.
    package var width: Double
    /// Only this stage's metrics count; `nil`: all that have the name.
    package var stage: String?
    package var position: SourcePosition

    /// The dimension that `k` names.
    static let condition = "k"
  }

  /// Replicates of the first run.
  package var from: Int
  /// The most that are ever made.
  package var to: Int
  package var until: Target
  /// Replicates that the pipeline is expanded to: seeds `seed`, `seed` + 1, …
  package var count: Int
  package var seed: UInt64

  static let axis = "seed"

  /// So many there are before any interval counts as narrow: the spread of two or three seeds is that of
  /// nothing.
  package static let fewest = 4

  /// The axis values of the replicates, in the order in which they are made.
  var labels: [String] { (0..<count).map { "\(seed + UInt64($0))" } }

  static let parameters = [
    Parameter("axis", .choice([axis]), help: "what a replicate changes"),
    Parameter("from", .integer(2...1000), help: "replicates of the first run"),
    Parameter("to", .integer(fewest...1000), help: "the most replicates"),
    Parameter(
      "until",
      .object([
        Parameter("metric", .text, help: "the metric whose interval shall be narrow"),
        Parameter("k", .integer(0...1_000_000), default: .null, help: "its K, where it has one"),
        Parameter(
          "width", .number(1e-12...1e12), help: "the width of the 95 % interval that is enough"),
        Parameter("stage", .text, default: .null, help: "the only stage whose metrics count"),
      ]), help: "when it is enough"),
  ]
}

extension Replication {
  /// As a pipeline's source has it, which was read before it ran; `nil` without one.
  ///
  /// - Parameter stages: the instances of the run.
  init?(source: String, seed: UInt64, stages: [StageReference]) {
    guard let value = try? JSONValue.parse(Data(source.utf8))["replicate"],
      let from = value["from"]?.integer, let to = value["to"]?.integer,
      let metric = value["until"]?["metric"]?.string, let width = value["until"]?["width"]?.number
    else { return nil }
    self.init(
      from: from, to: to,
      until: Target(
        metric: metric, k: value["until"]?["k"]?.integer, width: width,
        stage: value["until"]?["stage"]?.string, position: SourcePosition(line: 1, column: 1)),
      count: Set(
        stages.flatMap { $0.bindings.filter { $0.axis == Self.axis }.map(\.label) }
      ).count, seed: seed)
  }
}

extension PipelineReader {
  /// Reads `replicate`; `nil` after a problem.
  mutating func readReplication(
    _ member: JSONMember, seed: UInt64?, stages: [String]
  ) -> Replication? {
    let path = member.key
    let before = parameters.list.additions
    let accepted = Workflow.accepted(.object(Replication.parameters))
    guard case .object(let members) = member.value.value else {
      parameters.list.add(
        .wrongType(found: description(of: member.value), accepted: accepted),
        at: member.value.position, path)
      return nil
    }
    let values = parameters.read(
      members, as: Replication.parameters, path: path, owner: member.keyPosition)
    guard parameters.list.additions == before, let seed, let from = values["from"]?.integer,
      let to = values["to"]?.integer, let until = values["until"],
      let metric = until["metric"]?.string, let width = until["width"]?.number
    else { return nil }
    func refuse(_ fault: PipelineFault, _ key: String) {
      parameters.list.add(
        fault, at: find(deepest: key, in: members) ?? member.keyPosition, "\(path).\(key)")
    }
    if to < from {
      refuse(.checkFailed("found \(to), accepted: at least `from`, \(from)"), "to")
    }
    if seed > UInt64(Self.seedRange.upperBound - to) {
      refuse(.checkFailed("the seeds from \(seed) on would pass \(Int.max)"), "to")
    }
    if let stage = until["stage"]?.string, !stages.contains(stage) {
      refuse(.unknownStage(stage, known: stages), "until.stage")
    }
    guard parameters.list.additions == before else { return nil }
    return Replication(
      from: from, to: to,
      until: Replication.Target(
        metric: metric, k: until["k"]?.integer, width: width, stage: until["stage"]?.string,
        position: find(deepest: "until.metric", in: members) ?? member.keyPosition),
      count: min(replicates ?? from, to), seed: seed)
  }

  /// Gives a stage the axis `seed`, unless it has a seed of its own, which all replicates share, names its
  /// seeds in a matrix, so that a dear one has fewer of them, or gathers them.
  mutating func replicate(
    _ draft: inout StageDraft, kind: StageKind, hasOwnSeed: Bool, at position: SourcePosition
  ) {
    guard let replication, !draft.axes.contains(where: { $0.name == Replication.axis }) else {
      return
    }
    if !kind.isSeeded || hasOwnSeed || kind.inputs.contains(where: \.arity.gathers) { return }
    let others = draft.axes.reduce(1) { $0 * $1.values.count }
    guard others <= instanceLimit / replication.to else {
      parameters.list.add(.tooManyInstances(limit: instanceLimit), at: position, "replicate.to")
      return
    }
    let values = replication.labels.enumerated().map { index, label in
      StageDraft.Axis.Value(
        label: label,
        node: JSONNode(
          value: .number(Double(replication.seed) + Double(index), text: label),
          position: position))
    }
    draft.axes.insert(
      StageDraft.Axis(name: Replication.axis, values: values, isReplicated: true), at: 0)
  }
}
