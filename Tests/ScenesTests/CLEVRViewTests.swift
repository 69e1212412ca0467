import Formats
import Foundation
import Streams
import Testing

@testable import Scenes

@Suite("CLEVR's camera and scenes")
struct CLEVRViewTests {
  /// Scenes of CLEVR v1.0, numbers as they were published (Johnson et al. 2017, CC BY 4.0): the first three objects
  /// of CLEVR_train_000023.
  private static let published: [(SIMD3<Double>, SIMD3<Double>)] = [
    ([0.5284162759780884, -2.174254894256592, 0.35], [164, 190, 9.232368469238281]),
    ([-2.253741502761841, -2.714036226272583, 0.35], [69, 145, 10.816166877746582]),
    ([-1.3568470478057861, 1.5333576202392578, 0.35], [253, 108, 12.605694770812988]),
  ]

  private func objects(_ places: [(SIMD3<Double>, SIMD3<Double>)]) -> [CLEVRFile.Object] {
    places.map {
      CLEVRFile.Object(
        shape: .cube, size: .small, material: .metal, color: .red, coordinates: $0.0, rotation: 0,
        pixel: $0.1)
    }
  }

  @Test("a published scene's camera stands within the jitter, and shows what was published")
  func published() {
    let (position, residual) = CLEVRView.fit(
      objects(Self.published), width: 480, height: 320)
    #expect(residual < 1)
    for axis in 0..<3 { #expect(abs(position[axis] - CLEVRView.position[axis]) < 0.55) }
    // Coordinates of a picture of half the size belong to no such camera.
    let halved = Self.published.map { ($0.0, $0.1 * SIMD3(0.5, 0.5, 1)) }
    #expect(CLEVRView.fit(objects(halved), width: 480, height: 320).residual > 20)
    #expect(CLEVRView.fit([], width: 480, height: 320).residual == 0)
  }

  @Test("the camera that was drawn is found again, and both views show objects where they say")
  func found() throws {
    for kind in [CameraKind.whole, .center] {
      let settings = SceneSettings(
        camera: kind, size: 64, cells: 16, rules: LayoutRules(objects: 3...5))
      for index in 0..<10 {
        let scene = try makeScene(settings, seed: 2, index: index, purpose: .scenes)
        let position = SIMD3<Double>(scene.camera.position)
        let seen = scene.objects.map { object -> (SIMD3<Double>, SIMD3<Double>) in
          let place = SIMD3<Double>(object.x, object.y, object.halfExtent)
          return (place, CLEVRView.project(place, from: position, width: 480, height: 320))
        }
        let fit = CLEVRView.fit(objects(seen), width: 480, height: 320)
        #expect(fit.residual < 1e-3)
        let part = try #require(kind.part(ofWidth: 480, height: 320))
        for (object, (_, pixel)) in zip(scene.objects, seen) {
          let own = scene.pixelPosition(of: object, size: 64)
          let mapped = part.place(pixel.x, pixel.y, size: 64)
          #expect(abs(own.x - mapped.x) < 1e-3 && abs(own.y - mapped.y) < 1e-3)
        }
      }
    }
  }

  @Test("an object behind a larger one is hidden, one beside it is not")
  func hidden() {
    func scene(_ places: [(SIMD2<Double>, ObjectSize)]) -> Scene {
      Scene(
        objects: places.map {
          SceneObject(
            shape: .cube, size: $0.1, material: .rubber, color: .red, x: $0.0.x, y: $0.0.y,
            rotation: 0)
        }, camera: CLEVRView.camera(at: CLEVRView.position))
    }
    // Away from the camera along its view.
    let away = SIMD2(-0.7545, 0.6563)
    #expect(scene([(away * 0, .large), (away * 1.3, .small)]).hiddenObjects == [1])
    #expect(scene([(away * 0, .small), (away * 1.3, .large)]).hiddenObjects.isEmpty)
    #expect(scene([([0, 0], .large), ([0.6563 * 2, 0.7545 * 2], .small)]).hiddenObjects.isEmpty)
    #expect(scene([]).hiddenObjects.isEmpty)
  }

  @Test("a mean by area is the mean: halves, whole steps, and nothing at all")
  func areas() {
    func averaged(_ values: [UInt8], width: Int, _ part: CLEVRView.Part, size: Int) -> [UInt8] {
      let pixels = values.flatMap { [$0, $0, $0] }
      var target = [UInt8](repeating: 0, count: size * size * 3)
      pixels.withUnsafeBufferPointer { source in
        target.withUnsafeMutableBufferPointer {
          areaAverage(source, width: width, part: part, size: size, into: $0)
        }
      }
      return stride(from: 0, to: target.count, by: 3).map { target[$0] }
    }
    // Three columns into two: (2 a + b) / 3 and (b + 2 c) / 3.
    let ramp: [UInt8] = [0, 30, 90, 0, 30, 90]
    let whole = CLEVRView.Part(x: 0, y: 0, width: 3, height: 2)
    #expect(averaged(ramp, width: 3, whole, size: 2) == [10, 70, 10, 70])
    let square = CLEVRView.Part(x: 1, y: 0, width: 2, height: 2)
    #expect(averaged(ramp, width: 3, square, size: 2) == [30, 90, 30, 90])
    #expect(averaged([0, 1], width: 2, .init(x: 0, y: 0, width: 2, height: 1), size: 1) == [1])
  }
}
