// Proves that what a page shows of a claim is of the evaluations that the claim rests on.
import Formats
import Foundation
import Testing

@testable import Reporting

@Suite("The evaluations that claims rest on")
struct ClaimedEvaluationTests {
  typealias Compared = ReportFixture.Compared

  /// Two models, each evaluated first with no guidance, by nobody compared, then with guidance 4 and 2.
  private func fixture(_ claim: String, without: Double = 0.2) throws -> ReportFixture {
    let fixture = try ReportFixture(source: "{ question: 'q', claims: { composes: [\(claim)] } }")
    let (scenes, judge) = (try fixture.scenes(), try fixture.judge())
    var compared: [Compared] = []
    for (name, base) in [("a", 0.5), ("b", 0.7)] {
      let model = try fixture.model(name, labelling: "all", scenes: scenes)
      for (guidance, less) in [(1, 0.4), (4, 0.0), (2, 0.2)] {
        let recall = base - less
        let evaluation = try fixture.evaluation(
          "\(name)_evaluated[guidance=\(guidance)]", of: model, judge: judge,
          conditions: ["guidance": .object(["scale": .integer(guidance)])]
        ) { _ in recall }
        if guidance > 1 {
          compared.append(
            Compared(evaluation: evaluation, kMax: 1, beyond: recall, within: 0.95))
        }
      }
    }
    try fixture.comparison(compared)
    return fixture
  }

  private func page(_ fixture: ReportFixture) throws -> LineChart {
    let data = try fixture.data
    let blocks = try MainFigure(data, ClaimsOfRun(data)).blocks
    guard case .chart(_, .lines(let chart), _)? = blocks.first else {
      throw CocoaError(.featureUnsupported)
    }
    return chart
  }

  @Test("the main figure has those that were compared, and not the first of the pipeline")
  func figure() throws {
    let chart = try page(fixture("{ model: 'b', against: 'a' }"))
    #expect(chart.series.map(\.name) == ["b", "a"])
    #expect(chart.series[0].points.allSatisfy { $0.y == 0.7 }, "\(chart.series[0].points)")
  }

  @Test(
    "a claim that states a guidance rests on evaluations with it, in the figure and in the verdict")
  func guidance() throws {
    let stated = try fixture("{ model: 'b', against: 'a', guidance: 2 }")
    let chart = try page(stated)
    #expect(chart.series.map(\.name) == ["b, guidance 2", "a, guidance 2"])
    #expect(chart.series[0].points.allSatisfy { abs($0.y - 0.5) < 1e-9 })
    let findings = try Findings(stated.data).verdict.recalls
    let finding = try #require(findings.first)
    #expect(abs((finding.high.recall.mean?.value ?? 0) - 0.5) < 1e-9)
    #expect(finding.chosen.isEmpty)
    let others = try Findings(fixture("{ model: 'b', against: 'a' }").data).verdict.recalls
    let first = try #require(others.first)
    #expect(abs((first.high.recall.mean?.value ?? 0) - 0.7) < 1e-9)
  }

  @Test("a replicate that another comparison is held against has no row of its own")
  func references() throws {
    let fixture = try ReportFixture()
    let (scenes, judge) = (try fixture.scenes(), try fixture.judge())
    var compared: [Compared] = []
    for seed in 1...3 {
      let model = try fixture.model(
        "a[seed=\(seed)]", labelling: "all", scenes: scenes, seed: UInt64(seed))
      let evaluation = try fixture.evaluation(
        "a_evaluated[seed=\(seed)]", of: model, judge: judge
      ) { _ in 0.5 }
      compared.append(Compared(evaluation: evaluation, kMax: 1, beyond: 0.5))
    }
    try fixture.comparison(compared)
    try fixture.comparison([compared[0]], name: "doses", threshold: 0.8)
    let recipes = ComparedRecipe.all(try fixture.data.comparisons)
    #expect(recipes.map(\.label) == ["a"] && recipes.first?.members.count == 3)
  }
}
