import Formats

/// More stages, or more instances of all of them, than this are a mistake in a matrix.
let instanceLimit = 20_000

/// Turns the text's tree into stages and collects every problem on the way.
struct PipelineReader {
  let kinds: [StageKind]
  /// Of a pipeline with `replicate`; `nil`: as many as it begins with.
  let replicates: Int?
  let extensions: [PipelineExtension]
  var parameters = ParameterReader()
  private(set) var replication: Replication?
  private(set) var extensionDrafts: [ExtensionDraft] = []
  private var scale = PipelineScale()
  /// The members of the pipeline's `executor`.
  private(set) var executor = JSONValue.object([:])

  init(
    kinds: [StageKind], replicates: Int? = nil, extensions: [PipelineExtension] = []
  ) {
    self.kinds = kinds
    self.replicates = replicates
    self.extensions = extensions
  }

  static let keys = [
    "pipeline", "question", "seed", PipelineScale.key, "replicate", "stages",
    ExecutorOptions.key,
  ]
  static let stageKeys = ["kind", "inputs", "matrix", "seed", ExecutorOptions.key]
  static let seedRange = 0...Int.max

  /// What could be read; a member is absent only after a problem was noted.
  struct Draft {
    var name: String?
    var question: String?
    var seed: UInt64?
    var stages: [StageDraft] = []
  }

  mutating func read(_ root: JSONNode) -> Draft {
    var draft = Draft()
    guard case .object(let members) = root.value else {
      parameters.list.add(
        .wrongType(
          found: description(of: root),
          accepted: "an object with `pipeline`, `question`, `seed` and `stages`"),
        at: root.position, "")
      return draft
    }
    let keys = Self.keys + extensions.map(\.key)
    for member in members where !keys.contains(member.key) {
      parameters.list.add(
        .unknownKey(member.key, accepted: keys), at: member.keyPosition, member.key)
    }
    for declaration in extensions {
      guard let member = member(declaration.key, members),
        let draft = readExtension(declaration, member)
      else { continue }
      extensionDrafts.append(draft)
    }
    draft.name = text("pipeline", in: members, of: root)
    if let name = draft.name, !isName(name) {
      parameters.list.add(
        .badName(name), at: member("pipeline", members)?.value.position ?? root.position, "pipeline"
      )
    }
    draft.question = text("question", in: members, of: root)
    if let node = member("seed", members)?.value {
      draft.seed = readSeed(node, path: "seed")
    } else {
      parameters.list.add(
        .missingKey(accepted: accepted(.integer(Self.seedRange))), at: root.position, "seed")
    }
    if let node = member(PipelineScale.key, members)?.value {
      let value = parameters.read(node, as: .number(PipelineScale.range), path: PipelineScale.key)
      scale.factor = value?.number ?? 1
    }
    if let node = member(ExecutorOptions.key, members)?.value {
      executor = readExecutor(node, as: ExecutorOptions.ofPipeline, path: ExecutorOptions.key)
    }
    guard let stages = member("stages", members)?.value else {
      parameters.list.add(
        .missingKey(accepted: "an object of stages by name"), at: root.position, "stages")
      return draft
    }
    guard case .object(let stageMembers) = stages.value else {
      parameters.list.add(
        .wrongType(found: description(of: stages), accepted: "an object of stages by name"),
        at: stages.position, "stages")
      return draft
    }
    if stageMembers.isEmpty { parameters.list.add(.noStages, at: stages.position, "stages") }
    guard stageMembers.count <= instanceLimit else {
      parameters.list.add(.tooManyStages(limit: instanceLimit), at: stages.position, "stages")
      return draft
    }
    if let member = member("replicate", members) {
      replication = readReplication(member, seed: draft.seed, stages: stageMembers.map(\.key))
    }
    draft.stages = stageMembers.map { readStage($0, pipelineSeed: draft.seed ?? 0) }
    return draft
  }

  private func member(_ key: String, _ members: [JSONMember]) -> JSONMember? {
    members.first { $0.key == key }
  }

  private mutating func text(_ key: String, in members: [JSONMember], of root: JSONNode) -> String?
  {
    guard let node = member(key, members)?.value else {
      parameters.list.add(.missingKey(accepted: "text"), at: root.position, key)
      return nil
    }
    return parameters.read(node, as: .text, path: key)?.string
  }

  private mutating func readExecutor(
    _ node: JSONNode, as parameters: [Parameter], path: String
  ) -> JSONValue {
    var node = node
    if case .object(let members) = node.value {
      // Minutes and megabytes are numbers to people, and texts to the scheduler.
      node.value = .object(
        members.map { member in
          var member = member
          if case .number = member.value.value, let number = integer(member.value),
            ["time", "memory"].contains(member.key)
          {
            member.value.value = .string("\(number)")
          }
          return member
        })
    }
    return self.parameters.read(node, as: .object(parameters), path: path) ?? .object([:])
  }

  private mutating func readSeed(_ node: JSONNode, path: String) -> UInt64? {
    parameters.read(node, as: .integer(Self.seedRange), path: path)?.integer.map { UInt64($0) }
  }

  private mutating func readStage(_ stage: JSONMember, pipelineSeed: UInt64) -> StageDraft {
    var draft = StageDraft(name: stage.key, position: stage.keyPosition)
    if !isName(stage.key) {
      parameters.list.add(.badName(stage.key), at: stage.keyPosition, draft.path)
    }
    guard case .object(let members) = stage.value.value else {
      parameters.list.add(
        .wrongType(found: description(of: stage.value), accepted: "an object with `kind`"),
        at: stage.value.position, draft.path)
      return draft
    }
    let names = kinds.map(\.name)
    guard let kindNode = member("kind", members)?.value else {
      parameters.list.add(
        .missingKey(accepted: accepted(.choice(names))), at: stage.keyPosition,
        "\(draft.path).kind")
      return draft
    }
    guard
      let word = parameters.read(kindNode, as: .text, path: "\(draft.path).kind")?.string
    else { return draft }
    guard let kind = kinds.first(where: { $0.name == word }) else {
      parameters.list.add(
        .unknownKind(word, known: names), at: kindNode.position, "\(draft.path).kind")
      return draft
    }
    draft.kind = kind
    var own = JSONValue.object([:])
    if let node = member(ExecutorOptions.key, members)?.value {
      own = readExecutor(
        node, as: ExecutorOptions.ofStage, path: "\(draft.path).\(ExecutorOptions.key)")
    }
    draft.executor = ExecutorOptions(ExecutorOptions.merged(executor, own))
    draft.inputs = readInputs(member("inputs", members), kind: kind, draft: draft)
    if let matrix = member("matrix", members) {
      readMatrix(matrix.value, kind: kind, into: &draft)
    }
    var seed = kind.isSeeded ? pipelineSeed : 0
    if let node = member("seed", members), kind.isSeeded {
      seed = readSeed(node.value, path: "\(draft.path).seed") ?? pipelineSeed
      if draft.axes.contains(where: { $0.name == "seed" }) {
        parameters.list.add(.axisIsAlsoGiven("seed"), at: node.keyPosition, "\(draft.path).seed")
      }
    }
    replicate(
      &draft, kind: kind, hasOwnSeed: member("seed", members) != nil, at: draft.position)
    readParameters(members, kind: kind, seed: seed, into: &draft)
    return draft
  }

  // MARK: - Inputs

  private mutating func readInputs(
    _ member: JSONMember?, kind: StageKind, draft: StageDraft
  ) -> [StageDraft.Input] {
    let path = "\(draft.path).inputs"
    var members: [JSONMember] = []
    if let member {
      if case .object(let inside) = member.value.value {
        members = inside
      } else {
        parameters.list.add(
          .wrongType(
            found: description(of: member.value), accepted: "an object of stages by input name"),
          at: member.value.position, path)
        return []
      }
    }
    let roles = kind.inputs.map(\.role)
    for member in members where !roles.contains(member.key) {
      parameters.list.add(
        .unknownRole(member.key, accepted: roles), at: member.keyPosition,
        "\(path).\(member.key)")
    }
    var inputs: [StageDraft.Input] = []
    for role in kind.inputs {
      let inner = "\(path).\(role.role)"
      guard let given = members.first(where: { $0.key == role.role })?.value else {
        if role.arity.isRequired {
          parameters.list.add(
            .missingInput(from: role.kinds(among: kinds), help: role.help),
            at: member?.keyPosition ?? draft.position, inner)
        }
        continue
      }
      let references = readReferences(given, role: role, path: inner)
      inputs.append(StageDraft.Input(role: role, references: references, position: given.position))
    }
    return inputs
  }

  private mutating func readReferences(
    _ node: JSONNode, role: InputDeclaration, path: String
  ) -> [StageDraft.Reference] {
    switch node.value {
    case .string(let text):
      guard let target = StageReference(text) else {
        parameters.list.add(.badReference(text), at: node.position, path)
        return []
      }
      return [StageDraft.Reference(target: target, position: node.position, path: path)]
    case .array(let nodes) where role.arity.gathers:
      if nodes.isEmpty { parameters.list.add(.emptyList, at: node.position, path) }
      return nodes.enumerated().flatMap { index, element -> [StageDraft.Reference] in
        // A list inside the list is refused as any other wrong type.
        if case .array = element.value { return wrongReference(element, path: "\(path)[\(index)]") }
        return readReferences(element, role: role, path: "\(path)[\(index)]")
      }
    case .array:
      parameters.list.add(.listForOne, at: node.position, path)
      return []
    default:
      return wrongReference(node, path: path)
    }
  }

  private mutating func wrongReference(
    _ node: JSONNode, path: String
  ) -> [StageDraft.Reference] {
    parameters.list.add(
      .wrongType(
        found: description(of: node), accepted: "\"stage\" or \"stage[axis=value,…]\""),
      at: node.position, path)
    return []
  }

  // MARK: - Parameters

  private mutating func readParameters(
    _ members: [JSONMember], kind: StageKind, seed: UInt64, into draft: inout StageDraft
  ) {
    let keys = Self.stageKeys.filter { kind.isSeeded || $0 != "seed" }
    let given = members.filter { !keys.contains($0.key) }
    let names = kind.parameters.map(\.name)
    for member in given where !names.contains(member.key) {
      parameters.list.add(
        .unknownKey(member.key, accepted: keys + names), at: member.keyPosition,
        "\(draft.path).\(member.key)")
    }
    let base = given.filter { names.contains($0.key) }
    for axis in draft.axes {
      if let node = find(path: axis.name, in: base) {
        parameters.list.add(
          .axisIsAlsoGiven(axis.name), at: node.position, "\(draft.path).\(axis.name)")
      }
    }
    var checked: [JSONValue: [ParameterProblem]] = [:]
    for choice in combinations(of: draft.axes) {
      var members = base
      var ownSeed = seed
      for (axis, value) in choice {
        if axis == "seed" {
          ownSeed = readSeed(value.node, path: "\(draft.path).matrix.seed") ?? seed
        } else {
          members = setting(value.node, at: components(axis), in: members)
        }
      }
      let before = parameters.list.additions
      let values = scale.applied(
        to: parameters.read(
          members, as: kind.parameters, path: draft.path, owner: draft.position),
        of: kind.parameters)
      let normalised = JSONValue.object(values)
      // A check may rely on the declared types: it sees only what passed them.
      if parameters.list.additions == before {
        // Combinations that differ in their seeds alone get the same answer.
        let problems = checked[normalised] ?? kind.check(normalised)
        checked[normalised] = problems
        for problem in problems {
          let position = find(deepest: problem.path, in: members) ?? draft.position
          parameters.list.add(
            .checkFailed(problem.message), at: position, join(draft.path, problem.path))
        }
      }
      draft.combinations.append(
        StageDraft.Combination(
          bindings: choice.map { Binding(axis: $0.axis, label: $0.value.label) },
          parameters: normalised, seed: ownSeed, members: members))
    }
  }

  /// Every combination, the first axis slowest. The caller has bounded their number.
  private func combinations(
    of axes: [StageDraft.Axis]
  ) -> [[(axis: String, value: StageDraft.Axis.Value)]] {
    axes.reduce([[]]) { partial, axis in
      partial.flatMap { choice in axis.values.map { choice + [(axis.name, $0)] } }
    }
  }
}
