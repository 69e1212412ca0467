// The width of a vector register is decided in Package.swift; everything else follows from here.
//
// A module of its own: debug builds compile file by file and inline only what another module offers
// as @inlinable, and the kernels need these inlined in every build.

#if LOCUS_LANES_16
  /// As many floats as one vector register holds.
  public typealias Vector = SIMD16<Float>
#elseif LOCUS_LANES_8
  public typealias Vector = SIMD8<Float>
#else
  public typealias Vector = SIMD4<Float>
#endif

/// The vector instructions that the kernels were compiled for. Sums run in another order on another width, so
/// that last bits differ: what a run makes names it.
public var instructionSet: String {
  #if LOCUS_LANES_16
    "avx512"
  #elseif LOCUS_LANES_8
    "avx2"
  #elseif arch(arm64)
    "neon"
  #else
    "sse4"
  #endif
}

@inlinable @inline(__always)
public var lanes: Int { Vector.scalarCount }

/// Channels are stored in whole vectors: the smallest multiple of `lanes` that holds `count`.
@inlinable @inline(__always)
public func paddedChannels(_ count: Int) -> Int { (count + lanes - 1) / lanes * lanes }

@inlinable @inline(__always)
public func load(_ pointer: UnsafePointer<Float>) -> Vector {
  UnsafeRawPointer(pointer).loadUnaligned(as: Vector.self)
}

@inlinable @inline(__always)
public func load(_ pointer: UnsafeMutablePointer<Float>) -> Vector {
  UnsafeRawPointer(pointer).loadUnaligned(as: Vector.self)
}

@inlinable @inline(__always)
public func store(_ vector: Vector, _ pointer: UnsafeMutablePointer<Float>) {
  UnsafeMutableRawPointer(pointer).storeBytes(of: vector, as: Vector.self)
}
