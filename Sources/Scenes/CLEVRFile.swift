import Formats
import Foundation

/// What a `scenes.json` in CLEVR's schema holds: ours, or CLEVR's own (`CLEVR_train_scenes.json`).
///
/// Everything is checked: a value that is here is in its range, a name leads out of no folder.
package struct CLEVRFile: Sendable, Equatable {
  package struct Object: Sendable, Equatable {
    package var shape: ObjectShape
    package var size: ObjectSize
    package var material: Material
    package var color: ObjectColor
    /// In CLEVR's units; each within ±100.
    package var coordinates: SIMD3<Double>
    /// About the vertical, in degrees; within ±3600.
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

  package var scenes: [Scene]

  /// CLEVR's own scenes have at most 10 objects, ours at most 64.
  package static let mostObjects = 64
  /// CLEVR's training scenes, the largest such file, fill 360 MB.
  package static let largestFile = 512 << 20

  /// Throws `FormatError` with the place of the first value that is not as it should be, for example
  /// `scenes[3].objects[0].color`.
  package init(data: Data) throws(FormatError) {
    let root: JSONValue
    do {
      root = try JSONValue.parse(
        data, limits: JSON5.Limits(maximumBytes: Self.largestFile, maximumDepth: 16))
    } catch {
      throw CLEVRReader.error(error.description)
    }
    guard let entries = root["scenes"]?.array else {
      throw CLEVRReader.error("scenes: a list is accepted")
    }
    scenes = []
    for (index, entry) in entries.enumerated() {
      scenes.append(try CLEVRReader(path: "scenes[\(index)]", value: entry).scene())
    }
  }
}

/// A value of the file with its place.
private struct CLEVRReader {
  let path: String
  let value: JSONValue?

  static func error(_ message: String) -> FormatError { FormatError("scenes.json", message) }

  private func refuse(_ accepted: String) -> FormatError {
    let text = value.map { String($0.canonicalText().prefix(40)) } ?? "nothing"
    return Self.error("\(path): found \(text), accepted: \(accepted)")
  }

  private subscript(key: String) -> CLEVRReader {
    CLEVRReader(path: "\(path).\(key)", value: value?[key])
  }

  private func elements(_ count: ClosedRange<Int>) throws(FormatError) -> [CLEVRReader] {
    guard let values = value?.array, count.contains(values.count) else {
      throw refuse("a list of \(count.lowerBound) to \(count.upperBound)")
    }
    return values.enumerated().map { CLEVRReader(path: "\(path)[\($0)]", value: $1) }
  }

  private func integer(_ range: ClosedRange<Int>) throws(FormatError) -> Int {
    guard let number = value?.integer, range.contains(number) else {
      throw refuse("a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  private func number(within limit: Double) throws(FormatError) -> Double {
    guard let number = value?.number, number.magnitude <= limit else {
      throw refuse("a number from -\(limit) to \(limit)")
    }
    return number
  }

  private func vector(within limit: Double) throws(FormatError) -> SIMD3<Double> {
    let parts = try elements(3...3)
    return SIMD3(
      try parts[0].number(within: limit), try parts[1].number(within: limit),
      try parts[2].number(within: limit))
  }

  private func choice<T: RawRepresentable & CaseIterable>(_ type: T.Type = T.self)
    throws(FormatError) -> T where T.RawValue == String
  {
    guard let found = value?.string.flatMap({ T(rawValue: $0) }) else {
      throw refuse(T.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return found
  }

  private func fileName() throws(FormatError) -> String {
    guard let name = value?.string, (1...255).contains(name.utf8.count), name.first != ".",
      !name.unicodeScalars.contains(where: { $0 == "/" || $0 == "\\" || $0.value < 32 })
    else { throw refuse("a file's name without a folder") }
    return name
  }

  /// CLEVR's four directions, each at most once.
  private func directions<T>(_ body: (CLEVRReader) throws(FormatError) -> T) throws(FormatError)
    -> [String: T]
  {
    // A picture without these is as good; both are derived from the coordinates.
    guard let value else { return [:] }
    guard let members = value.object else { throw refuse("an object by direction") }
    var result: [String: T] = [:]
    for name in members.keys.sorted() {
      guard ["right", "left", "behind", "front", "above", "below"].contains(name) else {
        throw refuse("right, left, behind, front, above and below")
      }
      result[name] = try body(self[name])
    }
    return result
  }

  func scene() throws(FormatError) -> CLEVRFile.Scene {
    var objects: [CLEVRFile.Object] = []
    for entry in try self["objects"].elements(0...CLEVRFile.mostObjects) {
      objects.append(try entry.object())
    }
    let count = objects.count
    let relationships = try self["relationships"].directions {
      (reader) throws(FormatError) -> [[Int]] in
      var rows: [[Int]] = []
      for row in try reader.elements(count...count) {
        var others: [Int] = []
        for other in try row.elements(0...count) {
          others.append(try other.integer(0...max(count - 1, 0)))
        }
        rows.append(others)
      }
      return rows
    }
    return CLEVRFile.Scene(
      index: try self["image_index"].integer(0...Int(Int32.max)),
      picture: try self["image_filename"].fileName(), objects: objects,
      relationships: relationships,
      directions: try self["directions"].directions {
        (reader) throws(FormatError) -> SIMD3<Double> in try reader.vector(within: 10)
      })
  }

  private func object() throws(FormatError) -> CLEVRFile.Object {
    CLEVRFile.Object(
      shape: try self["shape"].choice(), size: try self["size"].choice(),
      material: try self["material"].choice(), color: try self["color"].choice(),
      coordinates: try self["3d_coords"].vector(within: 100),
      rotation: try self["rotation"].number(within: 3600),
      pixel: try self["pixel_coords"].vector(within: 1e6))
  }
}
