// Proves that a published value is agreed with by narrow intervals alone.
import Testing

@testable import Reporting

@Suite("The published K_max")
struct PublishedKMaxTests {
  static func model(
    _ network: String, _ labelling: String, _ reach: EvaluatedModel.Reach = .unbounded,
    arm: String = "none", trained: Int = 3,
    isOfOneTraining: Bool = true
  ) -> EvaluatedModel {
    EvaluatedModel(
      model: "m", labelling: labelling, network: network, reach: reach, trainingMaximum: trained,
      isOfOneTraining: isOfOneTraining, arm: arm, stage: "e", executionID: "x")
  }

  private func own(
    _ kMax: (Int, Int, Int), beyond: (Double, Double)? = nil, within: (Double, Double)? = nil
  ) -> PublishedKMax.Own {
    func estimate(_ ends: (Double, Double)?) -> Estimate? {
      ends.map { Estimate(value: ($0.0 + $0.1) / 2, low: $0.0, high: $0.1, n: 100) }
    }
    return PublishedKMax.Own(
      kMax: Estimate(
        value: Double(kMax.0), low: Double(kMax.1), high: Double(kMax.2), n: 100),
      recallBeyond: estimate(beyond), recallWithin: estimate(within), threshold: 0.9, last: 12)
  }

  @Test("a network that is told of words has no published counterpart")
  func wordModels() {
    var model = Self.model("unet", "all")
    #expect(PublishedKMax(of: model) != nil)
    model.isToldOfPlaces = false
    #expect(PublishedKMax(of: model) == nil)
  }

  @Test(
    "a value in an interval at most 4 wide agrees, outside it disagrees, in a wider one it is not shown",
    arguments: [
      (2, 1, 3, "agrees"), (2, 0, 4, "agrees"),
      (2, 0, 5, "not shown: the interval is too wide"), (5, 3, 6, "disagrees"),
      (1, 0, 1, "disagrees"),
      // Ends at the largest tested K: how far it goes was not seen.
      (12, 2, 12, "not shown: the interval is too wide"), (12, 9, 12, "disagrees"),
    ])
  func agreement(value: Int, low: Int, high: Int, text: String) throws {
    let published = try #require(PublishedKMax(of: Self.model("unet", "single")))
    #expect(published.words == "2 (Exp 2)")
    #expect(published.agreement(with: own((value, low, high))).text == text)
  }

  @Test("an interval that ends at the largest tested K agrees with nothing")
  func openEnd() throws {
    let published = try #require(
      PublishedKMax(of: Self.model("local", "single", .local, trained: 5)))
    #expect(
      published.agreement(with: own((12, 9, 12)))
        == .notShown("the interval ends at the largest tested K"))
    #expect(published.agreement(with: own((10, 9, 11))) == .agrees)
  }

  @Test("words are held against recall beyond the training range and the threshold")
  func words() throws {
    let all = try #require(PublishedKMax(of: Self.model("unet", "all")))
    #expect(all.words == "succeeds (Exp 1)")
    #expect(all.agreement(with: own((12, 9, 12), beyond: (0.9, 0.95))) == .agrees)
    #expect(all.agreement(with: own((12, 9, 12), beyond: (0.8, 0.89))) == .disagrees)
    #expect(
      all.agreement(with: own((12, 9, 12), beyond: (0.8, 0.95)))
        == .notShown("the interval holds the threshold"))
    let wide = try #require(PublishedKMax(of: Self.model("local", "single")))
    #expect(wide.words == "fails again (Exp 2L, k = 8)")
    var failing = own((5, 3, 7), beyond: (0.8, 0.89))
    #expect(wide.agreement(with: failing) == .notShown("no small window beside it"))
    func estimate(_ value: Double, _ low: Double, _ high: Double) -> Estimate {
      Estimate(value: value, low: low, high: high)
    }
    failing.background = estimate(0.5, 0.45, 0.55)
    failing.ofSmallWindows = [(estimate(0.8, 0.7, 0.85), estimate(0.6, 0.58, 0.62))]
    #expect(wide.agreement(with: failing) == .notShown("with a small window it fails too"))
    failing.ofSmallWindows = [(estimate(0.88, 0.85, 0.92), estimate(0.6, 0.58, 0.62))]
    #expect(wide.agreement(with: failing) == .notShown("not told from every small window"))
    failing.ofSmallWindows = [(estimate(0.93, 0.895, 0.96), estimate(0.5, 0.45, 0.55))]
    #expect(wide.agreement(with: failing) == .notShown("by the judge alone"))
    failing.ofSmallWindows = [(estimate(0.93, 0.895, 0.96), estimate(0.6, 0.58, 0.62))]
    #expect(wide.agreement(with: failing) == .agrees)
    #expect(wide.agreement(with: own((12, 9, 12), beyond: (0.9, 0.95))) == .disagrees)
  }

  @Test("what did not learn its training range says nothing of what was published")
  func undertrained() throws {
    let wide = try #require(PublishedKMax(of: Self.model("local", "single")))
    #expect(
      wide.agreement(with: own((0, 0, 1), beyond: (0.2, 0.3), within: (0.4, 0.5)))
        == .notShown("under-trained"))
    // What may not have learned its range yet is not held against the paper for drawing too few, only for drawing more.
    let all = try #require(PublishedKMax(of: Self.model("unet", "all")))
    let short = own((5, 3, 7), beyond: (0.8, 0.85), within: (0.85, 0.95))
    #expect(all.agreement(with: short) == .notShown("within range not shown to reach 0.90"))
    #expect(
      all.agreement(with: own((5, 3, 7), beyond: (0.8, 0.85), within: (0.91, 0.95))) == .disagrees)
    let single = try #require(PublishedKMax(of: Self.model("unet", "single")))
    #expect(single.agreement(with: own((5, 3, 7), within: (0.85, 0.95))) == .disagrees)
    let local = try #require(
      PublishedKMax(of: Self.model("local", "single", .local, trained: 5)))
    #expect(
      local.agreement(with: own((1, 0, 4), within: (0.85, 0.95)))
        == .notShown("within range not shown to reach 0.90"))
  }

  @Test("what was not published has none, and a network goes by its window, not by its name")
  func kinds() throws {
    let local = try #require(
      PublishedKMax(of: Self.model("local", "single", .local, trained: 5)))
    #expect(local.told == .kMax(10))
    #expect(PublishedKMax(of: Self.model("patchwise", "single", .local, trained: 5)) == local)
    #expect(
      PublishedKMax(of: Self.model("patchwise", "single"))
        == PublishedKMax(of: Self.model("local", "single")))
    #expect(PublishedKMax(of: Self.model("unet", "single", trained: 2)) == nil)
    #expect(PublishedKMax(of: Self.model("unet", "all", trained: 5)) == nil)
    #expect(PublishedKMax(of: Self.model("unet", "single", arm: "sum")) == nil)
    // A network that was trained further, under a mask say.
    #expect(PublishedKMax(of: Self.model("unet", "single", isOfOneTraining: false)) == nil)
  }
}
