import Foundation

@testable import Formats
@testable import Scenes

/// A picture of CLEVR v1.0, squeezed into a square, beside our render of the same scene.
struct CLEVRPair {
  static let size = 160

  var objects: [CLEVRFile.Object]
  /// (size, size, 3).
  var ours: [UInt8]
  var theirs: [UInt8]

  /// - Parameter rotation: what a file says of rotations, changed.
  static func all(of clevr: URL, rotation: (Double) -> Double = { $0 }) throws -> [CLEVRPair] {
    let settings = SceneSettings(
      camera: .whole, size: size, cells: 16, rules: LayoutRules(objects: 0...64))
    guard let part = CameraKind.whole.part(ofWidth: 480, height: 320) else { return [] }
    let text = try Data(contentsOf: clevr.appending(path: "scenes/CLEVR_train_scenes.json"))
    var reader = try CLEVRReader(HeldBytes(text))
    var pairs: [CLEVRPair] = []
    while let scene = try reader.next() {
      var objects = scene.objects
      for i in objects.indices { objects[i].rotation = rotation(objects[i].rotation) }
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
      pairs.append(CLEVRPair(objects: objects, ours: ours, theirs: theirs))
    }
    return pairs
  }

  /// Where in `ours` and `theirs` an object and a little around it is.
  func box(of object: CLEVRFile.Object) -> [Int] {
    let reach = object.size.radius * 1.3 * CLEVRView.focal * 480 / object.pixel.z
    func span(_ middle: Double, of side: Double) -> Range<Int> {
      let scale = Double(Self.size) / side
      return max(
        0, Int((middle - reach) * scale))..<min(Self.size, Int((middle + reach) * scale) + 1)
    }
    return span(object.pixel.y, of: 320).flatMap { row in
      span(object.pixel.x, of: 480).flatMap { column in
        let i = 3 * (row * Self.size + column)
        return i..<i + 3
      }
    }
  }
}
