import Foundation
import Lineage
import Measures
import Testing
import Workflow

@testable import Experiments

/// Proves that features of a network are measured and put together, and that what does not fit is refused.
@Suite("Features of networks")
struct FeaturesStageTests {
  private static func problems(_ stages: String) -> String {
    let text = """
      { pipeline: 'p', question: 'q', seed: 1, stages: {
        places: { kind: 'generate', size: 16, cells: 8, objects: [1, 2], count: 20 },
        words: { kind: 'generate', size: 16, cells: 8, objects: [1, 2], count: 20, conditioner: 'colors' },
        grid: { kind: 'untrained', inputs: { scenes: 'places' }, network: { type: 'unet' } },
        local: { kind: 'untrained', inputs: { scenes: 'places' }, network: { type: 'local' } },
        model: { kind: 'untrained', inputs: { scenes: 'words' }, network: { type: 'unet', conditioning: 'vector' } },
        one: { kind: 'generate', size: 16, cells: 8, objects: [1, 1], count: 20, conditioner: 'colors' },
        lonely: { kind: 'untrained', inputs: { scenes: 'one' }, network: { type: 'unet', conditioning: 'vector' } },
        features: { kind: 'features', inputs: { denoiser: 'model', scenes: 'words' } },
        elsewhere: { kind: 'external', command: ['x'], objects: [1, 2] },
        machine: { kind: 'analytic', inputs: { scenes: 'places' }, places: 'all', pictures: 20, radius: 8, counts: [1] },
        \(stages)
      } }
      """
    do {
      _ = try Pipeline.parse(
        bytes: Array(text.utf8), path: "p.json5", kinds: Experiments.stageKinds)
      return ""
    } catch {
      return "\(error)"
    }
  }

  @Test(
    "what does not fit is refused before any work",
    arguments: [
      ("last: { kind: 'features', inputs: { denoiser: 'elsewhere', scenes: 'words' } },", ""),
      (
        "last: { kind: 'features', inputs: { denoiser: 'elsewhere', scenes: 'places' } },",
        "inputs.denoiser: its conditioners are of 8×8 cells"
      ),
      (
        "last: { kind: 'features', inputs: { denoiser: 'elsewhere', scenes: 'words' }, counts: [9] },",
        "counts: found 9, accepted: up to 8 words"
      ),
      (
        """
        last: {
          kind: 'intervene', inputs: { denoiser: 'elsewhere', scenes: 'words', features: 'features' }, mask: 'features',
        },
        """, "inputs.denoiser: is no network of Locus itself"
      ),
      (
        "last: { kind: 'features', inputs: { denoiser: 'machine', scenes: 'places' } },",
        "inputs.denoiser: is no network but one behind a mask, or none"
      ),
      (
        "last: { kind: 'features', inputs: { denoiser: 'grid', scenes: 'places' } },",
        "inputs.denoiser: its conditioners are of 8×8 cells"
      ),
      (
        "last: { kind: 'features', inputs: { denoiser: 'local', scenes: 'places' } },",
        "level: level \"encoder.2\" is none that the denoiser has"
      ),
      (
        "lowest: { kind: 'train', inputs: { scenes: 'words' }, pictures: 8,"
          + " network: { type: 'unet', width: 4, conditioning: 'lowest' } },"
          + " last: { kind: 'features', inputs: { denoiser: 'lowest', scenes: 'words' }, level: 'encoder.1' },",
        "level: found \"encoder.1\", where words do not tell yet; accepted: \"encoder.2\", \"decoder.0\", \"decoder.1\""
      ),
      (
        "last: { kind: 'features', inputs: { denoiser: 'model', scenes: 'words' }, counts: [9] },",
        "counts: found 9, accepted: up to 8 words"
      ),
      (
        "last: { kind: 'features', inputs: { denoiser: 'model', scenes: 'words' }, beside: 'word' },",
        ""
      ),
      (
        "last: { kind: 'features', inputs: { denoiser: 'lonely', scenes: 'one' }, beside: 'word', counts: [1] },",
        "beside: found \"word\", and training shows one word a picture"
      ),
      (
        "last: { kind: 'features', inputs: { denoiser: 'model', scenes: 'words' }, space: 'judge' },",
        "inputs.judge: is missing"
      ),
      (
        """
        judge: { kind: 'judge', size: 16, cells: 8 },
        last: { kind: 'features', inputs: { denoiser: 'model', scenes: 'words', judge: 'judge' } },
        """, "inputs.judge: is given, and space \"level\" does not ask it"
      ),
      (
        """
        judge: { kind: 'judge', size: 32, cells: 8 },
        last: {
          kind: 'features', inputs: { denoiser: 'model', scenes: 'words', judge: 'judge' }, space: 'judge',
        },
        """, "inputs.judge: judge and denoiser differ: 32 px and 16 px"
      ),
      (
        """
        white: { kind: 'features', inputs: { denoiser: 'model', scenes: 'words' }, space: 'whitened' },
        last: {
          kind: 'intervene', inputs: { denoiser: 'model', scenes: 'words', features: 'white' }, mask: 'features',
        },
        """, "inputs.features: its subspaces are of space \"whitened\""
      ),
      (
        "last: { kind: 'probe', inputs: { denoiser: 'model', scenes: 'words' }, counts: [9] },",
        "counts: found 9, accepted: up to 8 words"
      ),
      (
        "last: { kind: 'intervene', inputs: { denoiser: 'model', scenes: 'words' }, mask: 'features' },",
        "inputs.features: mask \"features\" needs the level"
      ),
      (
        "last: { kind: 'intervene', inputs: { denoiser: 'model', scenes: 'words', features: 'features' }, mask: 'sum' },",
        "inputs.features: mask \"sum\" does nothing with features"
      ),
      (
        "last: { kind: 'intervene', inputs: { denoiser: 'model', scenes: 'words', features: 'features' }, mask: 'features' },",
        ""
      ),
    ])
  func refused(_ stages: String, _ expected: String) {
    let found = Self.problems(stages)
    #expect(expected.isEmpty ? found.isEmpty : found.contains(expected), "\(found)")
  }

  @Test("a network's words are measured, and put together at the level that was measured")
  func whole() throws {
    try withTemporaryFolder { folder in
      let file = folder.appending(path: "features.json5")
      try Data(
        """
        { pipeline: "features", question: "What do words change?", seed: 2, stages: {
          words: {
            kind: "generate", size: 16, cells: 8, objects: [1, 2], count: 60, conditioner: "colors",
            held_out: [["red", "blue"]],
          },
          model: {
            kind: "untrained", inputs: { scenes: "words" },
            network: { type: "unet", width: 8, conditioning: "channels" },
          },
          features: {
            kind: "features", inputs: { denoiser: "model", scenes: "words" }, level: "encoder.1",
            sigmas: [2], counts: [1, 4], draws: 8, layouts: 4, pictures: 4, places: 4, steps: 4,
            resamples: 50, matrix: { beside: ["nothing", "word"] },
          },
          composed: {
            kind: "intervene",
            inputs: { denoiser: "model", scenes: "words", features: "features[beside=nothing]" },
            mask: "features", matrix: { projection: ["own", "sum", "permuted", "random", "whole"] },
          },
          paired: {
            kind: "intervene",
            inputs: { denoiser: "model", scenes: "words", features: "features[beside=word]" },
            mask: "features", matrix: { beside: ["word"], projection: ["own", "sum"] },
          },
        } }
        """.utf8
      ).write(to: file)
      let pipeline = try Pipeline.read(
        path: file.path, kinds: Experiments.stageKinds, overrides: [])
      let (store, _) = try runWhole(pipeline, in: folder.appending(path: "data"))
      func values(_ measure: Measure) throws -> [Double] {
        try store.rows("SELECT value FROM metric WHERE name = '\(measure.name)'")
          .map { try $0.number("value") }
      }
      // 8 words: 28 pairs; at one σ.
      #expect(try values(.featureCosine(.intervened)).count == 2 * 28)
      #expect(try values(.featureAdditivity(.intervened)).count == 2 * 2)
      // Of each word, by whichever the subspaces are.
      let beside = try values(.featureBeside)
      #expect(beside.count == 16 && beside.allSatisfy { (0...1.000001).contains($0) })
      #expect(Array(beside.prefix(8)) == Array(beside.suffix(8)))
      // K = 1 and 4, at both kinds of inputs, by both subspaces.
      let shares = try values(.featureDiagonal)
      #expect(shares.count == 8 && shares.allSatisfy { (0...1.000001).contains($0) })
      let random = try values(.featureRandom)
      // Two of sixteen channels.
      #expect(random.allSatisfy { abs($0 - 0.125) < 0.08 })
      let changed = try store.rows(
        """
        SELECT s.name, max(m.value) AS share FROM stage s JOIN metric m USING (execution_id)
        WHERE m.name = '\(Measure.maskChangedShare.name)' GROUP BY s.name
        """)
      #expect(changed.count == 7)
      for row in changed {
        let isWhole = try row.text("name").contains("whole")
        #expect((try row.number("share") == 0) == isWhole)
      }
    }
  }
}
