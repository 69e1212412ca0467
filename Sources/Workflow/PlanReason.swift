import Formats

/// Why a stage runs or does not, to the field.
public enum PlanReason: Sendable, Hashable {
  case unchanged
  case forced
  case neverRun
  case neverFinished
  case kindChanged(old: String, new: String)
  case version(kind: String, old: Int?, new: Int)
  case parameter(path: String, old: String?, new: String?)
  case seed(old: String, new: String)
  case inputContent(role: String)
  case inputAdded(role: String)
  case inputRemoved(role: String)
  case artifactMissing(role: String)
  /// Instances whose results are not known yet; at least one.
  case inputsRun([String])

  public var text: String {
    switch self {
    case .unchanged: "unchanged"
    case .forced: "forced"
    case .neverRun: "never run"
    case .neverFinished: "never finished"
    case .kindChanged(let old, let new): "kind `\(old)` → `\(new)`"
    case .version(let kind, let old?, let new): "kind `\(kind)` version \(old) → \(new)"
    case .version(let kind, nil, let new): "kind `\(kind)` has the new version \(new)"
    case .parameter(let path, let old, let new):
      "parameter `\(path)` \(old ?? "(none)") → \(new ?? "(none)")"
    case .seed(let old, let new): "seed \(old) → \(new)"
    case .inputContent(let role): "input `\(role)` has other content"
    case .inputAdded(let role): "input `\(role)` is new"
    case .inputRemoved(let role): "input `\(role)` is gone"
    case .artifactMissing(let role): "artifact `\(role)` missing"
    case .inputsRun(let names):
      (names.count == 1 ? "an input will run: " : "inputs will run: ")
        + names.prefix(3).map { "`\($0)`" }.joined(separator: ", ")
        + (names.count > 3 ? " and \(names.count - 3) more" : "")
    }
  }
}

/// What is known of the execution that a stage is compared with.
struct PreviousSpecification: Sendable {
  var key: String
  var kind: String
  var parameters: JSONValue
  var seed: UInt64
  /// By input role, the hashes of all files, sorted.
  var inputs: [String: [String]]
}

/// Every difference between what was executed and what shall be; never empty.
func differences(
  from previous: PreviousSpecification, to new: StageSpecification
) -> [PlanReason] {
  if previous.kind != new.kind { return [.kindChanged(old: previous.kind, new: new.kind)] }
  var reasons = parameterDifferences(from: previous.parameters, to: new.parameters, path: "")
  if previous.seed != new.seed {
    reasons.append(.seed(old: "\(previous.seed)", new: "\(new.seed)"))
  }
  let inputs = new.inputs.mapValues { $0.flatMap(\.values).sorted() }
  for role in Set(inputs.keys).union(previous.inputs.keys).sorted() {
    switch (previous.inputs[role], inputs[role]) {
    case (nil, _?): reasons.append(.inputAdded(role: role))
    case (_?, nil): reasons.append(.inputRemoved(role: role))
    case (let old, let new): if old != new { reasons.append(.inputContent(role: role)) }
    }
  }
  if reasons.isEmpty || previousVersion(previous.key, of: new) != nil {
    reasons.append(
      .version(kind: new.kind, old: previousVersion(previous.key, of: new), new: new.version))
  }
  return reasons
}

/// Keys do not tell the version that went into them, but there are few versions: the one that
/// gives the old key from the new specification is it. `nil` when something else differs too.
private func previousVersion(_ key: String, of new: StageSpecification) -> Int? {
  (0..<max(0, min(new.version, 1000))).last { version in
    var older = new
    older.version = version
    return older.key == key
  }
}

/// The leaves that differ. Lists are compared as a whole.
func parameterDifferences(
  from old: JSONValue?, to new: JSONValue?, path: String
) -> [PlanReason] {
  if old == new { return [] }
  if case .object(let first)? = old, case .object(let second)? = new {
    return Set(first.keys).union(second.keys).sorted().flatMap {
      parameterDifferences(from: first[$0], to: second[$0], path: join(path, $0))
    }
  }
  return [
    .parameter(path: path, old: old?.canonicalText(), new: new?.canonicalText())
  ]
}
