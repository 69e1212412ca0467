import Foundation

@testable import Formats
@testable import Scenes

/// A folder in CLEVR's published layout: scenes of ours as its camera sees them, with pictures of two ramps.
struct SmallCLEVR {
  static let (width, height) = (480, 320)
  let folder: URL
  var scenes: [CLEVRFile.Scene]

  var file: URL { folder.appending(path: "scenes/CLEVR_train_scenes.json") }
  var images: URL { folder.appending(path: "images/train") }

  init(in folder: URL, count: Int = 6) throws {
    self.folder = folder
    let settings = SceneSettings(
      camera: .whole, size: 64, cells: 16, rules: LayoutRules(objects: 1...4))
    scenes = try (0..<count).map { index in
      let scene = try makeScene(settings, seed: 5, index: index, purpose: .scenes)
      var entry = CLEVRFile.Scene(scene, index: index + 10, size: 64)
      entry.picture = "CLEVR_train_\(index).png"
      for i in entry.objects.indices {
        let seen = CLEVRView.project(
          entry.objects[i].coordinates, from: SIMD3<Double>(scene.camera.position),
          width: Self.width, height: Self.height)
        entry.objects[i].pixel = SIMD3(seen.x.rounded(), seen.y.rounded(), seen.z)
      }
      return entry
    }
    for folder in [file.deletingLastPathComponent(), images] {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }
    try write()
    for (index, scene) in scenes.enumerated() {
      try Self.picture(index).pngData().write(to: images.appending(path: scene.picture))
    }
  }

  static func picture(_ index: Int, width: Int = width, height: Int = height) throws -> PNGImage {
    var pixels: [UInt8] = []
    for y in 0..<height {
      for x in 0..<width {
        pixels += [UInt8((x + 40 * index) % 256), UInt8(y % 256), UInt8((x * y + index) % 251)]
      }
    }
    return try PNGImage(width: width, height: height, pixels: pixels)
  }

  func text() -> String {
    var data = Data("{\"info\":{\"split\":\"train\"},\"scenes\":[".utf8)
    for (place, scene) in scenes.enumerated() {
      data += CLEVRFormat.entry(scene, split: "train", isFirst: place == 0)
    }
    data += CLEVRFormat.foot
    return String(decoding: data, as: UTF8.self)
  }

  func write(_ text: String? = nil) throws {
    try Data((text ?? self.text()).utf8).write(to: file)
  }
}
