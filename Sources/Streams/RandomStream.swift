import Foundation

/// A counter-based random stream: Philox 4×32-10 (Salmon et al. 2011, "Parallel random numbers:
/// as easy as 1, 2, 3"). A stream is named by (seed, purpose, index), so that any subset, order
/// or number of threads draws the same numbers.
package struct RandomStream: Sendable {
  private let key: SIMD2<UInt32>
  private var counter: SIMD4<UInt32>
  private var block = SIMD4<UInt32>()
  private var used = 4
  private var spare: Float?

  package init(seed: UInt64, purpose: RandomPurpose, index: UInt64) {
    key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
    counter = SIMD4(
      0, purpose.rawValue, UInt32(truncatingIfNeeded: index),
      UInt32(truncatingIfNeeded: index >> 32))
  }

  /// Philox 4×32 with ten rounds: a bijection of the counter for each key.
  package static func philox(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
    var c = counter
    var k = key
    for _ in 0..<10 {
      let a = UInt64(0xD251_1F53) &* UInt64(c.x)
      let b = UInt64(0xCD9E_8D57) &* UInt64(c.z)
      c = SIMD4(
        UInt32(truncatingIfNeeded: b >> 32) ^ c.y ^ k.x, UInt32(truncatingIfNeeded: b),
        UInt32(truncatingIfNeeded: a >> 32) ^ c.w ^ k.y, UInt32(truncatingIfNeeded: a))
      k = k &+ SIMD2(0x9E37_79B9, 0xBB67_AE85)
    }
    return c
  }

  package mutating func nextUInt32() -> UInt32 {
    if used == 4 {
      block = Self.philox(counter: counter, key: key)
      counter.x &+= 1
      used = 0
    }
    defer { used += 1 }
    return block[used]
  }

  /// Uniform in [0, 1), with 53 bits.
  package mutating func uniform() -> Double {
    let high = UInt64(nextUInt32()) << 32 | UInt64(nextUInt32())
    return Double(high >> 11) * 0x1p-53
  }

  package mutating func uniform(_ low: Double, _ high: Double) -> Double {
    low + (high - low) * uniform()
  }

  /// Puts every order with the same chance (Fisher & Yates).
  package mutating func shuffle<Element>(_ values: inout [Element]) {
    for i in values.indices.dropLast() { values.swapAt(i, i + integer(below: values.count - i)) }
  }

  /// Uniform over 0 ..< bound, without bias (Lemire 2019). `bound` must be positive.
  package mutating func integer(below bound: Int) -> Int {
    let range = UInt32(bound)
    var product = UInt64(nextUInt32()) &* UInt64(range)
    if UInt32(truncatingIfNeeded: product) < range {
      let threshold = (0 &- range) % range
      while UInt32(truncatingIfNeeded: product) < threshold {
        product = UInt64(nextUInt32()) &* UInt64(range)
      }
    }
    return Int(product >> 32)
  }

  /// A standard normal number (Box and Muller).
  package mutating func gaussian() -> Float {
    if let value = spare {
      spare = nil
      return value
    }
    // (0, 1]: the logarithm of zero must not occur.
    let u = (Float(nextUInt32() >> 8) + 1) * 0x1p-24
    let v = Float(nextUInt32() >> 8) * 0x1p-24
    let radius = (-2 * Foundation.log(u)).squareRoot()
    let angle = 2 * Float.pi * v
    spare = radius * Foundation.sin(angle)
    return radius * Foundation.cos(angle)
  }

  package mutating func fillGaussian(_ output: UnsafeMutableBufferPointer<Float>) {
    for i in output.indices { output[i] = gaussian() }
  }
}
