/// What a `scenes.json` in CLEVR's schema holds.
package enum CLEVRFile {
  package struct Object: Sendable, Equatable {
    package var shape: ObjectShape
    package var size: ObjectSize
    package var material: Material
    package var color: ObjectColor
    /// In CLEVR's units; each within ±100.
    package var coordinates: SIMD3<Double>
    /// About the vertical, in radians; within ±3600. CLEVR's generator draws 360 · random() and hands it to
    /// Blender as an Euler angle, so the published numbers, 0 to 360, are radians of which whole turns count
    /// nothing (clevr-dataset-gen, `image_generation/render_images.py` and `utils.py`).
    package var rotation: Double
    /// Column and row in pixels, and the distance from the camera; each within ±10⁶.
    package var pixel: SIMD3<Double>
  }
  package struct Scene: Sendable, Equatable {
    /// From 0.
    package var index: Int
    /// A file's name without a folder.
    package var picture: String
    package var objects: [Object]
    /// By direction, for every object the objects that lie there, by their position.
    package var relationships: [String: [[Int]]]
    /// By name, on the ground; each component within ±10.
    package var directions: [String: SIMD3<Double>]
  }

  /// CLEVR's own scenes have at most 10 objects, ours at most 64.
  package static let mostObjects = 64
}
