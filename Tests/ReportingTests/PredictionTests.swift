import Foundation
import Lineage
import Measures
import Testing

@testable import Reporting

/// Proves that a prediction counts only what was evaluated after it was written.
@Suite("What was predicted")
struct PredictionTests {
  /// Seven models, predicted to recall in the order of `predicted` (the first most), that recall by their
  /// number: the first least.
  private func page(predicted: [Int], isBefore: Bool = true) throws -> String {
    let fixture = try ReportFixture()
    fixture.wallSeconds = 0.001
    let (scenes, judge) = (try fixture.scenes(), try fixture.judge())
    let models = try predicted.indices.map { number in
      try fixture.model("m\(number)", labelling: "all", scenes: scenes)
    }
    func predict() throws {
      let probes = try models.enumerated().map {
        try fixture.probe("p\($0)", of: $1, scenes: scenes, share: 0.9)
      }
      try fixture.stage(
        "told", "predict", inputs: probes.enumerated().map { ("probes[\($0)]", $1) },
        files: ["prediction": "order"],
        metrics: predicted.enumerated().map { rank, model in
          Measure.predictedRank.row(
            Double(rank + 1), .k(9), .inputs(.trajectory), .subject(probes[model].manifest),
            n: predicted.count)
        })
      // Times are kept to the millisecond.
      Thread.sleep(forTimeInterval: 0.01)
    }
    if isBefore { try predict() }
    let compared = try models.enumerated().map { number, model in
      let recall = 0.3 + 0.05 * Double(number)
      return ReportFixture.Compared(
        evaluation: try fixture.evaluation("e\(number)", of: model, judge: judge) { _ in recall },
        kMax: 3, beyond: recall)
    }
    if !isBefore { try predict() }
    try fixture.comparison(compared)
    return MarkdownRenderer(
      try PredictionSection(fixture.data).blocks, pictureFolder: "pictures"
    ).text
  }

  @Test("an order that comes out as it was written holds")
  func holds() throws {
    let page = try page(predicted: [6, 5, 4, 3, 2, 1, 0])
    #expect(
      page.contains(
        "**Shown** over recipes that recall falls in the order that was predicted: ρ 1.00"))
  }

  @Test("an order that comes out the other way round is reversed, one without any order not shown")
  func fails() throws {
    #expect(
      try page(predicted: [0, 1, 2, 3, 4, 5, 6]).contains("**Shown, against it:**"))
    #expect(try page(predicted: [3, 6, 0, 4, 1, 5, 2]).contains("**Not shown** over recipes"))
  }

  @Test("what was evaluated before it was written does not count")
  func before() throws {
    let page = try page(predicted: [6, 5, 4, 3, 2, 1, 0], isBefore: false)
    #expect(page.contains("**7 were evaluated before it was written and do not count.**"))
    #expect(!page.contains("ρ"))
  }
}
