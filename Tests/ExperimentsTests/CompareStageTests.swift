import Foundation
import Lineage
import Measures
import Testing
import Workflow

@testable import Experiments

/// Proves that arms are held against each other at the same K, those that the file states.
@Suite("Comparisons")
struct CompareStageTests {
  @Test("evaluations at different K are compared at those that the comparison states")
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
          told: { kind: 'compare', inputs: { evaluations: ['plain', 'behind'] }, counts: [2] },
        } }
        """.utf8), path: "p.json5", kinds: Experiments.stageKinds)
    let (store, _) = try runWhole(pipeline, in: folder)
    let effects = try store.query(
      "SELECT DISTINCT k FROM metric WHERE name = 'effect_recall' AND k IS NOT NULL")
    #expect(effects.rows == [[.integer(2)]])
    let identical = try store.query("SELECT value, n FROM metric WHERE name = 'identical_pictures'")
    #expect(identical.rows == [[.real(1), .integer(2)]])
  }

  private static let arms = [
    ComparedCounts.Arm(name: "plain", counts: [0, 1, 3, 5, 9]),
    ComparedCounts.Arm(name: "behind", counts: [5, 3, 9]),
    // Will only be known afterwards; and one that asks for nothing.
    ComparedCounts.Arm(name: "outside", counts: nil),
    ComparedCounts.Arm(name: "blank", counts: [0]),
  ]

  @Test("arms at different K are refused, with the K that all have")
  func refused() {
    let fault = ComparedCounts.fault(Self.arms, stated: [])
    #expect(
      fault
        == "`plain` is made at K = 1, 3, 5, 9 and `behind` at K = 3, 5, 9: over different K they cannot be"
        + " held against each other; common to all of them are K = 3, 5, 9: give them the same `counts`, or"
        + " the comparison `counts: [3, 5, 9]`")
    #expect(ComparedCounts.fault(Self.arms, stated: [3, 9]) == nil)
    #expect(ComparedCounts.compared(Self.arms, stated: [3, 9]) == [3, 9])
    #expect(
      ComparedCounts.fault(Self.arms, stated: [1, 3])
        == "`behind` is not made at K = 1; common to all of them are K = 3, 5, 9")
    let apart = [Self.arms[0], ComparedCounts.Arm(name: "far", counts: [12])]
    #expect(
      ComparedCounts.fault(apart, stated: [])?.hasSuffix(
        "no K is common to all of them: give them the same `counts`") == true)
    let same = [Self.arms[0], ComparedCounts.Arm(name: "same", counts: [9, 5, 3, 1])]
    #expect(ComparedCounts.fault(same, stated: []) == nil)
    #expect(ComparedCounts.compared(same, stated: []) == [1, 3, 5, 9])
  }

  @Test("evaluations are paired under the same guidance, and under no other")
  func guidance() throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "locus-compare-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let pipeline = try Pipeline.parse(
      bytes: Array(
        """
        { pipeline: 'p', question: 'q', seed: 1, stages: {
          scenes: { kind: 'generate', size: 16, cells: 8, objects: [1, 2], count: 20 },
          judge: { kind: 'judge', size: 16, cells: 8, renders: 100, pictures: 32, held_out: 5 },
          model: { kind: 'train', inputs: { scenes: 'scenes' }, pictures: 320, batch: 16,
            network: { type: 'unet', width: 4 } },
          masked: { kind: 'intervene', inputs: { denoiser: 'model', scenes: 'scenes' },
            mask: 'identity' },
          plain: { kind: 'evaluate', inputs: { denoiser: 'model', judge: 'judge' },
            counts: [1], layouts: 2, steps: 3, matrix: { guidance: [1, 3] } },
          behind: { kind: 'evaluate', inputs: { denoiser: 'masked', judge: 'judge' },
            counts: [1], layouts: 2, steps: 3, guidance: 3 },
          apart: { kind: 'compare', inputs: { evaluations: ['plain[guidance=1]', 'behind'] } },
          told: { kind: 'compare', inputs: { evaluations: ['plain', 'behind'] } },
        } }
        """.utf8), path: "p.json5", kinds: Experiments.stageKinds)
    let (store, _) = try runWhole(pipeline, in: folder)
    let paired = try store.query(
      """
      SELECT s.name, m.value, m.n FROM metric m JOIN stage s ON s.execution_id = m.execution_id
      WHERE m.name = 'identical_pictures'
      """)
    #expect(paired.rows == [[.text("told"), .real(1), .integer(2)]])
    let drawn = try store.query(
      """
      SELECT count(DISTINCT o.sha256) FROM execution_output o JOIN stage s USING (execution_id)
      WHERE o.role = 'samples'
      """)
    #expect(drawn.rows == [[.integer(2)]])
  }
}
