// The width of a vector register is decided in Package.swift; everything else follows from here.

#if LOCUS_LANES_16
  /// As many floats as one vector register holds.
  public typealias Vector = SIMD16<Float>
#elseif LOCUS_LANES_8
  public typealias Vector = SIMD8<Float>
#else
  public typealias Vector = SIMD4<Float>
#endif

public let lanes = Vector.scalarCount

/// Channels are stored in whole vectors: the smallest multiple of `lanes` that holds `count`.
@inline(__always)
public func paddedChannels(_ count: Int) -> Int { (count + lanes - 1) / lanes * lanes }

@inline(__always)
func load(_ pointer: UnsafePointer<Float>) -> Vector {
  UnsafeRawPointer(pointer).loadUnaligned(as: Vector.self)
}

@inline(__always)
func load(_ pointer: UnsafeMutablePointer<Float>) -> Vector {
  UnsafeRawPointer(pointer).loadUnaligned(as: Vector.self)
}

@inline(__always)
func store(_ vector: Vector, _ pointer: UnsafeMutablePointer<Float>) {
  UnsafeMutableRawPointer(pointer).storeBytes(of: vector, as: Vector.self)
}
