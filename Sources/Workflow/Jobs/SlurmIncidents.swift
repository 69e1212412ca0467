import Foundation
import Lineage

/// What happened to Slurm's own programs while jobs of a run waited or ran, each told once.
///
/// Jobs outlive both slurmctld and slurmd, and most of this does them no harm; but whoever looks for the cause of
/// what did finds it here.
struct SlurmIncidents: Sendable {
  /// When slurmctld was started, as it was last seen; UTC, `2026-11-27T11:59:21`, as all of these.
  private var boot: String?
  private var waiting: [String] = []
  private var told: Set<String> = []
  private var asked = ContinuousClock.now

  /// Between two questions, unless there is a reason to ask.
  private static let interval = Duration.seconds(20)

  init(boot: String?) { self.boot = boot }

  /// Jobs of an earlier run were submitted then: did slurmctld start since?
  mutating func hadJobs(at date: Date) {
    guard let boot, boot > String(timestamp(date).prefix(19)) else { return }
    tell(controller: boot)
  }

  private mutating func tell(controller boot: String) {
    tell(
      "Slurm's controller (slurmctld) was started anew at \(boot)Z, while jobs were in its queue")
  }

  private mutating func tell(_ text: String) {
    if told.insert(text).inserted { waiting.append(text) }
  }

  /// - Parameter nodes: by name, since when jobs run there.
  mutating func news(of nodes: [String: String], isDue: Bool, _ slurm: Slurm) -> [String] {
    let now = ContinuousClock.now
    if isDue || now - asked >= Self.interval {
      asked = now
      look(nodes, slurm)
    }
    defer { waiting = [] }
    return waiting
  }

  private mutating func look(_ nodes: [String: String], _ slurm: Slurm) {
    if let found = slurm.bootNow() {
      if let boot, boot != found { tell(controller: found) }
      boot = found
    }
    if nodes.isEmpty { return }
    for (name, node) in (slurm.nodes(nodes.keys.sorted()) ?? [:]).sorted(by: { $0.key < $1.key }) {
      if let start = node.start, let since = nodes[name], start > since {
        tell("slurmd of node \(name) was started anew at \(start)Z, while jobs were there")
      }
      if let trouble = node.trouble { tell("node \(name) is \(trouble)") }
    }
  }
}

extension Slurm {
  struct Node: Hashable {
    /// When its slurmd was started.
    var start: String?
    /// `DOWN (reason)`; `nil` for one that takes jobs.
    var trouble: String?
  }

  func bootNow() -> String? {
    guard let answer = ask(["scontrol", "show", "config"]), answer.code == 0 else { return nil }
    return Self.settings(answer.output)["BOOT_TIME"]
  }

  /// `nil` where there is no answer.
  func nodes(_ names: [String]) -> [String: Node]? {
    guard
      let answer = ask(["scontrol", "show", "node", "--oneliner", names.joined(separator: ",")]),
      answer.code == 0
    else { return nil }
    return Self.nodes(answer.output)
  }

  /// Lines such as `NodeName=n1 … State=DOWN+DRAIN … SlurmdStartTime=2026-11-27T11:59:21 … Reason=not responding
  /// [root@2026-11-27T12:03:01]`.
  static func nodes(_ text: String) -> [String: Node] {
    var nodes: [String: Node] = [:]
    for line in text.split(separator: "\n") {
      let facts = facts(String(line))
      guard let name = facts["NodeName"] else { continue }
      let start = facts["SlurmdStartTime"]
      let states = Set((facts["State"] ?? "").split(whereSeparator: { "+*".contains($0) }))
      let bad = states.intersection(["DOWN", "DRAIN", "FAIL", "NOT_RESPONDING", "UNKNOWN", "ERROR"])
      let reason = line.range(of: " Reason=").map {
        line[$0.upperBound...].prefix { $0 != "[" }.trimmingCharacters(in: .whitespaces)
      }
      nodes[name] = Node(
        start: ["None", "Unknown", "N/A"].contains(start) ? nil : start,
        trouble: bad.isEmpty
          ? nil : bad.sorted().joined(separator: "+") + (reason.map { " (\($0))" } ?? ""))
    }
    return nodes
  }
}
