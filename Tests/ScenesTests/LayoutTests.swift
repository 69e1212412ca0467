import Foundation
import Streams
import Testing

@testable import Scenes

@Suite("Layouts")
struct LayoutTests {
  static func settings(
    _ camera: CameraKind = .overhead, objects: ClosedRange<Int>, margin: Double = 0.4
  ) -> SceneSettings {
    SceneSettings(
      camera: camera, size: 32, cells: 16, rules: LayoutRules(objects: objects, margin: margin))
  }

  /// DESIGN's check value for CLEVR's camera, at 480 × 320.
  @Test("CLEVR's camera puts the corners of the ground on the known pixels")
  func camera() {
    let expected: [(SIMD3<Float>, Double, Double)] = [
      ([-3, -3, 0], 29, 177), ([3, 3, 0], 424, 179), ([-3, 3, 0], 233, 107),
      ([3, -3, 0], 207, 320),
    ]
    for (corner, x, y) in expected {
      let pixel = Camera.clevr.project(corner, width: 480, height: 320)
      #expect(abs(pixel.x - x) < 1 && abs(pixel.y - y) < 1)
    }
  }

  @Test("CLEVR's rules hold in every layout", arguments: CameraKind.allCases)
  func rules(camera: CameraKind) throws {
    let settings = Self.settings(camera, objects: 1...5)
    var counts = Set<Int>()
    for index in 0..<500 {
      let scene = try makeScene(settings, seed: 3, index: index, purpose: .scenes)
      counts.insert(scene.objects.count)
      for (i, a) in scene.objects.enumerated() {
        #expect(abs(a.x) <= 3 && abs(a.y) <= 3)
        let pixel = scene.pixelPosition(of: a, size: 32)
        #expect((0..<32).contains(pixel.x) && (0..<32).contains(pixel.y))
        for b in scene.objects[..<i] {
          let distance = hypot(a.x - b.x, a.y - b.y)
          #expect(distance - a.size.radius - b.size.radius >= 0.25)
          for direction in scene.camera.directions {
            let along =
              (a.x - b.x) * direction.vector.x + (a.y - b.y) * direction.vector.y
            #expect(!(along > 0 && along < 0.4))
          }
        }
      }
    }
    #expect(counts == [1, 2, 3, 4, 5])
  }

  @Test("every object is counted in one cell of the conditioner")
  func conditioner() throws {
    for index in 0..<200 {
      let scene = try makeScene(
        Self.settings(objects: 0...12, margin: 0), seed: 1, index: index, purpose: .scenes)
      let counts = scene.conditioner(size: 32, cells: 16)
      #expect(counts.reduce(0) { $0 + Int($1) } == scene.objects.count)
      for object in scene.objects {
        let pixel = scene.pixelPosition(of: object, size: 32)
        #expect(counts[Int(pixel.y / 2) * 16 + Int(pixel.x / 2)] > 0)
      }
    }
  }

  @Test("too many objects for the rules are refused with the remedy")
  func crowded() throws {
    let settings = Self.settings(objects: 40...40)
    let error = try #require(throws: SceneError.self) {
      try makeScene(settings, seed: 1, index: 0, purpose: .scenes)
    }
    #expect(error.description.contains("lower `margin`"))
  }

  @Test("settings out of range are refused by name")
  func validation() {
    var cells = Self.settings(objects: 1...3)
    cells.cells = 5
    #expect(throws: SceneError.setting("cells", "5", "a divisor of the size, 32")) {
      try cells.validate()
    }
    var gap = Self.settings(objects: 1...3)
    gap.rules.gap = .nan
    #expect(throws: SceneError.self) { try gap.validate() }
  }
}
