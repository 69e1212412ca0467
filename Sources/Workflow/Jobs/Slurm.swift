import Foundation

/// Slurm's own programs, and how their answers are read.
struct Slurm: Sendable {
  private let environment: [String: String]
  /// Answers are read by one clock and in one language, whatever those here are.
  private let asking: [String: String]
  /// When the scheduler was started, UTC.
  let boot: String?
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
    asking = self.environment.merging(["TZ": "UTC", "LC_ALL": "C"]) { $1 }
    guard let answer = Program.run(Self.configuration, environment: asking) else {
      throw .noScheduler(Self.absent)
    }
    guard answer.code == 0 else {
      throw .noScheduler(answer.error.trimmingCharacters(in: .whitespacesAndNewlines))
    }
    let settings = Self.settings(answer.output)
    let size = settings["MaxArraySize"].flatMap { Int($0) } ?? 1001
    // Task numbers are below it. More than a thousand tasks a call gain nothing.
    largestArray = max(1, min(size - 1, 1000))
    hasAccounting = settings["AccountingStorageType"]?.hasSuffix("/none") == false
    boot = settings["BOOT_TIME"]
  }

  private static let configuration = ["scontrol", "show", "config"]

  func ask(_ words: [String]) -> Program.Answer? { Program.run(words, environment: asking) }

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

  /// Cancels those that wait or run under their names: a number alone may be somebody else's by now. (With
  /// `--name`, scancel takes a task for its whole array.)
  func cancel(_ jobs: [SlurmID]) {
    guard let queue = queue() else { return }
    var tasks: [String: [String]] = [:]
    for job in jobs where queue[job.text] != nil {
      let parts = job.shown.split(separator: "_").map(String.init)
      tasks[parts[0], default: []] += parts.dropFirst()
    }
    for (number, tasks) in tasks {
      let word = tasks.isEmpty ? number : "\(number)_[\(tasks.joined(separator: ","))]"
      _ = ask(["scancel", "--quiet", word])
    }
  }

  // MARK: - What it says of jobs

  private static let format = "%F|%K|%T|%N|%L|%S|%r|%j"
  /// Tasks of an array that wait are one line; their numbers are not to be cut off.
  private static let wholeLists = ["SLURM_BITSTR_LEN": "0"]

  /// All jobs of this user that Locus submitted and that wait or run; `nil` where there is no answer.
  func queue() -> [String: JobState]? {
    guard
      let answer = Program.run(
        ["squeue", "--noheader", "--me", "--format=\(Self.format)"],
        environment: asking.merging(Self.wholeLists) { $1 }), answer.code == 0
    else { return nil }
    return Self.queue(answer.output)
  }

  static func queue(_ text: String) -> [String: JobState] {
    var jobs: [String: JobState] = [:]
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: "|", maxSplits: 7, omittingEmptySubsequences: false)
        .map(String.init)
      guard fields.count == 8, fields[7].hasPrefix(Batch.prefix) else { continue }
      let state = state(
        fields[2], node: fields[3], timeLeft: fields[4], since: fields[5], reason: fields[6])
      let tasks = tasks(fields[1])
      for task in tasks.isEmpty ? [nil] : tasks.map(Optional.some) {
        jobs[SlurmID(number: fields[0], task: task, name: fields[7]).text] = state
      }
    }
    return jobs
  }

  /// `4`, or `4-9,11`, perhaps with the most at once, `%2`, after it; none for what is no task.
  static func tasks(_ text: String) -> [Int] {
    text.prefix { $0 != "%" }.split(separator: ",").flatMap { part -> [Int] in
      let ends = part.split(separator: "-").map { Int($0) }
      guard let first = ends.first ?? nil, let last = ends.last ?? nil, first <= last,
        last - first < 1 << 20
      else { return [] }
      return Array(first...last)
    }
  }

  private static func state(
    _ word: String, node: String, timeLeft: String, since: String, reason: String
  ) -> JobState? {
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
      timeLeft: ["UNLIMITED", "INVALID", "NOT_SET", "N/A", ""].contains(timeLeft) ? nil : timeLeft,
      since: ["N/A", "Unknown", ""].contains(since) ? nil : since)
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
    let answer = ask(
      ["squeue", "--noheader", "--me", "--states=all", "--name=\(name)", "--format=%F"])
    guard let answer, answer.code == 0 else { return .noAnswer }
    if let number = Self.number(answer.output) { return .number(number) }
    guard hasAccounting else { return .none }
    let accounted = ask(
      [
        "sacct", "--noheader", "--allocations", "--parsable2", "--starttime=now-30days",
        "--name=\(name)", "--format=JobID",
      ])
    guard let accounted, accounted.code == 0 else { return .noAnswer }
    return Self.number(accounted.output).map(Found.number) ?? .none
  }

  private static func number(_ text: String) -> String? {
    let line = text.split(separator: "\n").first ?? ""
    let digits = line.drop { $0 == " " }.prefix { $0.isNumber }
    return digits.isEmpty ? nil : String(digits)
  }

  /// `nil` while it has not ended, and where there is no answer.
  func ending(of job: SlurmID) -> JobEnding? {
    if hasAccounting,
      let answer = ask(
        [
          "sacct", "--noheader", "--allocations", "--parsable2", "--jobs=\(job.shown)",
          "--name=\(job.name)", "--format=State,NodeList,ExitCode",
        ]), answer.code == 0, let found = Self.accounted(answer.output)
    {
      return found
    }
    guard let answer = ask(["scontrol", "show", "job", "--oneliner", job.shown]) else { return nil }
    let isUnknown = ["Invalid job id", "not found"].contains {
      answer.error.contains($0) || answer.output.contains($0)
    }
    if isUnknown { return JobEnding(reason: "vanished") }
    return answer.code == 0 ? Self.ending(answer.output, name: job.name) : nil
  }

  /// What `sacct` says: `CANCELLED by 1000|n1|0:15`; of a job that began anew the last line counts.
  static func accounted(_ text: String) -> JobEnding? {
    guard let line = text.split(separator: "\n").last else { return nil }
    let fields = line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
    let word = fields[0].split(separator: " ").first.map(String.init) ?? ""
    guard ended.contains(word) else { return nil }
    return ending(word, node: fields.dropFirst().first, code: fields.dropFirst(2).first)
  }

  /// What `scontrol show job` says.
  static func ending(_ text: String, name: String) -> JobEnding? {
    let facts = facts(text)
    if let other = facts["JobName"], other != name { return JobEnding(reason: "vanished") }
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
    guard let answer = ask(words), answer.code == 0 else { return [:] }
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
