import Foundation
import Scenes

/// What CLEVR tells objects apart by, as far as a picture of few pixels shows it; materials it does not.
package struct ObjectAttributes: Sendable, Hashable {
  package var color: ObjectColor
  package var size: ObjectSize
  package var shape: ObjectShape

  package init(color: ObjectColor, size: ObjectSize, shape: ObjectShape) {
    self.color = color
    self.size = size
    self.shape = shape
  }

  init(_ object: SceneObject) {
    self.init(color: object.color, size: object.size, shape: object.shape)
  }

  /// One of them.
  package enum Kind: String, Sendable, CaseIterable {
    case color, size, shape

    /// How many values it has.
    package var count: Int {
      switch self {
      case .color: ObjectColor.allCases.count
      case .size: ObjectSize.allCases.count
      case .shape: ObjectShape.allCases.count
      }
    }
  }

  /// The number of its value among all of that kind.
  package subscript(kind: Kind) -> Int {
    switch kind {
    case .color: ObjectColor.allCases.firstIndex(of: color) ?? 0
    case .size: ObjectSize.allCases.firstIndex(of: size) ?? 0
    case .shape: ObjectShape.allCases.firstIndex(of: shape) ?? 0
    }
  }

  /// - Parameter values: as the subscript gives them, in the order of `Kind`.
  init?(values: [Int]) {
    guard values.count == 3, ObjectColor.allCases.indices.contains(values[0]),
      ObjectSize.allCases.indices.contains(values[1]),
      ObjectShape.allCases.indices.contains(values[2])
    else { return nil }
    self.init(
      color: ObjectColor.allCases[values[0]], size: ObjectSize.allCases[values[1]],
      shape: ObjectShape.allCases[values[2]])
  }
}

/// What a find looks like.
package struct Look: Sendable, Hashable {
  /// 1 as rendered, ¼ for an object of which three quarters are ground; 0 or more.
  package var opacity: Double
  package var attributes: ObjectAttributes

  package init(opacity: Double, attributes: ObjectAttributes) {
    self.opacity = opacity
    self.attributes = attributes
  }
}

/// Rendered objects, by which finds are told: how solid they are, and what.
///
/// A faint object is `opacity · object + (1 − opacity) · ground`, so that its difference from the empty
/// ground is that of the solid object times the opacity. Which object it would be is told by the direction of
/// that difference: the few held-out renders that are most alike vote for colour, size and shape, and the
/// opacity is the median of the length in theirs. A find that is like no render at all has a look too; it
/// says how much is there.
package struct ObjectExamples: Sendable {
  /// Side of a picture and of what is looked at around a find, in px.
  package let size: Int
  let side: Int
  /// The empty ground, (S, S, 3) in [−1, 1].
  let ground: [Float]
  /// Differences from the ground around rendered objects, (M, side, side, 3).
  let differences: [Float]
  let attributes: [ObjectAttributes]
  private let lengths: [Float]

  /// Examples that decide.
  private static let nearest = 5
  /// Of a large object's 5 px at 32 px.
  static func side(size: Int) -> Int { 2 * Int((Double(size) / 16).rounded()) + 1 }

  /// From differences, (M, side, side, 3), with what they are of; those of no length tell nothing and are
  /// left out.
  init(size: Int, ground: [Float], differences: [Float], attributes: [ObjectAttributes]) {
    self.size = size
    self.ground = ground
    side = Self.side(size: size)
    let count = side * side * 3
    var kept: [Float] = []
    var lengths: [Float] = []
    var known: [ObjectAttributes] = []
    for (m, own) in attributes.enumerated() where (m + 1) * count <= differences.count {
      let difference = differences[m * count..<(m + 1) * count]
      let length = difference.reduce(0) { $0 + $1 * $1 }
      if length < 1e-3 { continue }
      kept += difference
      lengths.append(length)
      known.append(own)
    }
    self.differences = kept
    self.lengths = lengths
    self.attributes = known
  }

  /// From pictures, (N, S, S, 3), with the objects' centres and what they are.
  init(
    size: Int, ground: [Float], pictures: [Float], places: [[Place]],
    attributes: [[ObjectAttributes]], most: Int
  ) {
    let empty = ObjectExamples(size: size, ground: ground, differences: [], attributes: [])
    let count = size * size * 3
    let all = zip(places, attributes).enumerated().flatMap { n, own in
      zip(own.0, own.1).map { (n: n, place: $0, attributes: $1) }
    }
    // Evenly, whatever the order of the pictures.
    let kept = min(most, all.count)
    let chosen = (0..<kept).map { all[$0 * all.count / kept] }
    self.init(
      size: size, ground: ground,
      differences: chosen.flatMap {
        empty.difference(Array(pictures[$0.n * count..<($0.n + 1) * count]), at: $0.place)
      }, attributes: chosen.map(\.attributes))
  }

  /// What is there beside the ground, (side, side, 3); nothing beyond the picture's edge.
  private func difference(_ picture: [Float], at place: Place) -> [Float] {
    let (row, column) = (Int(place.y), Int(place.x))
    var result: [Float] = []
    result.reserveCapacity(side * side * 3)
    for r in row - side / 2...row + side / 2 {
      for c in column - side / 2...column + side / 2 {
        let isInside = (0..<size).contains(r) && (0..<size).contains(c)
        for channel in 0..<3 {
          let i = (r * size + c) * 3 + channel
          result.append(isInside ? picture[i] - ground[i] : 0)
        }
      }
    }
    return result
  }

  /// What a picture, (S, S, 3) in [−1, 1], has at a place; `nil` where it is ground to the last bit.
  package func look(_ picture: [Float], at place: Place) -> Look? {
    let own = difference(picture, at: place)
    let length = own.reduce(0) { $0 + $1 * $1 }
    if length < 1e-6 { return nil }
    var best: [(likeness: Float, share: Float, example: Int)] = []
    for (m, other) in lengths.enumerated() {
      var product: Float = 0
      let start = m * own.count
      for i in own.indices { product += own[i] * differences[start + i] }
      let likeness = product / (length * other).squareRoot()
      if best.count == Self.nearest, likeness <= best[Self.nearest - 1].likeness { continue }
      best.insert(
        (likeness, product / other, m), at: best.firstIndex { likeness > $0.likeness } ?? best.count
      )
      if best.count > Self.nearest { best.removeLast() }
    }
    guard let first = best.first else { return nil }
    let shares = best.map(\.share).sorted()
    func vote<T: Hashable>(_ value: (ObjectAttributes) -> T) -> T {
      let values = best.map { value(attributes[$0.example]) }
      // Of equally frequent ones that of the most alike.
      let most = values.map { one in values.count { $0 == one } }.max()
      return values.first { one in values.count { $0 == one } == most }
        ?? value(attributes[first.example])
    }
    return Look(
      opacity: Double(max(shares[shares.count / 2], 0)),
      attributes: ObjectAttributes(
        color: vote(\.color), size: vote(\.size), shape: vote(\.shape)))
  }
}
