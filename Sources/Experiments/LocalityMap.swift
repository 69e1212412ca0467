import Formats
import Foundation
import Probing

/// Heat maps of mean squared sensitivity around an output pixel: a row a K, a column a σ.
enum LocalityMap {
  private static let scale = 3
  /// Squared sensitivity is shown over six decades.
  private static let decades = 6.0

  static func draw(_ profiles: [LocalityProfile], size: Int) throws(FormatError) -> PNGImage {
    let side = 2 * size - 1
    let counts = Set(profiles.map(\.k)).sorted()
    let sigmas = Set(profiles.map(\.sigma)).sorted()
    let pitch = side * scale + 6
    let width = sigmas.count * pitch + 6
    let height = counts.count * pitch + 6
    var pixels = [UInt8](repeating: 120, count: width * height * 3)
    for profile in profiles {
      guard let row = counts.firstIndex(of: profile.k),
        let column = sigmas.firstIndex(of: profile.sigma)
      else { continue }
      let largest = profile.map.max() ?? 0
      for y in 0..<side * scale {
        for x in 0..<side * scale {
          let value = profile.map[y / scale * side + x / scale]
          let level = value > 0 ? max(0, 1 + log10(value / largest) / decades) : 0
          let place = ((6 + row * pitch + y) * width + 6 + column * pitch + x) * 3
          let color = Self.color(level)
          for c in 0..<3 { pixels[place + c] = color[c] }
        }
      }
    }
    return try PNGImage(width: width, height: height, pixels: pixels)
  }

  /// Dark blue over teal to yellow, rising in lightness (after viridis).
  private static func color(_ level: Double) -> [UInt8] {
    let stops: [[Double]] = [
      [20, 10, 40], [59, 60, 130], [33, 145, 140], [94, 201, 98], [253, 231, 37],
    ]
    let place = min(max(level, 0), 1) * Double(stops.count - 1)
    let index = min(Int(place), stops.count - 2)
    let part = place - Double(index)
    return (0..<3).map {
      UInt8(stops[index][$0] + part * (stops[index + 1][$0] - stops[index][$0]))
    }
  }
}
