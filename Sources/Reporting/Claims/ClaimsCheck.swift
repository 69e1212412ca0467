import Artifacts
import Formats
import Workflow

/// Holds the claims of a pipeline file against its stages: each names one denoiser, and what it says is
/// measured.
struct ClaimsCheck {
  private let instances: StageInstances
  private var problems: [PipelineExtension.Problem] = []
  /// By name.
  private var statements: [String] = []

  init(_ instances: StageInstances) { self.instances = instances }

  func problems(_ value: JSONValue) -> [PipelineExtension.Problem] {
    var check = self
    let names = (value["statements"]?.array ?? []).compactMap { $0["name"]?.string }
    for (place, name) in names.enumerated() where names[..<place].contains(name) {
      check.add("statements[\(place)].name", "\"\(name)\" is stated before; accepted: another name")
    }
    check.statements = names
    for (place, name) in names.enumerated() where !check.isMeant(name, value) {
      check.add(
        "statements[\(place)]",
        "no claim supports or refutes \"\(name)\"; accepted: one that a claim names")
    }
    for key in ["fails", "composes", "local", "repairs"] + Self.remoteKeys {
      for (place, claim) in (value[key]?.array ?? []).enumerated() {
        check.hold(claim, of: key, at: "\(key)[\(place)]")
      }
    }
    return check.problems
  }

  private func isMeant(_ statement: String, _ value: JSONValue) -> Bool {
    (["fails", "composes", "repairs"] + Self.remoteKeys).contains { key in
      (value[key]?.array ?? []).contains { claim in
        Claims.Statement.Side.allCases.contains { claim[$0.rawValue]?.string == statement }
      }
    }
  }

  private mutating func add(_ path: String, _ message: String) {
    problems.append(.init(path: path, fault: .checkFailed(message)))
  }

  private static let remoteKeys = Claims.Remote.Kind.allCases.map(\.rawValue)

  private mutating func hold(_ claim: JSONValue, of key: String, at path: String) {
    let before = problems.count
    let sides = Claims.Statement.Side.allCases.map(\.rawValue).filter { claim[$0]?.string != nil }
    if sides.count > 1 {
      add("\(path).\(sides[1])", "stands beside `\(sides[0])`; accepted: one of the two")
    }
    for side in sides {
      guard let name = claim[side]?.string, !statements.contains(name) else { continue }
      add(
        "\(path).\(side)",
        "found \"\(name)\", accepted: \(statements.isEmpty ? "a name under `statements`" : list(statements))"
      )
    }
    let ends = (claim["k"]?.array ?? []).compactMap(\.integer)
    if ends.count == 2, ends[0] > ends[1] {
      add("\(path).k", "the least, \(ends[0]), exceeds the most, \(ends[1]); swap them")
    }
    let compared =
      key == "repairs"
      ? repair(claim, path)
      : (key == Claims.Remote.Kind.number.rawValue ? ["model"] : ["model", "against"]).map {
        ($0, replicates(claim, path, $0))
      }
    for (place, later) in compared.enumerated() {
      for earlier in compared[..<place] where !Set(earlier.found).isDisjoint(with: later.found) {
        add(
          "\(path).\(later.key)",
          "is the same instance as `\(earlier.key)`; accepted: another one")
      }
    }
    // What is measured on an instance that is not there would be a second word for one fault.
    guard problems.count == before else { return }
    if key == "local" {
      probes(of: compared, claim, path)
    } else if Self.remoteKeys.contains(key) {
      remoteProbes(of: compared, claim, path)
    } else {
      evaluations(
        of: compared, ends.count == 2 ? ends[0]...ends[1] : nil, claim["guidance"]?.number, path)
    }
  }

  private typealias Named = (key: String, found: [Int])

  private mutating func repair(_ claim: JSONValue, _ path: String) -> [Named] {
    let base = replicates(claim, path, "of")
    var compared = [Named("of", base)]
    for key in ["mask", "control"] where claim[key]?.string != nil {
      let masked = replicates(claim, path, key)
      compared.append((key, masked))
      let stray = masked.first { masked in
        !base.contains { instances.takes(masked, from: $0, as: MaskRow.role) }
      }
      guard let stray, let first = base.first else { continue }
      add(
        "\(path).\(key)",
        "`\(instances.all[stray].name)` does not take `\(instances.all[first].name)` as an input;"
          + " accepted: what is made from the denoiser in `of`")
    }
    return compared
  }

  /// The replicates of the one instance that is named; none after a problem.
  private mutating func replicates(_ claim: JSONValue, _ path: String, _ key: String) -> [Int] {
    guard let text = claim[key]?.string else { return [] }
    switch instances.named(text) {
    case .fault(let fault):
      problems.append(.init(path: "\(path).\(key)", fault: fault))
      return []
    case .found(let found):
      var names: [String] = []
      for position in found {
        let instance = instances.all[position]
        let name = StageReference(stage: instance.stage, bindings: instance.bindings)
          .withoutSeed.name
        if !names.contains(name) { names.append(name) }
      }
      let made = instances.all[found[0]].kind.produces
      if made != .denoiser {
        add("\(path).\(key)", "makes a \(made); accepted: what makes a \(ArtifactType.denoiser)")
        return []
      }
      if names.count == 1 { return found }
      add(
        "\(path).\(key)",
        "names \(names.count) instances; accepted: one of "
          + names.prefix(12).map { "\"\($0)\"" }.joined(separator: ", "))
      return []
    }
  }

  // MARK: - What is measured

  /// The values at which something is measured on all replicates of all that a claim compares; `nil` if
  /// that is known afterwards only, or after a problem.
  private mutating func common<Value: Comparable>(
    _ compared: [Named], _ type: ArtifactType, _ what: String, _ path: String,
    _ values: (Foreseen) -> [Value]?
  ) -> [Value]? {
    var common: [Value]?
    var isForeseen = true
    for (key, found) in compared {
      for position in found {
        let users = instances.users(of: position, making: type)
        if users.isEmpty {
          add(
            "\(path).\(key)",
            "no stage \(what) `\(instances.all[position].name)`; add one, or drop the claim")
          return nil
        }
        let measured = users.map { values(Foreseen(instances.foreseen[$0])) }
        guard !measured.contains(where: { $0 == nil }) else {
          isForeseen = false
          continue
        }
        let own = measured.flatMap { $0 ?? [] }
        common = common?.filter(own.contains) ?? own
      }
    }
    guard isForeseen, let common else { return nil }
    return common.sorted()
  }

  private mutating func evaluations(
    of compared: [Named], _ counts: ClosedRange<Int>?, _ guidance: Double?, _ path: String
  ) {
    let measured = common(compared, .outcomes, "evaluates", path) { foreseen in
      guidance.map { $0 == foreseen.guidance ?? 1 } ?? true ? foreseen.counts : []
    }
    guard let measured else { return }
    if let guidance, measured.isEmpty {
      let all = common(compared, .outcomes, "evaluates", path) { [$0.guidance ?? 1] }
      add(
        "\(path).guidance",
        "no K is evaluated with guidance \(guidance) on all that the claim compares; guidance that all have: "
          + list(all ?? []))
      return
    }
    if let counts, !measured.contains(where: counts.contains) {
      add(
        "\(path).k",
        "no K from \(counts.lowerBound) to \(counts.upperBound) is evaluated on all that the claim"
          + " compares; evaluated: \(list(measured))")
    } else if measured.isEmpty {
      add(path, "no K is evaluated on all that the claim compares; give the stages common `counts`")
    }
  }

  private mutating func probes(of compared: [Named], _ claim: JSONValue, _ path: String) {
    let sigmas = common(compared, .locality, "probes", path, \.sigmas)
    guard let sigmas else { return }
    if let sigma = claim["sigma"]?.number, !sigmas.contains(sigma) {
      add(
        "\(path).sigma",
        "σ \(sigma) is not probed on both; probed: \(list(sigmas)) (default \(Claims.sigma))")
    }
    if let k = claim["objects"]?.integer,
      let counts = common(compared, .locality, "probes", path, \.counts), !counts.contains(k)
    {
      add("\(path).objects", "K = \(k) is not probed on both; probed: \(list(counts))")
    }
    // Every window of odd side that can touch the picture from one of its pixels.
    if let window = claim["window"]?.integer,
      let widest = common(compared, .locality, "probes", path, { $0.size.map { [2 * $0 - 1] } })?
        .max(),
      window % 2 == 0 || window > widest
    {
      add(
        "\(path).window",
        "no window of \(window) px is probed; accepted: an odd number from 1 to \(widest)")
    }
  }

  private mutating func remoteProbes(of compared: [Named], _ claim: JSONValue, _ path: String) {
    let ends = (claim["sigma"]?.array ?? []).compactMap(\.number)
    if ends.count == 2, ends[0] > ends[1] {
      add("\(path).sigma", "the least, \(ends[0]), exceeds the highest, \(ends[1]); swap them")
      return
    }
    let sigmas = common(compared, .locality, "probes", path, \.remoteSigmas)
    guard let sigmas else { return }
    if sigmas.isEmpty {
      add(
        path,
        "no noise level is probed for remote labels on both; give the probes `layouts` and `remote_sigmas`"
      )
    } else if ends.count == 2, !sigmas.contains(where: { (ends[0]...ends[1]).contains($0) }) {
      add("\(path).sigma", "no σ of these is probed on both; probed: \(list(sigmas))")
    }
    if let k = claim["objects"]?.integer,
      let counts = common(compared, .locality, "probes", path, \.counts), !counts.contains(k)
    {
      add("\(path).objects", "K = \(k) is not probed on both; probed: \(list(counts))")
    }
  }

  private func list<Value: Hashable>(_ values: [Value]) -> String {
    var named: [Value] = []
    for value in values where !named.contains(value) { named.append(value) }
    return named.isEmpty ? "none" : named.map { "\($0)" }.joined(separator: ", ")
  }
}
