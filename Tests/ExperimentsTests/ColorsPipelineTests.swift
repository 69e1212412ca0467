import Foundation
import Lineage
import Measures
import Reporting
import Testing
import Workflow

@testable import Experiments

/// The committed pipeline of colours in seconds: far too small to show anything, but all of it.
@Suite("The pipeline of colours")
struct ColorsPipelineTests {
  /// `stage.setting=value` of some stages.
  private static func overrides(_ stages: [String], _ settings: [String]) -> [String] {
    stages.flatMap { stage in settings.map { stage + "." + $0 } }
  }

  private static func small() -> [String] {
    var all = overrides(["scenes", "judge"], ["size=16", "cells=8"])
    all += ["scenes.count=60", "judge.renders=200", "judge.pictures=640", "judge.held_out=5"]
    all += overrides(
      ["model", "own"], ["pictures=64", "network.width=4", "matrix.seed=[1]"])
    all += overrides(
      ["features", "own_features"],
      [
        "sigmas=[5]", "counts=[1, 4]", "draws=8", "layouts=3", "pictures=2", "places=2",
        "resamples=10", "steps=2",
      ])
    let evaluated = ["model", "added", "composed", "own", "pairs", "guidance"]
    all += overrides(
      evaluated.map { $0 + "_evaluated" }, ["layouts=2", "steps=2", "renders=40"])
    return all
  }

  @Test("it runs to its report, which answers its claims")
  func runs() throws {
    try withTemporaryFolder { folder in
      let file = PipelineTests.file.deletingLastPathComponent().appending(path: "colors.json5")
      let pipeline = try Pipeline.read(
        path: file.path, kinds: Experiments.stageKinds, overrides: Self.small(),
        extensions: [.claims])
      let (store, run) = try runWhole(pipeline, in: folder)
      let page = try Report.write(
        store: store, runID: run, into: folder.appending(path: "reports"))
      let text = try String(contentsOf: page, encoding: .utf8)
      #expect(text.contains("Words in features"))
      #expect(text.contains("feature-cosines.svg") && text.contains("feature-shares-2.svg"))
      // Features of words' own channels are theirs alone, by construction; two of 32 channels are not all four.
      let own = try store.rows(
        """
        SELECT m.value FROM stage s JOIN metric m USING (execution_id)
        WHERE s.name LIKE 'own_features%' AND m.name = '\(Measure.featureOthers.name)'
        """)
      #expect(own.count == 4)
      for row in own { #expect(try row.number("value") < 1e-9) }
      let arms = try store.rows(
        "SELECT DISTINCT arm FROM intervention_effect WHERE arm IN ('features', 'sum')")
      #expect(arms.count == 2)
    }
  }
}
