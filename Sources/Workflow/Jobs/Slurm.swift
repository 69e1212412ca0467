import Foundation

/// Slurm's own programs, and how their answers are read.
struct Slurm: Sendable {
  private let environment: [String: String]
  /// The most tasks of an array.
  let largestArray: Int
  /// Whether `sacct` has something to tell.
  private let hasAccounting: Bool

  static let absent = "Slurm's programs (sbatch, squeue) are not to be found in PATH"

  /// - Throws: `WorkflowError.noScheduler`.
  init(environment: [String: String]) throws(WorkflowError) {
    // What belongs to a job around this process is not for the jobs that it submits.
    self.environment = environment.filter { name, _ in
      name == "SLURM_CONF"
        || !["SLURM_", "SBATCH_", "SQUEUE_", "SCANCEL_", "SACCT_"].contains {
          name.hasPrefix($0)
        }
    }
    guard
      let answer = Program.run(["scontrol", "show", "config"], environment: self.environment)
    else { throw .noScheduler(Self.absent) }
    guard answer.code == 0 else {
      throw .noScheduler(answer.error.trimmingCharacters(in: .whitespacesAndNewlines))
    }
    let settings = Self.settings(answer.output)
    let size = settings["MaxArraySize"].flatMap { Int($0) } ?? 1001
    // Task numbers are below it. More than a thousand tasks a call gain nothing.
    largestArray = max(1, min(size - 1, 1000))
    hasAccounting = settings["AccountingStorageType"]?.hasSuffix("/none") == false
  }

  /// Lines such as `MaxArraySize            = 1001`.
  static func settings(_ text: String) -> [String: String] {
    var settings: [String: String] = [:]
    for line in text.split(separator: "\n") {
      let sides = line.split(separator: "=", maxSplits: 1).map {
        $0.trimmingCharacters(in: .whitespaces)
      }
      if sides.count == 2 { settings[sides[0]] = sides[1] }
    }
    return settings
  }

  /// Whether a failure of `sbatch` may pass.
  static func isPassing(_ reason: String) -> Bool {
    let words = [
      "contact slurm controller", "timed out", "temporarily", "Connection refused",
      "Zero Bytes were transmitted", "Unexpected message", "unable to connect",
      "communications", "try again",
    ]
    return words.contains { reason.range(of: $0, options: .caseInsensitive) != nil }
  }

  func submit(_ words: [String], script: URL, output: Int32) -> Program.Answer {
    Program.run(["sbatch"] + words + [script.path], environment: environment, output: output)
      ?? Program.Answer(code: 127, output: "", error: Self.absent)
  }

  func cancel(_ jobs: [String]) {
    for start in stride(from: 0, to: jobs.count, by: 500) {
      let part = jobs[start..<min(start + 500, jobs.count)]
      _ = Program.run(["scancel", "--quiet"] + part, environment: environment)
    }
  }

  // MARK: - What it says of jobs

  private static let format = "%F|%K|%T|%N|%L|%r|%j"

  /// All jobs of this user that Locus submitted and that wait or run; `nil` where there is no answer.
  func queue() -> [String: JobState]? {
    guard
      let answer = Program.run(
        ["squeue", "--noheader", "--me", "--array", "--format=\(Self.format)"],
        environment: environment), answer.code == 0
    else { return nil }
    return Self.queue(answer.output)
  }

  static func queue(_ text: String) -> [String: JobState] {
    var jobs: [String: JobState] = [:]
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: "|", maxSplits: 6, omittingEmptySubsequences: false)
        .map(String.init)
      guard fields.count == 7, fields[6].hasPrefix(Batch.prefix) else { continue }
      jobs[job(fields[0], fields[1])] = state(
        fields[2], node: fields[3], timeLeft: fields[4], reason: fields[5])
    }
    return jobs
  }

  private static func job(_ number: String, _ task: String) -> String {
    Int(task) == nil ? number : "\(number)_\(task)"
  }

  private static func state(_ word: String, node: String, timeLeft: String, reason: String)
    -> JobState?
  {
    // Held after a failure, or waiting for what never comes: it would wait for ever.
    let isStuck =
      ["SPECIAL_EXIT", "REQUEUE_HOLD"].contains(word)
      || word == "PENDING"
        && ["launch failed requeued held", "DependencyNeverSatisfied", "JobHoldMaxRequeue"]
          .contains { reason.contains($0) }
    if isStuck { return .stuck(reason: reason.isEmpty ? word : reason) }
    if word == "PENDING" || word == "REQUEUED" || word == "CONFIGURING" {
      return .queued(reason: reason == "None" || reason.isEmpty ? nil : reason)
    }
    if ended.contains(word) { return nil }
    return .running(
      node: node.isEmpty ? nil : node,
      timeLeft: ["UNLIMITED", "INVALID", "NOT_SET", "N/A", ""].contains(timeLeft) ? nil : timeLeft)
  }

  /// Words for a job that is not at work any more.
  private static let ended: Set<String> = [
    "BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY",
    "PREEMPTED", "REVOKED", "TIMEOUT",
  ]

  enum Found: Hashable {
    case number(String)
    case none
    case noAnswer
  }

  /// The number of the job, or the array, of this name.
  func number(named name: String) -> Found {
    let answer = Program.run(
      ["squeue", "--noheader", "--me", "--states=all", "--name=\(name)", "--format=%F"],
      environment: environment)
    guard let answer, answer.code == 0 else { return .noAnswer }
    if let number = Self.number(answer.output) { return .number(number) }
    guard hasAccounting else { return .none }
    let accounted = Program.run(
      [
        "sacct", "--noheader", "--allocations", "--parsable2", "--starttime=now-30days",
        "--name=\(name)", "--format=JobID",
      ], environment: environment)
    guard let accounted, accounted.code == 0 else { return .noAnswer }
    return Self.number(accounted.output).map(Found.number) ?? .none
  }

  private static func number(_ text: String) -> String? {
    let line = text.split(separator: "\n").first ?? ""
    let digits = line.drop { $0 == " " }.prefix { $0.isNumber }
    return digits.isEmpty ? nil : String(digits)
  }

  /// `nil` while it has not ended, and where there is no answer.
  func ending(of job: String) -> JobEnding? {
    if hasAccounting,
      let answer = Program.run(
        [
          "sacct", "--noheader", "--allocations", "--parsable2", "--jobs=\(job)",
          "--format=State,NodeList,ExitCode",
        ], environment: environment), answer.code == 0,
      let line = answer.output.split(separator: "\n").last
    {
      let fields = line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
      let word = fields[0].split(separator: " ").first.map(String.init) ?? ""
      if Self.ended.contains(word) {
        return Self.ending(word, node: fields.dropFirst().first, code: fields.dropFirst(2).first)
      }
    }
    guard
      let answer = Program.run(
        ["scontrol", "show", "job", "--oneliner", job], environment: environment)
    else { return nil }
    if answer.code != 0 {
      return answer.error.contains("Invalid job id") ? JobEnding(reason: "vanished") : nil
    }
    return Self.ending(answer.output)
  }

  /// What `scontrol show job` says.
  static func ending(_ text: String) -> JobEnding? {
    let facts = facts(text)
    guard let word = facts["JobState"], ended.contains(word) else { return nil }
    return ending(word, node: facts["NodeList"], code: facts["ExitCode"])
  }

  private static func ending(_ word: String, node: String?, code: String?) -> JobEnding {
    // A zero says nothing, and the words say the rest.
    let isTold = word == "FAILED" || word == "COMPLETED"
    let code = isTold ? code.map { " (exit code \($0))" } ?? "" : ""
    let isNode = node.map { !["", "(null)", "None assigned"].contains($0) } ?? false
    return JobEnding(reason: word + code, node: isNode ? node : nil)
  }

  /// `JobId=2 JobName=x JobState=RUNNING …`; of a job that has several lines the first.
  static func facts(_ text: String) -> [String: String] {
    var facts: [String: String] = [:]
    for word in text.split(whereSeparator: \.isWhitespace) {
      let sides = word.split(separator: "=", maxSplits: 1)
      guard sides.count == 2, facts[String(sides[0])] == nil else { continue }
      facts[String(sides[0])] = String(sides[1])
    }
    return facts
  }

  // MARK: - Nodes

  /// How many nodes there are by their features, in a partition or in all.
  func nodeKinds(partition: String?) -> [String: Int] {
    let words =
      ["sinfo", "--noheader", "--Node", "--format=%N|%b|%z"]
      + (partition.map { ["--partition=\($0)"] } ?? [])
    guard let answer = Program.run(words, environment: environment), answer.code == 0 else {
      return [:]
    }
    return Self.nodeKinds(answer.output)
  }

  static func nodeKinds(_ text: String) -> [String: Int] {
    var seen: Set<Substring> = []
    var kinds: [String: Int] = [:]
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: "|", omittingEmptySubsequences: false)
      // A node of two partitions has two lines.
      guard fields.count == 3, seen.insert(fields[0]).inserted else { continue }
      kinds[fields[1] == "(null)" ? "no features" : String(fields[1]), default: 0] += 1
    }
    return kinds
  }
}
