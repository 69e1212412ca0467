/// CLEVR's shapes, materials, colours and sizes (Johnson et al. 2017, data/properties.json).
package enum ObjectShape: String, Sendable, Codable, CaseIterable { case cube, sphere, cylinder }

package enum Material: String, Sendable, CaseIterable { case rubber, metal }

package enum ObjectColor: String, Sendable, Codable, CaseIterable {
  case gray, red, blue, green, brown, purple, cyan, yellow

  /// sRGB, 0 … 255.
  package var rgb: SIMD3<Float> {
    switch self {
    case .gray: [87, 87, 87]
    case .red: [173, 35, 35]
    case .blue: [42, 75, 215]
    case .green: [29, 105, 20]
    case .brown: [129, 74, 25]
    case .purple: [129, 38, 192]
    case .cyan: [41, 208, 208]
    case .yellow: [255, 238, 51]
    }
  }
}

package enum ObjectSize: String, Sendable, CaseIterable {
  case small, large

  /// In CLEVR's units; objects keep their distance by it.
  package var radius: Double { self == .large ? 0.7 : 0.35 }
}

/// One object on the ground plane.
package struct SceneObject: Sendable, Hashable {
  package var shape: ObjectShape
  package var size: ObjectSize
  package var material: Material
  package var color: ObjectColor
  /// Centre, in CLEVR's units; the region is [−3, 3].
  package var x: Double
  package var y: Double
  /// About the vertical, in degrees.
  package var rotation: Double

  package init(
    shape: ObjectShape, size: ObjectSize, material: Material, color: ObjectColor, x: Double,
    y: Double, rotation: Double
  ) {
    self.shape = shape
    self.size = size
    self.material = material
    self.color = color
    self.x = x
    self.y = y
    self.rotation = rotation
  }

  /// Half the height, which is also the height of the centre: the size of every shape, cubes too. (CLEVR's
  /// generator divides a cube's by √2 under a name that its shipped mesh does not have: all cubes of v1.0
  /// stand at z = 0.7 or 0.35.)
  package var halfExtent: Double { size.radius }
}

extension SceneObject {
  /// An object of a file; its height is that of its size.
  package init(_ object: CLEVRFile.Object) {
    // Whole turns go first: hundreds of radians as degrees would lose digits in the renderer's floats.
    let angle = object.rotation.truncatingRemainder(dividingBy: 2 * .pi)
    self.init(
      shape: object.shape, size: object.size, material: object.material, color: object.color,
      x: object.coordinates.x, y: object.coordinates.y, rotation: angle * 180 / .pi)
  }
}

/// Objects with the view and the light that this scene drew.
package struct Scene: Sendable, Hashable {
  package var objects: [SceneObject]
  package var camera: Camera
  /// Key, fill and back lamp.
  package var lamps: [SIMD3<Float>]

  package init(objects: [SceneObject], camera: Camera, lamps: [SIMD3<Float>]) {
    self.objects = objects
    self.camera = camera
    self.lamps = lamps
  }

  /// With CLEVR's lamps where they stand in its base scene.
  package init(objects: [SceneObject], camera: Camera) {
    self.init(
      objects: objects, camera: camera, lamps: standardLamps.map { SIMD3<Float>($0) })
  }
}
