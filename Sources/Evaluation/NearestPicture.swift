import Streams
import Synchronization

/// The picture among others that is most alike.
package struct NearestPicture: Sendable, Hashable {
  /// Among the others.
  package var index: Int
  /// Root mean square of the differences of all values, which lie in [−1, 1].
  package var distance: Double

  /// Of each of N pictures the nearest among M, both of bytes (·, `count`). O(N M count), an other at a time
  /// for several pictures, and no farther than it can still be the nearest.
  ///
  /// - Parameter others: one at least.
  package static func among(_ others: [UInt8], of pictures: [UInt8], count: Int, threads: Int)
    -> [NearestPicture]
  {
    let number = pictures.count / max(count, 1)
    let tiles = (number + tile - 1) / tile
    let results = Mutex([[NearestPicture]](repeating: [], count: tiles))
    pictures.withUnsafeBufferPointer { pictures in
      others.withUnsafeBufferPointer { others in
        nonisolated(unsafe) let (pictures, others) = (pictures, others)
        parallel(tiles, threads: threads) { item, _ in
          let found = search(
            item * tile..<min((item + 1) * tile, number), pictures, others, count)
          results.withLock { $0[item] = found }
        }
      }
    }
    return results.withLock { $0.flatMap { $0 } }
  }

  /// Pictures that stay in the second cache while the others pass.
  private static let tile = 16
  /// Values between two looks at whether it is still the nearest.
  private static let portion = 512

  private static func search(
    _ range: Range<Int>, _ pictures: UnsafeBufferPointer<UInt8>,
    _ others: UnsafeBufferPointer<UInt8>, _ count: Int
  ) -> [NearestPicture] {
    guard let own = pictures.baseAddress, let all = others.baseAddress else { return [] }
    var best = [Int](repeating: .max, count: range.count)
    var nearest = [Int](repeating: 0, count: range.count)
    for other in 0..<others.count / count {
      for (slot, picture) in range.enumerated() {
        var sum = 0
        var start = 0
        while start < count, sum < best[slot] {
          let end = min(start + portion, count)
          sum += squares(
            own + picture * count + start, all + other * count + start, end - start)
          start = end
        }
        if start == count, sum < best[slot] { (best[slot], nearest[slot]) = (sum, other) }
      }
    }
    return zip(best, nearest).map { sum, index in
      NearestPicture(
        index: index, distance: (Double(sum) / Double(count)).squareRoot() / 127.5)
    }
  }

  @inline(__always)
  private static func squares(
    _ a: UnsafePointer<UInt8>, _ b: UnsafePointer<UInt8>, _ count: Int
  ) -> Int {
    // 512 squares of bytes fit.
    var sum: Int32 = 0
    for i in 0..<count {
      let apart = Int32(Int16(a[i]) - Int16(b[i]))
      sum &+= apart &* apart
    }
    return Int(sum)
  }
}
