import Artifacts
import Foundation
import Lineage
import Testing
import Workflow

@testable import Experiments

/// Proves that a network that goes on learning says from what it came, and is a denoiser like any other.
@Suite("Training on under a mask")
struct FinetuneTests {
  private static func pipeline(_ folder: URL, _ last: String) throws -> Pipeline {
    let file = folder.appending(path: "finetune.json5")
    try Data(
      """
      {
        pipeline: "finetune", question: "Does it go on?", seed: 3,
        stages: {
          scenes: { kind: "generate", size: 16, cells: 8, objects: [1, 2], count: 40 },
          others: { kind: "generate", size: 32, cells: 8, objects: [1, 2], count: 40 },
          base: {
            kind: "train", inputs: { scenes: "scenes" }, labelling: "single", pictures: 32, batch: 16,
            network: { type: "unet", width: 4 },
          },
          masked: {
            kind: "intervene", inputs: { denoiser: "base", scenes: "scenes" }, mask: "conditioner",
            radius: 4,
          },
          machine: { kind: "analytic", inputs: { scenes: "scenes" }, radius: 2 },
          \(last)
        },
      }
      """.utf8
    ).write(to: file)
    return try Pipeline.read(path: file.path, kinds: Experiments.stageKinds, overrides: [])
  }

  @Test("its manifest names what it began as and the mask; it can be masked, and go on once more")
  func run() throws {
    try withTemporaryFolder { folder in
      let pipeline = try Self.pipeline(
        folder,
        """
        tuned: {
          kind: "finetune", inputs: { denoiser: "base", scenes: "scenes" }, radius: 4, labels: 2,
          keep: "far", pictures: 32, batch: 16,
        },
        again: {
          kind: "finetune", inputs: { denoiser: "tuned", scenes: "scenes" }, mask: "window", radius: 4,
          at: "objects", pictures: 16, batch: 16,
        },
        behind: {
          kind: "intervene", inputs: { denoiser: "tuned", scenes: "scenes" }, mask: "conditioner",
          radius: 4,
        },
        """)
      let (store, _) = try runWhole(pipeline, in: folder.appending(path: "data"))
      func text(_ column: String, _ name: String) throws -> String? {
        try store.query(
          """
          SELECT \(column) FROM stage s JOIN execution_output o USING (execution_id)
          LEFT JOIN manifest m USING (sha256)
          WHERE s.name = ? AND o.role = 'manifest'
          """, [.text(name)]
        ).rows.first?.first?.text
      }
      func member(_ path: String, _ name: String) throws -> String? {
        try text("json_extract(m.body, '$.\(path)')", name)
      }
      #expect(try member("tuning.base", "tuned") == text("o.sha256", "base"))
      #expect(try member("tuning.base", "again") == text("o.sha256", "tuned"))
      #expect(try member("tuning.mask.keep", "tuned") == "far")
      #expect(try member("tuning.mask.at", "again") == "objects")
      #expect(try member("form", "tuned") == "trained" && member("labelling", "tuned") == "all")
      #expect(try member("tuning.base", "base") == nil)
      #expect(
        try Set(["base", "tuned", "again"].map { try member("weights", $0) }).count == 3)
      // What is trained further is not behind a mask; what masks it is.
      let denoisers = try store.query("SELECT name, mask FROM denoiser ORDER BY name").rows
      let masked = denoisers.filter { $0[1].text != nil }.compactMap { $0[0].text }
      #expect(masked == ["behind", "masked"])
      let curve = try store.query(
        "SELECT count(*) FROM training_curve WHERE name = 'tuned'")
      #expect((curve.rows.first?.first?.integer ?? 0) > 0)
      #expect(try Store.verify(store.folder, .locus).isEmpty)
    }
  }

  @Test(
    "what cannot go on is refused before any work, with what can",
    arguments: [
      (
        "denoiser: 'masked', scenes: 'scenes'", "",
        "inputs.denoiser: is behind a mask; name the network behind it"
      ),
      (
        "denoiser: 'machine', scenes: 'scenes'", "",
        "inputs.denoiser: is no network; name a trained or imported one"
      ),
      (
        "denoiser: 'base', scenes: 'others'", "",
        "inputs.scenes: denoiser and scenes differ: 16 px and 32 px"
      ),
      (
        "denoiser: 'base', scenes: 'scenes'", "mask: 'window', keep: 'random',",
        "keep: found \"random\", accepted for window: near, far"
      ),
    ])
  func refused(_ inputs: String, _ more: String, _ message: String) throws {
    _ = try withTemporaryFolder { folder in
      #expect {
        try Self.pipeline(
          folder, "last: { kind: 'finetune', inputs: { \(inputs) }, \(more) pictures: 16 },")
      } throws: {
        "\($0)".contains("stages.last.\(message)")
      }
    }
  }
}
