import Formats
import Foundation
import Lineage

/// What a run will do and why, before it does anything.
package struct Plan: Sendable {
  package struct Step: Sendable {
    package enum Decision: Sendable, Hashable {
      case reuse(execution: String)
      case run
      /// Decided when the inputs have run: equal inputs still mean reuse.
      case runUnlessInputsAreEqual
    }
    package var instance: StageInstance
    /// Position in `Pipeline.instances`.
    package var position: Int
    package var isForced: Bool
    package var decision: Decision
    package var reasons: [PlanReason]
    /// The earlier execution that the reasons are about, if there is one.
    package var comparedWith: String?
    /// By what its result is or will be computed; `nil` where that was not recorded.
    package var numerics: String?
    /// What its work will be, where its kind can tell and its inputs are there.
    package var work: String?

    /// All reasons in one line.
    package var reason: String { reasons.map(\.text).joined(separator: "; ") }
    package var runs: Bool { if case .reuse = decision { false } else { true } }
  }

  package var pipeline: Pipeline
  /// In topological order; only what was selected and what it needs.
  package var steps: [Step]

  /// - Parameters:
  ///   - store: `nil` when there is none yet.
  ///   - only: stages or instances to bring up to date, with what they need; empty: all.
  ///   - force: stages or instances to run although nothing changed.
  package init(
    _ pipeline: Pipeline, store: Store?, only: [String] = [], force: [String] = []
  ) throws {
    let wanted = try Self.selected(only, option: "--only", in: pipeline)
    let forced = try Self.selected(force, option: "--force", in: pipeline)
    let needed =
      only.isEmpty
      ? Set(pipeline.instances.indices) : Self.closure(wanted.union(forced), in: pipeline)
    try self.init(pipeline, store: store, needed: needed, forced: forced)
  }

  /// The same steps, as the store would have them now.
  func decided(in store: Store) throws -> Plan {
    try Plan(
      pipeline, store: store, needed: Set(steps.map(\.position)),
      forced: Set(steps.filter(\.isForced).map(\.position)))
  }

  private init(
    _ pipeline: Pipeline, store: Store?, needed: Set<Int>, forced: Set<Int>
  ) throws {
    self.pipeline = pipeline
    let resolver = StageResolver(pipeline: pipeline.name, store: store)
    steps = []
    var results: [Int: StageResult] = [:]
    for position in pipeline.instances.indices where needed.contains(position) {
      let instance = try pipeline.instances[position].located(in: pipeline.folder)
      let isForced = forced.contains(position)
      let waiting = instance.inputs.values.flatMap { $0 }.sorted().filter { results[$0] == nil }
      var step = Step(
        instance: instance, position: position, isForced: isForced, decision: .run, reasons: [],
        numerics: instance.kind.instructions)
      if waiting.isEmpty {
        let inputs = instance.inputs.mapValues { $0.compactMap { results[$0] } }
        let resolution = try resolver.resolve(instance, inputs: inputs, forced: isForced)
        step.reasons = resolution.reasons
        step.comparedWith = resolution.comparedWith
        if let execution = resolution.execution {
          step.decision = .reuse(execution: execution.id)
          step.numerics = execution.instructions
          results[position] = StageResult(execution.outputs)
        } else if let store {
          step.work = instance.kind.foretell?(
            instance.parameters, StageExecution.inputs(inputs, in: store.folder))
        }
      } else {
        let names = waiting.map { pipeline.instances[$0].name }
        (step.reasons, step.comparedWith) = try resolver.reasons(
          instance, waitingFor: names, forced: isForced)
        let isOwn = step.reasons.contains { if case .inputsRun = $0 { false } else { true } }
        step.decision = isOwn ? .run : .runUnlessInputsAreEqual
      }
      steps.append(step)
    }
  }

  /// Refuses a plan whose stages need objects that the store lacks, or that do not fit what else they are
  /// used with.
  ///
  /// - Parameter store: gives the store, `nil` where there is none yet; asked only when something is needed.
  /// - Throws: `WorkflowError.missingObject`, `.misfits`.
  package func checkNeeds(_ store: () throws -> Store?) throws {
    let users = steps.filter { $0.instance.kind.needs != nil }
    if users.isEmpty { return }
    let store = try store()
    for step in users where step.runs {
      for object in step.instance.kind.needs?(step.instance.parameters) ?? [] {
        guard let store,
          FileManager.default.fileExists(atPath: store.objectURL(object.sha256).path)
        else { throw WorkflowError.missingObject(stage: step.instance.name, object) }
      }
    }
    guard let store else { return }
    try checkInputs(store)
  }

  /// Refuses what does not fit what else it is used with, as the store tells.
  ///
  /// - Throws: `WorkflowError.misfits`.
  func checkInputs(_ store: Store) throws(WorkflowError) {
    if !steps.contains(where: \.runs) { return }
    let misfits = misfits(StageExecution.objects(of: store))
    if !misfits.isEmpty { throw .misfits(misfits) }
  }

  /// What the checks of the stages say, with what the objects of the store tell.
  private func misfits(_ object: (String) -> StageFile) -> [StageMisfit] {
    var foreseen: [Int: JSONValue] = [:]
    var made: [Int: Upstream.Origin] = [:]
    var misfits: [StageMisfit] = []
    for step in steps {
      let instance = step.instance
      let upstream = Upstream(
        instance.inputs.mapValues {
          $0.map { position in
            var origin = made[position]
            // What is reused was checked when it was made.
            if !step.runs { origin?.numerics = nil }
            return Upstream.Origin.told(by: foreseen[position] ?? .null, of: origin)
          }
        })
      misfits += instance.kind.checkInputs(instance.parameters, upstream).map {
        StageMisfit(stage: instance.name, problem: $0)
      }
      foreseen[step.position] =
        instance.kind.inspect?(instance.parameters, object)
        ?? instance.kind.foresee(instance.parameters, upstream)
      made[step.position] = Upstream.Origin(stage: instance.name, numerics: step.numerics)
    }
    return misfits
  }

  /// The positions of the instances that names such as `baseline` or `baseline[labelling=single]`
  /// select.
  private static func selected(
    _ names: [String], option: String, in pipeline: Pipeline
  ) throws(WorkflowError) -> Set<Int> {
    var result: Set<Int> = []
    for name in names {
      let reference = StageReference(name)
      let found = pipeline.instances.indices.filter { position in
        guard let reference else { return false }
        let instance = pipeline.instances[position]
        return instance.stage == reference.stage
          && Set(reference.bindings).isSubset(of: instance.bindings)
      }
      if found.isEmpty {
        var known: [String] = []
        for instance in pipeline.instances {
          for candidate in [instance.stage, instance.name] where !known.contains(candidate) {
            known.append(candidate)
          }
        }
        throw .badSelection(option: option, name: name, known: known)
      }
      result.formUnion(found)
    }
    return result
  }

  /// The positions and everything they depend on.
  private static func closure(_ positions: Set<Int>, in pipeline: Pipeline) -> Set<Int> {
    var result = positions
    // Inputs precede their consumers, so one pass from the end sees every need.
    for position in pipeline.instances.indices.reversed() where result.contains(position) {
      result.formUnion(pipeline.instances[position].inputs.values.flatMap { $0 })
    }
    return result
  }
}

extension StageResult {
  init(_ outputs: [ArtifactReference]) {
    self.init(
      outputs: Dictionary(
        outputs.map { ($0.role, $0.sha256) }, uniquingKeysWith: { first, _ in first }))
  }
}
