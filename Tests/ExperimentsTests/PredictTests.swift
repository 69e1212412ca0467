import Foundation
import Lineage
import Measures
import Testing
import Workflow

@testable import Experiments

/// Proves that what is predicted is the order of the probes' own indices, and that probes which cannot be
/// ordered fail the stage with the reason.
@Suite("Predictions")
struct PredictTests {
  private static func pipeline(
    _ predict: String, labelling: String = "all", otherLayouts: Int = 3
  ) throws -> Pipeline {
    try Pipeline.parse(
      bytes: Array(
        """
        { pipeline: 'p', question: 'q', seed: 1, stages: {
          scenes: { kind: 'generate', size: 16, cells: 8, objects: [1, 3], count: 40 },
          open: { kind: 'untrained', inputs: { scenes: 'scenes' }, labelling: '\(labelling)',
            matrix: { seed: [1, 2] }, network: { type: 'unet', width: 4, normalization: 'group' } },
          bounded: { kind: 'untrained', inputs: { scenes: 'scenes' }, labelling: '\(labelling)',
            network: { type: 'local', width: 4, dilations: [1] } },
          probed_open: { kind: 'probe', inputs: { denoiser: 'open', scenes: 'scenes' }, seed: 1,
            sigmas: [2], counts: [2, 3], pictures: 1, pixels: 2, layouts: 3, remote_sigmas: [10, 1],
            window: 5, steps: 3 },
          probed_bounded: { kind: 'probe', inputs: { denoiser: 'bounded', scenes: 'scenes' }, seed: 1,
            sigmas: [2], counts: [2, 3], pictures: 1, pixels: 2, layouts: \(otherLayouts),
            remote_sigmas: [10, 1], window: 5, steps: 3 },
          told: { kind: 'predict', inputs: { probes: ['probed_open', 'probed_bounded'] }, \(predict) },
        } }
        """.utf8), path: "p.json5", kinds: Experiments.stageKinds)
  }

  @Test(
    "the order is that of the remote indices that the probes stored, the bounded network's first")
  func order() throws {
    try withTemporaryFolder { folder in
      let (store, _) = try runWhole(
        try Self.pipeline("objects: 2"), in: folder.appending(path: "data"))
      let ranks = try store.query(
        """
        SELECT s.name, p.value FROM metric p
        JOIN execution_output o ON o.sha256 = p.subject AND o.role = 'manifest'
        JOIN stage s ON s.execution_id = o.execution_id
        WHERE p.name = 'predicted_rank' AND p.k = 2 AND p.inputs = 'trajectory' ORDER BY p.value
        """)
      let indices = try store.query(
        """
        SELECT s.name, m.value FROM metric m JOIN stage s USING (execution_id)
        WHERE m.name = 'remote_index.removed' AND m.k = 2 AND m.inputs = 'trajectory'
        ORDER BY m.value
        """)
      #expect(ranks.rows.map(\.[0]) == indices.rows.map(\.[0]))
      #expect(ranks.rows.first?[0] == .text("probed_bounded"))
      #expect(ranks.rows.map(\.[1]) == [.real(1), .real(2), .real(3)])
    }
  }

  @Test(
    "probes that cannot be ordered fail the stage, with the reason",
    arguments: [
      ("objects: 9", "all", 3, "no K and noise level in common"),
      ("at: 'law'", "single", 3, "no K and noise level in common|no labels are remote there"),
      ("objects: 2", "all", 2, "of other layouts, noise or windows"),
    ])
  func refused(_ predict: String, _ labelling: String, _ layouts: Int, _ reason: String) throws {
    try withTemporaryFolder { folder in
      let data = folder.appending(path: "data")
      let store = try Store.open(data, .readWrite, .locus)
      let lock = try RunLock.acquire(
        data.appending(path: "lock"), as: .current(pipeline: "p"))
      let pipeline = try Self.pipeline(predict, labelling: labelling, otherLayouts: layouts)
      let summary = try Runner.run(
        try Plan(pipeline, store: store), store: store, lock: lock,
        settings: RunSettings(threads: 2, locusVersion: "test"))
      #expect(summary.status == .failed)
      let events = try store.query("SELECT message FROM event WHERE level = 'error'").rows
      let text = events.map { "\($0)" }.joined()
      #expect(reason.split(separator: "|").contains { text.contains($0) }, "\(text)")
    }
  }
}
