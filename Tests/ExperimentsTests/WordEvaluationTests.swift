import Artifacts
import Formats
import Foundation
import Lineage
import Measures
import Testing
import Workflow

@testable import Experiments

/// Evaluations of what is told by words, in small.
@Suite("Evaluations of words")
struct WordEvaluationTests {
  private static func text(_ scenes: String, _ stages: String) -> String {
    """
    { pipeline: 'p', question: 'q', seed: 1, stages: {
      scenes: { kind: 'generate', size: 16, cells: 8, objects: [0, 2], count: 60, \(scenes) },
      judge: { kind: 'judge', size: 16, cells: 8, renders: 200, pictures: 640, held_out: 5 },
      model: { kind: 'train', inputs: { scenes: 'scenes' }, pictures: 64, batch: 16,
        network: { type: 'unet', width: 4, conditioning: 'vector' } },
      \(stages)
    } }
    """
  }

  private static func pipeline(_ scenes: String, _ stages: String) throws -> Pipeline {
    try Pipeline.parse(
      bytes: Array(text(scenes, stages).utf8), path: "p.json5", kinds: Experiments.stageKinds)
  }

  @Test(
    "what cannot be asked for is refused before any work",
    arguments: [
      ("conditioner: 'colors'", "counts: [9]", "counts: found 9, accepted: up to 8, all words"),
      ("conditioner: 'materials'", "counts: [1]", "inputs.denoiser: its words (rubber, metal, no"),
      (
        "conditioner: 'colors'", "counts: [2], asked: 'held-out'",
        "asked: found \"held-out\", and training held nothing out"
      ),
      (
        "conditioner: 'colors', held_out: [['red', 'blue']]", "counts: [1, 2], asked: 'held-out'",
        "counts: found 1, accepted: 2 and more"
      ),
      (
        "conditioner: 'colors'", "counts: [0, 1], asked: 'nothing'",
        "counts: found 1, accepted of \"nothing\": [0]"
      ),
      ("conditioner: 'colors'", "counts: [1], spacing: 'spaced'", "spacing: found \"spaced\""),
    ])
  func refused(scenes: String, settings: String, message: String) {
    let error = #expect(throws: WorkflowError.self) {
      try Self.pipeline(
        scenes,
        "drawn: { kind: 'evaluate', inputs: { denoiser: 'model', judge: 'judge' }, \(settings) }")
    }
    #expect(error?.description.contains(message) == true, "\(error.map { "\($0)" } ?? "")")
  }

  @Test("layouts to pass over, and words of what is told by places, are refused")
  func places() {
    let error = #expect(throws: WorkflowError.self) {
      try Self.pipeline(
        "conditioner: 'colors'",
        "drawn: { kind: 'evaluate', counts: [1], inputs: { denoiser: 'model', judge: 'judge', scenes: 'scenes' } }"
      )
    }
    #expect(error?.description.contains("inputs.scenes: layouts of places") == true)
    let other = #expect(throws: WorkflowError.self) {
      try Self.pipeline(
        "",
        "drawn: { kind: 'evaluate', counts: [0], asked: 'nothing', inputs: { denoiser: 'model', judge: 'judge' } }"
      )
    }
    #expect(other?.description.contains("asked: found \"nothing\", and places") == true)
  }

  @Test(
    "rows are words asked and met, series stand apart, masks pair with their own, and it is all told"
  )
  func run() throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "locus-words-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let pipeline = try Self.pipeline(
      "conditioner: 'colors', held_out: [['red', 'blue'], ['green', 'gray', 'cyan']]",
      """
      masked: { kind: 'intervene', inputs: { denoiser: 'model', scenes: 'scenes' },
        matrix: { mask: ['identity', 'sum'] } },
      drawn: { kind: 'evaluate', inputs: { denoiser: 'model', judge: 'judge' },
        counts: [0, 1, 3, 5], layouts: 4, steps: 3, renders: 40 },
      apart: { kind: 'evaluate', inputs: { denoiser: 'model', judge: 'judge' }, asked: 'held-out',
        counts: [2, 3, 5], layouts: 4, steps: 3, renders: 40 },
      empty: { kind: 'evaluate', inputs: { denoiser: 'model', judge: 'judge' }, asked: 'nothing',
        counts: [0], layouts: 4, steps: 3, renders: 40 },
      behind: { kind: 'evaluate', inputs: { denoiser: 'masked[mask=identity]', judge: 'judge' },
        counts: [0, 1, 3, 5], layouts: 4, steps: 3, renders: 40 },
      told: { kind: 'compare', inputs: { evaluations: ['drawn', 'empty', 'behind'] } },
      pairs: { kind: 'compare', inputs: { evaluations: ['apart'] } },
      """)
    let (store, _) = try runWhole(pipeline, in: folder)
    func rows(_ sql: String) throws -> [[SQLValue]] { try store.query(sql).rows }

    #expect(
      try rows(
        """
        SELECT s.name, o.k, count(*), sum(requested), sum(found > requested OR found > drawn
          OR found_background > requested OR found_solid > found OR chance > requested)
        FROM outcome o JOIN stage s USING (execution_id) WHERE s.name IN ('drawn', 'apart')
        GROUP BY s.name, o.k ORDER BY s.name, o.k
        """)
        == [
          ("apart", 2), ("apart", 3), ("apart", 5), ("drawn", 0), ("drawn", 1), ("drawn", 3),
          ("drawn", 5),
        ].map { [.text($0), .integer($1), .integer(4), .integer(4 * $1), .integer(0)] })
    func metric(_ name: String, _ stage: String) throws -> [[SQLValue]] {
      try rows(
        """
        SELECT m.k, m.value FROM metric m JOIN stage s USING (execution_id)
        WHERE m.name = '\(name)' AND s.name = '\(stage)' ORDER BY m.k
        """)
    }
    #expect(
      try metric("held_out_asked", "drawn")
        == [1, 3, 5].map { [.integer($0), .real(0)] })
    #expect(
      try metric("held_out_asked", "apart")
        == [2, 3, 5].map { [.integer($0), .real(1)] })
    // At most two objects, so two colours, in a training picture.
    #expect(try metric("training_maximum", "drawn") == [[.null, .real(2)]])
    #expect(try metric("within_law", "drawn").count == 1)
    #expect(try metric("within_law", "empty").isEmpty)
    #expect(try metric("empty_pictures", "empty").count == 1)
    #expect(try metric("mixing", "drawn").count <= 4)
    #expect(try metric("recall_by_word", "drawn").count > 8)
    #expect(try metric("rendered_words", "drawn").count == 16)
    // Every rendered object is told for something, or missed.
    #expect(
      try rows(
        """
        SELECT abs(sum(value) - 8) < 1e-9 FROM metric m JOIN stage s USING (execution_id)
        WHERE m.name = 'color_confusion' AND s.name = 'drawn' AND detector = 'trained'
        """) == [[.integer(1)]])
    // Masks pair under the same conditions alone.
    #expect(
      try rows("SELECT value, n FROM metric WHERE name = 'identical_pictures'")
        == [[.real(1), .integer(16)]])
    #expect(
      try rows(
        """
        SELECT DISTINCT coalesce(json_extract(body, '$.conditions.asked'), 'seen') AS asked
        FROM manifest WHERE json_extract(body, '$.type') = 'outcomes' ORDER BY asked
        """) == [[.text("held-out")], [.text("nothing")], [.text("seen")]])
  }
}
