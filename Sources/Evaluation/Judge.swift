import Diffusion
import Foundation
import Streams
import Tensors

/// An object that a detector sees.
package struct Find: Sendable, Hashable {
  package var place: Place
  /// The judge's probability of a centre; 1 for a detector that knows none.
  package var score: Double

  package init(place: Place, score: Double) {
    self.place = place
    self.score = score
  }
}

/// A trained detector of objects: a heat map of centres, its peaks above a calibrated threshold.
package struct Judge: Sendable {
  let network: JudgeNetwork
  let weights: Weights
  /// Least probability of a peak.
  package var threshold: Float

  /// The centres found in each of N pictures (N, S, S, 3) with values in [−1, 1].
  package func detect(_ pictures: [Float], threads: Int) -> [[Find]] {
    peaks(heatMaps(pictures, threads: threads), threshold: threshold)
  }

  /// Probabilities of a centre, one map a picture.
  func heatMaps(_ pictures: [Float], threads: Int) -> [[Float]] {
    let count = network.size * network.size * 3
    let number = pictures.count / count
    let area = network.mapSize * network.mapSize
    let workspaces = (0..<max(threads, 1)).map { _ in network.graph.makeWorkspace(gradients: false)
    }
    let maps = AlignedBuffer(count: number * area)
    pictures.withUnsafeBufferPointer { buffer in
      nonisolated(unsafe) let buffer = buffer
      parallel(number, threads: threads) { item, worker in
        guard let base = buffer.baseAddress else { return }
        let workspace = workspaces[worker]
        workspace.write(base + item * count, to: network.image)
        workspace.forward(weights)
        workspace.read(network.graph.output, into: maps.pointer + item * area)
      }
    }
    return (0..<number).map { item in
      (0..<area).map { 1 / (1 + exp(-maps.pointer[item * area + $0])) }
    }
  }

  /// Local maxima over 3×3 cells, placed at the centre of mass of their surroundings.
  func peaks(_ maps: [[Float]], threshold: Float) -> [[Find]] {
    let side = network.mapSize
    let scale = Double(network.stride)
    return maps.map { map in
      var finds: [Find] = []
      for row in 0..<side {
        for column in 0..<side {
          let value = map[row * side + column]
          if value < threshold { continue }
          var isPeak = true
          var mass = 0.0
          var x = 0.0
          var y = 0.0
          for r in max(0, row - 1)...min(side - 1, row + 1) {
            for c in max(0, column - 1)...min(side - 1, column + 1) {
              let other = map[r * side + c]
              // Of equal neighbours the first one counts.
              if other > value || other == value && (r, c) < (row, column) { isPeak = false }
              mass += Double(other)
              x += Double(other) * (Double(c) + 0.5)
              y += Double(other) * (Double(r) + 0.5)
            }
          }
          if isPeak {
            finds.append(
              Find(place: Place(x: x / mass * scale, y: y / mass * scale), score: Double(value)))
          }
        }
      }
      return finds
    }
  }
}

/// The cross-check: what differs from the empty ground, in connected pieces.
///
/// Plain on purpose: it shares nothing with the judge but the renders that its two constants come from.
package struct BackgroundDetector: Sendable {
  package var size: Int
  /// The empty ground, (S, S, 3) in [−1, 1]: the median of renders.
  package var ground: [Float]
  /// Least difference of a channel.
  package var threshold: Float

  /// Pieces smaller than this are noise, in pixels at 32 px.
  static let leastArea = 3.0

  package func detect(_ pictures: [Float]) -> [[Find]] {
    let count = size * size * 3
    return (0..<pictures.count / count).map { item in
      var differs = [Bool](repeating: false, count: size * size)
      for pixel in 0..<size * size {
        for c in 0..<3
        where abs(pictures[item * count + pixel * 3 + c] - ground[pixel * 3 + c]) > threshold {
          differs[pixel] = true
        }
      }
      return pieces(differs)
    }
  }

  private func pieces(_ mask: [Bool]) -> [Find] {
    var open = mask
    var finds: [Find] = []
    let least = Self.leastArea * Double(size * size) / 1024
    for start in open.indices where open[start] {
      var stack = [start]
      open[start] = false
      var area = 0.0
      var x = 0.0
      var y = 0.0
      while let pixel = stack.popLast() {
        let (row, column) = pixel.quotientAndRemainder(dividingBy: size)
        area += 1
        x += Double(column) + 0.5
        y += Double(row) + 0.5
        for (r, c) in [(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)]
        where (0..<size).contains(r) && (0..<size).contains(c) && open[r * size + c] {
          open[r * size + c] = false
          stack.append(r * size + c)
        }
      }
      if area >= least { finds.append(Find(place: Place(x: x / area, y: y / area), score: 1)) }
    }
    return finds
  }
}
