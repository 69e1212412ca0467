import Foundation

/// CLEVR's own pictures as it takes them: 480 × 320, by a camera that stands anywhere within ±0.5 of its place and
/// looks at the middle of the ground.
///
/// The angles of CLEVR's base scene are not those of its pictures: a constraint turns the camera to the origin
/// wherever the jitter puts it. Measured on 524 scenes of v1.0: the published `pixel_coords` follow from
/// `3d_coords` within the rounding to whole pixels, with a camera of this kind, and lie 25 px from those of the
/// angles. (`directions` were written before the camera turned: they are the same in every scene.)
package enum CLEVRView {
  package static let width = 480
  package static let height = 320
  static let position = SIMD3(7.48113, -6.50764, 5.34367)
  static let focal = 35.0 / 32

  /// The part of a picture that a square one shows, in its pixels.
  package struct Part: Sendable, Hashable {
    package var x: Int
    package var y: Int
    package var width: Int
    package var height: Int

    package init(x: Int, y: Int, width: Int, height: Int) {
      self.x = x
      self.y = y
      self.width = width
      self.height = height
    }

    /// Where a place of the picture lies in a square of `size` px that shows this part.
    package func place(_ x: Double, _ y: Double, size: Int) -> (x: Double, y: Double) {
      (
        (x - Double(self.x)) * Double(size) / Double(width),
        (y - Double(self.y)) * Double(size) / Double(height)
      )
    }
  }

  /// The camera at a place, looking at the origin, with z up.
  package static func camera(at position: SIMD3<Double>) -> Camera {
    let back = unit(position)
    let right = unit(SIMD3(-back.y, back.x, 0))
    return Camera(
      position: SIMD3<Float>(position), right: SIMD3<Float>(right),
      up: SIMD3<Float>(cross(back, right)), back: SIMD3<Float>(back), focal: Float(focal))
  }

  /// Column and row in a picture of `width` × `height` px, and the distance along the view.
  package static func project(
    _ point: SIMD3<Double>, from position: SIMD3<Double>, width: Int, height: Int
  ) -> SIMD3<Double> {
    let back = unit(position)
    let right = unit(SIMD3(-back.y, back.x, 0))
    let offset = point - position
    let depth = -sum(offset, back)
    let scale = focal * Double(width) / depth
    return SIMD3(
      Double(width) / 2 + scale * sum(offset, right),
      Double(height) / 2 - scale * sum(offset, cross(back, right)), depth)
  }

  /// Where the camera of a scene stood, from where its objects were seen, and how far the farthest of them lies
  /// from there, in pixels.
  ///
  /// Least squares in three unknowns by damped Gauss–Newton steps, three numbers an object; a unit of distance
  /// counts as `width` / 16 px do. An empty scene's camera stands at CLEVR's place.
  package static func fit(_ objects: [CLEVRFile.Object], width: Int, height: Int) -> (
    position: SIMD3<Double>, residual: Double
  ) {
    func residuals(_ position: SIMD3<Double>) -> [SIMD3<Double>] {
      objects.map { object in
        let seen = project(object.coordinates, from: position, width: width, height: height)
        return (seen - object.pixel) * SIMD3(1, 1, Double(width) / 16)
      }
    }
    func cost(_ residuals: [SIMD3<Double>]) -> Double {
      residuals.reduce(0) { $0 + sum($1, $1) }
    }
    var best = position
    var found = residuals(best)
    let step = 1e-5
    var damping = 1e-6
    for _ in 0..<40 {
      var normal = [SIMD3<Double>](repeating: SIMD3(), count: 3)
      var slope = SIMD3<Double>()
      let changes = (0..<3).map { axis -> [SIMD3<Double>] in
        var moved = best
        moved[axis] += step
        return zip(residuals(moved), found).map { ($0 - $1) / step }
      }
      for i in 0..<3 {
        for j in 0..<3 {
          normal[i][j] = zip(changes[i], changes[j]).reduce(0) { $0 + sum($1.0, $1.1) }
        }
        normal[i][i] *= 1 + damping
        normal[i][i] += 1e-9
        slope[i] = zip(changes[i], found).reduce(0) { $0 + sum($1.0, $1.1) }
      }
      let next = best - solve(normal, slope)
      let then = residuals(next)
      if cost(then) < cost(found) {
        let gain = cost(found) - cost(then)
        best = next
        found = then
        damping /= 10
        if gain < 1e-9 { break }
      } else {
        damping *= 10
        if damping > 1e6 { break }
      }
    }
    let farthest = zip(objects, residuals(best)).map { _, residual in
      max(residual.x.magnitude, residual.y.magnitude, residual.z.magnitude)
    }
    return (best, farthest.max() ?? 0)
  }

  /// Cramer's rule for a symmetric 3 × 3 matrix.
  private static func solve(_ m: [SIMD3<Double>], _ b: SIMD3<Double>) -> SIMD3<Double> {
    let determinant = sum(m[0], cross(m[1], m[2]))
    return SIMD3(
      sum(b, cross(m[1], m[2])), sum(m[0], cross(b, m[2])), sum(m[0], cross(m[1], b)))
      / determinant
  }

  private static func sum(_ a: SIMD3<Double>, _ b: SIMD3<Double>) -> Double {
    a.x * b.x + a.y * b.y + a.z * b.z
  }

  private static func cross(_ a: SIMD3<Double>, _ b: SIMD3<Double>) -> SIMD3<Double> {
    SIMD3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x)
  }

  private static func unit(_ v: SIMD3<Double>) -> SIMD3<Double> { v / sum(v, v).squareRoot() }
}

extension CameraKind {
  /// Of a picture by CLEVR's own camera, what this view shows of it; `nil` for views that are none of it.
  package func part(ofWidth width: Int, height: Int) -> CLEVRView.Part? {
    switch self {
    case .whole: CLEVRView.Part(x: 0, y: 0, width: width, height: height)
    case .center:
      CLEVRView.Part(x: (width - height) / 2, y: 0, width: height, height: height)
    case .clevr, .overhead: nil
    }
  }

  /// The camera of CLEVR's pictures at a place, with the square picture that this view makes of them.
  package func camera(at position: SIMD3<Double>) -> Camera {
    var camera = CLEVRView.camera(at: position)
    switch self {
    case .whole: camera.pixelHeight = Float(CLEVRView.height) / Float(CLEVRView.width)
    case .center: camera.focal *= Float(CLEVRView.width) / Float(CLEVRView.height)
    case .clevr, .overhead: break
    }
    return camera
  }
}
