// Proves that a published value is agreed with by narrow intervals alone.
import Testing

@testable import Reporting

@Suite("The published K_max")
struct PublishedKMaxTests {
  static func model(
    _ network: String, _ labelling: String, _ reach: EvaluatedModel.Reach = .unbounded,
    arm: String = "none"
  ) -> EvaluatedModel {
    EvaluatedModel(
      model: "m", labelling: labelling, network: network, reach: reach, arm: arm, stage: "e",
      executionID: "x")
  }

  @Test(
    "a value in an interval at most 4 wide agrees, outside it differs, in a wider one it is open",
    arguments: [
      (2, 1, 3, "2 (Exp 2): agrees"), (2, 0, 4, "2 (Exp 2): agrees"),
      (2, 0, 5, "2 (Exp 2): open"), (5, 3, 6, "2 (Exp 2): differs"),
      (1, 0, 1, "2 (Exp 2): differs"),
      // Ends at the largest tested K: how far it goes was not seen.
      (12, 2, 12, "2 (Exp 2): open"), (12, 9, 12, "2 (Exp 2): differs"),
    ])
  func agreement(value: Int, low: Int, high: Int, text: String) throws {
    let published = try #require(
      PublishedKMax(of: Self.model("unet", "single"), trainedUpTo: 3))
    let own = Estimate(value: Double(value), low: Double(low), high: Double(high), n: 100)
    #expect(published.text(beside: own, testedUpTo: 12) == text)
  }

  @Test("words without a number agree with nothing, and what was not published has none")
  func words() throws {
    let own = Estimate(value: 12, low: 12, high: 12, n: 100)
    let all = try #require(PublishedKMax(of: Self.model("unet", "all"), trainedUpTo: 3))
    #expect(all.text(beside: own, testedUpTo: 12) == "succeeds (Exp 1)")
    let wide = try #require(PublishedKMax(of: Self.model("local", "single"), trainedUpTo: 3))
    #expect(wide.text(beside: own, testedUpTo: 12) == "fails again (Exp 2L, k = 8)")
    let local = try #require(
      PublishedKMax(of: Self.model("local", "single", .local), trainedUpTo: 5))
    #expect(local.kMax == 10)
    #expect(PublishedKMax(of: Self.model("patchwise", "single", .local), trainedUpTo: 5) == local)
    #expect(PublishedKMax(of: Self.model("patchwise", "single"), trainedUpTo: 3) == wide)
    #expect(PublishedKMax(of: Self.model("unet", "single"), trainedUpTo: 2) == nil)
    #expect(PublishedKMax(of: Self.model("unet", "all"), trainedUpTo: 5) == nil)
    #expect(PublishedKMax(of: Self.model("unet", "single", arm: "sum"), trainedUpTo: 3) == nil)
  }
}
