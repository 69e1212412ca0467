import Foundation
import Lineage
import Measures
import Testing
import Workflow

@testable import Experiments

/// Proves that effects are told where both evaluations have been, and nothing is lost for the rest.
@Suite("Comparisons")
struct CompareStageTests {
  @Test("evaluations with some K in common are compared at these")
  func partly() throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "locus-compare-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let pipeline = try Pipeline.parse(
      bytes: Array(
        """
        { pipeline: 'p', question: 'q', seed: 1, stages: {
          scenes: { kind: 'generate', size: 16, cells: 8, objects: [1, 2], count: 20 },
          judge: { kind: 'judge', size: 16, cells: 8, renders: 100, pictures: 32, held_out: 5 },
          model: { kind: 'train', inputs: { scenes: 'scenes' }, pictures: 32, batch: 16,
            network: { type: 'unet', width: 4 } },
          masked: { kind: 'intervene', inputs: { denoiser: 'model', scenes: 'scenes' },
            matrix: { mask: ['identity', 'conditioner'] }, radius: 4 },
          plain: { kind: 'evaluate', inputs: { denoiser: 'model', judge: 'judge' },
            counts: [0, 1, 2], layouts: 2, steps: 2 },
          behind: { kind: 'evaluate', inputs: { denoiser: 'masked', judge: 'judge' },
            counts: [2, 3], layouts: 2, steps: 2 },
          told: { kind: 'compare', inputs: { evaluations: ['plain', 'behind'] } },
        } }
        """.utf8), path: "p.json5", kinds: Experiments.stageKinds)
    let store = try Store.open(folder, .readWrite, .locus)
    let lock = try RunLock.acquire(
      folder.appending(path: "lock"), as: .current(pipeline: pipeline.name))
    let summary = try Runner.run(
      try Plan(pipeline, store: store), store: store, lock: lock,
      settings: RunSettings(threads: 2, locusVersion: "test"))
    #expect(summary.status == .succeeded)
    let effects = try store.query(
      "SELECT DISTINCT k FROM metric WHERE name = 'effect_recall' AND k IS NOT NULL")
    #expect(effects.rows == [[.integer(2)]])
    let identical = try store.query("SELECT value, n FROM metric WHERE name = 'identical_pictures'")
    #expect(identical.rows == [[.real(1), .integer(2)]])
  }
}
