import Diffusion
import Formats
import Foundation
import Statistics
import Streams

/// Where and how finely a denoiser is probed.
package struct ProbeSettings: Sendable, Hashable {
  package var sigmas: [Double]
  /// Output pixels probed in each picture: half of them within 3 px of a label.
  package var pixelsPerPicture: Int

  package init(sigmas: [Double], pixelsPerPicture: Int) {
    self.sigmas = sigmas
    self.pixelsPerPicture = pixelsPerPicture
  }
}

/// Clean pictures with their conditioners, all with the same number of labels.
package struct ProbePictures: Sendable {
  /// (N, S, S, 3).
  package var pictures: [Float]
  /// (N, G, G): labels have places.
  package var labels: [Float]
  package var k: Int

  package init(pictures: [Float], labels: [Float], k: Int) {
    self.pictures = pictures
    self.labels = labels
    self.k = k
  }
}

/// How far the output's dependences reach, at one σ and one K.
package struct LocalityProfile: Sendable {
  package var sigma: Double
  package var k: Int
  /// Sides of centred square windows in pixels: 1, 3, 5, …
  package var windows: [Int]
  /// Share of squared sensitivity to pixels inside each window.
  package var pixel: [Interval]
  /// Share of squared knock-out effects of labels inside each window; `nil` when no label had any.
  package var conditioner: [Interval]?
  /// Share of the squared Jacobian by the labels of all cells; `nil` where it is 0.
  package var label: [Interval]?
  /// What the windows would hold if sensitivity were spread evenly over the picture, for scale.
  package var isotropic: [Double]
  /// Side of the smallest window that holds 50, 75 and 95 %.
  package var pixelSides: [Int]
  package var conditionerSides: [Int]?
  /// (2S − 1)²: mean squared sensitivity around the output pixel, which is in the middle.
  package var map: [Double]

  package static let sideShares = [0.50, 0.75, 0.95]
}

package enum ProbeError: CategorizedError, Hashable, CustomStringConvertible {
  case pictures(found: Int, expected: Int)
  case insensitive(sigma: Double)
  case setting(name: String, found: String, accepted: String)

  package var category: ErrorCategory {
    switch self {
    case .insensitive, .setting: .data
    case .pictures: .bug
    }
  }

  package var description: String {
    switch self {
    case .pictures(let found, let expected):
      "\(found) values of pictures or labels, expected \(expected)"
    case .setting(let name, let found, let accepted):
      "\(name) is \(found), accepted: \(accepted)"
    case .insensitive(let sigma):
      "at sigma \(sigma) no output depends on any pixel: the denoiser is constant there"
    }
  }
}

/// Probes a denoiser on real noised inputs, σ by σ.
///
/// Pixels: the Jacobian ∂D_i/∂x_j of an output pixel's three channels, exact, by three vector–Jacobian
/// products. Conditioner: each label is knocked out in turn and the change of the output pixel squared.
/// The output's own path c_skip · x is part of D and is counted.
///
/// - Parameter checkpointing: keeps what was measured, picture by picture.
/// - Throws: `NoPlaces` for a denoiser whose labels have none to measure distances from.
package func probeLocality(
  _ denoiser: any Denoiser, _ data: ProbePictures, _ settings: ProbeSettings, seed: UInt64,
  threads: Int, checkpointing: Checkpointing = .none
) throws -> [LocalityProfile] {
  let shape = denoiser.shape
  let grid = try shape.places()
  let count = data.pictures.count / shape.pictureCount
  guard count > 0, data.pictures.count == count * shape.pictureCount else {
    throw ProbeError.pictures(found: data.pictures.count, expected: shape.pictureCount)
  }
  if settings.pixelsPerPicture < 1 {
    throw ProbeError.setting(
      name: "pixels", found: "\(settings.pixelsPerPicture)", accepted: "1 or more")
  }
  for sigma in settings.sigmas where !(sigma > 0 && sigma.isFinite) {
    throw ProbeError.setting(name: "sigmas", found: "\(sigma)", accepted: "finite, above 0")
  }
  guard data.labels.count == count * shape.conditionerCount else {
    throw ProbeError.pictures(
      found: data.labels.count, expected: count * shape.conditionerCount)
  }
  let pixels = (0..<count).map { n in probedPixels(data, n, grid, settings, seed: seed) }
  let radial = RadialSums(grid: grid)
  return try settings.sigmas.enumerated().map { index, sigma in
    let noised = noisedBatch(data, sigma: sigma, shape: shape, seed: seed)
    let own = checkpointing.scoped("sigma-\(index)")
    var measured = LocalityMeasurement.restored(own, pictures: count, size: shape.size)
    try own.run(
      while: { measured.done < count }, state: { ["measured": measured.data] },
      unit: {
        let n = measured.done
        let one = noised.pictures([n], shape)
        let knockOuts = try conditionerSensitivity(
          denoiser, one, pixels[n], radial, threads: threads)
        try measured.addPixels(denoiser, one, pixels[n], radial, threads: threads)
        measured.knockOuts.append(knockOuts)
      })
    return try profile(
      sigma, data.k, pixels, radial, measured.rings, measured.meanMap,
      measured.knockOuts, measured.labelRings, seed: seed)
  }
}

/// Half of the pixels within 3 px of a label's middle, as far as there are labels; the rest anywhere.
///
/// Places outside the picture are drawn again: clamping them would pile them up at the border.
private func probedPixels(
  _ data: ProbePictures, _ n: Int, _ grid: CellGrid, _ settings: ProbeSettings, seed: UInt64
) -> [Int] {
  var stream = RandomStream(seed: seed, purpose: .probePixels, index: UInt64(n))
  let size = grid.size
  let cells = (0..<grid.count).filter { data.labels[n * grid.count + $0] != 0 }
  return (0..<settings.pixelsPerPicture).map { i in
    if i % 2 == 1 || cells.isEmpty { return stream.integer(below: size * size) }
    let center = grid.centerPixel(cells[stream.integer(below: cells.count)])
    while true {
      let row = center.row + stream.integer(below: 7) - 3
      let column = center.column + stream.integer(below: 7) - 3
      if (0..<size).contains(row), (0..<size).contains(column) { return row * size + column }
    }
  }
}

private func noisedBatch(
  _ data: ProbePictures, sigma: Double, shape: PictureShape, seed: UInt64
) -> NoisedBatch {
  let count = data.pictures.count / shape.pictureCount
  var x = data.pictures
  for n in 0..<count {
    var stream = RandomStream(seed: seed, purpose: .probeNoise, index: UInt64(n))
    for i in n * shape.pictureCount..<(n + 1) * shape.pictureCount {
      x[i] += Float(sigma) * stream.gaussian()
    }
  }
  return NoisedBatch(
    x: x, sigma: [Float](repeating: Float(sigma), count: count), labels: data.labels,
    draws: (0..<count).map { UInt64($0) })
}

/// Squared sensitivities by Chebyshev distance: ring h holds what a window of side 2h + 1 adds.
struct RadialSums {
  let grid: CellGrid
  var size: Int { grid.size }

  func ring(_ a: Int, _ b: Int) -> Int {
    max(abs(a / size - b / size), abs(a % size - b % size))
  }

  /// The ring of a label: its window is the smallest that holds the middle of the label's cell.
  func ring(_ pixel: Int, cell: Int) -> Int {
    // In half pixels, so that middles between pixels are exact.
    let middle = grid.centerInHalfPixels(cell)
    let distance = max(
      abs(2 * (pixel / size) + 1 - middle.row), abs(2 * (pixel % size) + 1 - middle.column))
    // A window of side 2h + 1 reaches h + ½ pixels from the pixel's middle.
    return distance / 2
  }

  /// The share of the picture in each ring around a pixel.
  func area(around pixel: Int) -> [Double] {
    var rings = [Double](repeating: 0, count: size)
    for other in 0..<size * size { rings[ring(pixel, other)] += 1 }
    return rings.map { $0 / Double(size * size) }
  }
}
