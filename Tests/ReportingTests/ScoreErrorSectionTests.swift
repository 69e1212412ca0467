import Testing

@testable import Reporting

@Suite("Error of scores in the report")
struct ScoreErrorSectionTests {
  private static func page(_ fixture: ReportFixture) throws -> String {
    MarkdownRenderer(try ScoreErrorSection(fixture.data).blocks, pictureFolder: "pictures").text
  }

  /// Models of two seeds each whose recall falls with their error off training.
  private static func fixture(models: Int) throws -> ReportFixture {
    let fixture = try ReportFixture()
    let (scenes, judge) = (try fixture.scenes(), try fixture.judge())
    let posterior = try fixture.posterior(scenes: scenes)
    var compared: [ReportFixture.Compared] = []
    for number in 0..<models {
      for seed in 1...2 {
        let name = "model\(number)[seed=\(seed)]"
        let model = try fixture.model(
          name, labelling: "single", scenes: scenes, seed: UInt64(seed))
        let off = 0.1 + 0.1 * Double(number) + 0.02 * Double(seed)
        try fixture.scoreError(
          "error\(number)[seed=\(seed)]", of: model, posterior: posterior, on: 0.05, off: off)
        let evaluation = try fixture.evaluation(
          "evaluated\(number)[seed=\(seed)]", of: model, judge: judge
        ) { _ in 0.9 }
        compared.append(.init(evaluation: evaluation, kMax: 3, beyond: 0.95 - off, seed: seed))
      }
    }
    try fixture.comparison(compared)
    return fixture
  }

  @Test("a model is the mean of its seeds, on and off training apart, beside its recall")
  func overSeeds() throws {
    let page = try Self.page(Self.fixture(models: 2))
    let rows = page.split(separator: "\n").filter { $0.hasPrefix("| `model1`") }
    #expect(rows[0].hasPrefix("| `model1` | 1 | 0.050 ["), "\(rows)")
    #expect(rows[0].contains(" | 9 | 0.230 [") && rows[0].contains("| 0.72 ["), "\(rows)")
    #expect(rows[1].contains("| 1 | on | 0.050 ["), "\(rows)")
    #expect(rows[2].contains("| 9 | off | 0.230 ["), "\(rows)")
    #expect(!page.contains("Spearman"))
  }

  @Test("of six models it says how the error goes with recall")
  func correlation() throws {
    let page = try Self.page(Self.fixture(models: 6))
    #expect(page.contains("| recipes, each the mean of its seeds | -1.00 ["))
    #expect(page.contains("| seeds within their recipe | -1.00 ["))
  }
}
