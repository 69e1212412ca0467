import Formats
import Foundation
import Lineage

/// What a finished stage hands on: what its consumers see, and what goes into their keys.
struct StageResult: Sendable {
  /// SHA-256 by output role.
  var outputs: [String: String]
}

/// Decides for one instance whether an earlier execution can be reused, and says why not.
struct StageResolver {
  let pipeline: String
  /// `nil`: there is no store yet, so nothing was ever run.
  let store: Store?
  private let memory: HashMemory?
  private let checkCancellation: () throws -> Void

  init(pipeline: String, store: Store?, checkCancellation: @escaping () throws -> Void = {}) {
    self.pipeline = pipeline
    self.store = store
    memory = store.map { HashMemory($0) }
    self.checkCancellation = checkCancellation
  }

  /// Keeps what was learnt of the store's files.
  func finish() { memory?.save() }

  struct Resolution {
    var specification: StageSpecification
    var reasons: [PlanReason]
    /// The execution to reuse; `nil`: the stage has to run.
    var execution: SucceededExecution?
    /// The execution that the reasons are about.
    var comparedWith: String?
  }

  /// With all inputs known.
  func resolve(
    _ instance: StageInstance, inputs: [String: [StageResult]], forced: Bool
  ) throws -> Resolution {
    let specification = StageSpecification(
      kind: instance.kind.name, version: instance.kind.version, parameters: instance.parameters,
      seed: instance.seed, inputs: inputs.mapValues { $0.map(\.outputs) })
    func resolution(_ reasons: [PlanReason], _ comparedWith: String?) -> Resolution {
      Resolution(specification: specification, reasons: reasons, comparedWith: comparedWith)
    }
    let found = try store?.succeededExecution(
      key: specification.key, preferring: instance.kind.instructions)
    if forced { return resolution([.forced], found?.id) }
    if let found {
      let faults = try outputFaults(of: found)
      if !faults.isEmpty { return resolution(faults, found.id) }
      return Resolution(
        specification: specification, reasons: [.unchanged], execution: found,
        comparedWith: found.id)
    }
    guard let previous = try previous(instance.name) else { return resolution([.neverRun], nil) }
    // The last one has this very key and yet no success is known of it.
    if previous.key == specification.key { return resolution([.neverFinished], previous.id) }
    return resolution(differences(from: previous, to: specification), previous.id)
  }

  /// With inputs that will only be known when they have run.
  func reasons(_ instance: StageInstance, waitingFor inputs: [String], forced: Bool) throws
    -> (reasons: [PlanReason], comparedWith: String?)
  {
    let waiting = PlanReason.inputsRun(inputs)
    let previous = try previous(instance.name)
    if forced { return ([.forced, waiting], previous?.id) }
    guard let previous else { return ([.neverRun], nil) }
    let old = previous.specification
    if old.kind != instance.kind.name {
      return ([.kindChanged(old: old.kind, new: instance.kind.name)], previous.id)
    }
    var own = ParameterDifference.all(from: old.parameters, to: instance.parameters)
      .map(PlanReason.init)
    if old.seed != instance.seed {
      own.append(.seed(old: "\(old.seed)", new: "\(instance.seed)"))
    }
    let version = previous.version(near: instance.kind.version)
    if let version, version != instance.kind.version {
      own.append(
        .version(kind: instance.kind.name, old: version, new: instance.kind.version))
    }
    return (own + [waiting], previous.id)
  }

  private func outputFaults(of execution: SucceededExecution) throws -> [PlanReason] {
    guard let store, let memory else { return [] }
    return try execution.outputs.compactMap { output in
      if try memory.isKnown(output.sha256) { return nil }
      guard try store.hasObject(output.sha256) else {
        return .artifactMissing(role: output.role)
      }
      let isIntact = try memory.isIntact(output.sha256, checkCancellation: checkCancellation)
      return isIntact ? nil : .artifactChanged(role: output.role)
    }
  }

  private func previous(_ name: String) throws -> PreviousSpecification? {
    try store?.latestExecution(pipeline: pipeline, stage: name).map(PreviousSpecification.init)
  }
}
