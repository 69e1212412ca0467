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
    var all = overrides(["scenes", "judge", "empties", "to_five"], ["size=16", "cells=8"])
    all += [
      "scenes.count=60", "empties.count=60", "to_five.count=200", "judge.renders=200",
      "judge.pictures=640",
      "judge.held_out=5",
    ]
    all += overrides(
      ["model", "own"], ["pictures=64", "cool_down=32", "network.width=4", "matrix.seed=[1]"])
    all += [
      "others.pictures=64", "others.cool_down=32", "five.pictures=64", "five.cool_down=32",
      "five.network.width=4", "told_nothing.pictures=64",
      "told_nothing.cool_down=32", "told_nothing.network.width=4",
    ]
    let features = [
      "features", "own_features", "other_features", "whitened", "judged", "levels",
    ]
    all += overrides(
      features,
      [
        "sigmas=[5]", "counts=[1, 4]", "draws=8", "layouts=3", "pictures=2", "places=2",
        "resamples=10", "steps=2",
      ])
    all += ["levels.matrix.rank=[1, 2]", "levels.matrix.level=[\"decoder.0\", \"encoder.2\"]"]
    all += overrides(
      ["model_probed", "own_probed"], ["sigmas=[5]", "counts=[2]", "pictures=2", "steps=2"])
    let evaluated = [
      "model", "added", "composed", "own", "pairs", "own_pairs", "guidance", "others",
      "other_pairs", "five", "five_triples", "dosed", "dosed_permuted", "nothing", "blank",
    ]
    all += overrides(
      evaluated.map { $0 + "_evaluated" }
        + ["less_guided", "composed_less_guided", "own_less_guided"],
      ["layouts=2", "steps=2", "renders=40"])
    return all
  }

  @Test("it runs to its report, which answers its claims")
  func runs() throws {
    try withTemporaryFolder { folder in
      // The other recipes' widths are an axis that no override reaches.
      let committed = PipelineTests.file.deletingLastPathComponent().appending(
        path: "colors.json5")
      var text = try String(contentsOf: committed, encoding: .utf8)
      for (wide, narrow) in [
        (#""network.width": [8, 16]"#, #""network.width": [4, 8]"#),
        (#""network.width": 16, "#, #""network.width": 8, "#),
      ] {
        #expect(text.contains(wide))
        text = text.replacing(wide, with: narrow)
      }
      let file = folder.appending(path: "colors.json5")
      try Data(text.utf8).write(to: file)
      let pipeline = try Pipeline.read(
        path: file.path, kinds: Experiments.stageKinds, overrides: Self.small(),
        extensions: [.claims])
      let (store, run) = try runWhole(pipeline, in: folder.appending(path: "data"))
      let written = try Report.write(
        store: store, runID: run, into: folder.appending(path: "reports"))
      let page = try String(contentsOf: written, encoding: .utf8)
      #expect(page.contains("Words in features"))
      for sentence in [
        "Where words act in pixels", "Colours that mix", "Does locality in features go with",
        "Told that nothing is there",
        "What the judge tells on held-out renders", "seen − held out",
        "| question | answer | numbers |", "Does `model` compose beyond 3 words?",
        "`added` repairs `model`, K = 4 to 7, guidance 1", "Word recall against the number",
      ] { #expect(page.contains(sentence), "\(sentence)") }
      #expect(page.contains("feature-cosines.svg") && page.contains("feature-shares-2.svg"))
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
