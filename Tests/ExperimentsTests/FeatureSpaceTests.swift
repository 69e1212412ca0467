import Foundation
import Lineage
import Measures
import Testing
import Workflow

@testable import Experiments

/// Proves that words are looked at in other spaces than a level's own: whitened, the judge's, and pixels.
@Suite("Spaces in which words act")
struct FeatureSpaceTests {
  private static let pipeline = """
    { pipeline: "spaces", question: "Where do words act?", seed: 2, stages: {
      words: {
        kind: "generate", camera: "overhead", size: 16, cells: 8, objects: [1, 2], count: 60, conditioner: "colors",
      },
      judge: {
        kind: "judge", camera: "overhead", size: 16, cells: 8, renders: 200, pictures: 640, held_out: 5,
      },
      model: {
        kind: "untrained", inputs: { scenes: "words" },
        network: { type: "unet", width: 8, conditioning: "channels" },
      },
      plain: {
        kind: "features", inputs: { denoiser: "model", scenes: "words" }, level: "encoder.1",
        sigmas: [2], counts: [2], draws: 32, layouts: 4, pictures: 0, places: 4, steps: 4, resamples: 20,
        matrix: { space: ["level", "whitened"] },
      },
      judged: {
        kind: "features", inputs: { denoiser: "model", scenes: "words", judge: "judge" }, space: "judge",
        sigmas: [2], counts: [2], draws: 8, layouts: 4, pictures: 0, steps: 4, resamples: 20,
      },
      probed: {
        kind: "probe", inputs: { denoiser: "model", scenes: "words" }, sigmas: [2, 1], counts: [1, 2],
        pictures: 4, steps: 4,
      },
    } }
    """

  @Test("a level's own features, whitened ones, the judge's and pixels give numbers of their own")
  func spaces() throws {
    try withTemporaryFolder { folder in
      let file = folder.appending(path: "spaces.json5")
      try Data(Self.pipeline.utf8).write(to: file)
      let pipeline = try Pipeline.read(
        path: file.path, kinds: Experiments.stageKinds, overrides: [])
      let (store, _) = try runWhole(pipeline, in: folder.appending(path: "data"))
      func values(_ measure: Measure, of stage: String) throws -> [Double] {
        try store.rows(
          """
          SELECT m.value FROM stage s JOIN metric m USING (execution_id)
          WHERE s.name = '\(stage)' AND m.name = '\(measure.name)' ORDER BY m.k, m.sigma
          """
        ).map { try $0.number("value") }
      }
      let stages = ["plain[space=level]", "plain[space=whitened]", "judged"]
      let shares = try stages.map { try values(.featureDiagonal, of: $0) }
      // By law and on the way.
      for found in shares {
        #expect(found.count == 2 && found.allSatisfy { (0...1.000001).contains($0) })
      }
      #expect(Set(shares.map { $0[0] }).count == 3)
      // Of the very map by which features are whitened, or would be.
      let maps = try stages.prefix(2).map { try values(.featureCondition, of: $0) }
      #expect(maps[0] == maps[1] && maps[0].count == 1 && maps[0][0] > 1.5)
      // 8 colours: 28 pairs.
      #expect(try values(.featureCosine(.intervened), of: "judged").count == 28)
      // One word alone has no others.
      let remote = try values(.wordRemote, of: "probed")
      let inside = try values(.wordInside, of: "probed")
      #expect(remote.count == 2 && remote.allSatisfy { $0 > 0.1 })
      #expect(inside.count == 4 && inside.allSatisfy { (0...1.000001).contains($0) })
      // Without training words act as much everywhere: 75 % of an effect take more than half of the picture.
      #expect(try values(.wordArea, of: "probed").allSatisfy { (0.3...0.75).contains($0) })
    }
  }
}
