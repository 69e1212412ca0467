// Proves that renders by CLEVR's camera are as bright, and of the colours, that CLEVR's own pictures are.
import Foundation
import Testing

@testable import Scenes

@Suite("CLEVR's light")
struct CLEVRLightTests {
  @Test(
    "CLEVR v1.0: ground and objects of pictures that the light was not fitted to are met within a few bytes",
    .enabled(
      if: ImportCLEVRTests.published != nil,
      "LOCUS_CLEVR (or ../shared/clevr) is no folder of CLEVR v1.0"))
  func pictures() throws {
    let clevr = try #require(ImportCLEVRTests.published)
    let pairs = try CLEVRPair.all(of: clevr).enumerated().filter { $0.offset % 2 == 1 }
      .map(\.element)
    var whole = (sum: 0.0, signed: 0.0, count: 0)
    var boxes = whole
    for pair in pairs {
      func add(_ i: Int, to sums: inout (sum: Double, signed: Double, count: Int)) {
        let difference = Double(pair.ours[i]) - Double(pair.theirs[i])
        sums = (sums.sum + abs(difference), sums.signed + difference, sums.count + 1)
      }
      for i in pair.ours.indices { add(i, to: &whole) }
      for object in pair.objects { for i in pair.box(of: object) { add(i, to: &boxes) } }
    }
    func mean(_ sums: (sum: Double, signed: Double, count: Int)) -> (Double, Double) {
      (sums.sum / Double(max(sums.count, 1)), sums.signed / Double(max(sums.count, 1)))
    }
    print(
      "\(pairs.count) pictures: mean absolute and mean difference in bytes \(mean(whole)), "
        + "around objects \(mean(boxes))")
    #expect(pairs.count > 5)
    #expect(mean(whole).0 < 8 && abs(mean(whole).1) < 4)
    #expect(mean(boxes).0 < 14 && abs(mean(boxes).1) < 8)
  }
}
