// Gradients of the convolution: x is (H·s, W·s, Cin) inside its border, dy is (H, W, Cout),
// dw is (taps, Cin, Cout), db is (Cout); both are added to.
//
// The tile of the forward pass turned round: I input channels × 2 vectors of output channels stay
// in registers while the pixels go by.

import Vectors

#if LOCUS_LANES_16 || arch(arm64)
  private let inputTile = 8
#else
  private let inputTile = 4
#endif

/// dw += Σ over pixels of x (shifted by each tap) ⊗ dy.
func accumulateWeightGradient(
  _ x: Field, _ dy: Field, into dw: UnsafeMutablePointer<Float>, taps: Taps, stride step: Int
) {
  for tap in 0..<taps.count {
    let source = x.base + taps.offset(tap, x)
    let target = dw + tap * x.channels * dy.pixelStride
    let job = WeightGradientJob(x: x, source: source, dy: dy, dw: target, step: step)
    var block = 0
    while block + 2 * lanes <= dy.pixelStride {
      job.pairs(block)
      block += 2 * lanes
    }
    if block < dy.pixelStride { job.singles(block) }
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

private struct WeightGradientJob {
  let x: Field
  let source: UnsafeMutablePointer<Float>
  let dy: Field
  let dw: UnsafeMutablePointer<Float>
  let step: Int

  @inline(__always)
  func pairs(_ block: Int) {
    var input = 0
    while input + inputTile <= x.channels {
      #if LOCUS_LANES_16 || arch(arm64)
        pair(InlineArray<8, Void>(repeating: ()), input, block)
      #else
        pair(InlineArray<4, Void>(repeating: ()), input, block)
      #endif
      input += inputTile
    }
    while input < x.channels {
      pair(InlineArray<1, Void>(repeating: ()), input, block)
      input += 1
    }
  }

  @inline(__always)
  func singles(_ block: Int) {
    var input = 0
    while input + 2 * inputTile <= x.channels {
      #if LOCUS_LANES_16 || arch(arm64)
        single(InlineArray<16, Void>(repeating: ()), input, block)
      #else
        single(InlineArray<8, Void>(repeating: ()), input, block)
      #endif
      input += 2 * inputTile
    }
    while input + 4 <= x.channels {
      single(InlineArray<4, Void>(repeating: ()), input, block)
      input += 4
    }
    while input < x.channels {
      single(InlineArray<1, Void>(repeating: ()), input, block)
      input += 1
    }
  }

  @inline(__always)
  func pair<let I: Int>(_: InlineArray<I, Void>, _ input: Int, _ block: Int) {
    var a = InlineArray<I, Vector>(repeating: Vector())
    var b = InlineArray<I, Vector>(repeating: Vector())
    let pixel = step * x.pixelStride
    for row in 0..<dy.height {
      var from = source + row * step * x.rowStride + input
      var gradient = dy.row(row) + block
      for _ in 0..<dy.width {
        let g0 = load(gradient)
        let g1 = load(gradient + lanes)
        for i in 0..<I {
          let value = Vector(repeating: from[i])
          a[i] = a[i].addingProduct(value, g0)
          b[i] = b[i].addingProduct(value, g1)
        }
        from += pixel
        gradient += dy.pixelStride
      }
    }
    let into = dw + input * dy.pixelStride + block
    for i in 0..<I {
      let place = into + i * dy.pixelStride
      store(load(place) + a[i], place)
      store(load(place + lanes) + b[i], place + lanes)
    }
  }

  @inline(__always)
  func single<let I: Int>(_: InlineArray<I, Void>, _ input: Int, _ block: Int) {
    var a = InlineArray<I, Vector>(repeating: Vector())
    let pixel = step * x.pixelStride
    for row in 0..<dy.height {
      var from = source + row * step * x.rowStride + input
      var gradient = dy.row(row) + block
      for _ in 0..<dy.width {
        let g0 = load(gradient)
        for i in 0..<I { a[i] = a[i].addingProduct(Vector(repeating: from[i]), g0) }
        from += pixel
        gradient += dy.pixelStride
      }
    }
    let into = dw + input * dy.pixelStride + block
    for i in 0..<I {
      let place = into + i * dy.pixelStride
      store(load(place) + a[i], place)
    }
  }
}
