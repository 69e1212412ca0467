// Elementary functions over whole vectors, without calls and without branches.

/// eˣ with a relative error below 3e-7; x is clamped to [−87, 88].
///
/// x = n ln 2 + r with |r| ≤ ln 2 / 2; eʳ by its Taylor polynomial of degree 6 after Cephes, 2ⁿ by
/// writing the exponent bits.
@inlinable @inline(__always)
package func exponential(_ value: Vector) -> Vector {
  var x = value.replacing(with: -87, where: value .< -87)
  x.replace(with: 88, where: x .> 88)
  // Adding 1.5 · 2²³ rounds to an integer, which is left in the low bits of the mantissa.
  let magic = Vector(repeating: 12_582_912)
  let shifted = magic.addingProduct(x, Vector(repeating: 1.442_695_04))
  let n = shifted - magic
  // ln 2 in two parts, so that n · ln 2 loses no bits.
  var r = x.addingProduct(n, Vector(repeating: -0.693_359_375))
  r = r.addingProduct(n, Vector(repeating: 2.121_944_4e-4))
  var p = Vector(repeating: 1.987_569_15e-4)
  p = Vector(repeating: 1.398_199_950_7e-3).addingProduct(p, r)
  p = Vector(repeating: 8.333_451_907_3e-3).addingProduct(p, r)
  p = Vector(repeating: 4.166_579_589_4e-2).addingProduct(p, r)
  p = Vector(repeating: 1.666_666_545_9e-1).addingProduct(p, r)
  p = Vector(repeating: 5.000_000_120_1e-1).addingProduct(p, r)
  p = (r + 1).addingProduct(p, r * r)
  let exponent = unsafeBitCast(shifted, to: Vector.MaskStorage.self) &<< 23
  return unsafeBitCast(unsafeBitCast(p, to: Vector.MaskStorage.self) &+ exponent, to: Vector.self)
}

/// 1 / (1 + e⁻ˣ).
@inlinable @inline(__always)
package func sigmoid(_ x: Vector) -> Vector {
  1 / (1 + exponential(-x))
}
