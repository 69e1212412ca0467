// Proves that every kind of stage that was stopped goes on to the same bytes, also with another
// number of threads.
import Foundation
import Lineage
import Measures
import Synchronization
import Testing
import Workflow

@testable import Experiments

/// The committed pipeline of seconds, stopped over and over.
@Suite("Resuming", .serialized)
struct ResumeTests {
  /// What a stage left: files by their content, metrics and outcomes to the last bit.
  private func results(_ store: Store, _ run: String) throws -> [[SQLValue]] {
    try store.query(
      """
      SELECT s.name, o.role, o.sha256 FROM stage s JOIN execution_output o USING (execution_id)
      WHERE s.run_id = ?1
      UNION ALL
      SELECT s.name, m.name, printf('%!.17g %s %s %s %s %s', m.value,
        coalesce(m.pictures, m.window, m.radius, m.coupling), m.sigma, m.k,
        printf('%!.17g', m.ci_low), coalesce(m.detector, m.score, m.view, m.pair, m.subject))
      FROM stage s JOIN metric m USING (execution_id) WHERE s.run_id = ?1
      UNION ALL
      SELECT s.name, 'outcome', printf('%d %d %d %d', o.k, o.layout, o.found, o.drawn)
      FROM stage s JOIN outcome o USING (execution_id) WHERE s.run_id = ?1
      ORDER BY 1, 2, 3
      """, [.text(run)]
    ).rows
  }

  @Test(
    "stages that were stopped and went on, with another number of threads, give the same bytes"
  )
  func stopped() throws {
    let whole = try PipelineTests.run(threads: 2) { try results($1, $2) }
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "locus-resume-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let pipeline = try Pipeline.read(
      path: PipelineTests.file.path, kinds: Experiments.stageKinds, overrides: [])
    let store = try Store.open(folder, .readWrite, .locus)
    let stopped = Mutex<Set<String>>([])
    let resumed = Mutex<Set<String>>([])
    var last = ""
    // Each stage that takes time is stopped once, in the middle.
    for attempt in 0..<100 {
      let lock = try RunLock.acquire(
        folder.appending(path: "lock"), as: .current(pipeline: pipeline.name))
      let cancellation = Cancellation()
      let summary = try Runner.run(
        try Plan(pipeline, store: store), store: store, lock: lock,
        settings: RunSettings(
          threads: 1 + attempt % 2, locusVersion: "test",
          checkpointInterval: attempt % 3 == 0 ? 0 : 3600),
        cancellation: cancellation
      ) { event in
        switch event {
        case .progressed(let step, let progress) where progress.done < progress.total:
          if stopped.withLock({ $0.insert(step.name).inserted }) {
            cancellation.request(signal: SIGTERM)
          }
        case .noted(let step, let note):
          if note.hasPrefix("goes on") { _ = resumed.withLock { $0.insert(step.name) } }
        default: break
        }
      }
      last = summary.runID
      if summary.status == .succeeded { break }
      #expect(summary.status == .interrupted)
    }
    #expect(try results(store, last) == whole)
    let expected = [
      "scenes", "judge", "local", "local_locality", "local_evaluated", "patchwise",
      "masked_evaluated[mask=both]", "tuned",
    ]
    #expect(resumed.withLock { $0 }.isSuperset(of: expected))
    #expect(try CheckpointFolder.keys(in: store).isEmpty)
    #expect(try Store.verify(store.folder, .locus).isEmpty)
  }
}
