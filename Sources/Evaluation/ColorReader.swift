import Foundation
import Scenes

/// What colour a find has, by a rule that knows nothing of renders but their light: in linear light, the chromaticity
/// of the few pixels that differ most from the ground, and which of CLEVR's eight colours it is nearest to.
///
/// The plain second opinion beside the renders that are most alike.
package struct ColorReader: Sendable {
  package struct Reading: Sendable, Hashable {
    package var color: ObjectColor
    /// Between the two chromaticities, (r, g, b) / (r + g + b).
    package var distance: Double
  }

  let size: Int
  private let camera: CameraKind
  /// In linear light, (S, S, 3).
  private let ground: [Double]
  private let side: Int
  /// Pixels that count: 3 at 32 px, where a small object has about 5.
  private let pixels: Int
  private let references: [(color: ObjectColor, chromaticity: [Double])]

  /// - Parameters:
  ///   - camera: whose pictures are read: in its light colours are what they are.
  ///   - ground: the empty ground, (S, S, 3) in [−1, 1].
  package init(size: Int, camera: CameraKind, ground: [Float]) {
    self.size = size
    self.camera = camera
    references = ObjectColor.allCases.compactMap { color in
      let paint = camera.paint(color)
      return Self.chromaticity((0..<3).map { paint[$0] }).map { (color, $0) }
    }
    self.ground = ground.map(Self.linear)
    side = ObjectExamples.side(size: size)
    pixels = max(1, 3 * size * size / 1024)
  }

  /// From −1 … 1.
  private static func linear(_ value: Float) -> Double {
    Encoding.linear(min(max((Double(value) + 1) / 2, 0), 1))
  }

  private static func chromaticity(_ color: [Double]) -> [Double]? {
    let sum = color.reduce(0, +)
    return sum > 1e-6 ? color.map { $0 / sum } : nil
  }

  /// What a picture, (S, S, 3) in [−1, 1], has at a place; `nil` where it is black.
  package func read(_ picture: [Float], at place: Place) -> Reading? {
    let (row, column) = (Int(place.y), Int(place.x))
    var seen: [(difference: Double, color: [Double])] = []
    for r in max(0, row - side / 2)...max(0, min(size - 1, row + side / 2)) {
      for c in max(0, column - side / 2)...max(0, min(size - 1, column + side / 2)) {
        let i = (min(r, size - 1) * size + min(c, size - 1)) * 3
        let color = (i..<i + 3).map { Self.linear(picture[$0]) }
        seen.append(
          (zip(color, ground[i..<i + 3]).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }, color))
      }
    }
    // Of equal differences the first: the same whatever else is there.
    let order = seen.indices.sorted {
      (seen[$1].difference, $0) < (seen[$0].difference, $1)
    }
    let sum = order.prefix(pixels).reduce([0.0, 0, 0]) { sum, n in
      zip(sum, seen[n].color).map { $0 + $1 }
    }
    return Self.chromaticity(sum).flatMap(nearest)
  }

  private func nearest(_ chromaticity: [Double]) -> Reading? {
    references.map { color, reference in
      Reading(
        color: color,
        distance: zip(chromaticity, reference).reduce(0) {
          $0 + ($1.0 - $1.1) * ($1.0 - $1.1)
        }.squareRoot())
    }.min { $0.distance < $1.distance }
  }

  /// Two colours half and half, as bytes are mixed.
  func blend(_ a: ObjectColor, _ b: ObjectColor) -> Reading? {
    let (first, second) = (camera.paint(a), camera.paint(b))
    let mixed = (0..<3).map {
      Encoding.linear((Encoding.stored(first[$0]) + Encoding.stored(second[$0])) / 2)
    }
    return Self.chromaticity(mixed).flatMap(nearest)
  }
}
