import Artifacts
import Formats
import Foundation
import Lineage
import Measures
import Testing
import Workflow

@testable import Experiments

/// Pictures whose conditioners are words, and what is trained on them.
@Suite("Pictures told by words")
struct WordPicturesTests {
  private static func pipeline(_ scenes: String, _ stages: String = "") throws -> Pipeline {
    try Pipeline.parse(
      bytes: Array(
        """
        { pipeline: 'p', question: 'q', seed: 1, stages: {
          scenes: { kind: 'generate', size: 16, cells: 8, \(scenes) },
          \(stages)
        } }
        """.utf8), path: "p.json5", kinds: Experiments.stageKinds)
  }

  @Test("a grid is what it was: neither setting enters its key")
  func keys() throws {
    func parameters(_ text: String) throws -> JSONValue {
      try Self.pipeline("objects: [1, 2], count: 20, " + text).instances[0].parameters
    }
    let plain = try parameters("")
    #expect(plain["conditioner"] == nil && plain["held_out"] == nil && plain["cells"] != nil)
    #expect(try parameters("conditioner: 'grid', held_out: []") == plain)
    #expect(try parameters("conditioner: 'colors'")["conditioner"] == .string("colors"))
  }

  @Test("what is held out is refused where it is not of the words, before any work")
  func checks() {
    for (text, message) in [
      ("held_out: [['red', 'blue']]", "held_out[0]: combinations of words are held out, and"),
      (
        "conditioner: 'colors', held_out: [['red', 'blue'], ['red', 'cube']]",
        "held_out[1]: found \"cube\", accepted: words of \"colors\": gray, red"
      ),
      ("conditioner: 'colors', held_out: [['red', 'red']]", "held_out[0]: a word stands twice"),
      ("conditioner: 'colors', held_out: [['red']]", "held_out[0]: found a list of 1"),
      ("conditioner: 'colours'", "did you mean \"colors\""),
    ] {
      let error = #expect(throws: WorkflowError.self) {
        try Self.pipeline("objects: [1, 2], count: 20, " + text)
      }
      #expect(error?.description.contains(message) == true, "\(error.map { "\($0)" } ?? "")")
    }
  }

  @Test("pictures and what is trained on them say their words, and what training did not show")
  func manifests() throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "locus-words-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let pipeline = try Self.pipeline(
      """
      objects: [0, 2], count: 40, conditioner: 'colors+shapes',
      held_out: [['red', 'cube'], ['cube', 'sphere']]
      """,
      """
      model: { kind: 'train', inputs: { scenes: 'scenes' }, pictures: 32, batch: 16,
        network: { type: 'unet', width: 4, conditioning: 'vector' } },
      random: { kind: 'untrained', inputs: { scenes: 'scenes' },
        network: { type: 'unet', width: 4, conditioning: 'vector' } },
      """)
    let (store, _) = try runWhole(pipeline, in: folder)
    let told = try store.query(
      """
      SELECT s.name, json_array_length(m.body, '$.space.set'),
        json_extract(m.body, '$.space.set[11]'), json_extract(m.body, '$.held_out')
      FROM stage s JOIN execution_output o USING (execution_id) JOIN manifest m USING (sha256)
      WHERE o.role = 'manifest' ORDER BY s.name
      """)
    #expect(
      told.rows
        == ["model", "random", "scenes"].map {
          [
            .text($0), .integer(12), .text("nothing"),
            .text("[[\"red\",\"cube\"],[\"cube\",\"sphere\"]]"),
          ]
        })
  }
}
