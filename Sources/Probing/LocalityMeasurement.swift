import Diffusion
import Foundation
import Streams

/// Sums of squared sensitivities at one σ, over the pictures that are done, in their order.
struct LocalityMeasurement {
  private let size: Int
  /// For each picture the sums over its probed pixels, a ring each.
  private(set) var rings: [[Double]] = []
  /// The same of the Jacobian by the labels of all cells.
  private(set) var labelRings: [[Double]] = []
  /// Sums around the probed pixel, (2S − 1)², and how many pixels had such a neighbour.
  private var map: [Double]
  private var seen: [Double]
  /// For each picture the squared changes at its probed pixels when one label goes, a ring each.
  var knockOuts: [[Double]] = []

  init(size: Int) {
    self.size = size
    let side = 2 * size - 1
    map = [Double](repeating: 0, count: side * side)
    seen = map
  }

  /// Pictures that are done.
  var done: Int { knockOuts.count }

  /// A mean over the probed pixels that have such a neighbour: far ones have few.
  var meanMap: [Double] { zip(map, seen).map { $1 > 0 ? $0 / $1 : $0 } }

  /// Adds one picture, by vector–Jacobian products for each channel of its probed pixels.
  mutating func addPixels(
    _ denoiser: any Denoiser, _ noised: NoisedBatch, _ probed: [Int], _ radial: RadialSums,
    threads: Int
  ) throws {
    let shape = denoiser.shape
    let side = 2 * size - 1
    var batch = NoisedBatch(x: [], sigma: [], labels: [])
    var cotangent = [Float](repeating: 0, count: probed.count * 3 * shape.pictureCount)
    for (p, pixel) in probed.enumerated() {
      for channel in 0..<3 {
        batch.append(noised)
        cotangent[(p * 3 + channel) * shape.pictureCount + pixel * 3 + channel] = 1
      }
    }
    let gradients = try denoiser.vectorJacobian(batch, cotangent: cotangent, threads: threads)
    let gradient = gradients.x
    var labels = [Double](repeating: 0, count: size)
    for (p, pixel) in probed.enumerated() {
      for cell in 0..<shape.conditionerCount {
        for channel in 0..<3 {
          let value = Double(gradients.labels[(p * 3 + channel) * shape.conditionerCount + cell])
          labels[radial.ring(pixel, cell: cell)] += value * value
        }
      }
    }
    labelRings.append(labels)
    var sums = [Double](repeating: 0, count: size)
    for (p, pixel) in probed.enumerated() {
      for other in 0..<size * size {
        var square = 0.0
        for channel in 0..<3 {
          let start = (p * 3 + channel) * shape.pictureCount + other * 3
          for i in start..<start + 3 { square += Double(gradient[i]) * Double(gradient[i]) }
        }
        sums[radial.ring(pixel, other)] += square
        let row = other / size - pixel / size + size - 1
        let column = other % size - pixel % size + size - 1
        map[row * side + column] += square
        seen[row * side + column] += 1
      }
    }
    rings.append(sums)
  }

  // MARK: - On disk

  /// `map`, `seen`, then `rings`, `labelRings` and `knockOuts` of each picture: doubles as they are in memory.
  var data: Data {
    let pictures = rings.indices.flatMap { rings[$0] + labelRings[$0] + knockOuts[$0] }
    return (map + seen + pictures).withUnsafeBytes { Data($0) }
  }

  /// What an earlier process measured; what does not fit is measured anew.
  static func restored(_ checkpointing: Checkpointing, pictures: Int, size: Int) -> Self {
    var result = LocalityMeasurement(size: size)
    guard let data = checkpointing.saved["measured"] else { return result }
    let width = MemoryLayout<Double>.stride
    let area = result.map.count
    let rest = data.count / width - 2 * area
    guard data.count % width == 0, rest >= 0, rest % (3 * size) == 0, rest / (3 * size) <= pictures
    else {
      checkpointing.discard("its measurements are of other pictures")
      return result
    }
    let values = [Double](unsafeUninitializedCapacity: data.count / width) { buffer, count in
      _ = data.copyBytes(to: UnsafeMutableRawBufferPointer(buffer))
      count = data.count / width
    }
    result.map = Array(values[..<area])
    result.seen = Array(values[area..<2 * area])
    for start in stride(from: 2 * area, to: values.count, by: 3 * size) {
      result.rings.append(Array(values[start..<start + size]))
      result.labelRings.append(Array(values[start + size..<start + 2 * size]))
      result.knockOuts.append(Array(values[start + 2 * size..<start + 3 * size]))
    }
    return result
  }
}

/// The squared changes at a picture's probed pixels when one label goes, a ring each.
func conditionerSensitivity(
  _ denoiser: any Denoiser, _ noised: NoisedBatch, _ pixels: [Int], _ radial: RadialSums,
  threads: Int
) throws -> [Double] {
  let shape = denoiser.shape
  var rings = [Double](repeating: 0, count: radial.size)
  let cells = noised.labels.indices.filter { noised.labels[$0] != 0 }
  if cells.isEmpty { return rings }
  // The whole conditioner first, then it without each label: K + 1 passes in one batch.
  var batch = noised
  for (i, cell) in cells.enumerated() {
    batch.append(noised)
    batch.labels[(i + 1) * shape.conditionerCount + cell] = 0
  }
  let denoised = try denoiser.denoise(batch, threads: threads)
  for (i, cell) in cells.enumerated() {
    for pixel in pixels {
      var square = 0.0
      for channel in 0..<3 {
        let a = denoised[pixel * 3 + channel]
        let b = denoised[(i + 1) * shape.pictureCount + pixel * 3 + channel]
        square += Double(a - b) * Double(a - b)
      }
      rings[radial.ring(pixel, cell: cell)] += square
    }
  }
  return rings
}
