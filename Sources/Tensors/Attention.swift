// Self-attention, one head: qkv is (T, 3C), tokens are the pixels, y is (T, C), probabilities are (T, T) with rows
// in whole vectors. Rows of pixels follow each other: no border.
//
// y = softmax(q kᵀ / √C) v. The right operand of every product is packed into panels first: the caches then read
// it from front to back, and neither T nor C needs to fill vectors. Sums run over the inner index in order, so
// that nothing but the width of a vector decides the bits. Cost 4 T² C.

import Vectors

/// Floats of scratch that `attend` and `attendBackward` need.
func attentionScratch(tokens: Int, channels: Int) -> Int {
  AttentionScratch.panels(tokens: tokens, channels: channels) + tokens * paddedChannels(channels)
    + tokens * paddedChannels(tokens)
}

private struct AttentionScratch {
  let panels: UnsafeMutablePointer<Float>
  /// (T, C) with C in whole vectors: where a result goes whose place in qkv is narrower.
  let wide: UnsafeMutablePointer<Float>
  /// (T, T): gradient of the scores.
  let slopes: UnsafeMutablePointer<Float>

  static func panels(tokens: Int, channels: Int) -> Int {
    max(tokens * paddedChannels(channels), channels * paddedChannels(tokens))
  }

  init(_ base: UnsafeMutablePointer<Float>, tokens: Int, channels: Int) {
    panels = base
    wide = base + Self.panels(tokens: tokens, channels: channels)
    slopes = wide + tokens * paddedChannels(channels)
  }
}

/// A matrix in memory with its rows `stride` floats apart.
private struct Rows {
  var base: UnsafeMutablePointer<Float>
  var stride: Int

  var plain: StridedMatrix { StridedMatrix(base: base, rowStride: stride, columnStride: 1) }
  var transposed: StridedMatrix { StridedMatrix(base: base, rowStride: 1, columnStride: stride) }
}

func attend(
  qkv: Field, into y: Field, probabilities: UnsafeMutablePointer<Float>,
  scratch: UnsafeMutablePointer<Float>
) {
  let tokens = qkv.height * qkv.width
  let channels = y.channels
  let q = Rows(base: qkv.base, stride: qkv.pixelStride)
  let k = Rows(base: qkv.base + channels, stride: qkv.pixelStride)
  let v = Rows(base: qkv.base + 2 * channels, stride: qkv.pixelStride)
  let p = Rows(base: probabilities, stride: paddedChannels(tokens))
  let room = AttentionScratch(scratch, tokens: tokens, channels: channels)
  packTransposed(k, rows: tokens, columns: channels, into: room.panels)
  multiply(q.plain, room.panels, into: p, rows: tokens, columns: tokens, inner: channels)
  let scale = 1 / Float(channels).squareRoot()
  for row in 0..<tokens { softmax(p.base + row * p.stride, count: tokens, scale: scale) }
  pack(v, rows: tokens, columns: channels, into: room.panels)
  multiply(
    p.plain, room.panels, into: Rows(base: y.base, stride: y.pixelStride), rows: tokens,
    columns: channels, inner: tokens)
}

/// dqkv is set.
func attendBackward(
  qkv: Field, probabilities: UnsafeMutablePointer<Float>, dy: Field, into dqkv: Field,
  scratch: UnsafeMutablePointer<Float>
) {
  let tokens = qkv.height * qkv.width
  let channels = dy.channels
  let stride = qkv.pixelStride
  let q = Rows(base: qkv.base, stride: stride)
  let k = Rows(base: qkv.base + channels, stride: stride)
  let v = Rows(base: qkv.base + 2 * channels, stride: stride)
  let p = Rows(base: probabilities, stride: paddedChannels(tokens))
  let gradient = Rows(base: dy.base, stride: dy.pixelStride)
  let room = AttentionScratch(scratch, tokens: tokens, channels: channels)
  let slopes = Rows(base: room.slopes, stride: p.stride)

  /// (T, C) = left · the packed (T, C), into the channels of dqkv from `first` on.
  func setGradient(_ left: StridedMatrix, first: Int) {
    let target = Rows(base: dqkv.base + first, stride: dqkv.pixelStride)
    let padded = paddedChannels(channels)
    if padded == channels {
      multiply(
        left, room.panels, into: target, rows: tokens, columns: channels, inner: tokens)
      return
    }
    multiply(
      left, room.panels, into: Rows(base: room.wide, stride: padded), rows: tokens,
      columns: channels, inner: tokens)
    for token in 0..<tokens {
      (target.base + token * target.stride).update(
        from: room.wide + token * padded, count: channels)
    }
  }

  pack(gradient, rows: tokens, columns: channels, into: room.panels)
  setGradient(p.transposed, first: 2 * channels)
  packTransposed(v, rows: tokens, columns: channels, into: room.panels)
  multiply(
    gradient.plain, room.panels, into: slopes, rows: tokens, columns: tokens, inner: channels)
  let scale = 1 / Float(channels).squareRoot()
  for row in 0..<tokens {
    softmaxBackward(
      p.base + row * p.stride, slopes.base + row * p.stride, count: tokens, scale: scale)
  }
  pack(k, rows: tokens, columns: channels, into: room.panels)
  setGradient(slopes.plain, first: 0)
  pack(q, rows: tokens, columns: channels, into: room.panels)
  setGradient(slopes.transposed, first: channels)
}

/// out = a · b, with b packed; whole vectors of columns are written, zeros beyond the last column.
@inline(never)
private func multiply(
  _ a: StridedMatrix, _ panels: UnsafePointer<Float>, into out: Rows, rows: Int, columns: Int,
  inner: Int
) {
  multiplyPanels(
    a, PanelMatrix(panels: panels, inner: inner), into: out.base, outStride: out.stride,
    rows: rows, columns: paddedChannels(columns), inner: inner)
}

/// (rows, columns) as panels, filled up with columns of zeros.
private func pack(
  _ source: Rows, rows: Int, columns: Int, into panels: UnsafeMutablePointer<Float>
) {
  var to = panels
  for first in stride(from: 0, to: columns, by: 2 * lanes) {
    let width = min(2 * lanes, paddedChannels(columns - first))
    for row in 0..<rows {
      let from = source.base + row * source.stride + first
      for block in stride(from: 0, to: width, by: lanes) {
        if first + block + lanes <= columns {
          store(load(from + block), to + block)
        } else {
          for i in block..<block + lanes { to[i] = first + i < columns ? from[i] : 0 }
        }
      }
      to += width
    }
  }
}

/// The transpose, (columns, rows), as panels, filled up with columns of zeros.
private func packTransposed(
  _ source: Rows, rows: Int, columns: Int, into panels: UnsafeMutablePointer<Float>
) {
  var to = panels
  for first in stride(from: 0, to: rows, by: 2 * lanes) {
    let width = min(2 * lanes, paddedChannels(rows - first))
    for i in stride(from: 0, to: width, by: 4) {
      let from = source.base + (first + i) * source.stride
      var column = 0
      if first + i + 4 <= rows {
        while column + 4 <= columns {
          transposeFour(from + column, source.stride, into: to + column * width + i, width)
          column += 4
        }
      }
      while column < columns {
        for j in 0..<4 {
          to[column * width + i + j] = first + i + j < rows ? from[j * source.stride + column] : 0
        }
        column += 1
      }
    }
    to += columns * width
  }
}

/// 4 × 4 values.
@inline(__always)
private func transposeFour(
  _ from: UnsafePointer<Float>, _ fromStride: Int, into to: UnsafeMutablePointer<Float>,
  _ toStride: Int
) {
  func row(_ i: Int) -> SIMD4<Float> {
    UnsafeRawPointer(from + i * fromStride).loadUnaligned(as: SIMD4<Float>.self)
  }
  let (a, b, c, d) = (row(0), row(1), row(2), row(3))
  let columns = (
    SIMD4(a.x, b.x, c.x, d.x), SIMD4(a.y, b.y, c.y, d.y), SIMD4(a.z, b.z, c.z, d.z),
    SIMD4(a.w, b.w, c.w, d.w)
  )
  func set(_ i: Int, _ column: SIMD4<Float>) {
    UnsafeMutableRawPointer(to + i * toStride).storeBytes(of: column, as: SIMD4<Float>.self)
  }
  set(0, columns.0)
  set(1, columns.1)
  set(2, columns.2)
  set(3, columns.3)
}

/// softmax(scale · values) in place; the row has room for whole vectors, which are 0 beyond `count`.
///
/// The largest is subtracted first.
func softmax(_ values: UnsafeMutablePointer<Float>, count: Int, scale: Float) {
  let padded = paddedChannels(count)
  // What they add to a total of at least 1, e⁻⁸⁷, is lost in rounding.
  for i in count..<padded { values[i] = -.infinity }
  var highest = Vector(repeating: -.infinity)
  for i in stride(from: 0, to: padded, by: lanes) {
    let value = load(values + i)
    highest = highest.replacing(with: value, where: value .> highest)
  }
  let largest = largestLane(highest)
  var sums = Vector()
  for i in stride(from: 0, to: padded, by: lanes) {
    let power = exponential((load(values + i) - largest) * scale)
    store(power, values + i)
    sums += power
  }
  let share = 1 / sums.sum()
  for i in stride(from: 0, to: padded, by: lanes) { store(load(values + i) * share, values + i) }
  for i in count..<padded { values[i] = 0 }
}

/// The gradient of `softmax` replaces that of its result, in rows of whole vectors.
private func softmaxBackward(
  _ probability: UnsafePointer<Float>, _ slope: UnsafeMutablePointer<Float>, count: Int,
  scale: Float
) {
  var sums = Vector()
  for i in stride(from: 0, to: count, by: lanes) {
    sums.addProduct(load(probability + i), load(slope + i))
  }
  let mean = sums.sum()
  for i in stride(from: 0, to: count, by: lanes) {
    store(load(probability + i) * (load(slope + i) - mean) * scale, slope + i)
  }
}
