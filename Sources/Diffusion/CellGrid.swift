import Formats

/// Square cells that divide a picture: what the entries of a conditioner are where they are places.
///
/// Entry and cell are one number, row · G + column. This is the only place that knows where a cell lies.
package struct CellGrid: Sendable, Hashable {
  /// Side of the square picture in pixels, S.
  package let size: Int
  /// Cells on a side, G; divides S.
  package let cells: Int
  /// Pixels on a side of a cell.
  package let cellSize: Int

  package init(size: Int, cells: Int) {
    self.size = size
    self.cells = cells
    cellSize = size / cells
  }

  package var count: Int { cells * cells }

  package func row(_ cell: Int) -> Int { cell / cells }
  package func column(_ cell: Int) -> Int { cell % cells }
  package func cell(row: Int, column: Int) -> Int { row * cells + column }

  /// Whether there is such a cell.
  package func contains(row: Int, column: Int) -> Bool {
    (0..<cells).contains(row) && (0..<cells).contains(column)
  }

  /// The cell that a pixel lies in.
  package func cell(pixelRow: Int, pixelColumn: Int) -> Int {
    cell(row: pixelRow / cellSize, column: pixelColumn / cellSize)
  }

  /// The cell that a place lies in, from left and top in shares of the side: 0 … 1.
  package func cell(x: Double, y: Double) -> Int {
    func index(_ share: Double) -> Int { min(Int(share * Double(cells)), cells - 1) }
    return cell(row: index(y), column: index(x))
  }

  /// A cell's centre in pixels from the top left corner.
  package func center(_ cell: Int) -> (y: Double, x: Double) {
    let side = Double(cellSize)
    return ((Double(row(cell)) + 0.5) * side, (Double(column(cell)) + 0.5) * side)
  }

  /// The same in half pixels, where it is a whole number.
  package func centerInHalfPixels(_ cell: Int) -> (row: Int, column: Int) {
    ((2 * row(cell) + 1) * cellSize, (2 * column(cell) + 1) * cellSize)
  }

  /// The pixel whose upper left corner is a cell's centre, or that holds it.
  package func centerPixel(_ cell: Int) -> (row: Int, column: Int) {
    let center = centerInHalfPixels(cell)
    return (center.row / 2, center.column / 2)
  }
}

/// Conditioners that say what occurs, but not where, where places are needed.
package struct NoPlaces: CategorizedError, Hashable, CustomStringConvertible {
  package var space: ConditionerSpace

  package var category: ErrorCategory { .data }

  package init(_ space: ConditionerSpace) { self.space = space }

  package var description: String {
    "the conditioners are \(space.text), which say what is in a picture but not where, and this goes"
      + " by places; use pictures, and denoisers made from them, whose conditioners are a grid of cells"
  }
}

extension PictureShape {
  /// Where the entries of a conditioner lie; `nil` where they are no places.
  package var grid: CellGrid? { space.cells.map { CellGrid(size: size, cells: $0) } }

  /// The same for what cannot do without.
  package func places() throws(NoPlaces) -> CellGrid {
    guard let grid else { throw NoPlaces(space) }
    return grid
  }
}
