import Streams

/// The patches of a patchwise network: for each cell of the conditioner's grid the (2k + 1) × (2k + 1) cells
/// around it, of whose outputs the cell in the middle is kept (Bradley et al. 2025, Exp 2L).
struct PatchGrid: Sendable, Hashable {
  let grid: CellGrid
  /// k: how many cells a patch reaches beyond its middle one.
  let reach: Int

  /// - Parameter reach: one that covers the picture from its last cell shows all that a larger one would.
  init(grid: CellGrid, reach: Int) {
    self.grid = grid
    self.reach = min(reach, grid.cells - 1)
  }

  /// Side of a patch in pixels.
  var side: Int { (2 * reach + 1) * grid.cellSize }

  /// Side in pixels of what the network has before it: the patch in a frame of zeros, so that it can be halved twice.
  var networkSide: Int { (side + 3) / 4 * 4 }

  /// Patches of one training picture.
  static let drawn = 2

  /// What the network sees of a picture to denoise a cell.
  func view(_ cell: Int) -> PictureView {
    let size = grid.size
    func along(_ index: Int) -> (first: Int, shown: Range<Int>, kept: Range<Int>) {
      let start = (index - reach) * grid.cellSize
      return (
        start - (networkSide - side) / 2, max(start, 0)..<min(start + side, size),
        index * grid.cellSize..<(index + 1) * grid.cellSize
      )
    }
    let rows = along(grid.row(cell))
    let columns = along(grid.column(cell))
    return PictureView(
      top: rows.first, left: columns.first, rows: rows.shown, columns: columns.shown,
      keptRows: rows.kept, keptColumns: columns.kept)
  }

  /// The cells in the middle of a training picture's patches: one patch with a label in it and one without; where
  /// the picture has only one sort, both are of it.
  ///
  /// - Parameter labels: (G, G).
  func draw(_ labels: UnsafePointer<Float>, _ stream: inout RandomStream) -> [Int] {
    var isTold = [Bool](repeating: false, count: grid.count)
    for label in 0..<grid.count where labels[label] != 0 {
      let (row, column) = (grid.row(label), grid.column(label))
      for near in max(row - reach, 0)...min(row + reach, grid.cells - 1) {
        for cell in max(column - reach, 0)...min(column + reach, grid.cells - 1) {
          isTold[grid.cell(row: near, column: cell)] = true
        }
      }
    }
    let told = isTold.indices.filter { isTold[$0] }
    let others = isTold.indices.filter { !isTold[$0] }
    return [told.isEmpty ? others : told, others.isEmpty ? told : others].map {
      $0[stream.integer(below: $0.count)]
    }
  }
}

/// The part of a picture that a network has before it in one pass, and the part of its outputs that is kept.
struct PictureView: Sendable, Hashable {
  /// The picture's row and column where the network's first pixel lies; below 0 beside the picture.
  let top: Int
  let left: Int
  /// What of the picture is shown; the network has zeros around it.
  let rows: Range<Int>
  let columns: Range<Int>
  /// Of that, whose outputs are the picture's.
  let keptRows: Range<Int>
  let keptColumns: Range<Int>

  /// A whole picture of S × S pixels.
  init(whole size: Int) {
    self.init(
      top: 0, left: 0, rows: 0..<size, columns: 0..<size, keptRows: 0..<size, keptColumns: 0..<size)
  }

  init(
    top: Int, left: Int, rows: Range<Int>, columns: Range<Int>, keptRows: Range<Int>,
    keptColumns: Range<Int>
  ) {
    self.top = top
    self.left = left
    self.rows = rows
    self.columns = columns
    self.keptRows = keptRows
    self.keptColumns = keptColumns
  }
}
