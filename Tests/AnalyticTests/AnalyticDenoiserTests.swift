import Diffusion
import Foundation
import Streams
import Tensors
import Testing

@testable import Analytic

@Suite("Analytic denoisers")
struct AnalyticDenoiserTests {
  static let shape = PictureShape(size: 8, cells: 4)
  static let grid = CellGrid(size: 8, cells: 4)

  /// Pictures with blobs at their objects' cells, so that labels and pixels agree.
  static func training(_ count: Int, objects: ClosedRange<Int> = 1...3, seed: UInt64 = 1) throws
    -> TrainingSet
  {
    var pixels: [UInt8] = []
    var conditioners: [UInt8] = []
    for n in 0..<count {
      var stream = RandomStream(seed: seed, purpose: .test, index: UInt64(n))
      var picture = (0..<shape.pictureCount).map { _ in UInt8(80 + stream.integer(below: 40)) }
      var conditioner = [UInt8](repeating: 0, count: shape.conditionerCount)
      let total = objects.lowerBound + stream.integer(below: objects.count)
      for _ in 0..<total {
        let cell = stream.integer(below: conditioner.count)
        conditioner[cell] += 1
        for row in 0..<2 {
          for column in 0..<2 {
            let pixel =
              (grid.row(cell) * 2 + row) * shape.size + grid.column(cell) * 2 + column
            for c in 0..<3 { picture[pixel * 3 + c] = UInt8(stream.integer(below: 256)) }
          }
        }
      }
      pixels += picture
      conditioners += conditioner
    }
    return try TrainingSet(shape: shape, pixels: pixels, conditioners: conditioners)
  }

  static func settings(
    radius: Int, labelRadius: Int? = nil, places: MachineSettings.Places = .same,
    labelling: Labelling = .single, dropout: Double = 0.1
  ) -> MachineSettings {
    MachineSettings(
      schedule: WindowSchedule(radius: radius), labelRadius: labelRadius ?? radius, places: places,
      labelling: labelling, labelDropout: dropout)
  }

  /// Noised training pictures with the labels of some cells.
  static func batch(_ set: TrainingSet, sigma: Float, cells: [[Int]], seed: UInt64 = 7)
    -> NoisedBatch
  {
    var batch = NoisedBatch(x: [], sigma: [], labels: [])
    for (n, wanted) in cells.enumerated() {
      var stream = RandomStream(seed: seed, purpose: .test2, index: UInt64(n))
      for i in 0..<shape.pictureCount {
        batch.x.append(
          TrainingSet.value(set.pixels[n * shape.pictureCount + i]) + sigma * stream.gaussian())
      }
      var labels = [Float](repeating: 0, count: shape.conditionerCount)
      for cell in wanted { labels[cell] += 1 }
      batch.labels += labels
      batch.sigma.append(sigma)
      batch.draws.append(0)
    }
    return batch
  }

  static func largestDifference(
    _ set: TrainingSet, _ settings: MachineSettings, _ batch: NoisedBatch
  ) throws -> Double {
    let found = try AnalyticDenoiser(set, settings).denoise(batch, threads: 2)
    let formula = DirectFormula(set: set, settings: settings)
    var largest = 0.0
    for n in 0..<batch.count {
      let expected = formula.denoise(
        batch.x[n * shape.pictureCount..<(n + 1) * shape.pictureCount].map(Double.init),
        sigma: Double(batch.sigma[n]),
        labels: Array(
          batch.labels[n * shape.conditionerCount..<(n + 1) * shape.conditionerCount]))
      for i in expected.indices {
        largest = max(largest, abs(expected[i] - Double(found[n * shape.pictureCount + i])))
      }
    }
    return largest
  }

  @Test(
    "window = picture is the optimal denoiser of three training pictures, as its formula says",
    arguments: [0.05, 0.5, 2, 80] as [Float])
  func optimal(sigma: Float) throws {
    let set = try Self.training(3)
    let settings = Self.settings(radius: 7, labelling: .none, dropout: 0)
    let batch = Self.batch(set, sigma: sigma, cells: [[], [], []])
    #expect(try Self.largestDifference(set, settings, batch) < 1e-5)
    // Worked out here as well: softmax(−‖x − φ_n‖² / 2σ²) over three numbers.
    let x = batch.x.prefix(Self.shape.pictureCount).map(Double.init)
    let pictures = (0..<3).map { n in
      (0..<x.count).map { Double(set.pixels[n * x.count + $0]) / 127.5 - 1 }
    }
    let exponents = pictures.map { picture in
      -zip(x, picture).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        / (2 * Double(sigma) * Double(sigma))
    }
    let largest = exponents.max() ?? 0
    let weights = exponents.map { exp($0 - largest) }
    let total = weights.reduce(0, +)
    let found = try AnalyticDenoiser(set, settings).denoise(batch, threads: 1)
    for i in x.indices {
      let mean = (0..<3).reduce(0) { $0 + weights[$1] * pictures[$1][i] } / total
      #expect(abs(mean - Double(found[i])) < 1e-5)
    }
  }

  @Test("any window, labelling and dropout: the formula term by term")
  func formula() throws {
    let set = try Self.training(21)
    // None, one, two near each other, four: more than training shows; twice the same cell.
    let cells = [[], [5], [5, 6], [0, 3, 9, 15], [10, 10]]
    for labelling in Labelling.allCases {
      for dropout in [0, 0.1] {
        for (radius, labelRadius) in [(0, 0), (1, 3), (2, 1), (3, 3), (7, 7)] {
          let settings = Self.settings(
            radius: radius, labelRadius: labelRadius, labelling: labelling, dropout: dropout)
          for sigma in [0.1, 1] as [Float] {
            let difference = try Self.largestDifference(
              set, settings, Self.batch(set, sigma: sigma, cells: cells))
            #expect(difference < 3e-5, "\(labelling) \(dropout) \(radius) \(labelRadius) \(sigma)")
          }
        }
      }
    }
  }

  @Test("patches of all places: the formula over every place of the same border class")
  func equivariantFormula() throws {
    let set = try Self.training(5)
    let cells = [[], [5], [5, 6]]
    for labelling in Labelling.allCases {
      for (radius, labelRadius) in [(1, 1), (2, 1), (1, 2), (7, 7)] {
        let settings = Self.settings(
          radius: radius, labelRadius: labelRadius, places: .all, labelling: labelling)
        let difference = try Self.largestDifference(
          set, settings, Self.batch(set, sigma: 0.7, cells: cells))
        #expect(difference < 3e-5, "\(labelling) \(radius) \(labelRadius)")
      }
    }
  }

  @Test("without dropout, labels that every training picture has in its window still agree")
  func noBlank() throws {
    let set = try Self.training(4, objects: 2...2)
    for labelling in [Labelling.all, .single] {
      let settings = Self.settings(radius: 7, labelling: labelling, dropout: 0)
      let batch = Self.batch(set, sigma: 1, cells: [[], [15]])
      #expect(try Self.largestDifference(set, settings, batch) < 1e-5)
    }
  }

  @Test(
    "the vector–Jacobian product agrees with finite differences of the formula",
    arguments: MachineSettings.Places.allCases, [Labelling.all, .single])
  func derivative(places: MachineSettings.Places, labelling: Labelling) throws {
    let set = try Self.training(9)
    for radius in [0, 1, 2, 7] {
      let settings = Self.settings(
        radius: radius, labelRadius: 1, places: places, labelling: labelling)
      let batch = Self.batch(set, sigma: 1.5, cells: [[5, 6]])
      var stream = RandomStream(seed: 3, purpose: .test3, index: UInt64(radius))
      let cotangent = (0..<Self.shape.pictureCount).map { _ in stream.gaussian() }
      let found = try AnalyticDenoiser(set, settings).vectorJacobian(
        batch, cotangent: cotangent, threads: 1)
      #expect(found.labels.allSatisfy { $0 == 0 })
      let formula = DirectFormula(set: set, settings: settings)
      func projection(_ x: [Double]) -> Double {
        zip(formula.denoise(x, sigma: 1.5, labels: batch.labels), cotangent).reduce(0) {
          $0 + $1.0 * Double($1.1)
        }
      }
      let x = batch.x.map(Double.init)
      let step = 1e-4
      let scale = found.x.map { abs(Double($0)) }.max() ?? 0
      #expect(scale > 1e-3)
      for i in stride(from: 0, to: x.count, by: 17) {
        var (up, down) = (x, x)
        up[i] += step
        down[i] -= step
        let expected = (projection(up) - projection(down)) / (2 * step)
        #expect(
          abs(expected - Double(found.x[i])) < 1e-6 * max(scale, 1),
          "radius \(radius), value \(i): \(expected), \(found.x[i])")
      }
    }
  }

  @Test("a pixel's gradient stays within its window and is what a whole cotangent gives there")
  func sparseCotangent() throws {
    let set = try Self.training(20)
    let denoiser = try AnalyticDenoiser(set, Self.settings(radius: 2))
    let batch = Self.batch(set, sigma: 0.8, cells: [[6]])
    var cotangent = [Float](repeating: 0, count: Self.shape.pictureCount)
    let pixel = 3 * Self.shape.size + 1
    cotangent[pixel * 3 + 1] = 1
    let alone = try denoiser.vectorJacobian(batch, cotangent: cotangent, threads: 1).x
    for other in 0..<64 {
      let isInside = abs(other / 8 - 3) <= 2 && abs(other % 8 - 1) <= 2
      let values = alone[other * 3..<other * 3 + 3]
      #expect(isInside || values.allSatisfy { $0 == 0 })
    }
    // A second pixel far away makes the region the whole picture, and adds its own part.
    var both = cotangent
    both[(7 * 8 + 7) * 3] = 1
    var far = [Float](repeating: 0, count: both.count)
    far[(7 * 8 + 7) * 3] = 1
    let sum = try denoiser.vectorJacobian(batch, cotangent: both, threads: 1).x
    let second = try denoiser.vectorJacobian(batch, cotangent: far, threads: 1).x
    for i in sum.indices { #expect(abs(sum[i] - alone[i] - second[i]) < 1e-6) }
    let nothing = try denoiser.vectorJacobian(
      batch, cotangent: [Float](repeating: 0, count: both.count), threads: 1)
    #expect(nothing.x.allSatisfy { $0 == 0 })
  }

  @Test("the same bytes for any number of threads and any company in the batch")
  func determinism() throws {
    let set = try Self.training(40)
    let denoiser = try AnalyticDenoiser(set, Self.settings(radius: 2))
    let batch = Self.batch(set, sigma: 0.4, cells: [[1], [2, 3], []])
    let one = try denoiser.denoise(batch, threads: 1)
    #expect(try denoiser.denoise(batch, threads: 3) == one)
    let count = Self.shape.pictureCount
    let last = NoisedBatch(
      x: Array(batch.x.suffix(count)), sigma: [0.4],
      labels: Array(batch.labels.suffix(Self.shape.conditionerCount)))
    #expect(try denoiser.denoise(last, threads: 1) == Array(one.suffix(count)))
  }

  @Test("labels that are no counts are refused by place and value")
  func badLabels() throws {
    let set = try Self.training(3)
    let denoiser = try AnalyticDenoiser(set, Self.settings(radius: 1))
    for value in [0.5, -1, .nan] as [Float] {
      var batch = Self.batch(set, sigma: 1, cells: [[]])
      batch.labels[4] = value
      #expect(throws: AnalyticError.self) { try denoiser.denoise(batch, threads: 1) }
    }
    #expect(throws: AnalyticError.setting(name: "label_radius", found: "-1", accepted: "0 or more"))
    { try AnalyticDenoiser(set, Self.settings(radius: 1, labelRadius: -1)) }
    #expect(throws: AnalyticError.self) {
      try AnalyticDenoiser(set, Self.settings(radius: 1, dropout: 1.5))
    }
  }

  @Test("windows of labels need places: words are refused", arguments: Labelling.allCases)
  func words(labelling: Labelling) throws {
    let space = ConditionerSpace.set(words: ["red", "blue"])
    let shape = PictureShape(size: 8, space: space)
    let set = try TrainingSet(
      shape: shape, pixels: [UInt8](repeating: 9, count: shape.pictureCount), conditioners: [1, 0])
    #expect(throws: AnalyticError.places(NoPlaces(space))) {
      try AnalyticDenoiser(set, Self.settings(radius: 2, labelling: labelling))
    }
  }
}
