import Formats

/// A key of a pipeline file that another layer gives a meaning to: nothing that runs depends on it, but
/// it is checked with all else before any work, and stays in the run's recorded source.
package struct PipelineExtension: Sendable {
  /// Where in the extension's value a fault lies: `repairs[0].mask`.
  package struct Problem: Sendable {
    package var path: String
    package var fault: PipelineFault

    package init(path: String, fault: PipelineFault) {
      self.path = path
      self.fault = fault
    }
  }

  package var key: String
  /// The members of its object.
  package var parameters: [Parameter]
  /// Runs on values of the declared types, when all stages are sound.
  package var check: @Sendable (_ value: JSONValue, _ instances: StageInstances) -> [Problem]

  package init(
    key: String, parameters: [Parameter],
    check: @escaping @Sendable (JSONValue, StageInstances) -> [Problem]
  ) {
    self.key = key
    self.parameters = parameters
    self.check = check
  }
}

/// An extension's value that was read, until the instances are known that it may name.
struct ExtensionDraft {
  var declaration: PipelineExtension
  var value: JSONValue
  var member: JSONMember

  func problems(_ instances: StageInstances) -> [PipelineProblem] {
    guard case .object(let members) = member.value.value else { return [] }
    return declaration.check(value, instances).map { problem in
      PipelineProblem(
        position: find(deepest: problem.path, in: members) ?? member.keyPosition,
        path: join(member.key, problem.path), fault: problem.fault)
    }
  }
}

extension PipelineReader {
  /// Reads the value of an extension's key; `nil` after a problem.
  mutating func readExtension(_ declaration: PipelineExtension, _ member: JSONMember)
    -> ExtensionDraft?
  {
    let before = parameters.list.additions
    let value = parameters.read(
      member.value, as: .object(declaration.parameters), path: member.key)
    guard parameters.list.additions == before, let value else { return nil }
    return ExtensionDraft(declaration: declaration, value: value, member: member)
  }
}

/// The instances of a pipeline, to be named by a text that may leave axes out.
package struct StageInstances: Sendable {
  package let all: [StageInstance]
  /// By position in `all`: what their kinds foresee of what they make.
  package let foreseen: [JSONValue]

  init(_ expansion: MatrixExpansion) {
    all = expansion.instances
    foreseen = expansion.foreseen
  }

  package enum Named: Sendable {
    /// Positions in `all`.
    case found([Int])
    case fault(PipelineFault)
  }

  /// All instances that agree with a text of the form `stage` or `stage[axis=value,…]`.
  package func named(_ text: String) -> Named {
    guard let reference = StageReference(text) else { return .fault(.badReference(text)) }
    let own = all.indices.filter { all[$0].stage == reference.stage }
    if own.isEmpty {
      var known: [String] = []
      for instance in all where !known.contains(instance.stage) { known.append(instance.stage) }
      return .fault(.unknownStage(reference.stage, known: known))
    }
    for binding in reference.bindings {
      let fault = MatrixExpansion.unknown(
        binding, stage: reference.stage, among: own.map { all[$0] })
      if let fault { return .fault(fault) }
    }
    let found = own.filter { Set(reference.bindings).isSubset(of: all[$0].bindings) }
    return found.isEmpty ? .fault(.nothingSelected(text)) : .found(found)
  }

  /// Positions of the instances that make a type from what another one made.
  package func users(of maker: Int, making type: ArtifactType) -> [Int] {
    all.indices.filter { position in
      all[position].kind.produces == type
        && all[position].inputs.values.contains { $0.contains(maker) }
    }
  }

  /// Whether an instance takes another one as the input of a role.
  package func takes(_ user: Int, from maker: Int, as role: String) -> Bool {
    all[user].inputs[role]?.contains(maker) == true
  }
}

extension StageReference {
  /// The replicate that an instance belongs to; `nil` for what all replicates share.
  package var seed: String? { bindings.first { $0.axis == Replication.axis }?.label }

  /// What replicates have in common.
  package var withoutSeed: StageReference {
    StageReference(stage: stage, bindings: bindings.filter { $0.axis != Replication.axis })
  }

  /// Whether an instance's name agrees with this reference, which may leave axes out.
  package func covers(_ instance: StageReference) -> Bool {
    stage == instance.stage && Set(bindings).isSubset(of: instance.bindings)
  }
}
