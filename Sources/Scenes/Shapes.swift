import Foundation

/// A solid on the ground, ready for rays.
struct Solid {
  let shape: ObjectShape
  let center: SIMD3<Float>
  /// Radius, or half the edge.
  let extent: Float
  /// Cosine and sine of the rotation about the vertical.
  let turn: SIMD2<Float>
  /// Radius of a sphere about the centre that holds the solid.
  let bound: Float
  /// Linear colour.
  let color: SIMD3<Float>
  let isMetal: Bool

  /// Nearest hit with t in (`nearest`, `limit`), with the outward normal.
  @inline(__always)
  func hit(_ origin: SIMD3<Float>, _ direction: SIMD3<Float>, limit: Float) -> Hit? {
    let o = origin - center
    // The bounding sphere first: most rays miss most solids.
    let b = dot(o, direction)
    let c = dot(o, o) - bound * bound
    if b * b - c < 0 || (c > 0 && b > 0) { return nil }
    switch shape {
    case .sphere: return hitSphere(o, direction, b, limit)
    case .cube: return hitCube(o, direction, limit)
    case .cylinder: return hitCylinder(o, direction, limit)
    }
  }

  private func hitSphere(
    _ o: SIMD3<Float>, _ d: SIMD3<Float>, _ b: Float, _ limit: Float
  ) -> Hit? {
    let discriminant = b * b - (dot(o, o) - extent * extent)
    if discriminant < 0 { return nil }
    let t = -b - discriminant.squareRoot()
    if t <= Hit.nearest || t >= limit { return nil }
    return Hit(distance: t, normal: (o + d * t) / extent)
  }

  /// Slabs along the cube's own axes.
  private func hitCube(_ o: SIMD3<Float>, _ d: SIMD3<Float>, _ limit: Float) -> Hit? {
    let lo = SIMD3(turn.x * o.x + turn.y * o.y, turn.x * o.y - turn.y * o.x, o.z)
    let ld = SIMD3(turn.x * d.x + turn.y * d.y, turn.x * d.y - turn.y * d.x, d.z)
    var entry = -Float.infinity
    var exit = Float.infinity
    var axis = 0
    for i in 0..<3 {
      if abs(ld[i]) < 1e-12 {
        if abs(lo[i]) > extent { return nil }
        continue
      }
      let near = (-extent * (ld[i] > 0 ? 1 : -1) - lo[i]) / ld[i]
      let far = (extent * (ld[i] > 0 ? 1 : -1) - lo[i]) / ld[i]
      if near > entry {
        entry = near
        axis = i
      }
      exit = min(exit, far)
    }
    if entry > exit || entry <= Hit.nearest || entry >= limit { return nil }
    var local = SIMD3<Float>()
    local[axis] = ld[axis] > 0 ? -1 : 1
    let normal = SIMD3(
      turn.x * local.x - turn.y * local.y, turn.y * local.x + turn.x * local.y, local.z)
    return Hit(distance: entry, normal: normal)
  }

  /// The mantle, then the lid; the bottom stands on the ground.
  private func hitCylinder(_ o: SIMD3<Float>, _ d: SIMD3<Float>, _ limit: Float) -> Hit? {
    let a = d.x * d.x + d.y * d.y
    let b = o.x * d.x + o.y * d.y
    let c = o.x * o.x + o.y * o.y - extent * extent
    let discriminant = b * b - a * c
    if a > 1e-12, discriminant >= 0 {
      let t = (-b - discriminant.squareRoot()) / a
      let z = o.z + d.z * t
      if t > Hit.nearest, t < limit, abs(z) <= extent {
        let normal = SIMD3((o.x + d.x * t) / extent, (o.y + d.y * t) / extent, 0)
        return Hit(distance: t, normal: normal)
      }
    }
    if abs(d.z) < 1e-12 { return nil }
    let side: Float = d.z < 0 ? 1 : -1
    let t = (side * extent - o.z) / d.z
    let x = o.x + d.x * t
    let y = o.y + d.y * t
    if t <= Hit.nearest || t >= limit || x * x + y * y > extent * extent { return nil }
    return Hit(distance: t, normal: [0, 0, side])
  }
}

extension Solid {
  init(_ object: SceneObject, _ paint: Light.Paint) {
    let extent = Float(object.halfExtent)
    let angle = Float(object.rotation) * .pi / 180
    let stretch: Float =
      switch object.shape {
      case .sphere: 1
      case .cube: 1.7321
      case .cylinder: 1.4143
      }
    self.init(
      shape: object.shape, center: object.center, extent: extent,
      turn: SIMD2(cos(angle), sin(angle)), bound: extent * stretch,
      color: paint.color(object.color), isMetal: object.material == .metal)
  }
}

struct Hit {
  let distance: Float
  let normal: SIMD3<Float>

  /// Closer than this is the surface that a ray starts on.
  static let nearest: Float = 1e-3
}
