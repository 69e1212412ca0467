import Streams
import Testing

@testable import Tensors
@testable import Vectors

@Suite("Winograd's transforms")
struct WinogradTests {
  private func numbers(_ count: Int, _ index: UInt64) -> [Float] {
    var stream = RandomStream(seed: 21, purpose: .test4, index: index)
    return (0..<count).map { _ in stream.gaussian() }
  }

  private func vectors<let N: Int>(_ values: [Float]) -> InlineArray<N, Vector> {
    InlineArray { Vector(repeating: values[$0]) }
  }

  private func firsts<let N: Int>(_ vectors: InlineArray<N, Vector>) -> [Float] {
    (0..<N).map { vectors[$0][0] }
  }

  private func dot(_ a: [Float], _ b: [Float]) -> Double {
    zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
  }

  @Test("Aᵀ[(G g) ⊙ (Bᵀ d)] is the correlation of six values with three", arguments: 0..<8)
  func correlation(index: UInt64) {
    let d = numbers(6, index)
    let g = numbers(3, 100 + index)
    let (u, v) = (firsts(winogradFilter(vectors(g))), firsts(winogradInput(vectors(d))))
    let y = firsts(winogradOutput(vectors(zip(u, v).map { $0 * $1 })))
    for i in 0..<4 { #expect(abs(Double(y[i]) - dot(Array(d[i..<i + 3]), g)) < 5e-6) }
  }

  @Test("the gradients' transforms are the transposes", arguments: 0..<8)
  func transposes(index: UInt64) {
    let (m, y) = (numbers(6, index), numbers(4, 100 + index))
    let (u, g) = (numbers(6, 200 + index), numbers(3, 300 + index))
    #expect(
      abs(
        dot(firsts(winogradOutput(vectors(m))), y)
          - dot(m, firsts(winogradOutputTransposed(vectors(y))))) < 1e-5)
    #expect(
      abs(
        dot(firsts(winogradFilter(vectors(g))), u)
          - dot(g, firsts(winogradFilterTransposed(vectors(u))))) < 1e-5)
  }

  /// Root mean square error over root mean square value, of 64 → 64 channels on 16×16 pixels.
  private func error(tiles: Bool) -> Double {
    let (side, channels) = (16, 64)
    let x = Plane(random: side, side, channels, index: 1)
    var stream = RandomStream(seed: 22, purpose: .test4, index: 0)
    let weights = (0..<9 * channels * channels).map { _ in
      Double(stream.gaussian() / 24)
    }
    let expected = NaiveConvolution.forward(
      x, weights: weights, bias: [Double](repeating: 0, count: channels), side: 3, stride: 1,
      dilation: 1)
    let padded = paddedChannels(channels)
    let row = (side + 2) * padded
    let input = AlignedBuffer(count: (side + 2) * row)
    let output = AlignedBuffer(count: side * side * padded)
    let kernel = AlignedBuffer(count: 9 * channels * padded)
    let transformed = AlignedBuffer(count: 36 * channels * padded)
    let scratch = AlignedBuffer(count: winogradScratch(inputs: channels, outputs: channels))
    for r in 0..<side {
      for c in 0..<side {
        for k in 0..<channels {
          input.pointer[(r + 1) * row + (c + 1) * padded + k] = Float(x[r, c, k])
        }
      }
    }
    for i in 0..<9 * channels {
      for o in 0..<channels { kernel.pointer[i * padded + o] = Float(weights[i * channels + o]) }
    }
    let from = Field(
      base: input.pointer + row + padded, height: side, width: side, channels: channels,
      pixelStride: padded, rowStride: row)
    let to = Field(
      base: output.pointer, height: side, width: side, channels: channels, pixelStride: padded,
      rowStride: side * padded)
    if tiles {
      transformFilter(
        kernel.pointer, into: transformed.pointer, inputs: channels, outputs: channels)
      convolveWinograd(
        from, transformed.pointer, bias: nil, addend: nil, into: to, scratch: scratch.pointer)
    } else {
      convolve(
        from, kernel.pointer, bias: nil, addend: nil, into: to, taps: Taps(side: 3, dilation: 1),
        stride: 1)
    }
    var squares = (error: 0.0, value: 0.0)
    for r in 0..<side {
      for c in 0..<side {
        for k in 0..<channels {
          let value = expected[r, c, k]
          let found = Double(output.pointer[(r * side + c) * padded + k])
          squares.error += (found - value) * (found - value)
          squares.value += value * value
        }
      }
    }
    return (squares.error / squares.value).squareRoot()
  }

  @Test("tiles lose less than two bits against the direct form, and stay below 1e-6")
  func precision() {
    let (direct, tiles) = (error(tiles: false), error(tiles: true))
    print("root mean square error: direct \(direct), tiles \(tiles)")
    #expect(direct < 5e-7)
    #expect(tiles < 1e-6)
    #expect(tiles < 4 * direct)
  }
}
