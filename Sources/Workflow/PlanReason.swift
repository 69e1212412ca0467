import Formats
import Lineage

/// Why a stage runs or does not, to the field.
package enum PlanReason: Sendable, Hashable {
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
  case artifactChanged(role: String)
  /// Instances whose results are not known yet; at least one.
  case inputsRun([String])

  init(_ difference: ParameterDifference) {
    self = .parameter(path: difference.path, old: difference.old, new: difference.new)
  }

  package var text: String {
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
    case .artifactChanged(let role): "artifact `\(role)` is not what was made"
    case .inputsRun(let names):
      (names.count == 1 ? "an input will run: " : "inputs will run: ")
        + names.prefix(3).map { "`\($0)`" }.joined(separator: ", ")
        + (names.count > 3 ? " and \(names.count - 3) more" : "")
    }
  }
}

/// What is known of the execution that a stage is compared with.
struct PreviousSpecification: Sendable {
  /// The execution.
  var id: String
  var key: String
  /// All but the version: `version(near:)` gives it.
  var specification: StageSpecification
  /// `nil` for executions from before the store kept it.
  private var version: Int?

  init(_ record: ExecutionRecord) {
    id = record.id
    key = record.key
    version = record.kindVersion
    // `scenes/pixels` is of the one stage behind `scenes`; `evaluations[3]/outcomes` of the fourth
    // that `evaluations` gathers.
    var stages: [String: [Substring: [String: String]]] = [:]
    for input in record.inputs {
      let parts = input.role.split(separator: "/", maxSplits: 1)
      guard parts.count == 2 else { continue }
      let role = String(parts[0].prefix { $0 != "[" })
      stages[role, default: [:]][parts[0], default: [:]][String(parts[1])] = input.sha256
    }
    specification = StageSpecification(
      kind: record.kind, version: 0, parameters: record.parameters, seed: record.seed,
      inputs: stages.mapValues { Array($0.values) })
  }

  /// The version of the kind. Where it was not recorded: a key does not tell the version that went into
  /// it, but there are few versions, and the one that gives the key is it. `nil` when none does.
  func version(near version: Int) -> Int? {
    if let known = self.version { return known }
    let later = version + 1...version + 16
    let candidates = [version] + (0..<max(0, min(version, 1000))).reversed() + Array(later)
    return candidates.first { candidate in
      var older = specification
      older.version = candidate
      return older.key == key
    }
  }
}

/// Every difference between what was executed and what shall be; never empty.
func differences(
  from previous: PreviousSpecification, to new: StageSpecification
) -> [PlanReason] {
  let old = previous.specification
  if old.kind != new.kind { return [.kindChanged(old: old.kind, new: new.kind)] }
  var reasons = ParameterDifference.all(from: old.parameters, to: new.parameters)
    .map(PlanReason.init)
  if old.seed != new.seed { reasons.append(.seed(old: "\(old.seed)", new: "\(new.seed)")) }
  func content(_ inputs: [String: [[String: String]]]) -> [String: [String]] {
    inputs.mapValues { $0.flatMap(\.values).sorted() }
  }
  let (before, after) = (content(old.inputs), content(new.inputs))
  for role in Set(after.keys).union(before.keys).sorted() {
    switch (before[role], after[role]) {
    case (nil, _?): reasons.append(.inputAdded(role: role))
    case (_?, nil): reasons.append(.inputRemoved(role: role))
    case (let old, let new): if old != new { reasons.append(.inputContent(role: role)) }
    }
  }
  let version = previous.version(near: new.version)
  if version != new.version, version != nil || reasons.isEmpty {
    reasons.append(.version(kind: new.kind, old: version, new: new.version))
  }
  return reasons
}

/// One parameter that two executions do not share.
package struct ParameterDifference: Sendable, Hashable {
  /// For example `network.width`.
  package var path: String
  /// As canonical JSON; `nil` where there is none.
  package var old: String?
  package var new: String?

  /// The leaves that differ, by path. Lists are compared as a whole.
  package static func all(from old: JSONValue?, to new: JSONValue?, path: String = "") -> [Self] {
    if old == new { return [] }
    if case .object(let first)? = old, case .object(let second)? = new {
      return Set(first.keys).union(second.keys).sorted().flatMap {
        all(from: first[$0], to: second[$0], path: join(path, $0))
      }
    }
    return [Self(path: path, old: old?.canonicalText(), new: new?.canonicalText())]
  }
}
