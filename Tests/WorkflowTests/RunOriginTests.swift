import Foundation
import Lineage
import Measures
import Synchronization
import Testing

@testable import Workflow

private typealias Bench = RunnerBench
private let chain = RunnerBench.chain

/// Proves that a run records where it comes from without waiting for it.
@Suite("Where a run comes from")
struct RunOriginTests {
  /// What a run was asked for its origin: whether it works, and with which patience.
  private final class Asked: Sendable {
    struct Question: Equatable {
      var isWorking: Bool
      var patience: Duration
    }

    private let questions = Mutex<[Question]>([])
    var all: [Question] { questions.withLock { $0 } }

    /// A run's settings whose origin is known when it is asked for so many times.
    func settings(known number: Int, _ commit: String = "c-dirty", at head: String = "c")
      -> RunSettings
    {
      RunSettings(
        threads: 2, locusVersion: "test", gitCommit: head,
        origin: { [self] isWorking, patience in
          let count = questions.withLock { questions in
            questions.append(Question(isWorking: isWorking, patience: patience))
            return questions.count
          }
          return count < number
            ? nil : RunOrigin(gitCommit: commit, machine: ["os": "y"], notes: ["a note"])
        }, machine: ["cpu": "x"])
    }
  }

  private func last(_ bench: Bench) throws -> [SQLValue] {
    try bench.store.query("SELECT git_commit, machine FROM run ORDER BY sequence DESC LIMIT 1")
      .rows.first ?? []
  }

  @Test(
    "where a run comes from is found out while its stages run, and recorded as soon as it is known")
  func origin() throws {
    // Known when the first of four stages begins; when the second does; at the end alone.
    for (number, known) in [(1, 4), (2, 3), (5, 0)] {
      let bench = try Bench()
      let question = Asked()
      let seen = Mutex(0)
      let folder = bench.folder
      try bench.run(bench.plan(chain), settings: question.settings(known: number)) { event in
        guard case .progressed = event,
          let store = try? Store.open(folder, .readOnly, .locus),
          let commits = try? store.texts("SELECT git_commit FROM run WHERE status = 'running'")
        else { return }
        seen.withLock { $0 += commits == ["c-dirty"] ? 1 : 0 }
      }
      #expect(
        question.all
          == Array(repeating: Asked.Question(isWorking: true, patience: .zero), count: 4)
          + [Asked.Question(isWorking: true, patience: .seconds(2))])
      // A run that is killed in a stage has it too.
      #expect(seen.withLock { $0 } == known)
      #expect(try last(bench) == [.text("c-dirty"), .text(#"{"cpu":"x","os":"y"}"#)])
      let events = try bench.store.query("SELECT level, message FROM event").rows
      #expect(events == [[.text("info"), .text("a note")]])
    }
  }

  @Test(
    "a run with nothing to do hardly waits, and keeps the marks of the run that had its results made"
  )
  func idleOrigin() throws {
    let bench = try Bench()
    try bench.run(bench.plan(chain), settings: Asked().settings(known: 1))
    let question = Asked()
    try bench.run(bench.plan(chain), settings: question.settings(known: 1, "c"))
    // The same bytes are in the same commit or are not: nobody is asked again.
    #expect(question.all.isEmpty)
    #expect(try last(bench).first == .text("c-dirty"))
    // Of another commit it was not said.
    try bench.run(bench.plan(chain), settings: question.settings(known: 1, "d", at: "d"))
    #expect(question.all == [Asked.Question(isWorking: false, patience: .milliseconds(250))])
    #expect(try last(bench).first == .text("d"))
    // With work it says its own.
    try bench.run(
      bench.plan(chain, force: ["s"]), settings: Asked().settings(known: 1, "c-dirty"))
    try bench.run(bench.plan(chain, force: ["s"]), settings: Asked().settings(known: 1, "c"))
    #expect(try last(bench).first == .text("c"))
  }

  @Test(
    "an origin that cannot be found out in time is said to be unknown", arguments: [true, false])
  func unknownOrigin(isWorking: Bool) throws {
    let bench = try Bench()
    if !isWorking { try bench.run(bench.plan(chain)) }
    try bench.run(bench.plan(chain), settings: Asked().settings(known: 99))
    #expect(try last(bench).first == .text("c"))
    let events = try bench.store.texts("SELECT message FROM event WHERE level = 'info'")
    #expect(
      events == [
        "git did not say within \(isWorking ? "2.0" : "0.25") seconds whether the checkout is as its"
          + " commit has it"
      ])
  }
}
