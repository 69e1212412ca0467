import Formats
import Foundation
import Streams
import Testing

@testable import Scenes

@Suite("Rendering")
struct RenderTests {
  private func picture(_ objects: [SceneObject], size: Int, lamps: [SIMD3<Float>]? = nil) -> [UInt8]
  {
    let scene = Scene(
      objects: objects, camera: .overhead,
      lamps: lamps ?? [[6.4, -2.9, 4.3], [-4.7, -4, 3], [-1.2, 2.6, 5.8]])
    let settings = SceneSettings(
      camera: .overhead, size: size, cells: 1, rules: LayoutRules(objects: 0...1))
    var bytes = [UInt8](repeating: 0, count: size * size * 3)
    bytes.withUnsafeMutableBufferPointer { render(scene, settings, into: $0) }
    return bytes
  }

  private func object(
    _ shape: ObjectShape, x: Double = 0, y: Double = 0, material: Material = .rubber,
    rotation: Double = 0
  ) -> SceneObject {
    SceneObject(
      shape: shape, size: .large, material: material, color: .red, x: x, y: y, rotation: rotation)
  }

  /// Red pixels; the ground is grey.
  private func silhouette(_ bytes: [UInt8]) -> Int {
    stride(from: 0, to: bytes.count, by: 3).count { Int(bytes[$0]) > Int(bytes[$0 + 1]) + 40 }
  }

  /// From straight above, a solid covers its outline, widened by the perspective at its height.
  @Test(
    "silhouettes have the areas of their outlines",
    arguments: [(ObjectShape.sphere, 0.7), (.cylinder, 1.4), (.cube, 1.4)])
  func silhouettes(shape: ObjectShape, top: Double) {
    let size = 256
    let bytes = picture([object(shape, rotation: 30)], size: size)
    let perUnit = Double(size) / 7.2 * 20 / (20 - top)
    let area =
      switch shape {
      case .sphere: Double.pi * 0.49
      case .cylinder: Double.pi * 0.49
      case .cube: 1.96
      }
    let expected = area * perUnit * perUnit
    #expect(abs(Double(silhouette(bytes)) / expected - 1) < 0.03)
  }

  /// All 2,241 cubes of 1,000 public scenes of CLEVR v1.0 stand at 0.7 or 0.35, as every shape does.
  @Test("every shape stands at the height of its size", arguments: ObjectShape.allCases)
  func heights(shape: ObjectShape) {
    var small = object(shape)
    small.size = .small
    #expect(object(shape).halfExtent == 0.7 && small.halfExtent == 0.35)
    #expect(object(shape).center.z == 0.7)
  }

  @Test("rays meet spheres, cubes and cylinders where geometry says")
  func intersections() {
    func solid(_ shape: ObjectShape, turn: Float = 0) -> Solid {
      Solid(
        shape: shape, center: [0, 0, 1], extent: 1, turn: [cos(turn), sin(turn)], bound: 1.8,
        color: [1, 1, 1], isMetal: false)
    }
    let down = SIMD3<Float>(0, 0, -1)
    for shape in ObjectShape.allCases {
      let hit = solid(shape).hit([0.2, 0.1, 9], down, limit: 100)
      let expected: Float = shape == .sphere ? 8 - Float(1 - 0.05).squareRoot() : 7
      #expect(abs((hit?.distance ?? 0) - expected) < 1e-4)
      #expect(solid(shape).hit([1.5, 1.5, 9], down, limit: 100) == nil)
      #expect(solid(shape).hit([0.2, 0.1, 9], down, limit: 5) == nil)
    }
    // A cube turned by 45° shows an edge: the ray along x meets it at √2 from the middle.
    let side = solid(.cube, turn: .pi / 4).hit([9, 0.001, 1], [-1, 0, 0], limit: 100)
    #expect(abs((side?.distance ?? 0) - (9 - Float(2).squareRoot())) < 5e-3)
    let mantle = solid(.cylinder).hit([9, 0, 1], [-1, 0, 0], limit: 100)
    #expect(abs((mantle?.distance ?? 0) - 8) < 1e-4)
    #expect(mantle.map { abs($0.normal.x - 1) < 1e-4 } == true)
  }

  @Test("a shadow falls on the side that the lamp is not on")
  func shadow() {
    // One lamp at +x alone: the others stand in the same place.
    let lamp = SIMD3<Float>(6, 0, 4)
    let size = 128
    let bytes = picture([object(.sphere)], size: size, lamps: [lamp, lamp, lamp])
    func brightness(_ x: Double) -> Int {
      let column = Int((x / 7.2 + 0.5) * Double(size))
      return Int(bytes[(size / 2 * size + column) * 3])
    }
    #expect(brightness(-1.2) + 20 < brightness(1.2))
  }

  /// By CLEVR's camera at its place.
  private func byCLEVR(_ objects: [SceneObject], size: Int) -> (Scene, [UInt8]) {
    let scene = Scene(objects: objects, camera: CameraKind.center.camera(at: CLEVRView.position))
    let settings = SceneSettings(
      camera: .center, size: size, cells: 1, rules: LayoutRules(objects: 0...2))
    var bytes = [UInt8](repeating: 0, count: size * size * 3)
    bytes.withUnsafeMutableBufferPointer { render(scene, settings, into: $0) }
    return (scene, bytes)
  }

  @Test(
    "CLEVR's colours are linear light: rubber has their ratios", arguments: ObjectColor.allCases)
  func paint(color: ObjectColor) {
    var sphere = object(.sphere)
    sphere.color = color
    let size = 96
    let (scene, bytes) = byCLEVR([sphere], size: size)
    let middle = scene.pixelPosition(of: sphere, size: size)
    let i = 3 * (Int(middle.y) * size + Int(middle.x))
    let seen = (0..<3).map { Encoding.linear(Double(bytes[i + $0]) / 255) }
    let asked = (0..<3).map { Double(color.rgb[$0]) }
    for c in 0..<3 {
      #expect(abs(seen[c] / seen.reduce(0, +) - asked[c] / asked.reduce(0, +)) < 0.02)
    }
  }

  @Test("metal mirrors what stands before it, rubber does not")
  func mirror() {
    let size = 128
    func rednessOfBall(_ material: Material, beside color: ObjectColor) -> Int {
      var ball = object(.sphere, x: -0.6, y: 0.6, material: material)
      ball.color = .gray
      var cube = object(.cube, x: 1.1, y: 1.1)
      cube.color = color
      let (scene, bytes) = byCLEVR([ball, cube], size: size)
      let middle = scene.pixelPosition(of: ball, size: size)
      var sum = 0
      // Its half that faces the cube, well within its outline.
      for row in Int(middle.y) - 6..<Int(middle.y) + 6 {
        for column in Int(middle.x)..<Int(middle.x) + 8 {
          let i = 3 * (row * size + column)
          sum += Int(bytes[i]) - Int(bytes[i + 1])
        }
      }
      return sum
    }
    let metal = rednessOfBall(.metal, beside: .red) - rednessOfBall(.metal, beside: .green)
    let rubber = rednessOfBall(.rubber, beside: .red) - rednessOfBall(.rubber, beside: .green)
    #expect(metal > 50 && rubber == 0, "\(metal) \(rubber)")
  }

  @Test("any subset, order and number of threads give the same bytes")
  func determinism() throws {
    let settings = LayoutTests.settings(objects: 1...3)
    let whole = try renderSet(settings, seed: 4, indices: 0..<40, threads: 1)
    let threaded = try renderSet(settings, seed: 4, indices: 0..<40, threads: 2)
    #expect(whole.pixels == threaded.pixels)
    #expect(whole.conditioners == threaded.conditioners)
    let picture = 32 * 32 * 3
    for index in [39, 7, 20] {
      let one = try renderSet(settings, seed: 4, indices: index..<index + 1, threads: 1)
      #expect(one.pixels == Array(whole.pixels[index * picture..<(index + 1) * picture]))
    }
    let other = try renderSet(settings, seed: 5, indices: 0..<1, threads: 1)
    #expect(other.pixels != Array(whole.pixels[..<picture]))
  }

  @Test(
    "skipping samples on open ground changes nothing that can be seen",
    arguments: CameraKind.allCases)
  func openGround(camera: CameraKind) throws {
    var settings = LayoutTests.settings(camera, objects: 1...5)
    settings.size = 64
    for index in 0..<12 {
      let scene = try makeScene(settings, seed: 6, index: index, purpose: .scenes)
      let pictures = [true, false].map { shortCut in
        var bytes = [UInt8](repeating: 0, count: 64 * 64 * 3)
        bytes.withUnsafeMutableBufferPointer {
          render(scene, settings, into: $0, shortCut: shortCut)
        }
        return bytes
      }
      let largest = zip(pictures[0], pictures[1]).map { abs(Int($0) - Int($1)) }.max() ?? 0
      #expect(largest <= 2)
    }
  }

  @Test("scenes.json has CLEVR's schema")
  func clevrFormat() throws {
    let settings = LayoutTests.settings(objects: 2...3)
    let set = try renderSet(settings, seed: 4, indices: 0..<5, threads: 1)
    let value = try JSONValue.parse(CLEVRFormat.data(set.scenes, settings: settings))
    let scenes = try #require(value["scenes"]?.array)
    #expect(scenes.count == 5)
    #expect(value["info"]?["objects"] == .array([.integer(2), .integer(3)]))
    for (entry, scene) in zip(scenes, set.scenes) {
      let objects = try #require(entry["objects"]?.array)
      #expect(objects.count == scene.objects.count)
      for (object, original) in zip(objects, scene.objects) {
        #expect(object["shape"]?.string == original.shape.rawValue)
        #expect(object["color"]?.string == original.color.rawValue)
        #expect(object["material"]?.string == original.material.rawValue)
        #expect(object["size"]?.string == original.size.rawValue)
        #expect(abs((object["3d_coords"]?.array?[0].number ?? 99) - original.x) < 1e-5)
        #expect(object["pixel_coords"]?.array?.count == 3)
      }
      for name in ["left", "right", "front", "behind"] {
        #expect(entry["directions"]?[name]?.array?.count == 3)
        #expect(entry["relationships"]?[name]?.array?.count == objects.count)
      }
    }
  }
}
