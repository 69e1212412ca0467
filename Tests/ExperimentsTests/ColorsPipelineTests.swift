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
  private static let small =
    [
      "scenes.size=16", "scenes.cells=8", "scenes.count=60", "judge.size=16", "judge.cells=8",
      "judge.renders=200", "judge.pictures=640", "judge.held_out=5",
    ]
    + ["model", "own"].flatMap {
      ["\($0).pictures=64", "\($0).network.width=4", "\($0).matrix.seed=[1]"]
    }
    + ["features", "own_features"].flatMap {
      [
        "\($0).sigmas=[5]", "\($0).counts=[1, 4]", "\($0).draws=8", "\($0).layouts=3",
        "\($0).pictures=2", "\($0).places=2", "\($0).resamples=10", "\($0).steps=2",
      ]
    }
    + [
      "model_evaluated", "added_evaluated", "composed_evaluated", "own_evaluated",
      "pairs_evaluated", "guidance_evaluated",
    ].flatMap { ["\($0).layouts=2", "\($0).steps=2", "\($0).renders=40"] }

  @Test("it runs to its report, which answers its claims")
  func runs() throws {
    try withTemporaryFolder { folder in
      let file = PipelineTests.file.deletingLastPathComponent().appending(path: "colors.json5")
      let pipeline = try Pipeline.read(
        path: file.path, kinds: Experiments.stageKinds, overrides: Self.small,
        extensions: [.claims])
      let (store, run) = try runWhole(pipeline, in: folder)
      let page = try Report.write(
        store: store, runID: run, into: folder.appending(path: "reports"))
      let text = try String(contentsOf: page, encoding: .utf8)
      #expect(text.contains("Words in features"))
      #expect(text.contains("feature-cosines") && text.contains("feature-shares-2"))
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
