import Diffusion

/// Which training conditioners agree with requested labels, window by window.
///
/// A machine that sees only c on L_i is the posterior mean over what training shows with such labels:
/// training picture n weighs as P(c̃_n = c on L_i), c̃_n the training conditioner that the labelling
/// draws. With q the label dropout, a_n the counts of all objects and T_n their sum:
///
/// - `all`: (1 − q) [a_n = c on L_i] + q [c = 0 on L_i]
/// - `single`: (1 − q) a_n(j) / T_n where c on L_i is one label in cell j; where it is none,
///   q + (1 − q) (1 − Σ_{j ∈ L_i} a_n(j) / T_n), and 1 for a picture without objects
/// - `subset`: (1 − q) Π_{j ∈ L_i} C(a_n(j), c(j)) 2^−a_n(j), and q more where c = 0 on L_i: each object was
///   told of with probability ½, so that a picture with more objects in the window than labels is as likely
///   to be meant, but for the odds of these very labels
/// - `none`: [c = 0 on L_i]
///
/// Where that is 0 for every n, as for more labels in a window than training ever showed, the nearest
/// agreement decides: the weight is P(‖c̃_n − c‖₁ = δ_i on L_i), δ_i the least distance for which some
/// training picture has any. With δ_i = 0 this is the formula above.
struct LabelPlan: Sendable {
  /// For each pixel δ_i − ‖c‖₁ on L_i: 0 where blank conditioners are nearest.
  let offset: [Float]
  /// δ_i > 0.
  let isUnmatched: [Bool]
  /// Some label lies in L_i.
  let isLabelled: [Bool]

  /// What a blanked conditioner adds to the weight: q where its distance is δ_i.
  let blank: [Float]
  /// Where an object in a labelled cell decides: 1 where labels can be had, 0 elsewhere.
  let shared: [Float]
}

/// Makes label plans; what does not depend on the labels is done once.
struct LabelMatcher: Sendable {
  let set: PatchSet
  let labelling: Labelling
  let dropout: Float
  let radius: Int
  let shifts: [Shift]
  /// Whether some training conditioner can be blank on L_i.
  private let canBeBlank: [Bool]
  /// The training pictures with an object in each cell.
  private let pictures: [[Int]]

  init(set: PatchSet, labelling: Labelling, dropout: Float, radius: Int, shifts: [Shift]) {
    self.set = set
    self.labelling = labelling
    self.dropout = dropout
    self.radius = radius
    self.shifts = shifts
    let grid = set.grid
    var pictures = [[Int]](repeating: [], count: grid.count)
    for n in 0..<set.count {
      for cell in set.occupied(n) {
        pictures[grid.cell(row: cell.row, column: cell.column)].append(n)
      }
    }
    self.pictures = pictures
    let everywhere = [Bool](repeating: true, count: grid.size * grid.size)
    canBeBlank =
      switch labelling {
      case _ where dropout > 0: everywhere
      case .none: everywhere
      // A picture without objects in the window.
      case .all: Self.pixels(set, radius: radius, shifts: shifts) { $0.inside == 0 }
      // None of its objects may have been drawn.
      case .subset: everywhere
      // One with an object outside of it, which may be the one that is drawn, or without any.
      case .single:
        Self.pixels(set, radius: radius, shifts: shifts) { $0.total == 0 || $0.inside < $0.total }
      }
  }

  /// Where some training picture has such objects, in all and inside the window.
  private static func pixels(
    _ set: PatchSet, radius: Int, shifts: [Shift],
    where holds: ((total: Int, inside: Int)) -> Bool
  ) -> [Bool] {
    let size = set.shape.size
    return (0..<size * size).map { pixel in
      shifts.contains { shift in
        guard shift.valid.contains(pixel, size: size) else { return false }
        return (0..<set.count).contains { n in
          let inside = set.occupied(n).filter {
            sees(
              pixel, row: $0.row - shift.rows, column: $0.column - shift.columns, radius: radius,
              set.grid)
          }
          return holds((set.totals[n], inside.reduce(0) { $0 + Int($1.count) }))
        }
      }
    }
  }

  private static func sees(
    _ pixel: Int, row: Int, column: Int, radius: Int, _ grid: CellGrid
  ) -> Bool {
    seeing(row: row, column: column, radius: radius, grid)?.contains(pixel, size: grid.size)
      ?? false
  }

  /// The pixels whose L_i holds a cell: those with a window of `radius` that overlaps it. `nil` for
  /// cells so far outside the picture that none does.
  static func seeing(row: Int, column: Int, radius: Int, _ grid: CellGrid) -> Region? {
    func range(_ cell: Int) -> ClosedRange<Int>? {
      let low = max(0, cell * grid.cellSize - radius)
      let high = min(grid.size - 1, (cell + 1) * grid.cellSize - 1 + radius)
      return low <= high ? low...high : nil
    }
    guard let rows = range(row), let columns = range(column) else { return nil }
    return Region(rows: rows, columns: columns)
  }

  /// - Parameter labels: (G, G), whole numbers from 0 up.
  func plan(_ labels: [Float]) -> LabelPlan {
    let grid = set.grid
    let size = grid.size
    var norm = [Float](repeating: 0, count: size * size)
    var wanted: [(row: Int, column: Int)] = []
    for cell in labels.indices where labels[cell] != 0 {
      let (row, column) = (grid.row(cell), grid.column(cell))
      wanted.append((row, column))
      Self.seeing(row: row, column: column, radius: radius, grid)?.forEach(size: size) {
        norm[$0] += labels[cell]
      }
    }
    var offset = nearest(labels, wanted)
    for pixel in offset.indices where offset[pixel] == .infinity {
      offset[pixel] = farOffset(pixel, labels)
    }
    return LabelPlan(
      offset: offset, isUnmatched: zip(norm, offset).map { $0 + $1 > 0 },
      isLabelled: norm.map { $0 > 0 }, blank: offset.map { $0 == 0 ? dropout : 0 },
      shared: offset.map { $0 < 0 ? 1 : 0 })
  }

  /// The least offset of 0 and below that some training picture has; infinity where there is none.
  private func nearest(_ labels: [Float], _ wanted: [(row: Int, column: Int)]) -> [Float] {
    let size = set.shape.size
    var result = canBeBlank.map { $0 ? 0 : Float.infinity }
    switch labelling {
    case .none: break
    // The one label in common is that of any picture with an object in its cell.
    case .single:
      forEachShared(wanted) { _, found, region in
        if found.isEmpty { return }
        region.forEach(size: size) { result[$0] = min(result[$0], -1) }
      }
    case .all, .subset:
      forEachShared(wanted) { shift, found, region in
        for n in found {
          region.forEach(size: size) { pixel in
            result[pixel] = min(result[pixel], difference(n, shift, labels, pixel: pixel))
          }
        }
      }
    }
    return result
  }

  /// The training pictures with an object in a wanted cell, and the pixels that see it there.
  private func forEachShared(
    _ wanted: [(row: Int, column: Int)], _ body: (Shift, _ pictures: [Int], Region) -> Void
  ) {
    let grid = set.grid
    for shift in shifts {
      for cell in wanted {
        let (row, column) = (cell.row + shift.rows, cell.column + shift.columns)
        guard grid.contains(row: row, column: column),
          let region = Self.seeing(
            row: cell.row, column: cell.column, radius: radius, grid)?.intersection(shift.valid)
        else { continue }
        body(shift, pictures[grid.cell(row: row, column: column)], region)
      }
    }
  }

  /// Of drawing `told` of so many objects, each with probability ½.
  static func odds(of told: Float, among count: Float) -> Float {
    var result: Float = 1
    for i in 0..<Int(count) {
      result /= 2
      if Float(i) < told { result *= (count - Float(i)) / Float(i + 1) }
    }
    return result
  }

  /// ‖c̃ − c‖₁ − ‖c‖₁ on L_i, for the c̃ nearest to c that picture n may be told with: all its objects, or
  /// any of them.
  private func difference(_ n: Int, _ shift: Shift, _ labels: [Float], pixel: Int) -> Float {
    let grid = set.grid
    var sum: Float = 0
    for cell in set.occupied(n) {
      let (row, column) = (cell.row - shift.rows, cell.column - shift.columns)
      guard grid.contains(row: row, column: column),
        Self.sees(pixel, row: row, column: column, radius: radius, grid)
      else { continue }
      let label = labels[grid.cell(row: row, column: column)]
      sum += labelling == .subset ? -min(cell.count, label) : abs(cell.count - label) - label
    }
    return sum
  }

  /// Where no training conditioner is blank or shares a label: every one has objects in the window.
  private func farOffset(_ pixel: Int, _ labels: [Float]) -> Float {
    switch labelling {
    // Every conditioner is blank: that is the nearest everywhere.
    case .none, .subset: 0
    // An object that the request does not name was drawn.
    case .single: 1
    case .all:
      shifts.filter { $0.valid.contains(pixel, size: set.shape.size) }.flatMap { shift in
        (0..<set.count).map { difference($0, shift, labels, pixel: pixel) }
      }.min() ?? 0
    }
  }
}

extension Region {
  func contains(_ pixel: Int, size: Int) -> Bool {
    rows.contains(pixel / size) && columns.contains(pixel % size)
  }

  @inline(__always)
  func forEach(size: Int, _ body: (_ pixel: Int) -> Void) {
    for row in rows { for column in columns { body(row * size + column) } }
  }
}
