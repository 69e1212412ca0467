import Diffusion

/// One pass of the masked denoiser: what the base is shown, and which outputs are taken from it.
struct MaskPass: Hashable {
  /// Index of the block whose window is shown; `nil`: all pixels.
  var window: Int?
  /// Cells whose label is shown; `nil`: all labels.
  var labels: [Int]?
}

/// The passes of one picture, and for every pixel the pass that it takes.
struct PassPlan {
  var passes: [MaskPass] = []
  /// (S, S): positions in `passes`.
  var choice: [Int]

  /// Equal passes are done once: a picture without labels needs one for every conditioner mask.
  init(size: Int, _ pass: (_ row: Int, _ column: Int) -> MaskPass) {
    choice = [Int](repeating: 0, count: size * size)
    var index: [MaskPass: Int] = [:]
    for row in 0..<size {
      for column in 0..<size {
        let wanted = pass(row, column)
        if let known = index[wanted] {
          choice[row * size + column] = known
        } else {
          index[wanted] = passes.count
          choice[row * size + column] = passes.count
          passes.append(wanted)
        }
      }
    }
  }
}

extension MaskSpecification {
  /// The passes for a conditioner (G, G).
  func plan(labels: ArraySlice<Float>, shape: PictureShape) -> PassPlan {
    let size = shape.size
    let first = labels.startIndex
    let cells = (0..<shape.conditionerCount).filter { labels[first + $0] != 0 }
    // A placebo asks for the place half a picture away, on the torus.
    let shift = isPlacebo ? size / 2 : 0
    return PassPlan(size: size) { row, column in
      let r = (row + shift) % size
      let c = (column + shift) % size
      switch target {
      case nil: return MaskPass(window: nil, labels: nil)
      case .conditioner:
        return MaskPass(window: nil, labels: nearest(r, c, cells, shape).map { [$0] } ?? [])
      case .pixel: return MaskPass(window: blockIndex(r, c, size), labels: nil)
      case .both:
        let index = blockIndex(r, c, size)
        return MaskPass(window: index, labels: near(index, cells, shape))
      }
    }
  }

  private func blockIndex(_ row: Int, _ column: Int, _ size: Int) -> Int {
    row / block * (size / block) + column / block
  }

  /// The nearest label within `radius` of a pixel's centre; of equally near ones the first.
  private func nearest(_ row: Int, _ column: Int, _ cells: [Int], _ shape: PictureShape) -> Int? {
    var best: (cell: Int, distance: Double)?
    for cell in cells {
      let (y, x) = center(cell, shape)
      let dy = Double(row) + 0.5 - y
      let dx = Double(column) + 0.5 - x
      let distance = dx * dx + dy * dy
      if distance <= radius * radius, distance < best?.distance ?? .infinity {
        best = (cell, distance)
      }
    }
    return best?.cell
  }

  /// The labels whose cell has its centre within `radius` of a block.
  private func near(_ index: Int, _ cells: [Int], _ shape: PictureShape) -> [Int] {
    let across = shape.size / block
    let top = Double(index / across * block)
    let left = Double(index % across * block)
    return cells.filter { cell in
      let (y, x) = center(cell, shape)
      let dy = max(top - y, 0, y - top - Double(block))
      let dx = max(left - x, 0, x - left - Double(block))
      return dx * dx + dy * dy <= radius * radius
    }
  }

  private func center(_ cell: Int, _ shape: PictureShape) -> (y: Double, x: Double) {
    let side = Double(shape.cellSize)
    return (
      (Double(cell / shape.cells) + 0.5) * side, (Double(cell % shape.cells) + 0.5) * side
    )
  }

  /// Rows and columns that a window shows.
  func window(_ index: Int, size: Int) -> (rows: Range<Int>, columns: Range<Int>) {
    let across = size / block
    let top = index / across * block
    let left = index % across * block
    return (
      max(0, top - margin)..<min(size, top + block + margin),
      max(0, left - margin)..<min(size, left + block + margin)
    )
  }
}
