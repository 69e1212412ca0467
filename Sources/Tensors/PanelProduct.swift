// Product of small matrices: a is (rows, inner), b is (inner, columns), out is (rows, columns) with columns in
// whole vectors. Any strides for a, so that it may lie transposed.
//
// A register tile is P rows × 2 vectors of columns: per step two loads of b and P broadcasts of a feed
// 2 P multiply-adds. Cost 2 · rows · columns · inner.

import Vectors

/// A matrix whose element (row, column) is `base[row * rowStride + column * columnStride]`.
struct StridedMatrix {
  var base: UnsafePointer<Float>
  var rowStride: Int
  var columnStride: Int
}

/// A matrix (inner, columns) whose columns are read two vectors at a time, a panel.
struct PanelMatrix {
  var base: UnsafePointer<Float>
  /// Floats from a row of a panel to the next.
  var rowStride: Int
  /// Floats from a panel to the next.
  var panelStride: Int
  /// Floats from a row to the next in a last panel of one vector.
  var lastRowStride: Int

  /// Rows after each other.
  init(_ base: UnsafePointer<Float>, rowStride: Int) {
    self.base = base
    self.rowStride = rowStride
    panelStride = 2 * lanes
    lastRowStride = rowStride
  }

  /// Panels after each other, so that a product reads them from front to back: the caches fetch ahead.
  init(panels base: UnsafePointer<Float>, inner: Int) {
    self.base = base
    rowStride = 2 * lanes
    panelStride = inner * 2 * lanes
    lastRowStride = lanes
  }
}

/// out = a · b, or out += a · b; sums run over `inner` in order, whatever the tile.
@inline(__always)
func multiplyPanels(
  _ a: StridedMatrix, _ b: PanelMatrix, into out: UnsafeMutablePointer<Float>, outStride: Int,
  rows: Int, columns: Int, inner: Int, accumulate: Bool = false
) {
  let job = PanelJob(
    a: a, b: b, out: out, outStride: outStride, inner: inner, accumulate: accumulate)
  var column = 0
  while column + 2 * lanes <= columns {
    var row = 0
    #if LOCUS_REGISTERS_32
      while row + 8 <= rows {
        job.pairs(InlineArray<8, Void>(repeating: ()), row, column)
        row += 8
      }
    #else
      // 6 rows where what is left can be done by fours.
      let sixes = rows % 6 == 2 ? rows - 8 : rows
      while row + 6 <= sixes {
        job.pairs(InlineArray<6, Void>(repeating: ()), row, column)
        row += 6
      }
    #endif
    while row + 4 <= rows {
      job.pairs(InlineArray<4, Void>(repeating: ()), row, column)
      row += 4
    }
    while row < rows {
      job.pairs(InlineArray<1, Void>(repeating: ()), row, column)
      row += 1
    }
    column += 2 * lanes
  }
  if column < columns {
    var row = 0
    while row + 8 <= rows {
      job.singles(InlineArray<8, Void>(repeating: ()), row, column)
      row += 8
    }
    while row + 4 <= rows {
      job.singles(InlineArray<4, Void>(repeating: ()), row, column)
      row += 4
    }
    while row < rows {
      job.singles(InlineArray<1, Void>(repeating: ()), row, column)
      row += 1
    }
  }
}

private struct PanelJob {
  let a: StridedMatrix
  let b: PanelMatrix
  let out: UnsafeMutablePointer<Float>
  let outStride: Int
  let inner: Int
  let accumulate: Bool

  /// P rows × 2 vectors; the array only carries P.
  @inline(__always)
  func pairs<let P: Int>(_: InlineArray<P, Void>, _ row: Int, _ column: Int) {
    var left = InlineArray<P, Vector>(repeating: Vector())
    var right = InlineArray<P, Vector>(repeating: Vector())
    let into = out + row * outStride + column
    if accumulate {
      for i in 0..<P {
        left[i] = load(into + i * outStride)
        right[i] = load(into + i * outStride + lanes)
      }
    }
    var from = a.base + row * a.rowStride
    var weight = b.base + column / (2 * lanes) * b.panelStride
    for _ in 0..<inner {
      let w0 = load(weight)
      let w1 = load(weight + lanes)
      for i in 0..<P {
        let value = Vector(repeating: from[i &* a.rowStride])
        left[i] = left[i].addingProduct(value, w0)
        right[i] = right[i].addingProduct(value, w1)
      }
      from += a.columnStride
      weight += b.rowStride
    }
    for i in 0..<P {
      store(left[i], into + i * outStride)
      store(right[i], into + i * outStride + lanes)
    }
  }

  /// P rows × 1 vector: the last columns.
  @inline(__always)
  func singles<let P: Int>(_: InlineArray<P, Void>, _ row: Int, _ column: Int) {
    var sums = InlineArray<P, Vector>(repeating: Vector())
    let into = out + row * outStride + column
    if accumulate {
      for i in 0..<P { sums[i] = load(into + i * outStride) }
    }
    var from = a.base + row * a.rowStride
    var weight = b.base + column / (2 * lanes) * b.panelStride
    for _ in 0..<inner {
      let w0 = load(weight)
      for i in 0..<P {
        sums[i] = sums[i].addingProduct(Vector(repeating: from[i &* a.rowStride]), w0)
      }
      from += a.columnStride
      weight += b.lastRowStride
    }
    for i in 0..<P { store(sums[i], into + i * outStride) }
  }
}
