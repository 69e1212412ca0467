// Root mean square norm over the channels of each pixel (EDM2), modulation and SiLU in one pass: x is (H, W, C), y is
// (H, W, C) inside its border; the state holds scale and shift, (C) each.
//
// Four pixels at a time: each pixel alone would wait for its own sum, root and division. The statistics
// are computed again in the backward pass, which costs less than keeping them.

import Vectors

func normalizePixels(_ x: Field, into y: Field, silu: Bool, state: NormalizationState) {
  forEachRun(x) { row, column, run in
    switch run {
    case 4: normalizeRun(InlineArray<4, Void>(repeating: ()), x, y, row, column, silu, state)
    default: normalizeRun(InlineArray<1, Void>(repeating: ()), x, y, row, column, silu, state)
    }
  }
}

/// dx = r · dn − x · r³ · mean(dn · x) with dn = (1 + scale) dz; s0 = Σ dz, s1 = Σ dz · x · r.
///
/// `dy` is overwritten; `dx` is set, or added to when `accumulate`; s0 and s1 (C) are set.
func normalizePixelsBackward(
  _ x: Field, _ dy: Field, into dx: Field?, accumulate: Bool, silu: Bool,
  state: NormalizationState, _ s0: UnsafeMutablePointer<Float>, _ s1: UnsafeMutablePointer<Float>
) {
  s0.update(repeating: 0, count: x.pixelStride)
  s1.update(repeating: 0, count: x.pixelStride)
  let job = PixelGradient(
    x: x, dy: dy, dx: dx, accumulate: accumulate, silu: silu, state: state, s0: s0, s1: s1)
  forEachRun(x) { row, column, run in
    switch run {
    case 4: job.run(InlineArray<4, Void>(repeating: ()), row, column)
    default: job.run(InlineArray<1, Void>(repeating: ()), row, column)
    }
  }
}

/// Calls `body(row, column, pixels)` for runs of 4 pixels of a row, then for single ones.
@inline(__always)
private func forEachRun(_ x: Field, _ body: (Int, Int, Int) -> Void) {
  for row in 0..<x.height {
    var column = 0
    while column + 4 <= x.width {
      body(row, column, 4)
      column += 4
    }
    while column < x.width {
      body(row, column, 1)
      column += 1
    }
  }
}

/// 1 / √(mean of squares over the channels of a pixel + ε) of P pixels; the array only carries P.
@inline(__always)
private func reciprocalRoots<let P: Int>(
  _: InlineArray<P, Void>, _ pixel: UnsafeMutablePointer<Float>, _ x: Field
) -> InlineArray<P, Float> {
  var squares = InlineArray<P, Vector>(repeating: Vector())
  for block in stride(from: 0, to: x.pixelStride, by: lanes) {
    for i in 0..<P {
      let value = load(pixel + i * x.pixelStride + block)
      squares[i] = squares[i].addingProduct(value, value)
    }
  }
  var roots = InlineArray<P, Float>(repeating: 0)
  for i in 0..<P { roots[i] = 1 / (squares[i].sum() / Float(x.channels) + 1e-4).squareRoot() }
  return roots
}

@inline(__always)
private func normalizeRun<let P: Int>(
  _ run: InlineArray<P, Void>, _ x: Field, _ y: Field, _ row: Int, _ column: Int, _ silu: Bool,
  _ state: NormalizationState
) {
  let pixel = x.row(row) + column * x.pixelStride
  let to = y.row(row) + column * y.pixelStride
  let rstd = reciprocalRoots(run, pixel, x)
  for block in stride(from: 0, to: x.pixelStride, by: lanes) {
    let a = load(state.a + block)
    let b = load(state.b + block)
    for i in 0..<P {
      let z = b.addingProduct(load(pixel + i * x.pixelStride + block) * rstd[i], a)
      store(silu ? z * sigmoid(z) : z, to + i * y.pixelStride + block)
    }
  }
}

private struct PixelGradient {
  let x: Field
  let dy: Field
  let dx: Field?
  let accumulate: Bool
  let silu: Bool
  let state: NormalizationState
  let s0: UnsafeMutablePointer<Float>
  let s1: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<let P: Int>(_ run: InlineArray<P, Void>, _ row: Int, _ column: Int) {
    let pixel = x.row(row) + column * x.pixelStride
    let gradient = dy.row(row) + column * dy.pixelStride
    let rstd = reciprocalRoots(run, pixel, x)
    var products = InlineArray<P, Vector>(repeating: Vector())
    for block in stride(from: 0, to: x.pixelStride, by: lanes) {
      let a = load(state.a + block)
      let b = load(state.b + block)
      var sum0 = load(s0 + block)
      var sum1 = load(s1 + block)
      for i in 0..<P {
        let place = gradient + i * dy.pixelStride + block
        let n = load(pixel + i * x.pixelStride + block) * rstd[i]
        var dz = load(place)
        if silu { dz *= siluSlope(b.addingProduct(n, a)) }
        sum0 += dz
        sum1 = sum1.addingProduct(dz, n)
        let dn = dz * a
        store(dn, place)
        products[i] = products[i].addingProduct(dn, n)
      }
      store(sum0, s0 + block)
      store(sum1, s1 + block)
    }
    guard let dx else { return }
    let to = dx.row(row) + column * dx.pixelStride
    for i in 0..<P {
      let mean = products[i].sum() / Float(x.channels)
      for block in stride(from: 0, to: x.pixelStride, by: lanes) {
        let n = load(pixel + i * x.pixelStride + block) * rstd[i]
        let value = (load(gradient + i * dy.pixelStride + block) - n * mean) * rstd[i]
        let place = to + i * dx.pixelStride + block
        store(accumulate ? load(place) + value : value, place)
      }
    }
  }
}
