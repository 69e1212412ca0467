import Diffusion
import Foundation

@testable import Analytic

/// The machine's formula term by term in Double, straight from its definition: nothing shared with the
/// kernels, no box sums, no shifts, no stamps.
struct DirectFormula {
  var set: TrainingSet
  var settings: MachineSettings

  private var size: Int { self.set.shape.size }
  private var grid: Int { self.set.shape.space.cells! }
  private var side: Int { size / grid }

  /// D(x, σ, c); x is (S, S, 3).
  func denoise(_ x: [Double], sigma: Double, labels: [Float]) -> [Double] {
    var result = [Double](repeating: 0, count: x.count)
    let radius = settings.schedule.radius(at: Float(sigma))
    for pixel in 0..<size * size {
      let terms = weights(x, sigma: sigma, labels: labels, pixel: pixel, radius: radius)
      let total = terms.reduce(0) { $0 + $1.weight }
      for c in 0..<3 {
        result[pixel * 3 + c] =
          terms.reduce(0) { $0 + $1.weight * value($1.n, $1.place, c) } / total
      }
    }
    return result
  }

  private func value(_ n: Int, _ pixel: Int, _ c: Int) -> Double {
    Double(set.pixels[n * set.shape.pictureCount + pixel * 3 + c]) / 127.5 - 1
  }

  /// Offsets (row, column) of a window that lie in the picture.
  private func window(_ pixel: Int, _ radius: Int) -> [SIMD2<Int>] {
    let (row, column) = (pixel / size, pixel % size)
    var offsets: [SIMD2<Int>] = []
    for dy in -radius...radius {
      for dx in -radius...radius
      where (0..<size).contains(row + dy) && (0..<size).contains(column + dx) {
        offsets.append(SIMD2(dy, dx))
      }
    }
    return offsets
  }

  /// The cells under a window, from the cell of its middle.
  private func cells(_ pixel: Int) -> Set<SIMD2<Int>> {
    return Set(
      window(pixel, settings.labelRadius).map { offset in
        SIMD2(
          (pixel / size + offset.x) / side - pixel / size / side,
          (pixel % size + offset.y) / side - pixel % size / side)
      })
  }

  private func entry(_ conditioner: [Float], _ pixel: Int, _ cell: SIMD2<Int>) -> Float {
    return conditioner[(pixel / size / side + cell.x) * grid + pixel % size / side + cell.y]
  }

  /// Every training conditioner of picture n with its probability.
  private func draws(_ n: Int) -> [(probability: Double, conditioner: [Float])] {
    let counts = set.conditioners[n * grid * grid..<(n + 1) * grid * grid].map { Float($0) }
    let total = counts.reduce(0, +)
    let blank = [Float](repeating: 0, count: grid * grid)
    let q = settings.labelDropout
    var draws: [(Double, [Float])] = [(q, blank)]
    switch settings.labelling {
    case .all: draws.append((1 - q, counts))
    case .none: draws.append((1 - q, blank))
    case .subset:
      // Every way in which a coin for each object may fall.
      let objects = counts.indices.flatMap { Array(repeating: $0, count: Int(counts[$0])) }
      for told in 0..<1 << objects.count {
        var some = blank
        for (i, cell) in objects.enumerated() where told >> i & 1 == 1 { some[cell] += 1 }
        draws.append(((1 - q) / Double(1 << objects.count), some))
      }
    case .single:
      if total == 0 { draws.append((1 - q, blank)) }
      for cell in counts.indices where counts[cell] > 0 {
        var one = blank
        one[cell] = 1
        draws.append(((1 - q) * Double(counts[cell] / total), one))
      }
    }
    return draws.filter { $0.0 > 0 }
  }

  private func weights(
    _ x: [Double], sigma: Double, labels: [Float], pixel: Int, radius: Int
  ) -> [(n: Int, place: Int, weight: Double)] {
    let own = window(pixel, radius)
    let ownCells = cells(pixel)
    let places: [Int]
    switch settings.places {
    case .same: places = [pixel]
    case .all:
      let widest = max(radius, settings.labelRadius)
      places = (0..<size * size).filter { place in
        (place / size - pixel / size) % side == 0
          && (place % size - pixel % size) % side == 0
          && window(place, widest) == window(pixel, widest)
      }
    }
    var terms: [(n: Int, place: Int, distance: Float, probability: Double, exponent: Double)] = []
    for n in 0..<set.count {
      for place in places {
        var square = 0.0
        for offset in own {
          let here = ((pixel / size + offset.x) * size + pixel % size + offset.y) * 3
          let there = (place / size + offset.x) * size + place % size + offset.y
          for c in 0..<3 { square += pow(x[here + c] - value(n, there, c), 2) }
        }
        for draw in draws(n) {
          let distance = ownCells.reduce(Float(0)) {
            $0 + abs(entry(draw.conditioner, place, $1) - entry(labels, pixel, $1))
          }
          terms.append((n, place, distance, draw.probability, -square / (2 * sigma * sigma)))
        }
      }
    }
    let nearest = terms.map(\.distance).min() ?? 0
    let agreeing = terms.filter { $0.distance == nearest }
    let largest = agreeing.map(\.exponent).max() ?? 0
    return agreeing.map { ($0.n, $0.place, $0.probability * exp($0.exponent - largest)) }
  }
}
