import Formats
import Foundation

/// CLEVR's `scenes.json` (clevr-dataset-gen, `image_generation`): `info`, then one entry a scene.
package enum CLEVRFormat {
  /// Rows of text as they are made: a set of 20,000 scenes is never in memory as one tree.
  package static func data(_ scenes: [Scene], settings: SceneSettings) -> Data {
    var data = head(
      camera: settings.camera, size: settings.size, objects: settings.rules.objects)
    for (index, scene) in scenes.enumerated() {
      data.append(
        entry(
          CLEVRFile.Scene(scene, index: index, size: settings.size), split: "train",
          isFirst: index == 0))
    }
    data.append(foot)
    return data
  }

  /// What stands before the scenes.
  package static func head(
    camera: CameraKind, size: Int, objects: ClosedRange<Int>, split: String = "train"
  ) -> Data {
    let info = JSONValue.object([
      "split": .string(split), "version": .string("1.0"), "license": .string("CC BY 4.0"),
      "camera": .string(camera.rawValue), "size": .integer(size),
      // What training pictures hold is used downstream, so it has to be in the hashed content.
      "objects": .array([objects.lowerBound, objects.upperBound].map(JSONValue.integer)),
    ])
    return Data("{\"info\":\(info.canonicalText()),\"scenes\":[".utf8)
  }

  /// The same of a folder in CLEVR's published layout, without what only Locus asks for.
  package static func head(split: String) -> Data {
    let info = JSONValue.object([
      "split": .string(split), "version": .string("1.0"), "license": .string("CC BY 4.0"),
    ])
    return Data("{\"info\":\(info.canonicalText()),\"scenes\":[".utf8)
  }

  /// How the names of pictures begin that `generate` lays out.
  fileprivate static let ownName = "LOCUS_"

  package static let foot = Data("\n]}\n".utf8)

  /// One scene, a line.
  package static func entry(_ scene: CLEVRFile.Scene, split: String, isFirst: Bool) -> Data {
    Data(((isFirst ? "\n" : ",\n") + value(scene, split: split).canonicalText()).utf8)
  }

  private static func value(_ scene: CLEVRFile.Scene, split: String) -> JSONValue {
    let objects = scene.objects.map { object -> JSONValue in
      .object([
        "shape": .string(object.shape.rawValue), "size": .string(object.size.rawValue),
        "material": .string(object.material.rawValue), "color": .string(object.color.rawValue),
        "rotation": .number(rounded(object.rotation)), "3d_coords": vector(object.coordinates),
        "pixel_coords": vector(object.pixel),
      ])
    }
    return .object([
      "split": .string(split), "image_index": .integer(scene.index),
      "image_filename": .string(scene.picture), "objects": .array(objects),
      "relationships": .object(
        scene.relationships.mapValues { rows in
          .array(rows.map { .array($0.map(JSONValue.integer)) })
        }), "directions": .object(scene.directions.mapValues(vector)),
    ])
  }

  private static func vector(_ value: SIMD3<Double>) -> JSONValue {
    .array([value.x, value.y, value.z].map { .number(rounded($0)) })
  }

  private static func rounded(_ value: Double) -> Double { (value * 1e6).rounded() / 1e6 }
}

extension CLEVRFile.Scene {
  /// Whether `generate` laid it out, whose law is known.
  package var isGenerated: Bool { picture.hasPrefix(CLEVRFormat.ownName) }

  /// A scene of ours, as a picture of `size` px shows it.
  init(_ scene: Scene, index: Int, size: Int) {
    let name = String(index)
    let padded = String(repeating: "0", count: max(0, 6 - name.count)) + name
    self.init(
      index: index, picture: "\(CLEVRFormat.ownName)\(padded).png",
      objects: scene.objects.map { CLEVRFile.Object($0, in: scene, size: size) },
      relationships: [:], directions: [:])
    for direction in scene.camera.directions {
      directions[direction.name] = SIMD3(direction.vector.x, direction.vector.y, 0)
      relationships[direction.name] = scene.objects.map {
        Self.related(to: $0, along: direction.vector, in: scene)
      }
    }
  }

  /// The objects that lie in a direction of `object`: CLEVR's ε is 0.2.
  private static func related(
    to object: SceneObject, along direction: SIMD2<Double>, in scene: Scene
  ) -> [Int] {
    scene.objects.indices.filter { i in
      let other = scene.objects[i]
      let along = (other.x - object.x) * direction.x + (other.y - object.y) * direction.y
      return other != object && along > 0.2
    }
  }
}

extension CLEVRFile.Object {
  fileprivate init(_ object: SceneObject, in scene: Scene, size: Int) {
    let pixel = scene.pixelPosition(of: object, size: size)
    let depth = -dot(object.center - scene.camera.position, scene.camera.back)
    self.init(
      shape: object.shape, size: object.size, material: object.material, color: object.color,
      coordinates: SIMD3(object.x, object.y, object.halfExtent),
      rotation: object.rotation * .pi / 180,
      pixel: SIMD3(pixel.x, pixel.y, Double(depth)))
  }
}
