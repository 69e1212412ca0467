import Diffusion
import Tensors
import Vectors

/// One picture to denoise, as the kernels take it.
struct PatchQuery {
  /// (S, S, 3) on the scale of bytes: 127.5 (x + 1).
  var x: [Float]
  /// 1 / (2 σ²) on that scale.
  var kappa: Float
  var radius: Int
  /// (G, G).
  var labels: [Float]
  var plan: LabelPlan
  /// Where training patches come from.
  var shifts: [Shift]
  /// The output pixels that are wanted.
  var region: Region
}

/// One thread's memory for comparing a noised picture with training patches.
///
/// Planes are (S + 1, S, lanes), a lane a training picture, the last row 0. For a picture of S px the
/// cost is 3 S² multiply–adds a training picture for distances, 6 S² additions for the box sums
/// whatever the window, and an exponential with 4 S² multiply–adds where the weight is not negligible.
final class PatchWorker {
  private let set: PatchSet
  private let coverage: LabelCoverage
  private let labelling: Labelling
  private let dropout: Float
  private let labelRadius: Int
  /// A training patch whose weight is e^−cut of the largest so far is left out.
  private let cut: Float
  private let size: Int

  private let line: AlignedBuffer
  private let lineScratch: AlignedBuffer
  private let plane: AlignedBuffer
  private let planeScratch: AlignedBuffer
  private let distance: AlignedBuffer
  private let prior: AlignedBuffer
  /// Of the labels drawn, under `subset`.
  private let odds: AlignedBuffer
  /// (S², 4, lanes): Σ w and Σ w · bytes, relative to e^maximum.
  private let sums: AlignedBuffer
  private let maxima: AlignedBuffer
  /// (S², 3, lanes).
  private let gradient: AlignedBuffer

  init(
    set: PatchSet, coverage: LabelCoverage, labelling: Labelling, dropout: Float,
    labelRadius: Int, cut: Float, gradients: Bool
  ) {
    self.set = set
    self.coverage = coverage
    self.labelling = labelling
    self.dropout = dropout
    self.labelRadius = labelRadius
    self.cut = cut
    size = set.shape.size
    let pixels = size * size
    line = AlignedBuffer(count: (size + 1) * lanes)
    lineScratch = AlignedBuffer(count: (size + 1) * lanes)
    plane = AlignedBuffer(count: (pixels + size) * lanes)
    planeScratch = AlignedBuffer(count: (pixels + size) * lanes)
    distance = AlignedBuffer(count: pixels * lanes)
    prior = AlignedBuffer(count: pixels * lanes)
    odds = AlignedBuffer(count: labelling == .subset ? pixels * lanes : lanes)
    sums = AlignedBuffer(count: pixels * 4 * lanes)
    maxima = AlignedBuffer(count: pixels)
    gradient = AlignedBuffer(count: gradients ? pixels * 3 * lanes : 0)
  }

  // MARK: - Denoising

  /// The posterior mean in the wanted region, on the scale of bytes; (S, S, 3), 0 elsewhere.
  func denoise(_ query: PatchQuery) -> [Float] {
    sums.clear()
    maxima.pointer.update(repeating: -.greatestFiniteMagnitude, count: maxima.count)
    for shift in query.shifts {
      guard let region = shift.valid.intersection(query.region) else { continue }
      let boxes = Boxes(region, radius: query.radius, size: size)
      for block in 0..<set.blocks {
        measure(query, boxes, shift, block)
        weigh(query, region, shift, block)
        accumulate(query, region, shift, block)
      }
    }
    var result = [Float](repeating: 0, count: size * size * 3)
    query.region.forEach(size: size) { pixel in
      let sum = sums.pointer + pixel * 4 * lanes
      let total = load(sum).sum()
      for c in 0..<3 { result[pixel * 3 + c] = load(sum + (c + 1) * lanes).sum() / total }
    }
    return result
  }

  /// Adds Σ w · bytes of a block; a new maximum scales what was there.
  private func accumulate(_ query: PatchQuery, _ region: Region, _ shift: Shift, _ block: Int) {
    let bytes = shifted(block, shift)
    let maxima = maxima.pointer
    for row in region.rows {
      for column in region.columns {
        let pixel = row * size + column
        let weight = load(prior.pointer + pixel * lanes)
        var exponent = load(distance.pointer + pixel * lanes) * -query.kappa
        exponent.replace(with: -.greatestFiniteMagnitude, where: weight .<= 0)
        let largest = largestLane(exponent)
        let maximum = maxima[pixel]
        if largest < maximum - cut { continue }
        let sum = sums.pointer + pixel * 4 * lanes
        if largest > maximum {
          let scale = exponential(Vector(repeating: maximum - largest))
          for i in 0..<4 { store(load(sum + i * lanes) * scale, sum + i * lanes) }
          maxima[pixel] = largest
        }
        let w = weight * exponential(exponent - maxima[pixel])
        store(load(sum) + w, sum)
        let colors = bytes + pixel * 3 * lanes
        for c in 1...3 {
          let value = load(colors + (c - 1) * lanes)
          store(load(sum + c * lanes).addingProduct(w, value), sum + c * lanes)
        }
      }
    }
  }

  // MARK: - The vector–Jacobian product

  /// Σ_i v_i · ∂D_i / ∂x for v (S, S, 3), 0 outside the wanted region; `denoised` from `denoise`.
  ///
  /// With a_n,i = v_i · φ_n,i and ā_i = v_i · D_i, the derivative of the weights gives
  /// (1 / σ²) Σ_n φ_n,j Σ_{i : j ∈ N_i} w_n,i (a_n,i − ā_i): a box sum again. Since the inner terms sum
  /// to 0 over n, any constant may be taken from φ_n,j; x_j, clipped to what bytes can be, leaves the
  /// least to cancel.
  func gradient(
    _ query: PatchQuery, cotangent: [Float], denoised: [Float]
  ) -> [Float] {
    gradient.clear()
    var means = [Float](repeating: 0, count: size * size)
    query.region.forEach(size: size) { pixel in
      for c in 0..<3 { means[pixel] += cotangent[pixel * 3 + c] * denoised[pixel * 3 + c] }
    }
    let reference = query.x.map { min(max($0, 0), 255) }
    for shift in query.shifts {
      guard let region = shift.valid.intersection(query.region) else { continue }
      let boxes = Boxes(region, radius: query.radius, size: size)
      for block in 0..<set.blocks {
        measure(query, boxes, shift, block)
        weigh(query, region, shift, block)
        if !project(query, region, shift, block, cotangent, means) { continue }
        boxes.spread(plane, planeScratch, line, lineScratch, into: distance.pointer, size: size)
        let bytes = shifted(block, shift)
        boxes.outer.forEach(size: size) { pixel in
          let sum = load(distance.pointer + pixel * lanes)
          for i in pixel * 3..<pixel * 3 + 3 {
            let value = load(bytes + i * lanes) - reference[i]
            let target = gradient.pointer + i * lanes
            store(load(target).addingProduct(sum, value), target)
          }
        }
      }
    }
    // 1/σ² is 2 κ on the scale of bytes; x and D scale alike.
    let wide = query.region.widened(query.radius, size: size)
    var result = [Float](repeating: 0, count: size * size * 3)
    wide.forEach(size: size) { pixel in
      for i in pixel * 3..<pixel * 3 + 3 {
        result[i] = 2 * query.kappa * load(gradient.pointer + i * lanes).sum()
      }
    }
    return result
  }

  /// Writes w (a − ā) into `plane`; false when all of it is 0.
  private func project(
    _ query: PatchQuery, _ region: Region, _ shift: Shift, _ block: Int, _ cotangent: [Float],
    _ means: [Float]
  ) -> Bool {
    let bytes = shifted(block, shift)
    var isAny = false
    for row in region.rows {
      for column in region.columns {
        let pixel = row * size + column
        let target = plane.pointer + pixel * lanes
        store(Vector(), target)
        let weight = load(prior.pointer + pixel * lanes)
        var exponent = load(distance.pointer + pixel * lanes) * -query.kappa
        exponent.replace(with: -.greatestFiniteMagnitude, where: weight .<= 0)
        let maximum = maxima.pointer[pixel]
        if largestLane(exponent) < maximum - cut { continue }
        let v = pixel * 3
        if cotangent[v] == 0, cotangent[v + 1] == 0, cotangent[v + 2] == 0 { continue }
        isAny = true
        let total = load(sums.pointer + pixel * 4 * lanes).sum()
        let w = weight * exponential(exponent - maximum) / total
        var projection = Vector(repeating: -means[pixel])
        for c in 0..<3 {
          projection.addProduct(load(bytes + (v + c) * lanes), Vector(repeating: cotangent[v + c]))
        }
        store(w * projection, target)
      }
    }
    return isAny
  }

  // MARK: - Distances and weights

  /// The bytes of a block, so that the pointer to pixel i is where pixel i + shift begins.
  @inline(__always)
  private func shifted(_ block: Int, _ shift: Shift) -> UnsafePointer<UInt8> {
    let cell = set.grid.cellSize
    let pixels = (block * size + shift.rows * cell) * size + shift.columns * cell
    return UnsafePointer(set.pixels) + pixels * 3 * lanes
  }

  /// ‖x_{N_i} − φ_{N_i + shift}‖² of a block, on the scale of bytes, into `distance`.
  private func measure(_ query: PatchQuery, _ boxes: Boxes, _ shift: Shift, _ block: Int) {
    let bytes = shifted(block, shift)
    let columns = boxes.inner.columns
    query.x.withUnsafeBufferPointer { x in
      for row in boxes.outer.rows {
        for column in boxes.outer.columns {
          let i = (row * size + column) * 3
          let red = load(bytes + i * lanes) - x[i]
          let green = load(bytes + (i + 1) * lanes) - x[i + 1]
          let blue = load(bytes + (i + 2) * lanes) - x[i + 2]
          let square = (red * red).addingProduct(green, green).addingProduct(blue, blue)
          store(square, line.pointer + column * lanes)
        }
        boxes.across.sumLine(
          line.pointer, scratch: lineScratch.pointer,
          into: plane.pointer + row * size * lanes)
      }
    }
    let first = columns.lowerBound * lanes
    boxes.down.sumRows(
      plane.pointer + first, scratch: planeScratch.pointer + first,
      into: distance.pointer + first, stride: size * lanes, width: columns.count)
  }

  /// The weights by labels of a block into `prior`: `LabelPlan`'s formulas.
  private func weigh(_ query: PatchQuery, _ region: Region, _ shift: Shift, _ block: Int) {
    let plan = query.plan
    let first = block * lanes
    // Pictures that fill the block up have no weight.
    var isReal = Vector()
    var totals = Vector(repeating: 1)
    for lane in 0..<min(lanes, set.count - first) {
      isReal[lane] = 1
      totals[lane] = Float(max(set.totals[first + lane], 1))
    }
    let kept = isReal * (1 - dropout)
    switch labelling {
    case .none:
      region.forEach(size: size) { store(isReal, prior.pointer + $0 * lanes) }
    case .single:
      let cell = set.grid.cellSize
      let shifted = (block * size + shift.rows * cell) * size + shift.columns * cell
      let counts = UnsafePointer(coverage.counts) + shifted * lanes
      let share = kept / totals
      region.forEach(size: size) { pixel in
        let offset = plan.offset[pixel]
        // Blank: no object of the window was drawn. +1: one of them was. −1 comes below.
        let inside = load(counts + pixel * lanes)
        let drawn = offset == 0 ? totals - inside : offset == 1 ? inside : Vector()
        store(
          (isReal * plan.blank[pixel]).addingProduct(drawn, share), prior.pointer + pixel * lanes)
      }
      // One of the objects in a labelled cell was drawn, where a label in common decides.
      stamp(
        query, region, shift, block,
        { count, label, lane in label > 0 ? count * share[lane] : nil },
        at: { $0 += $1 * plan.shared[$2] })
    case .subset:
      // The labels that are had, and the odds of drawing these and no others.
      region.forEach(size: size) {
        store(Vector(), prior.pointer + $0 * lanes)
        store(kept, odds.pointer + $0 * lanes)
      }
      stamp(
        query, region, shift, block,
        { count, label, _ in LabelMatcher.odds(of: min(count, label), among: count) },
        into: odds, at: { target, value, _ in target *= value })
      stamp(
        query, region, shift, block, { count, label, _ in -min(count, label) },
        at: { target, value, _ in target += value })
      region.forEach(size: size) { pixel in
        let target = prior.pointer + pixel * lanes
        let drawn = load(odds.pointer + pixel * lanes).replacing(
          with: 0, where: load(target) .!= Vector(repeating: plan.offset[pixel]))
        store((isReal * plan.blank[pixel]) + drawn, target)
      }
    case .all:
      region.forEach(size: size) { store(Vector(), prior.pointer + $0 * lanes) }
      stamp(
        query, region, shift, block, { count, label, _ in abs(count - label) - label },
        at: { target, value, _ in target += value })
      region.forEach(size: size) { pixel in
        let target = prior.pointer + pixel * lanes
        let isNearest = Vector().replacing(
          with: 1, where: load(target) .== Vector(repeating: plan.offset[pixel]))
        store((isReal * plan.blank[pixel]).addingProduct(isNearest, kept), target)
      }
    }
  }

  /// Gives a value for each occupied cell to the pixels whose L_i holds it.
  ///
  /// - Parameters:
  ///   - plane: what the pixels have; `prior` if nothing is said.
  ///   - combine: puts a value to what a pixel has.
  @inline(__always)
  private func stamp(
    _ query: PatchQuery, _ region: Region, _ shift: Shift, _ block: Int,
    _ value: (_ count: Float, _ label: Float, _ lane: Int) -> Float?,
    into plane: AlignedBuffer? = nil,
    at combine: (_ target: inout Float, _ value: Float, _ pixel: Int) -> Void
  ) {
    let grid = set.grid
    for n in block * lanes..<min((block + 1) * lanes, set.count) {
      for cell in set.occupied(n) {
        // Cells outside the grid are seen by no pixel of a shift's valid region.
        let (row, column) = (cell.row - shift.rows, cell.column - shift.columns)
        let isInside = grid.contains(row: row, column: column)
        let label = isInside ? query.labels[grid.cell(row: row, column: column)] : 0
        guard let value = value(cell.count, label, n % lanes),
          let pixels = LabelMatcher.seeing(
            row: row, column: column, radius: labelRadius, grid)?.intersection(region)
        else { continue }
        let target = (plane ?? prior).pointer + n % lanes
        pixels.forEach(size: size) { pixel in
          combine(&target[pixel * lanes], value, pixel)
        }
      }
    }
  }
}

/// The box sums that windows of one radius need for the outputs of a region.
private struct Boxes {
  let inner: Region
  /// What the windows reach.
  let outer: Region
  let across: BoxPlan
  let down: BoxPlan
  private let acrossBack: BoxPlan
  private let downBack: BoxPlan

  init(_ region: Region, radius: Int, size: Int) {
    inner = region
    outer = region.widened(radius, size: size)
    across = BoxPlan(from: outer.columns, to: inner.columns, radius: radius, zero: size)
    down = BoxPlan(from: outer.rows, to: inner.rows, radius: radius, zero: size)
    acrossBack = BoxPlan(from: inner.columns, to: outer.columns, radius: radius, zero: size)
    downBack = BoxPlan(from: inner.rows, to: outer.rows, radius: radius, zero: size)
  }

  /// The transposed sums: from the outputs of the region to everything that their windows reach.
  func spread(
    _ plane: AlignedBuffer, _ planeScratch: AlignedBuffer, _ line: AlignedBuffer,
    _ lineScratch: AlignedBuffer, into target: UnsafeMutablePointer<Float>, size: Int
  ) {
    let first = inner.columns.lowerBound * lanes
    // Down first: its result takes the place of the distances, which are no longer needed.
    downBack.sumRows(
      plane.pointer + first, scratch: planeScratch.pointer + first, into: target + first,
      stride: size * lanes, width: inner.columns.count)
    for row in outer.rows {
      let start = target + row * size * lanes
      (line.pointer + first).update(from: start + first, count: inner.columns.count * lanes)
      acrossBack.sumLine(line.pointer, scratch: lineScratch.pointer, into: start)
    }
  }
}
