import Foundation

package enum CameraKind: String, Sendable, Codable, CaseIterable {
  /// CLEVR's own view, for 64 px and more.
  case clevr
  /// Straight down, with little occlusion: objects are 3 to 6 px across at 32 px.
  case overhead
  /// CLEVR's own pictures of 480 × 320, squeezed into a square.
  case whole = "clevr-whole"
  /// The middle 320 × 320 of CLEVR's own pictures.
  case center = "clevr-center"
}

/// A pinhole camera: position, rotation (Euler XYZ) and focal length, as Blender has them.
package struct Camera: Sendable, Hashable {
  package var position: SIMD3<Float>
  /// The camera's axes in the world: right, up, and back (it looks along −back).
  package var right: SIMD3<Float>
  package var up: SIMD3<Float>
  package var back: SIMD3<Float>
  /// Focal length in widths of the picture.
  package var focal: Float
  /// In its widths: not 1 where a picture is squeezed.
  package var pixelHeight: Float = 1

  init(
    position: SIMD3<Float>, right: SIMD3<Float>, up: SIMD3<Float>, back: SIMD3<Float>, focal: Float
  ) {
    self.position = position
    self.right = right
    self.up = up
    self.back = back
    self.focal = focal
  }

  /// - Parameter angles: rotation about x, then y, then z, in radians.
  package init(position: SIMD3<Double>, angles: SIMD3<Double>, focal: Double) {
    let (sx, cx) = (sin(angles.x), cos(angles.x))
    let (sy, cy) = (sin(angles.y), cos(angles.y))
    let (sz, cz) = (sin(angles.z), cos(angles.z))
    // The columns of Rz · Ry · Rx.
    right = SIMD3<Float>(SIMD3<Double>(cz * cy, sz * cy, -sy))
    up = SIMD3<Float>(SIMD3<Double>(cz * sy * sx - sz * cx, sz * sy * sx + cz * cx, cy * sx))
    back = SIMD3<Float>(SIMD3<Double>(cz * sy * cx + sz * sx, sz * sy * cx - cz * sx, cy * cx))
    self.position = SIMD3<Float>(position)
    self.focal = Float(focal)
  }

  /// The camera of CLEVR's base scene (base_scene.blend) by its own angles: lens 35 on a sensor of 32. Its pictures
  /// were taken by another (`CLEVRView`).
  package static let clevr = Camera(
    position: [7.48113, -6.50764, 5.34367], angles: [1.10932, 0.01082, 0.81493], focal: 35.0 / 32)

  /// From high above the middle; ±3.6 units of the ground fill the picture.
  package static let overhead = Camera(
    position: [0, 0, overheadHeight], angles: [0, 0, 0], focal: overheadHeight / 7.2)

  /// High enough that objects at the border hardly lean outwards.
  private static let overheadHeight = 20.0

  static func standard(_ kind: CameraKind) -> Camera {
    switch kind {
    case .clevr: clevr
    case .overhead: overhead
    case .whole, .center: kind.camera(at: CLEVRView.position)
    }
  }

  /// Where a point of the world falls, in pixels from the upper left corner.
  package func project(_ point: SIMD3<Float>, width: Int, height: Int) -> (x: Double, y: Double) {
    let d = point - position
    let depth = -dot(d, back)
    let scale = focal * Float(width) / depth
    return (
      Double(Float(width) / 2 + scale * dot(d, right)),
      Double(Float(height) / 2 - scale * dot(d, up) / pixelHeight)
    )
  }

  /// The direction, of length 1, of the ray through a point of the picture.
  @inline(__always)
  func ray(x: Float, y: Float, width: Float, height: Float) -> SIMD3<Float> {
    let u = (x - width / 2) / (focal * width)
    let v = (height / 2 - y) * pixelHeight / (focal * width)
    return normalize(right * u + up * v - back)
  }

  /// CLEVR's four directions on the ground: right, left, behind, front.
  package var directions: [(name: String, vector: SIMD2<Double>)] {
    // Seen from straight above, `up` already lies in the ground; otherwise the view does.
    let ahead = abs(back.z) > 0.999 ? up : -back
    let behind = planar(ahead)
    let aside = planar(right)
    return [("right", aside), ("left", -aside), ("behind", behind), ("front", -behind)]
  }

  private func planar(_ v: SIMD3<Float>) -> SIMD2<Double> {
    let length = (v.x * v.x + v.y * v.y).squareRoot()
    return SIMD2(Double(v.x / length), Double(v.y / length))
  }
}

@inline(__always)
func dot(_ a: SIMD3<Float>, _ b: SIMD3<Float>) -> Float { a.x * b.x + a.y * b.y + a.z * b.z }

@inline(__always)
func normalize(_ v: SIMD3<Float>) -> SIMD3<Float> { v / dot(v, v).squareRoot() }
