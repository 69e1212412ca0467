import Testing

@testable import Reporting

@Suite("Index beside recall")
struct IndexCorrelationTests {
  /// Recipes whose recall falls with their index, and seeds within each whose recall rises with it.
  private static func models(_ count: Int, seeds: Int) -> [ModelIndex] {
    (0..<count).map { recipe in
      var model = ModelIndex(name: "recipe\(recipe)")
      for seed in 0..<seeds {
        let step = 0.001 * Double(seed)
        model.remote.values.append(
          .init(seed: "\(seed)", estimate: Estimate(value: 0.1 * Double(recipe) + step)))
        model.recall.values.append(
          .init(seed: "\(seed)", estimate: Estimate(value: 0.9 - 0.05 * Double(recipe) + step)))
      }
      return model
    }
  }

  private static func rows(_ models: [ModelIndex]) -> [[String]] {
    IndexCorrelation(models: models, trajectory: "own trajectory, K = 9", law: "law").blocks
      .compactMap { block -> [[String]]? in
        if case .table(_, let rows) = block { return rows }
        return nil
      }.flatMap { $0 }
  }

  @Test("recipes are units, and what happens within them is told apart")
  func apart() throws {
    let rows = Self.rows(Self.models(8, seeds: 3))
    #expect(rows.count == 2)
    #expect(rows[0][1] == "judge" && rows[0][3].hasPrefix("-1.00 ["))
    #expect(rows[0][4] == "-1.00 to -1.00" && rows[0][6] == "8")
    #expect(rows[1][3].hasPrefix("1.00 [") && rows[1][6] == "24")
  }

  private static func verdict(_ models: [ModelIndex]) throws -> String {
    let blocks = IndexCorrelation(models: models, trajectory: "t", law: nil).blocks
    guard case .paragraph(let text) = try #require(blocks.last) else { return "" }
    return text
  }

  @Test("a correlation is shown by both detectors, and without any one kind of network")
  func verdict() throws {
    var models = Self.models(12, seeds: 3)
    #expect(try Self.verdict(models).hasPrefix("**Shown** over recipes"))
    for i in models.indices { models[i].background = models[i].recall }
    #expect(try Self.verdict(models).hasPrefix("**Shown** over recipes"))
    // The other way round, and not at all.
    for i in models.indices { models[i].background = models[11 - i].recall }
    #expect(try Self.verdict(models).hasPrefix("**Not shown: by the judge alone**"))
    // All of it by five of one kind: the others' recall is that of their neighbours.
    for i in models.indices {
      models[i].architecture = i < 6 ? "local" : "unet, group norm"
      if i < 6 { models[i].recall = Self.models(12, seeds: 3)[(i * 5) % 6].recall }
      models[i].background = models[i].recall
    }
    let text = try Self.verdict(models)
    #expect(text.hasPrefix("**Shown in part**"), "\(text)")
    #expect(text.contains("without unet, group norm the judge does not show it"), "\(text)")
  }

  @Test("of few models, of one seed each and of models without an index nothing is said")
  func few() {
    #expect(Self.rows(Self.models(5, seeds: 1)).isEmpty)
    #expect(Self.rows(Self.models(8, seeds: 1)).count == 1)
    var models = Self.models(8, seeds: 1)
    for i in models.indices.dropFirst(5) { models[i].remote = Replicates([]) }
    #expect(Self.rows(models).isEmpty)
  }
}
