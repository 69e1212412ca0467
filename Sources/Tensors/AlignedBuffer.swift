import Foundation

/// Floats on a cache-line boundary, zero at first, freed with the last reference.
///
/// Shared by threads that write disjoint parts; whoever hands out the parts keeps them apart.
package final class AlignedBuffer: @unchecked Sendable {
  package let pointer: UnsafeMutablePointer<Float>
  package let count: Int

  package init(count: Int) {
    self.count = count
    var allocated: UnsafeMutableRawPointer?
    let code = posix_memalign(&allocated, 64, max(count, 1) * MemoryLayout<Float>.stride)
    guard code == 0, let raw = allocated else {
      // For whoever tells a lack of memory from a fault.
      errno = code
      abort()
    }
    pointer = raw.bindMemory(to: Float.self, capacity: max(count, 1))
    pointer.initialize(repeating: 0, count: count)
  }

  deinit { free(pointer) }

  package func copy(from other: AlignedBuffer) {
    pointer.update(from: other.pointer, count: min(count, other.count))
  }

  package func clear() { pointer.update(repeating: 0, count: count) }

  package var array: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }
}

/// A picture of H × W pixels in memory, channels last, perhaps inside a border of zeros.
struct Field {
  /// The first channel of the first pixel inside the border.
  var base: UnsafeMutablePointer<Float>
  var height: Int
  var width: Int
  var channels: Int
  /// Floats from a pixel to the next: the channels in whole vectors.
  var pixelStride: Int
  /// Floats from a row to the next, border included.
  var rowStride: Int

  @inline(__always)
  func row(_ r: Int) -> UnsafeMutablePointer<Float> { base + r * rowStride }
}
