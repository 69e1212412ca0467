import Formats
import Foundation
import Streams

/// How objects are placed (CLEVR's `add_random_objects`).
package struct LayoutRules: Sendable, Hashable {
  /// Fewest and most objects.
  package var objects: ClosedRange<Int>
  /// Least distance between the circles of two objects.
  package var gap: Double
  /// Least distance along each of the four directions; 12 objects do not fit with CLEVR's 0.4.
  package var margin: Double
  /// Least distance between two centres, whatever the sizes.
  package var spacing: Double

  package init(
    objects: ClosedRange<Int>, gap: Double = 0.25, margin: Double = 0.4, spacing: Double = 0
  ) {
    self.objects = objects
    self.gap = gap
    self.margin = margin
    self.spacing = spacing
  }

  /// Centres lie in [−region, region].
  static let region = 3.0
  /// Tries for one object before the scene starts anew.
  static let attempts = 50
  static let restarts = 2000
}

/// What a picture of a scene looks like.
package struct SceneSettings: Sendable, Hashable {
  package var camera: CameraKind
  /// Side of the picture in pixels.
  package var size: Int
  /// Side of the conditioner grid.
  package var cells: Int
  package var rules: LayoutRules
  /// Samples along a pixel's side, where anything but flat ground is near.
  package var supersample: Int
  /// What conditioners say; `nil`: in which cells objects are. A picture of which a combination that is held
  /// out is true is laid out anew with as many objects.
  package var words: PictureWords?

  package init(
    camera: CameraKind, size: Int, cells: Int, rules: LayoutRules, supersample: Int = 3,
    words: PictureWords? = nil
  ) {
    self.words = words
    self.camera = camera
    self.size = size
    self.cells = cells
    self.rules = rules
    self.supersample = supersample
  }

  /// Throws unless pictures can be made: sizes in range, cells that divide the size, rules in order.
  package func validate() throws(SceneError) {
    if !(8...1024).contains(size) { throw .setting("size", "\(size)", "8 to 1024 px") }
    if cells < 1 || size % cells != 0 {
      throw .setting("cells", "\(cells)", "a divisor of the size, \(size)")
    }
    if !(1...8).contains(supersample) {
      throw .setting("supersample", "\(supersample)", "1 to 8")
    }
    if rules.objects.lowerBound < 0 || rules.objects.upperBound > 64 {
      throw .setting("objects", "\(rules.objects)", "a range within 0 to 64")
    }
    for (name, value) in [
      ("gap", rules.gap), ("margin", rules.margin), ("spacing", rules.spacing),
    ]
    where !(0...3).contains(value) {
      throw .setting(name, "\(value)", "0 to 3 units")
    }
  }
}

package enum SceneError: CategorizedError, Hashable, CustomStringConvertible {
  case setting(String, String, String)
  case crowded(objects: Int, gap: Double, margin: Double)
  /// So many objects have a combination that is held out, however often they are drawn.
  case heldOut(objects: Int)
  /// No scene was found that has an object in each of so many cells.
  case unplaced(cells: Int, gap: Double, margin: Double)

  package var category: ErrorCategory { .data }

  package var description: String {
    switch self {
    case .setting(let name, let found, let accepted): "\(name) is \(found), accepted: \(accepted)"
    case .crowded(let objects, let gap, let margin):
      "\(objects) objects with gap \(gap) and margin \(margin) found no room in "
        + "\(LayoutRules.restarts) layouts; lower `margin` (0 fits twelve objects) or `objects`"
    case .heldOut(let objects):
      "\(objects) objects without a combination of `held_out` were not found in"
        + " \(LayoutRules.restarts) layouts; hold out less, or lower `objects`"
    case .unplaced(let cells, let gap, let margin):
      "no scene with gap \(gap) and margin \(margin) was found that has an object in each of \(cells)"
        + " asked cells; ask for fewer, or lower `margin`"
    }
  }
}

/// The scene `index` of a seed: it does not depend on any other scene.
package func makeScene(
  _ settings: SceneSettings, seed: UInt64, index: Int, purpose: RandomPurpose
) throws(SceneError) -> Scene {
  var stream = RandomStream(seed: seed, purpose: purpose, index: UInt64(index))
  let rules = settings.rules
  let count = rules.objects.lowerBound + stream.integer(below: rules.objects.count)
  var isHeldOut = false
  for _ in 0..<LayoutRules.restarts {
    let camera = drawCamera(settings.camera, &stream)
    let lamps = drawLamps(&stream)
    if let objects = placeObjects(count, rules, camera, settings.size, &stream) {
      let scene = Scene(objects: objects, camera: camera, lamps: lamps)
      guard let words = settings.words, !words.heldOut.isEmpty else { return scene }
      let flags = words.flags(objects)
      isHeldOut = words.isHeldOut { flags[$0] > 0 }
      if !isHeldOut { return scene }
    }
  }
  if isHeldOut { throw .heldOut(objects: count) }
  throw .crowded(objects: count, gap: rules.gap, margin: rules.margin)
}

/// Key, fill and back lamp of CLEVR's base scene.
let standardLamps: [SIMD3<Double>] = [
  [6.447, -2.905, 4.258], [-4.671, -4.014, 3.011], [-1.169, 2.646, 5.816],
]

/// A camera of a kind, where this scene has it.
func drawCamera(_ kind: CameraKind, _ stream: inout RandomStream) -> Camera {
  var camera = Camera.standard(kind)
  switch kind {
  case .overhead: break
  case .clevr: camera.position += SIMD3<Float>(jitter(0.5, &stream))
  case .whole, .center: camera = kind.camera(at: CLEVRView.position + jitter(0.5, &stream))
  }
  return camera
}

func drawLamps(_ stream: inout RandomStream) -> [SIMD3<Float>] {
  standardLamps.map { SIMD3<Float>($0 + jitter(1, &stream)) }
}

private func jitter(_ reach: Double, _ stream: inout RandomStream) -> SIMD3<Double> {
  let x = stream.uniform(-reach, reach)
  let y = stream.uniform(-reach, reach)
  let z = stream.uniform(-reach, reach)
  return SIMD3(x, y, z)
}

/// `nil` when an object found no room, or its centre falls outside the picture.
private func placeObjects(
  _ count: Int, _ rules: LayoutRules, _ camera: Camera, _ size: Int, _ stream: inout RandomStream
) -> [SceneObject]? {
  var objects: [SceneObject] = []
  let directions = camera.directions.map(\.vector)
  for _ in 0..<count {
    let objectSize = ObjectSize.allCases[stream.integer(below: 2)]
    guard let place = findRoom(objectSize, beside: objects, rules, directions, &stream) else {
      return nil
    }
    let object = drawObject(objectSize, at: place, &stream)
    if !isSeen(object, by: camera, size) { return nil }
    objects.append(object)
  }
  return objects
}

/// A place that keeps its distance; `nil` where no try found one.
func findRoom(
  _ size: ObjectSize, beside objects: [SceneObject], _ rules: LayoutRules,
  _ directions: [SIMD2<Double>], _ stream: inout RandomStream
) -> SIMD2<Double>? {
  for _ in 0..<LayoutRules.attempts {
    let x = stream.uniform(-LayoutRules.region, LayoutRules.region)
    let y = stream.uniform(-LayoutRules.region, LayoutRules.region)
    let candidate = SIMD2(x, y)
    if objects.allSatisfy({ keepsDistance(candidate, size.radius, from: $0, rules, directions) }) {
      return candidate
    }
  }
  return nil
}

func drawObject(_ size: ObjectSize, at place: SIMD2<Double>, _ stream: inout RandomStream)
  -> SceneObject
{
  SceneObject(
    shape: ObjectShape.allCases[stream.integer(below: 3)], size: size,
    material: Material.allCases[stream.integer(below: 2)],
    color: ObjectColor.allCases[stream.integer(below: 8)], x: place.x, y: place.y,
    rotation: stream.uniform(0, 360))
}

/// Whether the centre falls into a picture of `size` pixels.
func isSeen(_ object: SceneObject, by camera: Camera, _ size: Int) -> Bool {
  let pixel = camera.project(object.center, width: size, height: size)
  let range = 0..<Double(size)
  return range.contains(pixel.x) && range.contains(pixel.y)
}

func keepsDistance(
  _ candidate: SIMD2<Double>, _ radius: Double, from other: SceneObject, _ rules: LayoutRules,
  _ directions: [SIMD2<Double>]
) -> Bool {
  let d = candidate - SIMD2(other.x, other.y)
  let distance = (d.x * d.x + d.y * d.y).squareRoot()
  if distance - radius - other.size.radius < rules.gap || distance < rules.spacing { return false }
  return directions.allSatisfy { direction in
    let along = d.x * direction.x + d.y * direction.y
    return !(0 < along && along < rules.margin)
  }
}
