/// Floats on a cache-line boundary, zero at first, freed with the last reference.
///
/// Shared by threads that write disjoint parts; whoever hands out the parts keeps them apart.
package final class AlignedBuffer: @unchecked Sendable {
  package let pointer: UnsafeMutablePointer<Float>
  package let count: Int

  package init(count: Int) {
    self.count = count
    let raw = UnsafeMutableRawPointer.allocate(
      byteCount: max(count, 1) * MemoryLayout<Float>.stride, alignment: 64)
    pointer = raw.bindMemory(to: Float.self, capacity: max(count, 1))
    pointer.initialize(repeating: 0, count: count)
  }

  deinit { UnsafeMutableRawPointer(pointer).deallocate() }

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
