import Formats
import Foundation
import Streams
import Tensors
import Testing

@testable import Diffusion

@Suite("Training")
struct TrainingTests {
  static let shape = PictureShape(size: 16, cells: 8)

  /// Grey pictures with a bright square where the label is.
  static func data() throws -> TrainingSet {
    var pixels = [UInt8](repeating: 100, count: 32 * shape.pictureCount)
    var conditioners = [UInt8](repeating: 0, count: 32 * shape.conditionerCount)
    for n in 0..<32 {
      let cell = (n * 7) % 64
      conditioners[n * 64 + cell] = 1
      for r in 0..<2 {
        for c in 0..<2 {
          let pixel = (cell / 8 * 2 + r) * 16 + cell % 8 * 2 + c
          pixels[n * shape.pictureCount + pixel * 3] = 250
        }
      }
    }
    return try TrainingSet(shape: shape, pixels: pixels, conditioners: conditioners)
  }

  static let architectures: [NetworkDescription.Architecture] = [
    .unet(width: 8, conditioning: .grid, normalization: .group, attention: true),
    .unet(width: 8, conditioning: .vector, normalization: .pixel, attention: false),
    .unet(width: 8, conditioning: .channels, normalization: .group, attention: true, middle: 2),
    .local(width: 8, dilations: [1, 2]),
    patchwise,
  ]

  static let patchwise = NetworkDescription.Architecture.patchwise(
    width: 8, reach: 1, normalization: .pixel, attention: true)

  static func trainer(
    _ architecture: NetworkDescription.Architecture, pictures: Int = 96, balance: Double = 2
  ) throws -> Trainer {
    let settings = TrainingSettings(
      pictures: pictures, batch: 12, learningRate: 3e-3, warmUp: 24, decayAfter: 1000, coolDown: 0,
      sigmaMean: 0, sigmaDeviation: 1.2, labelling: .all, labelDropout: 0.1, balance: balance)
    return try Trainer(
      NetworkDescription(architecture, shape: shape), settings, data: try data(), seed: 3)
  }

  @Test("the same bytes for any number of threads", arguments: architectures)
  func determinism(architecture: NetworkDescription.Architecture) throws {
    func train(_ threads: Int) throws -> NetworkDenoiser {
      let trainer = try Self.trainer(architecture)
      while !trainer.isFinished { _ = try trainer.step(threads: threads) }
      return try trainer.denoiser()
    }
    let one = try train(1)
    var stream = RandomStream(seed: 1, purpose: .test, index: 0)
    let batch = NoisedBatch(
      x: (0..<3 * Self.shape.pictureCount).map { _ in stream.gaussian() }, sigma: [0.1, 1, 10],
      labels: (0..<192).map { $0 % 50 == 3 ? 1 : 0 })
    let cotangent = batch.x.map { _ in stream.gaussian() }
    let drawn = try one.denoise(batch, threads: 1)
    let gradient = try one.vectorJacobian(batch, cotangent: cotangent, threads: 1)
    for threads in [2, 3, 7] {
      let other = try train(threads)
      #expect(one.weights.tensors() == other.weights.tensors())
      #expect(try other.denoise(batch, threads: threads) == drawn)
      let again = try other.vectorJacobian(batch, cotangent: cotangent, threads: threads)
      #expect(again.x == gradient.x && again.labels == gradient.labels)
    }
    // A picture's result does not depend on the rest of its batch.
    let count = Self.shape.pictureCount
    let alone = NoisedBatch(
      x: Array(batch.x[count..<2 * count]), sigma: [1], labels: Array(batch.labels[64..<128]))
    #expect(try one.denoise(alone, threads: 1) == Array(drawn[count..<2 * count]))
  }

  @Test("the loss falls on a small set", arguments: architectures)
  func lossFalls(architecture: NetworkDescription.Architecture) throws {
    let trainer = try Self.trainer(architecture, pictures: 12 * 150, balance: 0)
    var losses: [Double] = []
    while !trainer.isFinished { losses.append(try trainer.step(threads: 2)) }
    let first = losses.prefix(10).reduce(0, +)
    let last = losses.suffix(10).reduce(0, +)
    #expect(last < 0.5 * first)
  }

  @Test("the learning rate rises, holds and falls as documented")
  func learningRate() throws {
    let settings = try Self.trainer(Self.architectures[0]).settings
    #expect(abs(settings.learningRate(after: 12) - 1.5e-3) < 1e-12)
    #expect(abs(settings.learningRate(after: 500) - 3e-3) < 1e-12)
    #expect(abs(settings.learningRate(after: 4000) - 1.5e-3) < 1e-12)
    // To the last step, which has pictures to go by no longer.
    #expect(settings.learningRate(after: settings.pictures) > 0)
    var cooled = settings
    (cooled.pictures, cooled.coolDown) = (4800, 800)
    #expect(cooled.learningRate(after: 4000) == settings.learningRate(after: 4000))
    #expect(
      abs(cooled.learningRate(after: 4400) - settings.learningRate(after: 4400) / 2) < 1e-12)
    #expect(cooled.learningRate(after: 4800) == 0)
    #expect(cooled.learningRate(after: 4812) == 0)
    #expect(settings.averageDecay(after: 1_000_000) < 1)
    // A half-life of 5 % of what was seen: after that many pictures half is left.
    let steps = 0.05 * 1_000_000 / 12
    #expect(abs(pow(settings.averageDecay(after: 1_000_000), steps) - 0.5) < 1e-6)
  }

  @Test(
    "labelling `single` names each object equally often, `all` every one, `none` none, `subset` half of them"
  )
  func labelling() {
    let counts: [UInt8] = [0, 2, 0, 1]
    var target = [Float](repeating: 9, count: 4)
    var stream = RandomStream(seed: 1, purpose: .test, index: 0)
    Labelling.all.draw(from: counts, into: &target, count: 4, stream: &stream)
    #expect(target == [0, 2, 0, 1])
    Labelling.none.draw(from: counts, into: &target, count: 4, stream: &stream)
    #expect(target == [0, 0, 0, 0])
    var hits = [0, 0, 0, 0]
    for _ in 0..<3000 {
      Labelling.single.draw(from: counts, into: &target, count: 4, stream: &stream)
      #expect(target.reduce(0, +) == 1)
      for i in 0..<4 where target[i] == 1 { hits[i] += 1 }
    }
    #expect(hits[0] == 0 && hits[2] == 0)
    // Two of three objects lie in cell 1; five standard deviations of a binomial.
    #expect(abs(Double(hits[1]) - 2000) < 5 * (3000 * 2.0 / 9).squareRoot())
    Labelling.single.draw(from: [0, 0, 0, 0], into: &target, count: 4, stream: &stream)
    #expect(target == [0, 0, 0, 0])
    // Of two in cell 1: none, one and both as 1 : 2 : 1; of one in cell 3 half, whatever the others are.
    var told: [[Float]: Int] = [:]
    for _ in 0..<3200 {
      Labelling.subset.draw(from: counts, into: &target, count: 4, stream: &stream)
      #expect(target[0] == 0 && target[2] == 0)
      told[[target[1], target[3]], default: 0] += 1
    }
    for (first, share) in [(Float(0), 0.25), (1, 0.5), (2, 0.25)] {
      for second in [Float(0), 1] {
        let expected = 3200 * share / 2
        #expect(abs(Double(told[[first, second]] ?? 0) - expected) < 5 * expected.squareRoot())
      }
    }
  }

  @Test("weights survive their file, and a file that does not fit is refused by name")
  func weightsFile() throws {
    for architecture in Self.architectures {
      let denoiser = try Self.trainer(architecture).denoiser()
      let file = WeightsFile(
        denoiser: denoiser, origin: TrainingOrigin(labelling: .single, objects: 1...3))
      let back = try WeightsFile(data: file.data())
      #expect(back.denoiser.weights.tensors() == denoiser.weights.tensors())
      #expect(back.denoiser.network.description == denoiser.network.description)
      #expect(back.origin == file.origin)
    }
    let denoiser = try Self.trainer(Self.architectures[0]).denoiser()
    let origin = TrainingOrigin(labelling: .all, objects: 1...1)
    let good = try Safetensors(data: WeightsFile(denoiser: denoiser, origin: origin).data())
    func refusal(_ change: (inout Safetensors) -> Void) -> String {
      var file = good
      change(&file)
      do {
        _ = try WeightsFile(data: file.data())
        return "accepted"
      } catch {
        return error.description
      }
    }
    #expect(refusal { $0.metadata["network"] = "gan" }.contains("unet, local"))
    #expect(refusal { $0.metadata["width"] = "1e9" }.contains("width"))
    #expect(refusal { $0.metadata["middle"] = "17" }.contains("middle"))
    #expect(refusal { $0.metadata["middle"] = "1" }.contains("middle.0"))
    #expect(refusal { $0.metadata["cells"] = "3" }.contains("divisor"))
    #expect(refusal { $0.tensors["stem.bias"] = nil }.contains("stem.bias"))
    let bent = refusal { $0.tensors["stem.bias"]?.shape = [2, 4] }
    #expect(bent.contains("[2, 4]"))
    #expect(refusal { $0.metadata["normalization"] = "batch" }.contains("group, pixel"))
  }

  @Test("sets that do not make whole pictures are refused")
  func trainingSet() {
    #expect(throws: TrainingError.self) {
      try TrainingSet(shape: Self.shape, pixels: [1, 2, 3], conditioners: [])
    }
    #expect(throws: TrainingError.self) {
      try TrainingSet(shape: Self.shape, pixels: [], conditioners: [])
    }
  }
}
