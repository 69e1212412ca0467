import Formats
import Foundation
import Lineage

/// What a finished stage hands on: what its consumers see, and what goes into their keys.
struct StageResult: Sendable {
  var kind: String
  var parameters: JSONValue
  /// SHA-256 by output role.
  var outputs: [String: String]
}

/// Decides for one instance whether an earlier execution can be reused, and says why not.
struct StageResolver {
  let pipeline: String
  /// `nil`: there is no store yet, so nothing was ever run.
  let store: Store?

  struct Resolution {
    var specification: StageSpecification
    var reasons: [PlanReason]
    /// The execution to reuse; `nil`: the stage has to run.
    var execution: ExecutionRecord?
  }

  /// With all inputs known.
  func resolve(
    _ instance: StageInstance, inputs: [String: [StageResult]], forced: Bool
  ) throws -> Resolution {
    let specification = StageSpecification(
      kind: instance.kind.name, version: instance.kind.version, parameters: instance.parameters,
      seed: instance.seed, inputs: inputs.mapValues { $0.map(\.outputs) })
    if forced {
      return Resolution(specification: specification, reasons: [.forced])
    }
    if let found = try store?.succeededExecution(key: specification.key) {
      let missing = try missingOutputs(of: found)
      if missing.isEmpty {
        return Resolution(
          specification: specification, reasons: [.unchanged], execution: found)
      }
      return Resolution(
        specification: specification, reasons: missing.map { .artifactMissing(role: $0) })
    }
    guard let previous = try previous(instance.name) else {
      return Resolution(specification: specification, reasons: [.neverRun])
    }
    // The last one has this very key and yet no success is known of it.
    if previous.key == specification.key {
      return Resolution(specification: specification, reasons: [.neverFinished])
    }
    return Resolution(
      specification: specification, reasons: differences(from: previous, to: specification))
  }

  /// With inputs that will only be known when they have run.
  func reasons(_ instance: StageInstance, waitingFor inputs: [String], forced: Bool) throws
    -> [PlanReason]
  {
    let waiting = PlanReason.inputsRun(inputs)
    if forced { return [.forced, waiting] }
    guard let previous = try previous(instance.name) else { return [.neverRun] }
    if previous.kind != instance.kind.name {
      return [.kindChanged(old: previous.kind, new: instance.kind.name)]
    }
    var own = parameterDifferences(
      from: previous.parameters, to: instance.parameters, path: "")
    if previous.seed != instance.seed {
      own.append(.seed(old: "\(previous.seed)", new: "\(instance.seed)"))
    }
    return own + [waiting]
  }

  private func missingOutputs(of execution: ExecutionRecord) throws -> [String] {
    guard let store else { return [] }
    return try execution.outputs.filter { try !store.hasObject($0.sha256) }.map(\.role).sorted()
  }

  private func previous(_ name: String) throws -> PreviousSpecification? {
    guard let record = try store?.latestExecution(pipeline: pipeline, stage: name) else {
      return nil
    }
    var inputs: [String: [String]] = [:]
    for input in record.inputs {
      // `scenes/pixels` and `evaluations[3]/outcomes` belong to `scenes` and `evaluations`.
      let role = input.role.prefix { $0 != "/" && $0 != "[" }
      inputs[String(role), default: []].append(input.sha256)
    }
    return PreviousSpecification(
      key: record.key, kind: record.kind, parameters: record.parameters, seed: record.seed,
      inputs: inputs.mapValues { $0.sorted() })
  }
}
