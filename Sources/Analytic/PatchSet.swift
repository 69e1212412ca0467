import Diffusion
import Vectors

/// Training pictures as the patches of a local-score machine: as many side by side as a vector has lanes.
final class PatchSet: @unchecked Sendable {
  let shape: PictureShape
  let grid: CellGrid
  let count: Int
  let blocks: Int
  /// (blocks, S², 3, lanes): bytes as rendered; pictures that fill the last block up are 0.
  let pixels: UnsafeMutablePointer<UInt8>
  /// The occupied cells of picture n are `cells[starts[n]..<starts[n + 1]]`.
  let cells: [Occupied]
  let starts: [Int]
  /// Objects in each picture.
  let totals: [Int]

  struct Occupied {
    var row: Int
    var column: Int
    var count: Float
  }

  init(_ set: TrainingSet) throws(NoPlaces) {
    grid = try set.shape.places()
    shape = set.shape
    count = set.count
    blocks = (set.count + lanes - 1) / lanes
    let pictureCount = set.shape.pictureCount
    let size = blocks * pictureCount * lanes
    let pixels = UnsafeMutablePointer<UInt8>.allocate(capacity: size)
    pixels.initialize(repeating: 0, count: size)
    set.pixels.withUnsafeBufferPointer { source in
      for n in 0..<set.count {
        let block = pixels + n / lanes * pictureCount * lanes + n % lanes
        for i in 0..<pictureCount { block[i * lanes] = source[n * pictureCount + i] }
      }
    }
    self.pixels = pixels
    var cells: [Occupied] = []
    var starts = [0]
    var totals: [Int] = []
    for n in 0..<set.count {
      var total = 0
      for cell in 0..<grid.count {
        let objects = set.conditioners[n * grid.count + cell]
        if objects == 0 { continue }
        total += Int(objects)
        cells.append(
          Occupied(row: grid.row(cell), column: grid.column(cell), count: Float(objects)))
      }
      starts.append(cells.count)
      totals.append(total)
    }
    self.cells = cells
    self.starts = starts
    self.totals = totals
  }

  deinit { pixels.deallocate() }

  func occupied(_ n: Int) -> ArraySlice<Occupied> { cells[starts[n]..<starts[n + 1]] }
}

/// How many objects each window of labels holds, in every training picture.
final class LabelCoverage: @unchecked Sendable {
  /// (blocks, S², lanes), at most 255 each.
  let counts: UnsafeMutablePointer<UInt8>

  init(_ set: PatchSet, radius: Int) {
    let size = set.shape.size
    let block = size * size * lanes
    let counts = UnsafeMutablePointer<UInt8>.allocate(capacity: set.blocks * block)
    counts.initialize(repeating: 0, count: set.blocks * block)
    for n in 0..<set.count {
      for cell in set.occupied(n) {
        LabelMatcher.seeing(row: cell.row, column: cell.column, radius: radius, set.grid)?
          .forEach(size: size) { pixel in
            let i = n / lanes * block + pixel * lanes + n % lanes
            counts[i] = UInt8(min(Int(counts[i]) + Int(cell.count), 255))
          }
      }
    }
    self.counts = counts
  }

  deinit { counts.deallocate() }
}

/// A displacement of training pictures by whole cells: output pixel i is compared with place i + shift.
struct Shift: Hashable {
  /// In cells.
  var rows: Int
  var columns: Int
  /// The pixels whose windows have the same shape at the place compared with.
  var valid: Region

  /// Every shift under which some window keeps its shape: the border classes of Kamb & Ganguli's
  /// boundary-broken equivariant machine. A window that the border clips keeps its distance to that
  /// border; whole cells, so that labels keep their place within the window.
  ///
  /// - Parameter margin: the largest of the reaches in pixels and in labels.
  static func all(_ grid: CellGrid, margin: Int) -> [Shift] {
    let size = grid.size
    func valid(_ shift: Int) -> ClosedRange<Int>? {
      if shift == 0 { return 0...size - 1 }
      let low = max(margin, margin - shift)
      let high = min(size - 1 - margin, size - 1 - margin - shift)
      return low <= high ? low...high : nil
    }
    var shifts: [Shift] = []
    for rows in 1 - grid.cells...grid.cells - 1 {
      guard let validRows = valid(rows * grid.cellSize) else { continue }
      for columns in 1 - grid.cells...grid.cells - 1 {
        guard let validColumns = valid(columns * grid.cellSize) else { continue }
        shifts.append(
          Shift(
            rows: rows, columns: columns, valid: Region(rows: validRows, columns: validColumns)))
      }
    }
    return shifts
  }

  /// Every training picture where it is.
  static func none(_ shape: PictureShape) -> Shift {
    let all = 0...shape.size - 1
    return Shift(rows: 0, columns: 0, valid: Region(rows: all, columns: all))
  }
}
