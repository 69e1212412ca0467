import Foundation

/// Renders a scene into size × size × 3 bytes: primary rays, three lamps with shadows, one reflection
/// of the surroundings on metal.
package func render(
  _ scene: Scene, _ settings: SceneSettings, into picture: UnsafeMutableBufferPointer<UInt8>
) {
  render(scene, settings, into: picture, shortCut: true)
}

/// `shortCut` takes one sample where nothing but evenly lit ground can be near.
func render(
  _ scene: Scene, _ settings: SceneSettings, into picture: UnsafeMutableBufferPointer<UInt8>,
  shortCut: Bool
) {
  let size = settings.size
  let renderer = Renderer(scene)
  // The footprint of a pixel on the ground straight below, for the tests of what is near; a tilted
  // camera's pixels grow with the distance and are drawn out along the ground.
  let below = 1.5 * scene.camera.position.z / (scene.camera.focal * Float(size))
  let isTilted = abs(scene.camera.back.z) < 0.999
  for row in 0..<size {
    for column in 0..<size {
      let x = Float(column)
      let y = Float(row)
      let middle = scene.camera.ray(
        x: x + 0.5, y: y + 0.5, width: Float(size), height: Float(size))
      var color = SIMD3<Float>()
      let slope = max(-middle.z, 0.05)
      let reach = isTilted ? below / (slope * slope) : below
      if shortCut, renderer.isOpenGround(middle, reach: reach) {
        color = renderer.color(middle, shadows: false)
      } else {
        let n = settings.supersample
        for i in 0..<n {
          for j in 0..<n {
            let dx = (Float(j) + 0.5) / Float(n)
            let dy = (Float(i) + 0.5) / Float(n)
            let ray = scene.camera.ray(
              x: x + dx, y: y + dy, width: Float(size), height: Float(size))
            color += renderer.color(ray, shadows: true)
          }
        }
        color /= Float(n * n)
      }
      for c in 0..<3 {
        picture[(row * size + column) * 3 + c] = Encoding.byte(color[c])
      }
    }
  }
}

private struct Renderer {
  let eye: SIMD3<Float>
  let solids: [Solid]
  let lamps: [(position: SIMD3<Float>, power: Float)]

  init(_ scene: Scene) {
    eye = scene.camera.position
    solids = scene.objects.map(Solid.init)
    // Brightness at the middle of the ground, a lamp.
    lamps = zip(scene.lamps, [Float(0.46), 0.2, 0.22]).map { position, power in
      (position, power * (dot(position, position) + Self.softness))
    }
  }

  /// Whether nothing but evenly lit ground can be near the point that a ray meets.
  @inline(__always)
  func isOpenGround(_ ray: SIMD3<Float>, reach: Float) -> Bool {
    if ray.z > -1e-3 { return false }
    let ground = eye - ray * (eye.z / ray.z)
    for solid in solids {
      if isNear(solid, eye, ray, reach) { return false }
      for lamp in lamps where isNear(solid, ground, normalize(lamp.position - ground), reach) {
        return false
      }
    }
    return true
  }

  @inline(__always)
  private func isNear(
    _ solid: Solid, _ origin: SIMD3<Float>, _ direction: SIMD3<Float>, _ reach: Float
  ) -> Bool {
    let o = solid.center - origin
    let along = dot(o, direction)
    let limit = solid.bound + reach
    return dot(o, o) - along * along < limit * limit
  }

  /// Linear light along a ray from the eye.
  func color(_ ray: SIMD3<Float>, shadows: Bool) -> SIMD3<Float> {
    var limit = ray.z < -1e-3 ? -eye.z / ray.z : Float.infinity
    var normal = SIMD3<Float>(0, 0, 1)
    var struck: Solid?
    for solid in shadows ? solids : [] {
      if let hit = solid.hit(eye, ray, limit: limit) {
        limit = hit.distance
        normal = hit.normal
        struck = solid
      }
    }
    // Above the horizon: the grey of CLEVR's backdrop.
    if limit == .infinity { return Self.backdrop }
    let point = eye + ray * limit
    return shade(point, normal, ray, struck, shadows: shadows)
  }

  /// Light falls as 1 / (distance² + softness): CLEVR's area lamps leave no hot spots on the ground.
  private static let softness: Float = 40
  private static let ambient: Float = 0.4
  private static let groundColor = SIMD3<Float>(0.42, 0.415, 0.41)
  private static let backdrop = SIMD3<Float>(repeating: 0.32)

  private func shade(
    _ point: SIMD3<Float>, _ normal: SIMD3<Float>, _ ray: SIMD3<Float>, _ solid: Solid?,
    shadows: Bool
  ) -> SIMD3<Float> {
    var diffuse = Self.ambient * (0.75 + 0.25 * normal.z)
    var gloss: Float = 0
    let isMetal = solid?.isMetal ?? false
    let mirrored = ray - normal * (2 * dot(ray, normal))
    for lamp in lamps {
      let toLamp = lamp.position - point
      let squared = dot(toLamp, toLamp)
      let direction = toLamp / squared.squareRoot()
      let slope = dot(normal, direction)
      if slope <= 0 || (shadows && isShadowed(point, direction, squared.squareRoot())) { continue }
      let light = lamp.power / (squared + Self.softness)
      diffuse += light * slope
      if solid != nil {
        let alignment = max(dot(mirrored, direction), 0)
        // alignment⁸ for rubber's sheen, alignment³² for metal's highlight.
        let eighth = square(square(square(alignment)))
        gloss += light * (isMetal ? 1.6 * square(square(eighth)) : 0.12 * eighth)
      }
    }
    guard let solid else { return Self.groundColor * diffuse }
    if !isMetal { return solid.color * diffuse + gloss }
    // Metal shows its surroundings, tinted: grey ground below, a bright sky above.
    let sky = 0.5 + 0.5 * mirrored.z
    let surroundings = 0.16 + 0.5 * sky * sky
    return solid.color * (0.62 * diffuse + surroundings) + gloss * (0.5 + 0.5 * solid.color)
  }

  @inline(__always)
  private func square(_ value: Float) -> Float { value * value }

  @inline(__always)
  private func isShadowed(_ point: SIMD3<Float>, _ direction: SIMD3<Float>, _ distance: Float)
    -> Bool
  {
    for solid in solids where solid.hit(point, direction, limit: distance) != nil { return true }
    return false
  }
}

/// Between linear light and bytes, with a gamma of 2.2.
enum Encoding {
  static func linear(_ color: SIMD3<Float>) -> SIMD3<Float> {
    SIMD3(pow(color.x, 2.2), pow(color.y, 2.2), pow(color.z, 2.2))
  }

  private static let table: [UInt8] = (0...4095).map { i in
    UInt8((255 * pow(Float(i) / 4095, 1 / 2.2)).rounded())
  }

  @inline(__always)
  static func byte(_ light: Float) -> UInt8 {
    table[Int(min(max(light, 0), 1) * 4095 + 0.5)]
  }
}
