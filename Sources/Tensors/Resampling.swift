// Nearest ×2 up and concatenation in one: low is (H/2, W/2, A), skip is (H, W, B), y is (H, W, A + B).

import Vectors

func upsampleAndConcatenate(_ low: Field, _ skip: Field, into y: Field) {
  for row in 0..<y.height {
    for column in 0..<y.width {
      let to = y.row(row) + column * y.pixelStride
      to.update(
        from: low.row(row / 2) + column / 2 * low.pixelStride, count: low.channels)
      (to + low.channels).update(
        from: skip.row(row) + column * skip.pixelStride, count: skip.channels)
    }
  }
}

/// dlow and dskip are set, or added to.
func upsampleAndConcatenateBackward(
  _ dy: Field, intoLow dlow: Field, accumulateLow: Bool, intoSkip dskip: Field,
  accumulateSkip: Bool
) {
  for row in 0..<dlow.height {
    for column in 0..<dlow.width {
      let to = dlow.row(row) + column * dlow.pixelStride
      let top = dy.row(2 * row) + 2 * column * dy.pixelStride
      let bottom = dy.row(2 * row + 1) + 2 * column * dy.pixelStride
      for c in 0..<dlow.channels {
        let sum = top[c] + top[dy.pixelStride + c] + (bottom[c] + bottom[dy.pixelStride + c])
        to[c] = accumulateLow ? to[c] + sum : sum
      }
    }
  }
  for row in 0..<dskip.height {
    for column in 0..<dskip.width {
      let to = dskip.row(row) + column * dskip.pixelStride
      let from = dy.row(row) + column * dy.pixelStride + dlow.channels
      for c in 0..<dskip.channels { to[c] = accumulateSkip ? to[c] + from[c] : from[c] }
    }
  }
}

/// target = source, or target += source, pixel by pixel.
func copyField(_ source: Field, into target: Field, accumulate: Bool) {
  for row in 0..<target.height {
    for column in 0..<target.width {
      let from = source.row(row) + column * source.pixelStride
      let to = target.row(row) + column * target.pixelStride
      for block in stride(from: 0, to: target.pixelStride, by: lanes) {
        let value = load(from + block)
        store(accumulate ? load(to + block) + value : value, to + block)
      }
    }
  }
}
