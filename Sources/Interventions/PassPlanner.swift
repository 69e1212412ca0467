import Diffusion
import Streams

/// Makes the passes of a mask for one shape of pictures.
struct PassPlanner {
  private let specification: MaskSpecification
  private let places: Int
  /// Side of a picture that is a square.
  private let size: Int
  /// Where labels are, for a mask that goes by it.
  private let grid: CellGrid?
  private let cellCount: Int

  /// - Throws: `MaskError` for a mask that goes by the places of labels, where they have none.
  init(_ specification: MaskSpecification, _ shape: PictureShape) throws(MaskError) {
    self.specification = specification
    size = shape.size
    places = shape.size * shape.size
    cellCount = shape.conditionerCount
    do {
      grid = specification.needsPlaces ? try shape.places() : nil
    } catch {
      throw .places(specification.mask, error)
    }
  }

  /// - Throws: `MaskError` for a mask that goes by more than places and entries.
  init(_ specification: MaskSpecification, _ shape: FieldShape) throws(MaskError) {
    try specification.validate(shape)
    self.specification = specification
    size = 0
    places = shape.places
    cellCount = shape.entries
    grid = nil
  }

  /// Whether the passes are the same for all conditioners.
  var isFixed: Bool {
    switch specification.mask {
    case .identity, .stitched, .pixel, .path, .features: true
    case .conditioner, .window, .sum, .reverse, .both, .concept: false
    }
  }

  /// The passes for a conditioner (C).
  ///
  /// - Parameters:
  ///   - draw: names the picture, for random labels.
  ///   - regions: of each entry that is told, ascending, whether it is told at a place; of `concept` alone.
  func plan(labels: ArraySlice<Float>, draw: UInt64, regions: [[Bool]] = []) -> PassPlan {
    let cells = told(labels)
    switch specification.mask {
    case .identity, .path, .features: return .whole(places: places)
    case .concept:
      if regions.count != cells.count || cells.isEmpty { return .whole(places: places) }
      return PassPlan(
        places: places, { place in cells.indices.filter { regions[$0][place] } },
        pass: { there in MaskPass(block: nil, cells: there.map { cells[$0] }) })
    case .stitched:
      return PassPlan(size: size, block, pass: { MaskPass(block: nil, cells: nil, copy: $0) })
    case .pixel: return PassPlan(size: size, block, pass: { MaskPass(block: $0, cells: nil) })
    case .sum:
      let all = cells.map { (MaskPass(block: nil, cells: [$0]), Float(1)) }
      return PassPlan(
        weighted: [(MaskPass(block: nil, cells: []), Float(1 - cells.count))] + all)
    case .reverse:
      let strengths = cells.map { own in
        strength(specification.keep == .near ? [own] : cells.filter { $0 != own })
      }
      return PassPlan(
        weighted: [(MaskPass(block: nil, cells: []), 1 - strengths.reduce(0, +))]
          + zip(cells, strengths).map { (MaskPass(block: nil, cells: [$0]), $1) })
    case .conditioner:
      let shown = ShownLabels(specification, cells, grid, draw: draw)
      return PassPlan(
        size: size, shown.own, pass: { MaskPass(block: nil, cells: shown.beside($0)) })
    case .both:
      let shown = ShownLabels(specification, cells, grid, draw: draw)
      return PassPlan(
        size: size, { [block($0, $1), shown.own($0, $1)] },
        pass: { MaskPass(block: $0[0], cells: shown.beside($0[1])) })
    case .window:
      let shown = ShownLabels(specification, cells, grid, draw: draw)
      return PassPlan(size: size, shown.byWindow, pass: { MaskPass(block: nil, cells: $0) })
    }
  }

  /// The entries that are told, ascending.
  func told(_ labels: ArraySlice<Float>) -> [Int] {
    let first = labels.startIndex
    return (0..<cellCount).filter { first + $0 < labels.endIndex && labels[first + $0] != 0 }
  }

  /// 1 ± amplitude, by a coin that some cells toss: each set of them always the same way.
  private func strength(_ cells: [Int]) -> Float {
    // FNV-1a over the cells, which come in their order.
    let index = cells.reduce(0xCBF2_9CE4_8422_2325 as UInt64) {
      ($0 ^ UInt64($1)) &* 0x100_0000_01B3
    }
    var stream = RandomStream(seed: specification.seed, purpose: .strengths, index: index)
    let amplitude = Float(specification.amplitude ?? 0)
    return stream.integer(below: 2) == 0 ? 1 - amplitude : 1 + amplitude
  }

  private func block(_ row: Int, _ column: Int) -> Int {
    row / specification.block * (size / specification.block) + column / specification.block
  }
}

/// Which labels of a conditioner a pixel sees.
private struct ShownLabels {
  private let specification: MaskSpecification
  private let cells: [Int]
  private let centers: [(y: Double, x: Double)]
  /// For each label those that are shown beside it, with it.
  private var sets: [[Int]] = []

  /// No label of a pixel.
  private static let none = -1

  init(_ specification: MaskSpecification, _ cells: [Int], _ grid: CellGrid?, draw: UInt64) {
    self.specification = specification
    self.cells = cells
    centers = grid.map { cells.map($0.center) } ?? []
    if !specification.choosesLabels { return }
    var stream = RandomStream(seed: specification.seed, purpose: .keptLabels, index: draw)
    sets = centers.indices.map { own in
      var others = centers.indices.filter { $0 != own }
      switch specification.keep {
      case .near: others.sort { (distance(own, $0), $0) < (distance(own, $1), $1) }
      case .far: others.sort { (distance(own, $1), $0) < (distance(own, $0), $1) }
      case .random: stream.shuffle(&others)
      }
      return ([own] + others.prefix(specification.labels - 1)).map { cells[$0] }.sorted()
    }
  }

  private func distance(_ a: Int, _ b: Int) -> Double {
    let (dy, dx) = (centers[a].y - centers[b].y, centers[a].x - centers[b].x)
    return dy * dy + dx * dx
  }

  /// Of a pixel's centre from a label.
  private func squaredDistance(_ row: Int, _ column: Int, _ label: Int) -> Double {
    let dy = Double(row) + 0.5 - centers[label].y
    let dx = Double(column) + 0.5 - centers[label].x
    return dx * dx + dy * dy
  }

  /// The nearest label within the radius of a pixel's centre; of equally near ones the first.
  func own(_ row: Int, _ column: Int) -> Int {
    var best = Self.none
    var least = Double.infinity
    for label in centers.indices {
      let distance = squaredDistance(row, column, label)
      if distance <= specification.radius * specification.radius, distance < least {
        best = label
        least = distance
      }
    }
    return best
  }

  /// The cells that a pixel with this label of its own sees; `nil`: all.
  func beside(_ own: Int) -> [Int]? {
    let isLabelled = own != Self.none
    return hides(isLabelled) ? isLabelled ? sets[own] : [] : nil
  }

  /// The cells inside a square window around a pixel, or those outside with the nearest one inside; `nil`: all.
  func byWindow(_ row: Int, _ column: Int) -> [Int]? {
    let isInside = centers.map { center in
      let dy = abs(Double(row) + 0.5 - center.y)
      let dx = abs(Double(column) + 0.5 - center.x)
      return max(dy, dx) <= specification.radius
    }
    if !hides(isInside.contains(true)) { return nil }
    if specification.keep == .near { return zip(cells, isInside).filter { $1 }.map(\.0) }
    let own =
      specification.keepsOwn == true
      ? centers.indices.filter { isInside[$0] }.min {
        (squaredDistance(row, column, $0), $0) < (squaredDistance(row, column, $1), $1)
      } : nil
    return cells.indices.filter { !isInside[$0] || $0 == own }.map { cells[$0] }
  }

  /// Whether labels are hidden from a pixel with a label in its reach, or from one without.
  private func hides(_ isLabelled: Bool) -> Bool {
    switch specification.at {
    case nil: true
    case .objects: isLabelled
    case .ground: !isLabelled
    }
  }
}
