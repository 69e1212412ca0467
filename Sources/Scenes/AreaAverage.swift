/// Makes a part of a picture a square one: each new pixel is the mean of the area that it covers, of the bytes as
/// they are, in whole numbers (ties go up).
///
/// - Parameters:
///   - pixels: (height, width, 3) bytes.
///   - target: (size, size, 3) bytes.
package func areaAverage(
  _ pixels: UnsafeBufferPointer<UInt8>, width: Int, part: CLEVRView.Part, size: Int,
  into target: UnsafeMutableBufferPointer<UInt8>
) {
  let columns = AreaWeights.all(from: part.width, to: size)
  let rows = AreaWeights.all(from: part.height, to: size)
  let area = part.width * part.height
  var line = [Int](repeating: 0, count: size * 3)
  for (y, row) in rows.enumerated() {
    for i in line.indices { line[i] = 0 }
    for (step, share) in row.shares.enumerated() {
      let start = ((part.y + row.first + step) * width + part.x) * 3
      for (x, column) in columns.enumerated() {
        for (pace, weight) in column.shares.enumerated() {
          let place = start + (column.first + pace) * 3
          for c in 0..<3 { line[3 * x + c] += share * weight * Int(pixels[place + c]) }
        }
      }
    }
    for i in line.indices {
      target[y * size * 3 + i] = UInt8((2 * line[i] + area) / (2 * area))
    }
  }
}

/// How much of each old pixel a new one covers, in units of 1 / (number of new pixels).
private struct AreaWeights {
  var first: Int
  var shares: [Int]

  /// The shares of each add up to `old`.
  static func all(from old: Int, to new: Int) -> [AreaWeights] {
    (0..<new).map { index in
      let (low, high) = (index * old, (index + 1) * old)
      let first = low / new
      let last = (high - 1) / new
      return AreaWeights(
        first: first,
        shares: (first...last).map { min(high, ($0 + 1) * new) - max(low, $0 * new) })
    }
  }
}
