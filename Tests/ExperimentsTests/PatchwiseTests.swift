import Foundation
import Lineage
import Testing
import Workflow

@testable import Experiments

/// Proves that a patchwise network is a denoiser like any other, and says how far it reaches.
@Suite("Patchwise networks as stages")
struct PatchwiseTests {
  private static func pipeline(_ folder: URL, _ more: String) throws -> Pipeline {
    let file = folder.appending(path: "patchwise.json5")
    try Data(
      """
      {
        pipeline: "patchwise", question: "Is it one of them?", seed: 3,
        stages: {
          scenes: { kind: "generate", size: 16, cells: 8, objects: [1, 2], count: 40 },
          words: {
            kind: "generate", size: 16, cells: 8, objects: [1, 2], count: 40, conditioner: "colors",
          },
          model: {
            kind: "train", inputs: { scenes: "scenes" }, labelling: "single", pictures: 32, batch: 16,
            network: { type: "patchwise", width: 4, reach: 1 },
          },
          \(more)
        },
      }
      """.utf8
    ).write(to: file)
    return try Pipeline.read(path: file.path, kinds: Experiments.stageKinds, overrides: [])
  }

  @Test("its manifest says reach and window; masks, a further training and random weights take it")
  func run() throws {
    try withTemporaryFolder { folder in
      let pipeline = try Self.pipeline(
        folder,
        """
        masked: {
          kind: "intervene", inputs: { denoiser: "model", scenes: "scenes" },
          matrix: { mask: ["identity", "stitched", "conditioner", "pixel"] }, radius: 2, margin: 1,
          block: 4,
        },
        tuned: {
          kind: "finetune", inputs: { denoiser: "model", scenes: "scenes" }, radius: 2, pictures: 16,
          batch: 16,
        },
        null: {
          kind: "untrained", inputs: { scenes: "scenes" },
          network: { type: "patchwise", width: 4, reach: 7, normalization: "group", attention: false },
        },
        agreement: {
          kind: "agree", inputs: { denoiser: "tuned", reference: "model", scenes: "scenes" },
          sigmas: [2], counts: [1], pictures: 2, layouts: 1, steps: 2,
        },
        """)
      let (store, _) = try runWhole(pipeline, in: folder.appending(path: "data"))
      let rows = try store.query(
        """
        SELECT s.name, json_extract(m.body, '$.network'), json_extract(m.body, '$.window')
        FROM stage s JOIN execution_output o USING (execution_id) JOIN manifest m USING (sha256)
        WHERE o.role = 'manifest' AND s.name IN ('model', 'null') ORDER BY s.name
        """
      ).rows
      #expect(
        rows[0][1].text
          == #"{"attention":true,"normalization":"pixel","reach":1,"type":"patchwise","width":4}"#)
      #expect(rows[0][2].integer == 6 && rows[1][2].integer == 16)
      let denoisers = try store.query(
        "SELECT DISTINCT network, \"window\" FROM denoiser WHERE name = 'model'"
      ).rows
      #expect(denoisers.count == 1)
      #expect(denoisers[0][0].text == "patchwise" && denoisers[0][1].integer == 6)
      #expect(try Store.verify(store.folder, .locus).isEmpty)
    }
  }

  @Test(
    "what does not fit is refused before any work",
    arguments: [
      (
        "kind: 'train', inputs: { scenes: 'words' }, pictures: 16, network: { type: 'patchwise' }",
        "network.type: conditioners are of a set of 8 words, and \"patchwise\" goes by places"
      ),
      (
        "kind: 'train', inputs: { scenes: 'scenes' }, pictures: 16, network: { type: 'patchwise', reach: 65 }",
        "network.reach: found 65"
      ),
      (
        "kind: 'train', inputs: { scenes: 'scenes' }, pictures: 16, network: { type: 'patchwise', width: 6 }",
        "network.width: found 6, accepted: a multiple of 4"
      ),
      // Its labels lie up to a cell away, their centres up to 3 px.
      (
        "kind: 'intervene', inputs: { denoiser: 'model', scenes: 'scenes' }, mask: 'window', radius: 3",
        "mask: found \"window\", which cuts nothing that the denoiser depends on"
      ),
      (
        "kind: 'intervene', inputs: { denoiser: 'model', scenes: 'scenes' }, mask: 'path'",
        "accepted: none"
      ),
    ])
  func refused(_ stage: String, _ message: String) throws {
    _ = try withTemporaryFolder { folder in
      #expect {
        try Self.pipeline(folder, "last: { \(stage) },")
      } throws: {
        "\($0)".contains(message)
      }
    }
  }
}
