import Formats

/// What one cell may hold.
package struct CellState: Sendable, Hashable {
  /// D values, the cell's pixels (or features) without noise.
  package var patch: [Double]
  /// Whether a label may tell of it: an object is there.
  package var isOccupied: Bool

  package init(patch: [Double], isOccupied: Bool) {
    self.patch = patch
    self.isOccupied = isOccupied
  }
}

/// A set of labels over at most 32 cells: bit i says that cell i is labelled.
package struct Labels: Sendable, Hashable, Comparable {
  package let bits: UInt32

  package init(bits: UInt32) { self.bits = bits }

  package init(_ cells: some Sequence<Int>) { bits = cells.reduce(0) { $0 | 1 << UInt32($1) } }

  /// No label at all: ∅.
  package static let none = Labels(bits: 0)

  package var count: Int { bits.nonzeroBitCount }
  package func contains(_ cell: Int) -> Bool { bits >> UInt32(cell) & 1 == 1 }
  package func without(_ cell: Int) -> Labels { Labels(bits: bits & ~(1 << UInt32(cell))) }
  package func cells(of count: Int) -> [Int] { (0..<count).filter(contains) }

  package static func < (a: Labels, b: Labels) -> Bool {
    (a.count, a.bits) < (b.count, b.bits)
  }
}

/// One way to fill all cells, with its probability.
package struct Picture: Sendable, Hashable {
  /// The index of its state, for each cell.
  package var states: [Int]
  package var probability: Double
}

/// A finite world: cells that each hold one of a few states, a conditioner that tells of some of
/// them, and their joint distribution, enumerated.
package struct CellWorld: Sendable {
  package let cells: Int
  package let states: [CellState]
  /// The conditioners that occur, fewest labels first; the first is ∅.
  package let conditioners: [Labels]
  /// P(c), in the order of `conditioners`; sums to 1.
  package let conditionerProbabilities: [Double]
  /// The pictures with p(x₀ ∣ c) > 0; a list for each of `conditioners`, sums to 1.
  package let pictures: [[Picture]]

  /// The most pictures that are enumerated.
  package static let limit = 8192

  /// Enumerates every picture and conditioner, and keeps those with a positive weight.
  ///
  /// - Parameter joint: P(states, labels) up to a common factor.
  /// - Throws: `TheoryError` when there are too many pictures, or when ∅, a single label or what a
  ///   knocked-out label leaves never occurs: composition and locality would be undefined.
  package init(
    cells: Int, states: [CellState], joint: (_ states: [Int], _ labels: Labels) -> Double
  ) throws(TheoryError) {
    var total = 1
    for _ in 0..<cells where total <= Self.limit { total *= states.count }
    guard cells > 0, cells < 32, total <= Self.limit else {
      throw .tooManyPictures(cells: cells, states: states.count)
    }
    let dimensions = Set(states.map(\.patch.count))
    guard dimensions.count == 1, dimensions != [0] else { throw .unequalPatches }
    let everything = Self.enumerate(cells: cells, states: states.count)
    var found: [(labels: Labels, weight: Double, pictures: [Picture])] = []
    for labels in (0..<UInt32(1) << UInt32(cells)).map(Labels.init(bits:)).sorted() {
      let pictures = everything.compactMap { one -> Picture? in
        let weight = joint(one, labels)
        return weight > 0 ? Picture(states: one, probability: weight) : nil
      }
      let weight = pictures.reduce(0) { $0 + $1.probability }
      if weight > 0 {
        found.append(
          (
            labels, weight,
            pictures.map { Picture(states: $0.states, probability: $0.probability / weight) }
          ))
      }
    }
    let occurring = Set(found.map(\.labels))
    let single = (0..<cells).map { Labels([$0]) }
    let reduced = occurring.flatMap { labels in labels.cells(of: cells).map(labels.without) }
    for needed in [Labels.none] + single + reduced where !occurring.contains(needed) {
      throw .missingConditioner(needed.cells(of: cells))
    }
    let sum = found.reduce(0) { $0 + $1.weight }
    self.cells = cells
    self.states = states
    conditioners = found.map(\.labels)
    conditionerProbabilities = found.map { $0.weight / sum }
    pictures = found.map(\.pictures)
  }

  /// The number of pixels of a cell.
  package var cellDimension: Int { states[0].patch.count }
  package var dimension: Int { cells * cellDimension }

  /// The place of a conditioner in `conditioners`; `nil` where it never occurs, so that
  /// p(x ∣ c) does not exist.
  package func index(of labels: Labels) -> Int? { conditioners.firstIndex(of: labels) }

  /// The pixels of a picture, cell by cell.
  package func pixels(_ states: [Int]) -> [Double] { states.flatMap { self.states[$0].patch } }

  /// All assignments of a state to each cell.
  static func enumerate(cells: Int, states: Int) -> [[Int]] {
    var result: [[Int]] = [[]]
    for _ in 0..<cells { result = result.flatMap { head in (0..<states).map { head + [$0] } } }
    return result
  }

  /// The distribution of the states of some cells under a conditioner: equal states are one row.
  func marginal(_ conditioner: Int, cells kept: [Int]) -> [Picture] {
    var order: [[Int]] = []
    var weights: [[Int]: Double] = [:]
    for picture in pictures[conditioner] {
      let part = kept.map { picture.states[$0] }
      if weights[part] == nil { order.append(part) }
      weights[part, default: 0] += picture.probability
    }
    return order.map { Picture(states: $0, probability: weights[$0] ?? 0) }
  }
}

/// A world or a measurement of it that makes no sense.
package enum TheoryError: CategorizedError, Hashable, CustomStringConvertible {
  case tooManyPictures(cells: Int, states: Int)
  case unequalPatches
  case missingConditioner([Int])
  case notInvertible

  package var category: ErrorCategory { .data }

  package var description: String {
    switch self {
    case .tooManyPictures(let cells, let states):
      "\(states) states in each of \(cells) cells: more than the \(CellWorld.limit) pictures that are"
        + " enumerated; take fewer cells or patterns"
    case .unequalPatches:
      "the patterns have different numbers of pixels, or none; give each the same number"
    case .missingConditioner(let cells):
      "the labels \(cells) never occur in this world, so composition is undefined in it;"
        + " take another family, coupling or count"
    case .notInvertible: "the map between pixels and features has no inverse"
    }
  }
}
