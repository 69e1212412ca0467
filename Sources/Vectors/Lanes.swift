#if canImport(Glibc)
  import Glibc
#endif

// The width of a vector register is decided in Package.swift; everything else follows from here.
//
// A module of its own: debug builds compile file by file and inline only what another module offers
// as @inlinable, and the kernels need these inlined in every build.

#if LOCUS_LANES_16
  /// As many floats as one vector register holds.
  @usableFromInline package typealias Vector = SIMD16<Float>
  /// A byte for each lane of a `Vector`.
  @usableFromInline package typealias ByteVector = SIMD16<UInt8>
#elseif LOCUS_LANES_8
  @usableFromInline package typealias Vector = SIMD8<Float>
  /// A byte for each lane of a `Vector`.
  @usableFromInline package typealias ByteVector = SIMD8<UInt8>
#else
  @usableFromInline package typealias Vector = SIMD4<Float>
  /// A byte for each lane of a `Vector`.
  @usableFromInline package typealias ByteVector = SIMD4<UInt8>
#endif

/// The vector instructions that the kernels were compiled for. Sums run in another order on another width, so
/// that last bits differ: what a run makes names it.
package var instructionSet: String {
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
package var lanes: Int { Vector.scalarCount }

/// Channels are stored in whole vectors: the smallest multiple of `lanes` that holds `count`.
@inlinable @inline(__always)
package func paddedChannels(_ count: Int) -> Int { (count + lanes - 1) / lanes * lanes }

@inlinable @inline(__always)
package func load(_ pointer: UnsafePointer<Float>) -> Vector {
  UnsafeRawPointer(pointer).loadUnaligned(as: Vector.self)
}

@inlinable @inline(__always)
package func load(_ pointer: UnsafeMutablePointer<Float>) -> Vector {
  UnsafeRawPointer(pointer).loadUnaligned(as: Vector.self)
}

@inlinable @inline(__always)
package func store(_ vector: Vector, _ pointer: UnsafeMutablePointer<Float>) {
  UnsafeMutableRawPointer(pointer).storeBytes(of: vector, as: Vector.self)
}

/// 0 … 255 each.
@inlinable @inline(__always)
package func load(_ pointer: UnsafePointer<UInt8>) -> Vector {
  Vector(UnsafeRawPointer(pointer).loadUnaligned(as: ByteVector.self))
}

/// The largest lane.
@inlinable @inline(__always)
package func largestLane(_ vector: Vector) -> Float {
  #if LOCUS_LANES_16
    let eight = vector.lowHalf.replacing(
      with: vector.highHalf, where: vector.highHalf .> vector.lowHalf)
    let four = eight.lowHalf.replacing(
      with: eight.highHalf, where: eight.highHalf .> eight.lowHalf)
  #elseif LOCUS_LANES_8
    let four = vector.lowHalf.replacing(
      with: vector.highHalf, where: vector.highHalf .> vector.lowHalf)
  #else
    let four = vector
  #endif
  let two = four.lowHalf.replacing(with: four.highHalf, where: four.highHalf .> four.lowHalf)
  return two.x > two.y ? two.x : two.y
}

/// What computes exponentials, logarithms and sines in double, with its version: `glibc 2.36`.
package var mathematicalLibrary: String? {
  #if canImport(Glibc)
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { text in
      confstr(Int32(_CS_GNU_LIBC_VERSION), text.baseAddress, text.count) > 0
        ? text.baseAddress.map { String(cString: $0) } : nil
    }
  #else
    nil
  #endif
}

/// What the kernels use and a processor does not have, by the names of `/proc/cpuinfo`; none where that says
/// nothing. On such a processor the first kernel would end the process.
///
/// - Parameter cpuinfo: the beginning of that file.
package func missingInstructions(_ cpuinfo: String) -> [String] {
  #if LOCUS_LANES_16
    let needed = ["avx512f", "avx512bw", "avx512dq", "avx512vl", "fma", "bmi2"]
  #elseif LOCUS_LANES_8
    let needed = ["avx2", "fma", "bmi2"]
  #else
    let needed: [String] = []
  #endif
  // By bytes: every run asks.
  let lines = cpuinfo.utf8.split(separator: UInt8(ascii: "\n"))
  guard let line = lines.first(where: { $0.starts(with: "flags".utf8) }) else { return [] }
  let flags = line.split {
    [UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: ":")].contains($0)
  }
  return needed.filter { name in !flags.contains { $0.elementsEqual(name.utf8) } }
}
