// Convolution: x is (H·s, W·s, Cin) inside a border of zeros, weights are (taps, Cin, Cout), bias is (Cout),
// y is (H, W, Cout). Channels last, Cout in whole vectors.
//
// A register tile is P neighbouring pixels × 2 vectors of output channels: per input channel two
// weight loads and P broadcasts feed 2 P multiply-adds. Cost 2 · taps · Cin · Cout · H · W.

import Vectors

#if LOCUS_REGISTERS_32
  /// 32 registers: 16 accumulators leave room for weights and broadcasts.
  private let widestTile = 8
  private let widestSingleTile = 16
#else
  /// 16 registers: more than 10 accumulators spill.
  private let widestTile = 4
  private let widestSingleTile = 8
#endif

/// Where the taps of a kernel fall, in floats from the output's place in the input.
struct Taps: Sendable {
  /// 1 or 3.
  var side: Int
  var dilation: Int

  var count: Int { side * side }

  @inline(__always)
  func offset(_ tap: Int, _ input: Field) -> Int {
    let reach = side / 2
    return (tap / side - reach) * dilation * input.rowStride
      + (tap % side - reach) * dilation * input.pixelStride
  }
}

/// y = bias + addend + convolution of x; `bias` and `addend` may be missing.
///
/// `addend` has y's shape and may be y itself, which accumulates.
func convolve(
  _ x: Field, _ weights: UnsafePointer<Float>, bias: UnsafePointer<Float>?, addend: Field?,
  into y: Field, taps: Taps, stride step: Int
) {
  withUnsafeTemporaryAllocation(of: Int.self, capacity: taps.count) { offsets in
    for tap in 0..<taps.count { offsets[tap] = taps.offset(tap, x) }
    guard let first = offsets.baseAddress else { return }
    let job = ConvolutionJob(
      x: x, weights: weights, bias: bias, addend: addend, y: y, offsets: first,
      tapCount: taps.count, step: step)
    var block = 0
    while block + 2 * lanes <= y.pixelStride {
      for row in 0..<y.height { job.rowOfPairs(row, block) }
      block += 2 * lanes
    }
    if block < y.pixelStride {
      for row in 0..<y.height { job.rowOfSingles(row, block) }
    }
  }
}

private struct ConvolutionJob {
  let x: Field
  let weights: UnsafePointer<Float>
  let bias: UnsafePointer<Float>?
  let addend: Field?
  let y: Field
  let offsets: UnsafePointer<Int>
  let tapCount: Int
  let step: Int

  @inline(__always)
  func rowOfPairs(_ row: Int, _ block: Int) {
    var column = 0
    while column + widestTile <= y.width {
      #if LOCUS_REGISTERS_32
        pairs(InlineArray<8, Void>(repeating: ()), row, column, block)
      #else
        pairs(InlineArray<4, Void>(repeating: ()), row, column, block)
      #endif
      column += widestTile
    }
    while column + 4 <= y.width {
      pairs(InlineArray<4, Void>(repeating: ()), row, column, block)
      column += 4
    }
    while column < y.width {
      pairs(InlineArray<1, Void>(repeating: ()), row, column, block)
      column += 1
    }
  }

  @inline(__always)
  func rowOfSingles(_ row: Int, _ block: Int) {
    var column = 0
    while column + widestSingleTile <= y.width {
      #if LOCUS_REGISTERS_32
        singles(InlineArray<16, Void>(repeating: ()), row, column, block)
      #else
        singles(InlineArray<8, Void>(repeating: ()), row, column, block)
      #endif
      column += widestSingleTile
    }
    while column + 8 <= y.width {
      singles(InlineArray<8, Void>(repeating: ()), row, column, block)
      column += 8
    }
    while column < y.width {
      singles(InlineArray<1, Void>(repeating: ()), row, column, block)
      column += 1
    }
  }

  /// P pixels × 2 vectors; the array only carries P.
  @inline(__always)
  func pairs<let P: Int>(_: InlineArray<P, Void>, _ row: Int, _ column: Int, _ block: Int) {
    let zero = Vector()
    var a = InlineArray<P, Vector>(repeating: bias.map { load($0 + block) } ?? zero)
    var b = InlineArray<P, Vector>(repeating: bias.map { load($0 + block + lanes) } ?? zero)
    if let addend {
      let from = addend.row(row) + column * addend.pixelStride + block
      for i in 0..<P {
        a[i] += load(from + i * addend.pixelStride)
        b[i] += load(from + i * addend.pixelStride + lanes)
      }
    }
    let source = x.row(row * step) + column * step * x.pixelStride
    let pixel = step * x.pixelStride
    let outputs = y.pixelStride
    let channels = x.channels
    var w = weights + block
    for tap in 0..<tapCount {
      let from = source + offsets[tap]
      for channel in 0..<channels {
        let w0 = load(w)
        let w1 = load(w + lanes)
        for i in 0..<P {
          let value = Vector(repeating: from[i &* pixel &+ channel])
          a[i] = a[i].addingProduct(value, w0)
          b[i] = b[i].addingProduct(value, w1)
        }
        w += outputs
      }
    }
    let into = y.row(row) + column * outputs + block
    for i in 0..<P {
      store(a[i], into + i * outputs)
      store(b[i], into + i * outputs + lanes)
    }
  }

  /// P pixels × 1 vector: the last channels, and networks narrower than two vectors.
  @inline(__always)
  func singles<let P: Int>(_: InlineArray<P, Void>, _ row: Int, _ column: Int, _ block: Int) {
    var a = InlineArray<P, Vector>(repeating: bias.map { load($0 + block) } ?? Vector())
    if let addend {
      let from = addend.row(row) + column * addend.pixelStride + block
      for i in 0..<P { a[i] += load(from + i * addend.pixelStride) }
    }
    let source = x.row(row * step) + column * step * x.pixelStride
    let pixel = step * x.pixelStride
    let outputs = y.pixelStride
    let channels = x.channels
    var w = weights + block
    for tap in 0..<tapCount {
      let from = source + offsets[tap]
      for channel in 0..<channels {
        let w0 = load(w)
        for i in 0..<P {
          a[i] = a[i].addingProduct(Vector(repeating: from[i &* pixel &+ channel]), w0)
        }
        w += outputs
      }
    }
    let into = y.row(row) + column * outputs + block
    for i in 0..<P { store(a[i], into + i * outputs) }
  }
}
