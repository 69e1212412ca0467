import Formats

/// Orders the stages, checks what their inputs name and expands their matrices.
struct MatrixExpansion {
  let stages: [StageDraft]
  let kinds: [StageKind]
  private let byName: [String: Int]
  private(set) var list: ProblemList
  private(set) var instances: [StageInstance] = []
  /// By stage, positions in `instances`; absent for a stage that could not be expanded.
  private var expanded: [String: [Int]] = [:]

  /// By position in `instances`: what their kinds foresee of what they make.
  private(set) var foreseen: [JSONValue] = []
  /// What kinds said: instances that differ in nothing but their seeds get the same answers.
  private var answers: [Question: Answer] = [:]

  private struct Question: Hashable {
    var kind: String
    var parameters: JSONValue
    var upstream: Upstream
  }

  private struct Answer {
    var foreseen: JSONValue
    var problems: [ParameterProblem]
  }

  init(stages: [StageDraft], kinds: [StageKind], list: ProblemList) {
    self.stages = stages
    self.kinds = kinds
    self.list = list
    byName = Dictionary(
      stages.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The part of an instance that its inputs decide.
  private struct Partial {
    var bindings: [Binding] = []
    var inputs: [String: [Int]] = [:]
  }

  mutating func run() {
    let names = stages.map(\.name)
    for stage in stages {
      for input in stage.inputs {
        for reference in input.references {
          let target = reference.target.stage
          guard let index = byName[target] else {
            list.add(
              .unknownStage(target, known: names), at: reference.position, reference.path)
            continue
          }
          guard let kind = stages[index].kind, !input.role.takes(kind) else { continue }
          list.add(
            .wrongKind(
              stage: target, kind: kind.name, accepted: input.role.kinds(among: kinds)),
            at: reference.position, reference.path)
        }
      }
    }
    for index in topologicalOrder() { expand(stages[index]) }
  }

  // MARK: - Order

  /// Stages after their inputs, otherwise as in the file. Stages on a circle are left out, and so
  /// is what depends on them, after the circle was reported.
  private mutating func topologicalOrder() -> [Int] {
    let needs = stages.map { stage in
      Set(
        stage.inputs.flatMap { input in
          input.references.compactMap { target($0, for: input.role) }
        })
    }
    var order: [Int] = []
    var placed: Set<Int> = []
    while let next = stages.indices.first(where: {
      !placed.contains($0) && needs[$0].isSubset(of: placed)
    }) {
      order.append(next)
      placed.insert(next)
    }
    var reported: Set<Int> = []
    for start in stages.indices where !placed.contains(start) && !reported.contains(start) {
      // Every stage that is not placed needs another one that is not: walking on finds a circle.
      var walk = [start]
      var current = start
      while let next = needs[current].filter({ !placed.contains($0) }).min() {
        if let first = walk.firstIndex(of: next) {
          report(circle: Array(walk[first...]), reported: &reported)
          break
        }
        walk.append(next)
        current = next
      }
      reported.formUnion(walk)
    }
    return order
  }

  /// The stage that a reference names, if it is there and of an accepted kind.
  private func target(_ reference: StageDraft.Reference, for role: InputDeclaration) -> Int? {
    guard let index = byName[reference.target.stage], let kind = stages[index].kind,
      role.takes(kind)
    else { return nil }
    return index
  }

  private mutating func report(circle: [Int], reported: inout Set<Int>) {
    guard reported.isDisjoint(with: circle), let start = circle.min(),
      let offset = circle.firstIndex(of: start)
    else { return }
    let turned = Array(circle[offset...] + circle[..<offset]) + [start]
    list.add(
      .cycle(turned.map { stages[$0].name }), at: stages[start].position, stages[start].path)
  }

  // MARK: - Expansion

  private mutating func expand(_ stage: StageDraft) {
    guard let kind = stage.kind else { return }
    var partials = [Partial()]
    var sound = true
    var gathered: [String: [Int]] = [:]
    for input in stage.inputs {
      let candidates = input.references.map { resolve($0, for: input.role) }
      // An input that was refused is left to its own message.
      guard !candidates.isEmpty, !candidates.contains(where: { $0 == nil }) else {
        sound = false
        continue
      }
      if input.role.arity.gathers {
        gathered[input.role.role] = gather(candidates.compactMap { $0 }, input: input)
      } else if sound, let choices = candidates[0] {
        let before = partials
        partials = join(partials, choices, role: input.role.role)
        if partials.isEmpty {
          list.add(
            .nothingToJoin(mismatch(before, choices, stage: input.references[0].target.stage)),
            at: input.position, "\(stage.path).inputs.\(input.role.role)")
          sound = false
        } else if partials.count > instanceLimit {
          list.add(.tooManyInstances(limit: instanceLimit), at: stage.position, stage.path)
          sound = false
        }
      }
    }
    guard sound else { return }
    finish(stage, kind: kind, partials: partials, gathered: gathered)
  }

  private mutating func finish(
    _ stage: StageDraft, kind: StageKind, partials: [Partial], gathered: [String: [Int]]
  ) {
    var made: [StageInstance] = []
    for combination in stage.combinations {
      var used = false
      for partial in partials {
        guard let bindings = merged(partial.bindings, combination.bindings) else { continue }
        used = true
        guard instances.count + made.count < instanceLimit else {
          list.add(.tooManyInstances(limit: instanceLimit), at: stage.position, stage.path)
          return
        }
        var instance = StageInstance(
          stage: stage.name, bindings: bindings, kind: kind,
          parameters: combination.parameters, seed: combination.seed,
          inputs: partial.inputs.merging(gathered) { first, _ in first })
        instance.executor = stage.executor
        made.append(instance)
      }
      // A stage with fewer seeds of its own has no replicates beyond these, nor has what it feeds.
      if !used, hasNoInput(combination, of: stage, partials) { continue }
      if !used {
        let name = StageReference(stage: stage.name, bindings: combination.bindings).name
        list.add(
          .nothingToJoin("no input has an instance for `\(name)`"), at: stage.position,
          "\(stage.path).matrix")
        return
      }
    }
    if made.isEmpty, stage.exclusions.isEmpty, let first = stage.combinations.first {
      let name = StageReference(stage: stage.name, bindings: first.bindings).name
      list.add(
        .nothingToJoin("no input has an instance for `\(name)`"), at: stage.position,
        "\(stage.path).matrix")
      return
    }
    guard let kept = excluding(stage, from: made) else { return }
    expanded[stage.name] = Array(instances.count..<instances.count + kept.count)
    instances += kept
    for instance in kept { check(instance, of: stage) }
  }

  /// Whether a combination is of a replicate that some input does not have.
  private func hasNoInput(
    _ combination: StageDraft.Combination, of stage: StageDraft, _ partials: [Partial]
  ) -> Bool {
    guard stage.axes.contains(where: \.isReplicated),
      let own = combination.bindings.first(where: { $0.axis == Replication.axis })
    else { return false }
    return partials.allSatisfy { partial in
      partial.bindings.contains { $0.axis == own.axis && $0.label != own.label }
    }
  }

  /// Holds an instance against what is known of its inputs, and notes what is known of its own result.
  private mutating func check(_ instance: StageInstance, of stage: StageDraft) {
    let question = Question(
      kind: instance.kind.name, parameters: instance.parameters,
      upstream: Upstream(instance.inputs.mapValues { $0.map { foreseen[$0] } }))
    let answer: Answer
    if let known = answers[question] {
      answer = known
    } else {
      answer = Answer(
        foreseen: instance.kind.foresee(instance.parameters, question.upstream),
        problems: instance.kind.checkInputs(instance.parameters, question.upstream))
      answers[question] = answer
    }
    foreseen.append(answer.foreseen)
    for problem in answer.problems {
      list.add(
        .checkFailed(problem.message), at: stage.position(of: problem.path, in: instance),
        "\(stage.path).\(problem.path)")
    }
  }

  private mutating func excluding(
    _ stage: StageDraft, from made: [StageInstance]
  ) -> [StageInstance]? {
    var kept = made
    for exclusion in stage.exclusions {
      for (binding, position) in exclusion.bindings {
        let path = "\(exclusion.path).\(binding.axis)"
        guard let fault = Self.unknown(binding, stage: stage.name, among: made) else { continue }
        list.add(fault, at: position, path)
        return nil
      }
      let wanted = exclusion.bindings.map(\.binding)
      let left = kept.filter { !Set(wanted).isSubset(of: $0.bindings) }
      if left.count == kept.count {
        list.add(.excludesNothing, at: exclusion.position, exclusion.path)
      }
      kept = left
    }
    if kept.isEmpty, let last = stage.exclusions.last {
      list.add(.excludesEverything, at: last.position, last.path)
      return nil
    }
    return kept
  }

  private mutating func gather(_ lists: [[Partial]], input: StageDraft.Input) -> [Int] {
    var result: [Int] = []
    for (list, reference) in zip(lists, input.references) {
      for position in list.flatMap({ $0.inputs.values.flatMap { $0 } }) {
        if result.contains(position) {
          self.list.add(
            .gatheredTwice(instances[position].name), at: reference.position, reference.path)
        } else {
          result.append(position)
        }
      }
    }
    return result
  }

  /// The instances that a reference names, each with the axes that it does not fix; `nil` after
  /// a problem, or when the stage itself has one.
  private mutating func resolve(
    _ reference: StageDraft.Reference, for role: InputDeclaration
  ) -> [Partial]? {
    let target = reference.target
    guard self.target(reference, for: role) != nil, let positions = expanded[target.stage]
    else { return nil }
    let all = positions.map { instances[$0] }
    for binding in target.bindings {
      if let fault = Self.unknown(binding, stage: target.stage, among: all) {
        list.add(fault, at: reference.position, reference.path)
        return nil
      }
    }
    let fixed = Set(target.bindings)
    let result = positions.filter { fixed.isSubset(of: instances[$0].bindings) }.map { position in
      Partial(
        bindings: instances[position].bindings.filter { !fixed.contains($0) },
        inputs: [role.role: [position]])
    }
    if result.isEmpty {
      list.add(.nothingSelected(target.name), at: reference.position, reference.path)
      return nil
    }
    return result
  }

  static func unknown(
    _ binding: Binding, stage: String, among instances: [StageInstance]
  ) -> PipelineFault? {
    let values = instances.flatMap { $0.bindings.filter { $0.axis == binding.axis } }
    if values.isEmpty {
      let axes = instances.first?.bindings.map(\.axis) ?? []
      return .notAnAxis(binding.axis, stage: stage, axes: axes)
    }
    if values.contains(binding) { return nil }
    var labels: [String] = []
    for value in values where !labels.contains(value.label) { labels.append(value.label) }
    return .noSuchValue(binding.label, axis: binding.axis, values: labels)
  }

  private func join(_ partials: [Partial], _ choices: [Partial], role: String) -> [Partial] {
    var result: [Partial] = []
    for partial in partials {
      for choice in choices {
        guard let bindings = merged(partial.bindings, choice.bindings) else { continue }
        result.append(
          Partial(
            bindings: bindings, inputs: partial.inputs.merging(choice.inputs) { first, _ in first })
        )
        if result.count > instanceLimit { return result }
      }
    }
    return result
  }

  /// All axes of both, `nil` when they disagree on one.
  private func merged(_ first: [Binding], _ second: [Binding]) -> [Binding]? {
    var result = first
    for binding in second {
      if let same = result.first(where: { $0.axis == binding.axis }) {
        if same.label != binding.label { return nil }
      } else {
        result.append(binding)
      }
    }
    return result
  }

  private func mismatch(_ partials: [Partial], _ choices: [Partial], stage: String) -> String {
    let axes = Set(partials.flatMap { $0.bindings.map(\.axis) })
      .intersection(choices.flatMap { $0.bindings.map(\.axis) }).sorted()
    return "no instance of `\(stage)` agrees with the other inputs on "
      + axes.map { "`\($0)`" }.joined(separator: ", ")
  }
}
