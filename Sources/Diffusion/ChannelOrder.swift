/// From (N, P, C) to (N, C, P): channels of P places, last or first. Copies each value once.
///
/// - Parameter toPlanes: whether channels come first afterwards, or last.
package func transposed(_ values: [Float], places: Int, channels: Int, toPlanes: Bool) -> [Float] {
  let each = places * channels
  let count = values.count / max(each, 1) * each
  return [Float](unsafeUninitializedCapacity: count) { result, initialized in
    values.withUnsafeBufferPointer { values in
      for start in stride(from: 0, to: count, by: max(each, 1)) {
        for channel in 0..<channels {
          let plane = start + channel * places
          if toPlanes {
            for place in 0..<places {
              result[plane + place] = values[start + place * channels + channel]
            }
          } else {
            for place in 0..<places {
              result[start + place * channels + channel] = values[plane + place]
            }
          }
        }
      }
    }
    initialized = count
  }
}

/// skip · x + out · f, of each of N items with factors of its own; where skip is 0 the x do not count, whatever they are.
///
/// - Parameter x: (N, count), as f, with a pair of factors for each of N.
package func combined(
  _ x: [Float], _ f: [Float], _ factors: [(skip: Float, out: Float)], count: Int
) -> [Float] {
  return [Float](unsafeUninitializedCapacity: x.count) { result, initialized in
    x.withUnsafeBufferPointer { x in
      f.withUnsafeBufferPointer { f in
        for (n, factor) in factors.enumerated() {
          let own = n * count..<(n + 1) * count
          if factor.skip == 0 {
            for i in own { result[i] = factor.out * f[i] }
          } else {
            for i in own { result[i] = factor.skip * x[i] + factor.out * f[i] }
          }
        }
      }
    }
    initialized = x.count
  }
}

/// The first value that is no finite number.
package func firstNotFinite(_ values: [Float]) -> Int? {
  values.withUnsafeBufferPointer { values in
    var isFinite = true
    // Infinities and NaN, and nothing else, have all bits of the exponent: without a way out it runs in lanes.
    for value in values {
      isFinite = isFinite && value.bitPattern & 0x7F80_0000 != 0x7F80_0000
    }
    return isFinite ? nil : values.firstIndex { !$0.isFinite }
  }
}
