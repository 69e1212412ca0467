import Formats
import Foundation
import Lineage

/// Executes orders as jobs of Slurm, by its own programs: `sbatch`, `squeue`, `scontrol`, `sacct`, `scancel`.
///
/// Orders of equal options are submitted in one call, as arrays below the scheduler's largest. Nothing is
/// submitted that waits for a job: whatever needs a result is submitted once the result is in the store.
package struct SlurmExecutor: Executor {
  private let slurm: Slurm
  private let batches: BatchFolder
  private let program: String
  private var incidents: SlurmIncidents
  /// By the name of a batch, how often sbatch said yes and no job came of it.
  private var vain: [String: Int] = [:]
  /// By key and attempt, the batch that an earlier process or this one made.
  private var known: [Batch.Member: (batch: Batch, place: Int)] = [:]

  /// - Parameters:
  ///   - store: where orders lie, as every node sees it.
  ///   - program: Locus itself, as every node sees it.
  package init(
    store: URL, program: String, environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws {
    slurm = try Slurm(environment: environment)
    batches = BatchFolder(store: store.standardizedFileURL)
    self.program = program
    incidents = SlurmIncidents(boot: slurm.boot)
    for batch in try batches.all() {
      // What has succeeded, or was removed, has no orders any more.
      let isLeft = try batch.members.contains { member in
        try OrderFolder(store: store, key: member.key).attempts().contains(member.attempt)
      }
      if isLeft { remember(batch) } else { try batches.remove(batch) }
      if isLeft, let moment = batches.answeredAt(batch) { incidents.hadJobs(at: moment) }
    }
  }

  package var noun: String { "Slurm job" }
  package func shown(_ job: String) -> String { SlurmID(job)?.shown ?? job }
  package var outlives: Bool { true }
  package var patience: Duration { .seconds(5) }

  /// A fiftieth of the time in which nothing changed: what is found late costs that much at most.
  package func pause(unchangedFor time: Duration) -> Duration {
    min(max(time / 50, .milliseconds(1500)), .seconds(20))
  }

  private mutating func remember(_ batch: Batch) {
    for (place, member) in batch.members.enumerated() { known[member] = (batch, place) }
  }

  // MARK: - Submission

  package mutating func submit(_ orders: [PlacedOrder]) throws -> [Submission] {
    var results = [Submission](repeating: .later(""), count: orders.count)
    var groups: [ExecutorOptions: [Int]] = [:]
    // Those whose scheduler did not answer before.
    let before = orders.map { known[Batch.Member($0)]?.batch }
    var settled: [String: Submission] = [:]
    for place in orders.indices {
      guard let batch = before[place] else {
        groups[orders[place].options, default: []].append(place)
        continue
      }
      let result = try settled[batch.name] ?? settle(batch, orders[place].options)
      settled[batch.name] = result
      results[place] = submission(orders[place], result)
    }
    let most = groups.isEmpty ? 1 : slurm.largestArray
    for (options, places) in groups.sorted(by: { $0.value[0] < $1.value[0] }) {
      for start in stride(from: 0, to: places.count, by: most) {
        let part = places[start..<min(start + most, places.count)]
        let batch = Batch(part.map { orders[$0] }, in: batches.store)
        try batches.write(
          batch, script: script(batch), list: try list(part.map { orders[$0] }))
        remember(batch)
        let result = try settle(batch, options, isNew: true)
        for place in part { results[place] = submission(orders[place], result) }
      }
    }
    return results
  }

  private func submission(_ order: PlacedOrder, _ whole: Submission) -> Submission {
    guard case .submitted(let number) = whole, let found = known[Batch.Member(order)] else {
      return whole
    }
    return .submitted(job: found.batch.job(found.place, of: number).text)
  }

  /// Submits a batch unless that was done, by whomever.
  ///
  /// - Parameter isNew: nobody can have submitted it yet.
  private mutating func settle(
    _ batch: Batch, _ options: ExecutorOptions, isNew: Bool = false
  ) throws -> Submission {
    guard let file = try batches.openAnswer(batch) else {
      return .later("another process is submitting it")
    }
    if !isNew {
      switch try number(of: batch, file) {
      case .number(let number): return .submitted(job: number)
      case .noAnswer: return .later("Slurm does not answer")
      case .none: break
      }
    }
    let answer = slurm.submit(
      words(batch, options), script: batches.url(batch.name, "sh"), output: file.number)
    // It may have been taken even where sbatch failed.
    if case .number(let number) = try number(of: batch, file) { return .submitted(job: number) }
    let reason = answer.error.trimmingCharacters(in: .whitespacesAndNewlines)
    if answer.code == 0 {
      vain[batch.name, default: 0] += 1
      if vain[batch.name, default: 0] < Self.mostInVain {
        return .later("sbatch gives no number of a job")
      }
    } else if answer.code > 128 || Slurm.isPassing(reason) {
      return .later(reason.isEmpty ? "sbatch does not end" : reason)
    }
    let printed = try batches.printed(batch)
    for member in batch.members { known[member] = nil }
    try batches.remove(batch)
    return .refused(
      answer.code == 0
        ? "sbatch ended with 0, gave no number of a job and printed: \(printed)" : reason)
  }

  /// More might submit the same a hundred times, to a scheduler that takes it and does not say so.
  private static let mostInVain = 3

  /// Of a batch that was submitted: as its answer says, or else as the scheduler does of its name.
  private func number(of batch: Batch, _ file: Descriptor) throws -> Slurm.Found {
    if let number = try batches.answer(batch) { return .number(number) }
    let found = slurm.number(named: batch.name)
    if case .number(let number) = found { batches.keep(number, in: file) }
    return found
  }

  /// What sbatch gets beside the script.
  private func words(_ batch: Batch, _ options: ExecutorOptions) -> [String] {
    var words = [
      "--parsable", "--job-name=\(batch.name)", "--nodes=1", "--ntasks=1",
      "--chdir=\(batches.store.path)", "--output=\(batches.url(batch.name, "log").path)",
      "--open-mode=append", "--requeue", "--signal=B:TERM@60",
    ]
    if batch.members.count > 1 { words.append("--array=0-\(batch.members.count - 1)") }
    for (name, value) in [
      ("partition", options.partition), ("time", options.time), ("mem", options.memory),
      ("account", options.account), ("constraint", options.constraint),
      ("cpus-per-task", options.cpus.map(String.init)),
    ] {
      if let value { words.append("--\(name)=\(value)") }
    }
    return words + options.extra
  }

  /// A task finds its order in the line of its number. It becomes Locus itself, which so gets the signals.
  private func script(_ batch: Batch) -> String {
    let list = Escape.shell(batches.url(batch.name, "list").path)
    return """
      #!/bin/sh
      order=$(sed -n "$((${SLURM_ARRAY_TASK_ID:-0} + 1))p" \(list)) || exit 74
      exec \(Escape.shell(program)) execute "$order" >>"${order%.json}.txt" 2>&1

      """
  }

  private func list(_ orders: [PlacedOrder]) throws -> String {
    for order in orders where order.url.path.contains("\n") {
      throw StoreError.cannotWrite(
        path: order.url.path, reason: "a path with a line break cannot be given to Slurm")
    }
    return orders.map { $0.url.path + "\n" }.joined()
  }

  // MARK: - Jobs

  package mutating func find(_ order: PlacedOrder) throws -> String? {
    guard let (batch, place) = known[Batch.Member(order)] else { return nil }
    return try submitted(batch).map { batch.job(place, of: $0).text }
  }

  /// The number of a batch, once nobody is about to submit it.
  private func submitted(_ batch: Batch) throws -> String? {
    let end = ContinuousClock.now + .seconds(120)
    while true {
      if let file = try batches.openAnswer(batch) {
        guard case .number(let number) = try number(of: batch, file) else { return nil }
        return number
      }
      // A program that submits it has outlived the process that asked for it.
      if ContinuousClock.now > end { return nil }
      usleep(50_000)
    }
  }

  package mutating func poll(_ jobs: [String]) throws -> [String: JobState]? {
    if jobs.isEmpty { return [:] }
    guard let queue = slurm.queue() else { return nil }
    let wanted = Set(jobs)
    return queue.filter { wanted.contains($0.key) }
  }

  package mutating func ending(of job: String) throws -> JobEnding? {
    SlurmID(job).flatMap { slurm.ending(of: $0) }
  }

  package mutating func cancel(_ jobs: [String]) throws {
    slurm.cancel(jobs.compactMap(SlurmID.init))
  }

  package mutating func news(of nodes: [String: String], isDue: Bool) -> [String] {
    incidents.news(of: nodes, isDue: isDue, slurm)
  }

  package func condition(of node: String) -> String? {
    slurm.nodes([node])?[node].flatMap(\.trouble)
  }

  // MARK: - Without a controller

  /// A job of the store, as `locus status` shows it.
  package struct Job: Sendable, Hashable {
    package var stage: String
    package var key: String
    package var attempt: Int
    /// As people know it.
    package var id: String { slurm.shown }
    let slurm: SlurmID
  }

  /// What was submitted and is not in the store yet.
  static func jobs(in store: URL) throws -> [Job] {
    let batches = BatchFolder(store: store)
    var jobs: [Job] = []
    for batch in try batches.all() {
      guard let number = try batches.answer(batch) else { continue }
      for (place, member) in batch.members.enumerated() {
        let folder = OrderFolder(store: store, key: member.key)
        guard try folder.attempts().last == member.attempt else { continue }
        jobs.append(
          Job(
            stage: member.stage, key: member.key, attempt: member.attempt,
            slurm: batch.job(place, of: number)))
      }
    }
    return jobs
  }

  /// Cancels the jobs of the store that wait or run, of these stages or of all.
  ///
  /// - Returns: what was cancelled; `nil` where the scheduler does not answer.
  package mutating func cancelAll(stages: [String] = []) throws -> [Job]? {
    for batch in try batches.all() where try batches.answer(batch) == nil {
      _ = try submitted(batch)
    }
    let jobs = try Self.jobs(in: batches.store).filter { job in
      stages.isEmpty || stages.contains { $0 == job.stage || job.stage.hasPrefix($0 + "[") }
    }
    guard let states = try poll(jobs.map(\.slurm.text)) else { return nil }
    let left = jobs.filter { states[$0.slurm.text] != nil }
    // First it is said that they are not wanted: a controller would submit them again.
    for job in left {
      try OrderFolder(store: batches.store, key: job.key).cancel(job.attempt)
    }
    slurm.cancel(left.map(\.slurm))
    return left
  }
}

extension Batch.Member {
  fileprivate init(_ order: PlacedOrder) {
    self.init(key: order.key, attempt: order.attempt, stage: order.stage)
  }
}
