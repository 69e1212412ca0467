import Foundation

/// Renders a scene into size × size × 3 bytes, by the camera's light: primary rays, three lamps with shadows, one
/// reflection of the surroundings on metal.
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
  let renderer = Renderer(scene, settings.camera.light)
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
  let light: Light

  init(_ scene: Scene, _ light: Light) {
    self.light = light
    eye = scene.camera.position
    solids = scene.objects.map { Solid($0, light.paint) }
    lamps = zip(scene.lamps, light.powers).map { position, power in
      (position, power * (dot(position, position) + light.softness))
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
    guard let seen = nearest(eye, ray, among: shadows ? solids : []) else { return light.backdrop }
    return shade(seen.point, seen.normal, ray, seen.solid, shadows: shadows)
  }

  /// What a ray meets first: a solid, the ground (no solid), or nothing (`nil`).
  @inline(__always)
  private func nearest(_ origin: SIMD3<Float>, _ ray: SIMD3<Float>, among solids: [Solid]) -> (
    point: SIMD3<Float>, normal: SIMD3<Float>, solid: Solid?
  )? {
    var limit = ray.z < -1e-3 ? -origin.z / ray.z : Float.infinity
    var normal = SIMD3<Float>(0, 0, 1)
    var struck: Solid?
    for solid in solids {
      if let hit = solid.hit(origin, ray, limit: limit) {
        limit = hit.distance
        normal = hit.normal
        struck = solid
      }
    }
    return limit == .infinity ? nil : (origin + ray * limit, normal, struck)
  }

  private func shade(
    _ point: SIMD3<Float>, _ normal: SIMD3<Float>, _ ray: SIMD3<Float>, _ solid: Solid?,
    shadows: Bool
  ) -> SIMD3<Float> {
    var diffuse = light.ambient * (0.75 + 0.25 * normal.z)
    var gloss: Float = 0
    let isMetal = solid?.isMetal ?? false
    let mirrored = ray - normal * (2 * dot(ray, normal))
    for lamp in lamps {
      let toLamp = lamp.position - point
      let squared = dot(toLamp, toLamp)
      let direction = toLamp / squared.squareRoot()
      let slope = dot(normal, direction)
      if slope <= 0 || (shadows && isShadowed(point, direction, squared.squareRoot())) { continue }
      let arriving = lamp.power / (squared + light.softness)
      diffuse += arriving * slope
      if solid != nil {
        let alignment = max(dot(mirrored, direction), 0)
        // alignment⁸ for rubber's sheen, alignment³² for metal's highlight.
        let eighth = square(square(square(alignment)))
        gloss +=
          arriving * (isMetal ? light.highlight * square(square(eighth)) : light.sheen * eighth)
      }
    }
    guard let solid else { return light.ground * diffuse }
    if !isMetal { return solid.color * diffuse + gloss }
    // Metal shows its surroundings, tinted.
    return solid.color * (light.dullness * diffuse + surroundings(point, mirrored))
      + gloss * (0.5 + 0.5 * solid.color)
  }

  private func surroundings(_ point: SIMD3<Float>, _ mirrored: SIMD3<Float>) -> SIMD3<Float> {
    switch light.surroundings {
    case .sky:
      let sky = 0.5 + 0.5 * mirrored.z
      return SIMD3(repeating: 0.16 + 0.5 * sky * sky)
    case .scene(let share, let above):
      guard let seen = nearest(point, mirrored, among: solids) else {
        return SIMD3(repeating: share * above)
      }
      // As bright as open ground there: shadows in mirrors are beyond what a pixel shows.
      var brightness = light.ambient
      for lamp in lamps {
        let toLamp = lamp.position - seen.point
        let squared = dot(toLamp, toLamp)
        brightness +=
          lamp.power / (squared + light.softness) * max(toLamp.z / squared.squareRoot(), 0)
      }
      return share * brightness * (seen.solid?.color ?? light.ground)
    }
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

/// Between linear light and what bytes hold, with a gamma of 2.2.
package enum Encoding {
  /// - Parameter stored: 0 … 1.
  package static func linear(_ stored: Double) -> Double { pow(stored, 2.2) }

  static func linear(_ color: SIMD3<Float>) -> SIMD3<Float> {
    SIMD3(pow(color.x, 2.2), pow(color.y, 2.2), pow(color.z, 2.2))
  }

  package static func stored(_ light: Double) -> Double { pow(light, 1 / 2.2) }

  private static let table: [UInt8] = (0...4095).map { i in
    UInt8((255 * pow(Float(i) / 4095, 1 / 2.2)).rounded())
  }

  @inline(__always)
  static func byte(_ light: Float) -> UInt8 {
    table[Int(min(max(light, 0), 1) * 4095 + 0.5)]
  }
}
