import Evaluation
import Testing

@testable import Reporting

@Suite("Order by the index")
struct IndexOrderTests {
  private static let names = ["a", "b", "c"]

  private static func order(
    _ recall: [Double], background: [Double]? = nil, index: [Double] = [0, 0.1, 0.3],
    names: [String] = names
  ) -> String? {
    func estimate(_ value: Double) -> Estimate {
      Estimate(value: value, low: value - 0.02, high: value + 0.02, n: 12)
    }
    var contrasts: [ContrastRow] = []
    var remotes: [RemoteDifferenceRow] = []
    for i in names.indices {
      for j in names.indices where j > i {
        func add(_ measure: EffectMeasure, _ values: [Double]) {
          contrasts.append(
            ContrastRow(
              intervention: names[i], stage: "e\(i)", control: "e\(j)", comparison: "c",
              measure: measure, estimate: estimate(values[i] - values[j])))
        }
        add(.recall, recall)
        add(.background, background ?? recall)
        remotes.append(
          RemoteDifferenceRow(
            k: 9, stage: "p\(i)", other: "p\(j)", difference: estimate(index[i] - index[j])))
      }
    }
    let members = names.indices.map {
      IndexOrder.Member(name: names[$0], seed: nil, evaluation: "e\($0)", probe: "p\($0)")
    }
    return IndexOrder(
      members: members, contrasts: Contrasts(contrasts), remotes: RemoteDifferences(remotes),
      count: 9
    ).blocks
      .first.map { block in
        if case .paragraph(let text) = block { return text }
        return ""
      }
  }

  @Test("pairs are counted by what both detectors tell of them")
  func counted() throws {
    #expect(
      try #require(Self.order([0.9, 0.8, 0.7])).contains(
        "Of the 3 pairs of models whose indices differ (interval of the difference), in 3 it recalls more"
      ))
    #expect(
      try #require(Self.order([0.9, 0.8, 0.95])).contains(
        "in 1 it recalls more by both detectors, in 2 it recalls less by both, in 0 they"))
    #expect(
      try #require(Self.order([0.9, 0.8, 0.7], background: [0.9, 0.89, 0.95])).contains(
        "in 0 it recalls more by both detectors, in 0 it recalls less by both, in 3 they"))
  }

  @Test("what has one index is no pair, and of two models nothing is said")
  func few() {
    #expect(Self.order([0.9, 0.8, 0.7], index: [0.1, 0.1, 0.3]) == nil)
    #expect(Self.order([0.9, 0.8], names: ["a", "b"]) == nil)
  }
}
