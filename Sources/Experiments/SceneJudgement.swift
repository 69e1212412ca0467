import Artifacts
import Foundation
import Lineage
import Measures
import Scenes
import Workflow

/// What becomes of one scene of a file.
enum SceneJudgement: Sendable {
  struct Taken: Sendable {
    /// As it is kept: places in the pixels of the new picture.
    var entry: CLEVRFile.Scene
    var scene: Scene
    var hidden: Int
    /// How far an object was seen from where the camera should see it, in px of a picture 480 wide.
    var residual: Double
  }

  case chosen(Taken)
  /// Not asked for.
  case filtered
  /// An object has its centre outside the view.
  case cut
  /// An object is hidden.
  case hidden
  /// It cannot be what it says.
  case refused(String)

  /// Farther than this, in px of a picture 480 wide, `pixel_coords` are not those of `3d_coords`: they are rounded
  /// to whole pixels.
  private static let tolerance = 2.0

  static func isWanted(_ scene: CLEVRFile.Scene, _ options: ImportCLEVRStage.Options) -> Bool {
    (options.objects[0]...options.objects[1]).contains(scene.objects.count)
      && scene.objects.allSatisfy {
        (options.colors.isEmpty || options.colors.contains($0.color))
          && (options.shapes.isEmpty || options.shapes.contains($0.shape))
      }
  }

  init(
    _ scene: CLEVRFile.Scene, frame: (width: Int, height: Int), part: CLEVRView.Part,
    _ options: ImportCLEVRStage.Options
  ) {
    for (place, object) in scene.objects.enumerated()
    where abs(object.coordinates.z - object.size.radius) > 0.01 {
      self = .refused(
        "objects[\(place)].3d_coords: found a height of \(object.coordinates.z) for a \(object.size.rawValue)"
          + " \(object.shape.rawValue), accepted: \(object.size.radius), which is where CLEVR's objects stand"
      )
      return
    }
    if !Self.isWanted(scene, options) {
      self = .filtered
      return
    }
    let (position, residual) = CLEVRView.fit(
      scene.objects, width: frame.width, height: frame.height)
    let scaled = residual * Double(CLEVRView.width) / Double(frame.width)
    // Not a number fails too.
    guard scaled <= Self.tolerance else {
      self = .refused(
        "its pixel_coords lie up to \((scaled * 10).rounded() / 10) px from where any place of CLEVR's camera shows its"
          + " 3d_coords in a picture of \(frame.width) × \(frame.height): they are those of pictures of another size or"
          + " of another camera; others come in with `import arrays`")
      return
    }
    let isInside = scene.objects.allSatisfy {
      let place = part.place($0.pixel.x, $0.pixel.y, size: options.size)
      return (0..<Double(options.size)).contains(place.x)
        && (0..<Double(options.size)).contains(place.y)
    }
    if !isInside {
      self = .cut
      return
    }
    let objects = scene.objects.map(SceneObject.init)
    let hidden = Scene(objects: objects, camera: CLEVRView.camera(at: position)).hiddenObjects.count
    if hidden > 0, options.hidden == .drop {
      self = .hidden
      return
    }
    var entry = scene
    for i in entry.objects.indices {
      let pixel = entry.objects[i].pixel
      let place = part.place(pixel.x, pixel.y, size: options.size)
      entry.objects[i].pixel = SIMD3(place.x, place.y, pixel.z)
    }
    self = .chosen(
      Taken(
        entry: entry, scene: Scene(objects: objects, camera: options.camera.camera(at: position)),
        hidden: hidden, residual: scaled))
  }
}

/// What is held of the scenes of a file while it is read.
struct ChosenScenes {
  private(set) var read = 0
  private(set) var count = 0
  private(set) var filtered = 0
  private(set) var cut = 0
  private(set) var dropped = 0
  /// Their pictures' names, or what renders them.
  private(set) var pictures: [String] = []
  private(set) var scenes: [Scene] = []
  private(set) var conditioners: [UInt8] = []
  private var hidden = 0
  private var residual = 0.0
  private var counts: [Int: Int] = [:]
  private var attributes: [String: Int] = [:]
  private var indices: Set<Int> = []
  private var names: Set<String> = []

  /// Fewest and most objects of what was chosen.
  var objects: ClosedRange<Int>? {
    guard let least = counts.keys.min(), let most = counts.keys.max() else { return nil }
    return least...most
  }

  /// - Throws: for a scene that was there before.
  mutating func see(_ scene: CLEVRFile.Scene, in file: URL) throws {
    guard indices.insert(scene.index).inserted else {
      throw OutsideError(
        file,
        reason: "scenes[\(read)].image_index: \(scene.index) stands twice; take out one of the two")
    }
    guard names.insert(scene.picture).inserted else {
      throw OutsideError(
        file,
        reason:
          "scenes[\(read)].image_filename: \(scene.picture) stands twice; take out one of the two")
    }
    read += 1
  }

  mutating func leaveOut(_ judgement: SceneJudgement, _ scene: CLEVRFile.Scene, in file: URL) throws
  {
    switch judgement {
    case .chosen: break
    case .filtered: filtered += 1
    case .cut: cut += 1
    case .hidden: dropped += 1
    case .refused(let reason):
      throw OutsideError(file, reason: "the scene with image_index \(scene.index): \(reason)")
    }
  }

  mutating func take(_ taken: SceneJudgement.Taken, needsScene: Bool, size: Int, cells: Int) {
    count += 1
    if needsScene { scenes.append(taken.scene) } else { pictures.append(taken.entry.picture) }
    hidden += taken.hidden
    residual = max(residual, taken.residual)
    counts[taken.entry.objects.count, default: 0] += 1
    var grid = [UInt8](repeating: 0, count: cells * cells)
    for object in taken.entry.objects {
      grid[cellIndex(object.pixel.x, object.pixel.y, size: size, cells: cells)] += 1
      for value in [
        "color \(object.color.rawValue)", "shape \(object.shape.rawValue)",
        "size \(object.size.rawValue)", "material \(object.material.rawValue)",
      ] { attributes[value, default: 0] += 1 }
    }
    conditioners += grid
  }

  var metrics: [MetricRow] {
    let objects = counts.reduce(0) { $0 + $1.key * $1.value }
    return [
      Measure.pictures.row(Double(count)),
      Measure.objectsMean.row(Double(objects) / Double(count), n: count),
      Measure.importedLeftOut.row(Double(filtered), .attribute("filtered")),
      Measure.importedLeftOut.row(Double(cut), .attribute("cut")),
      Measure.importedLeftOut.row(Double(dropped), .attribute("hidden")),
      Measure.importedHidden.row(Double(hidden), n: objects),
      Measure.importedCamera.row(residual, n: count),
    ]
      + counts.sorted { $0.key < $1.key }.map {
        Measure.importedPictures.row(Double($0.value), .k($0.key))
      }
      + attributes.sorted { $0.key < $1.key }.map {
        Measure.importedObjects.row(Double($0.value), .attribute($0.key))
      }
  }
}
