import Diffusion

/// One pass of the masked denoiser: what the base is shown.
struct MaskPass: Hashable {
  /// Index of the block whose window is shown; `nil`: all pixels.
  var block: Int?
  /// Entries of the conditioner that are shown, ascending; `nil`: all of them.
  var cells: [Int]?

  static let whole = MaskPass(block: nil, cells: nil)
}

/// The passes of one picture, and for every pixel the pass that it takes: the sets M_j of CPC,
/// disjoint and covering the picture.
struct PassPlan {
  private(set) var passes: [MaskPass] = []
  /// (S, S): positions in `passes`.
  private(set) var choice: [Int]

  /// Every pixel names one of `keys` views; of these, equal passes are done once: a picture
  /// without labels needs one for every conditioner mask.
  init(
    size: Int, keys: Int, _ key: (_ row: Int, _ column: Int) -> Int, pass: (_ key: Int) -> MaskPass
  ) {
    choice = [Int](repeating: 0, count: size * size)
    var position = [Int?](repeating: nil, count: keys)
    var known: [MaskPass: Int] = [:]
    for row in 0..<size {
      for column in 0..<size {
        let view = key(row, column)
        if let found = position[view] {
          choice[row * size + column] = found
          continue
        }
        let wanted = pass(view)
        let place = known[wanted] ?? passes.count
        if place == passes.count {
          passes.append(wanted)
          known[wanted] = place
        }
        position[view] = place
        choice[row * size + column] = place
      }
    }
  }

  /// The one pass that sees everything.
  static func whole(size: Int) -> PassPlan {
    PassPlan(size: size, keys: 1, { _, _ in 0 }, pass: { _ in .whole })
  }
}

/// Makes the passes of a mask for one shape of pictures.
struct PassPlanner {
  /// What is cut, with the places of labels where it goes by them.
  private enum Cut {
    case nothing, pixel
    case conditioner(CellGrid)
    case both(CellGrid)
  }

  private let specification: MaskSpecification
  private let size: Int
  private let cut: Cut

  /// - Throws: `MaskError` for a mask that goes by the places of labels, where they have none.
  init(_ specification: MaskSpecification, _ shape: PictureShape) throws(MaskError) {
    self.specification = specification
    size = shape.size
    do {
      cut =
        switch specification.target {
        case nil: .nothing
        case .pixel: .pixel
        case .conditioner: .conditioner(try shape.places())
        case .both: .both(try shape.places())
        }
    } catch {
      throw .places(specification.mask, error)
    }
  }

  /// The passes for a conditioner (C). Only those of a conditioner mask depend on it.
  func plan(labels: ArraySlice<Float>) -> PassPlan {
    // A placebo asks for the place half a picture away, on the torus.
    let shift = specification.isPlacebo ? size / 2 : 0
    func shifted(_ place: Int) -> Int { (place + shift) % size }
    func blocks(_ cells: (_ block: Int) -> [Int]?) -> PassPlan {
      let block = specification.block
      let across = size / block
      return PassPlan(
        size: size, keys: across * across,
        { shifted($0) / block * across + shifted($1) / block },
        pass: { index in
          let window = specification.window(index, size: size)
          let seesAll = window.rows.count == size && window.columns.count == size
          return MaskPass(block: seesAll ? nil : index, cells: cells(index))
        })
    }
    switch cut {
    case .nothing: return .whole(size: size)
    case .pixel: return blocks { _ in nil }
    case .both(let grid): return blocks { near($0, grid) }
    case .conditioner(let grid):
      let first = labels.startIndex
      let cells = (0..<grid.count).filter { labels[first + $0] != 0 }
      let centers = cells.map(grid.center)
      return PassPlan(
        size: size, keys: cells.count + 1,
        { nearest(shifted($0), shifted($1), centers).map { $0 + 1 } ?? 0 },
        pass: { MaskPass(block: nil, cells: $0 == 0 ? [] : [cells[$0 - 1]]) })
    }
  }

  /// The nearest label within `radius` of a pixel's centre; of equally near ones the first.
  private func nearest(_ row: Int, _ column: Int, _ centers: [(y: Double, x: Double)]) -> Int? {
    var best: Int?
    var least = Double.infinity
    for (label, center) in centers.enumerated() {
      let dy = Double(row) + 0.5 - center.y
      let dx = Double(column) + 0.5 - center.x
      let distance = dx * dx + dy * dy
      if distance <= specification.radius * specification.radius, distance < least {
        best = label
        least = distance
      }
    }
    return best
  }

  /// The cells with their centre within `radius` of a block; `nil` where these are all.
  private func near(_ index: Int, _ grid: CellGrid) -> [Int]? {
    let (block, radius) = (specification.block, specification.radius)
    let across = size / block
    let top = Double(index / across * block)
    let left = Double(index % across * block)
    let cells = (0..<grid.count).filter { cell in
      let (y, x) = grid.center(cell)
      let dy = max(top - y, 0, y - top - Double(block))
      let dx = max(left - x, 0, x - left - Double(block))
      return dx * dx + dy * dy <= radius * radius
    }
    return cells.count == grid.count ? nil : cells
  }
}

extension MaskSpecification {
  /// Rows and columns that the window of a block shows; of no block: all.
  func window(_ index: Int?, size: Int) -> (rows: Range<Int>, columns: Range<Int>) {
    guard let index else { return (0..<size, 0..<size) }
    let across = size / block
    let top = index / across * block
    let left = index % across * block
    // Cut before adding, so that no margin overflows.
    let reach = min(margin, size)
    return (
      max(0, top - reach)..<min(size, top + block + reach),
      max(0, left - reach)..<min(size, left + block + reach)
    )
  }
}
