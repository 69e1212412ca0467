import Formats
import Foundation

/// CLEVR's `scenes.json` (clevr-dataset-gen, `image_generation`): `info`, then one entry a scene.
package enum CLEVRFormat {
  /// Rows of text as they are made: a set of 20,000 scenes is never in memory as one tree.
  package static func data(_ scenes: [Scene], settings: SceneSettings) -> Data {
    var text = "{\"info\":"
    text += JSONValue.object([
      "split": .string("train"), "version": .string("1.0"), "license": .string("CC BY 4.0"),
      "camera": .string(settings.camera.rawValue), "size": .integer(settings.size),
      // What training pictures hold is used downstream, so it has to be in the hashed content.
      "objects": .array(
        [settings.rules.objects.lowerBound, settings.rules.objects.upperBound]
          .map(JSONValue.integer)),
    ]).canonicalText()
    text += ",\"scenes\":["
    var data = Data(text.utf8)
    for (index, scene) in scenes.enumerated() {
      let entry = value(scene, index: index, settings: settings).canonicalText()
      data.append(contentsOf: ((index == 0 ? "\n" : ",\n") + entry).utf8)
    }
    data.append(contentsOf: "\n]}\n".utf8)
    return data
  }

  static func value(_ scene: Scene, index: Int, settings: SceneSettings) -> JSONValue {
    let objects = scene.objects.map { object -> JSONValue in
      let pixel = scene.pixelPosition(of: object, size: settings.size)
      let depth = -dot(object.center - scene.camera.position, scene.camera.back)
      return .object([
        "shape": .string(object.shape.rawValue), "size": .string(object.size.rawValue),
        "material": .string(object.material.rawValue), "color": .string(object.color.rawValue),
        "rotation": .number(rounded(object.rotation)),
        "3d_coords": .array(
          [object.x, object.y, object.halfExtent].map { .number(rounded($0)) }),
        "pixel_coords": .array([
          .number(rounded(pixel.x)), .number(rounded(pixel.y)), .number(rounded(Double(depth))),
        ]),
      ])
    }
    var relationships: [String: JSONValue] = [:]
    var directions: [String: JSONValue] = [:]
    for direction in scene.camera.directions {
      directions[direction.name] = .array([
        .number(rounded(direction.vector.x)), .number(rounded(direction.vector.y)), .number(0),
      ])
      relationships[direction.name] = .array(
        scene.objects.map { object in
          .array(related(to: object, along: direction.vector, in: scene).map(JSONValue.integer))
        })
    }
    let name = String(index)
    let padded = String(repeating: "0", count: max(0, 6 - name.count)) + name
    return .object([
      "split": .string("train"), "image_index": .integer(index),
      "image_filename": .string("LOCUS_\(padded).png"), "objects": .array(objects),
      "relationships": .object(relationships), "directions": .object(directions),
    ])
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

  private static func rounded(_ value: Double) -> Double { (value * 1e6).rounded() / 1e6 }
}
