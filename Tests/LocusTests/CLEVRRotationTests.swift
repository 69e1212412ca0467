// Proves that a scene's `rotation` means to our renderer what it means to Blender, on CLEVR's own pictures.
import Foundation
import Testing

@testable import Formats
@testable import Scenes

@Suite("CLEVR's rotation")
struct CLEVRRotationTests {
  @Test("it is radians, of which whole turns count nothing, in both directions")
  func radians() throws {
    let scene = try makeScene(
      SceneSettings(camera: .whole, size: 64, cells: 16, rules: LayoutRules(objects: 3...3)),
      seed: 3, index: 0, purpose: .scenes)
    let file = CLEVRFile.Scene(scene, index: 0, size: 64)
    for (object, written) in zip(scene.objects, file.objects) {
      #expect(abs(written.rotation - object.rotation * .pi / 180) < 1e-12)
      var turned = written
      turned.rotation += 2 * .pi * 17
      for read in [SceneObject(written), SceneObject(turned)] {
        #expect(abs(read.rotation - object.rotation) < 1e-9)
      }
    }
  }

  /// The mean absolute difference, in bytes, between CLEVR's pictures and our renders within the boxes of
  /// cubes, with what a file says of rotations changed by `change`.
  private func difference(_ clevr: URL, _ change: (Double) -> Double) throws -> (
    mean: Double, cubes: Int
  ) {
    var (sum, pixels, cubes) = (0.0, 0, 0)
    for pair in try CLEVRPair.all(of: clevr, rotation: change) {
      for object in pair.objects where object.shape == .cube {
        cubes += 1
        for i in pair.box(of: object) {
          sum += Double(abs(Int(pair.ours[i]) - Int(pair.theirs[i])))
          pixels += 1
        }
      }
    }
    return (sum / Double(max(pixels, 1)), cubes)
  }

  @Test(
    "CLEVR v1.0: cubes turned by radians look like the published pictures, by degrees they do not",
    .enabled(
      if: ImportCLEVRTests.published != nil,
      "LOCUS_CLEVR (or ../shared/clevr) is no folder of CLEVR v1.0"))
  func pictures() throws {
    let clevr = try #require(ImportCLEVRTests.published)
    let radians = try difference(clevr) { $0 }
    let degrees = try difference(clevr) { $0 * .pi / 180 }
    let backwards = try difference(clevr) { -$0 }
    print(
      "within the boxes of \(radians.cubes) cubes, mean absolute difference in bytes:"
        + " \(radians.mean) as radians, \(degrees.mean) as degrees, \(backwards.mean) the other way round"
    )
    #expect(radians.cubes > 20)
    #expect(radians.mean < 0.95 * degrees.mean)
    #expect(radians.mean < 0.95 * backwards.mean)
  }
}
