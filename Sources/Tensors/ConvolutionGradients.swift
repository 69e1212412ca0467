// Gradients of the convolution: x is (H·s, W·s, Cin) inside its border, dy is (H, W, Cout),
// dw is (taps, Cin, Cout), db is (Cout); both are added to.

import Vectors

/// dw += Σ over pixels of x (shifted by each tap) ⊗ dy, row by row: two rows of pixels and dw stay in the cache.
func accumulateWeightGradient(
  _ x: Field, _ dy: Field, into dw: UnsafeMutablePointer<Float>, taps: Taps, stride step: Int
) {
  for row in 0..<dy.height {
    let gradient = PanelMatrix(dy.row(row), rowStride: dy.pixelStride)
    for tap in 0..<taps.count {
      let source = StridedMatrix(
        base: x.row(row * step) + taps.offset(tap, x), rowStride: 1,
        columnStride: step * x.pixelStride)
      multiplyPanels(
        source, gradient, into: dw + tap * x.channels * dy.pixelStride,
        outStride: dy.pixelStride, rows: x.channels, columns: dy.pixelStride, inner: dy.width,
        accumulate: true)
    }
  }
}

/// db += Σ over pixels of dy.
func accumulateBiasGradient(_ dy: Field, into db: UnsafeMutablePointer<Float>) {
  for block in stride(from: 0, to: dy.pixelStride, by: lanes) {
    var sum = Vector()
    for row in 0..<dy.height {
      let from = dy.row(row) + block
      for column in 0..<dy.width { sum += load(from + column * dy.pixelStride) }
    }
    store(load(db + block) + sum, db + block)
  }
}

/// The gradient spread to every second pixel, so that the gradient of a strided convolution is an
/// ordinary one. The pixels between are zero and stay so.
func spread(_ dy: Field, into wide: Field, stride step: Int) {
  for row in 0..<dy.height {
    let from = dy.row(row)
    let to = wide.row(row * step)
    for column in 0..<dy.width {
      (to + column * step * wide.pixelStride).update(
        from: from + column * dy.pixelStride, count: dy.pixelStride)
    }
  }
}

/// (taps, Cin, Cout) → (taps, Cout, Cin) with the taps in reverse: the weights whose convolution
/// with dy gives dx.
func turn(
  _ weights: UnsafePointer<Float>, into turned: UnsafeMutablePointer<Float>, taps: Int,
  inputs: Int, outputs: Int
) {
  let from = paddedChannels(outputs)
  let to = paddedChannels(inputs)
  for tap in 0..<taps {
    let source = weights + tap * inputs * from
    let target = turned + (taps - 1 - tap) * outputs * to
    for input in 0..<inputs {
      for output in 0..<outputs { target[output * to + input] = source[input * from + output] }
    }
  }
}
