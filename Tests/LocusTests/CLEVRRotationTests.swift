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
    let size = 160
    let settings = SceneSettings(
      camera: .whole, size: size, cells: 16, rules: LayoutRules(objects: 0...64))
    let part = try #require(CameraKind.whole.part(ofWidth: 480, height: 320))
    var (sum, pixels, cubes) = (0.0, 0, 0)
    let text = try Data(contentsOf: clevr.appending(path: "scenes/CLEVR_train_scenes.json"))
    var reader = try CLEVRReader(HeldBytes(text))
    while let scene = try reader.next() {
      var objects = scene.objects
      for i in objects.indices { objects[i].rotation = change(objects[i].rotation) }
      let place = CLEVRView.fit(objects, width: 480, height: 320).position
      let drawn = Scene(
        objects: objects.map(SceneObject.init), camera: CameraKind.whole.camera(at: place))
      var ours = [UInt8](repeating: 0, count: size * size * 3)
      var theirs = ours
      ours.withUnsafeMutableBufferPointer { render(drawn, settings, into: $0) }
      let png = try PNGImage(
        png: Data(contentsOf: clevr.appending(path: "images/train/\(scene.picture)")),
        over: (128, 128, 128))
      theirs.withUnsafeMutableBufferPointer { target in
        png.pixels.withUnsafeBufferPointer {
          areaAverage($0, width: 480, part: part, size: size, into: target)
        }
      }
      for object in objects where object.shape == .cube {
        cubes += 1
        let reach = object.size.radius * 1.3 * CLEVRView.focal * 480 / object.pixel.z
        func span(_ middle: Double, of side: Double) -> Range<Int> {
          let scale = Double(size) / side
          return max(
            0, Int((middle - reach) * scale))..<min(size, Int((middle + reach) * scale) + 1)
        }
        for row in span(object.pixel.y, of: 320) {
          for column in span(object.pixel.x, of: 480) {
            for i in 3 * (row * size + column)..<3 * (row * size + column) + 3 {
              sum += Double(abs(Int(ours[i]) - Int(theirs[i])))
              pixels += 1
            }
          }
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
