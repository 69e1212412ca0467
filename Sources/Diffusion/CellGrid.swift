import Formats

/// Square cells that divide a picture: what the entries of a conditioner are where they are places.
///
/// Entry and cell are one number, row · G + column. This is the only place that knows where a cell lies.
public struct CellGrid: Sendable, Hashable {
  /// Side of the square picture in pixels, S.
  public let size: Int
  /// Cells on a side, G; divides S.
  public let cells: Int
  /// Pixels on a side of a cell.
  public let cellSize: Int

  public init(size: Int, cells: Int) {
    self.size = size
    self.cells = cells
    cellSize = size / cells
  }

  public var count: Int { cells * cells }

  public func row(_ cell: Int) -> Int { cell / cells }
  public func column(_ cell: Int) -> Int { cell % cells }
  public func cell(row: Int, column: Int) -> Int { row * cells + column }

  /// Whether there is such a cell.
  public func contains(row: Int, column: Int) -> Bool {
    (0..<cells).contains(row) && (0..<cells).contains(column)
  }

  /// The cell that a pixel lies in.
  public func cell(pixelRow: Int, pixelColumn: Int) -> Int {
    cell(row: pixelRow / cellSize, column: pixelColumn / cellSize)
  }

  /// The cell that a place lies in, from left and top in shares of the side: 0 … 1.
  public func cell(x: Double, y: Double) -> Int {
    func index(_ share: Double) -> Int { min(Int(share * Double(cells)), cells - 1) }
    return cell(row: index(y), column: index(x))
  }

  /// A cell's centre in pixels from the top left corner.
  public func center(_ cell: Int) -> (y: Double, x: Double) {
    let side = Double(cellSize)
    return ((Double(row(cell)) + 0.5) * side, (Double(column(cell)) + 0.5) * side)
  }

  /// The same in half pixels, where it is a whole number.
  public func centerInHalfPixels(_ cell: Int) -> (row: Int, column: Int) {
    ((2 * row(cell) + 1) * cellSize, (2 * column(cell) + 1) * cellSize)
  }

  /// The pixel whose upper left corner is a cell's centre, or that holds it.
  public func centerPixel(_ cell: Int) -> (row: Int, column: Int) {
    let center = centerInHalfPixels(cell)
    return (center.row / 2, center.column / 2)
  }
}

/// Conditioners that say what occurs, but not where, where places are needed.
public struct NoPlaces: CategorizedError, Hashable, CustomStringConvertible {
  public var space: ConditionerSpace

  public var category: ErrorCategory { .data }

  public init(_ space: ConditionerSpace) { self.space = space }

  public var description: String {
    "the conditioners are \(space.text), which say what is in a picture but not where, and this goes"
      + " by places; use pictures, and denoisers made from them, whose conditioners are a grid of cells"
  }
}

extension PictureShape {
  /// Where the entries of a conditioner lie; `nil` where they are no places.
  public var grid: CellGrid? { space.cells.map { CellGrid(size: size, cells: $0) } }

  /// The same for what cannot do without.
  public func places() throws(NoPlaces) -> CellGrid {
    guard let grid else { throw NoPlaces(space) }
    return grid
  }
}
