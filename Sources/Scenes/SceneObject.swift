/// CLEVR's shapes, materials, colours and sizes (Johnson et al. 2017, data/properties.json).
public enum ObjectShape: String, Sendable, CaseIterable { case cube, sphere, cylinder }

public enum Material: String, Sendable, CaseIterable { case rubber, metal }

public enum ObjectColor: String, Sendable, CaseIterable {
  case gray, red, blue, green, brown, purple, cyan, yellow

  /// sRGB, 0 … 255.
  public var rgb: SIMD3<Float> {
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

public enum ObjectSize: String, Sendable, CaseIterable {
  case small, large

  /// In CLEVR's units; objects keep their distance by it.
  public var radius: Double { self == .large ? 0.7 : 0.35 }
}

/// One object on the ground plane.
public struct SceneObject: Sendable, Hashable {
  public var shape: ObjectShape
  public var size: ObjectSize
  public var material: Material
  public var color: ObjectColor
  /// Centre, in CLEVR's units; the region is [−3, 3].
  public var x: Double
  public var y: Double
  /// About the vertical, in degrees.
  public var rotation: Double

  public init(
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
  public var halfExtent: Double { size.radius }
}

/// Objects with the view and the light that this scene drew.
public struct Scene: Sendable, Hashable {
  public var objects: [SceneObject]
  public var camera: Camera
  /// Key, fill and back lamp.
  public var lamps: [SIMD3<Float>]

  public init(objects: [SceneObject], camera: Camera, lamps: [SIMD3<Float>]) {
    self.objects = objects
    self.camera = camera
    self.lamps = lamps
  }
}
