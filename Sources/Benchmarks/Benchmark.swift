import Diffusion
import Streams
import Tensors

/// Speeds of one network on this machine, beside the machine's own matrix product in the same run.
package struct Benchmark: Sendable {
  /// Median, least and largest of repeated measurements.
  package struct Spread: Sendable {
    package var median: Double
    package var low: Double
    package var high: Double

    package init(_ values: [Double]) {
      let sorted = values.sorted()
      median = sorted.isEmpty ? 0 : sorted[sorted.count / 2]
      low = sorted.first ?? 0
      high = sorted.last ?? 0
    }
  }

  /// Weights of the network.
  package var parameters: Int
  /// Floating-point operations of denoising one picture.
  package var operations: Int
  /// The same of training on one: three times those of the views that a step takes.
  package var trainOperations: Int
  /// GFLOPS of 1024³ sgemm.
  package var matrix: Spread
  /// Pictures a second.
  package var train: Spread
  package var denoise: Spread

  /// Alternates matrix product, training step and denoising, `rounds` times after a warm-up.
  package static func measure(
    _ description: NetworkDescription, batch: Int, threads: Int, rounds: Int
  ) throws -> Benchmark {
    let peak = try MatrixPeak(threads: threads)
    let shape = description.shape
    var stream = RandomStream(seed: 1, purpose: .benchmark, index: 0)
    let pictures = 256
    let data = try TrainingSet(
      shape: shape,
      pixels: (0..<pictures * shape.pictureCount).map { _ in
        UInt8(truncatingIfNeeded: stream.nextUInt32())
      },
      conditioners: (0..<pictures * shape.conditionerCount).map { _ in
        stream.integer(below: 100) == 0 ? 1 : 0
      })
    let settings = TrainingSettings(
      pictures: .max / 2, batch: batch, learningRate: 1e-4, warmUp: 0, decayAfter: 1 << 40,
      coolDown: 0,
      sigmaMean: 0, sigmaDeviation: 1.5, labelling: .all, labelDropout: 0.1, balance: 0)
    let trainer = try Trainer(description, settings, data: data, seed: 1)
    let denoiser = try trainer.denoiser()
    let noised = NoisedBatch(
      x: (0..<batch * shape.pictureCount).map { _ in stream.gaussian() },
      sigma: [Float](repeating: 1, count: batch),
      labels: (0..<batch * shape.conditionerCount).map { _ in
        stream.integer(below: 100) == 0 ? 1 : 0
      })
    var matrix: [Double] = []
    var train: [Double] = []
    var denoise: [Double] = []
    let warmUp = 3
    for round in 0..<rounds + warmUp {
      let product = gigaflops { (0..<5).reduce(0) { sum, _ in sum + peak.run() } }
      let step = try seconds { _ = try trainer.step(threads: threads) }
      let pass = try seconds { _ = try denoiser.denoise(noised, threads: threads) }
      if round < warmUp { continue }
      matrix.append(product)
      train.append(Double(batch) / step)
      denoise.append(Double(batch) / pass)
    }
    let network = trainer.network
    return Benchmark(
      parameters: trainer.parameterCount,
      operations: network.viewCount * network.graph.operations,
      trainOperations: 3 * network.trainedViewCount * network.graph.operations,
      matrix: Spread(matrix), train: Spread(train), denoise: Spread(denoise))
  }

  /// GFLOPS of `body`, which returns its floating-point operations.
  package static func gigaflops(_ body: () -> Int) -> Double {
    var operations = 0
    let time = seconds { operations = body() }
    return Double(operations) / time / 1e9
  }

  private static func seconds(_ body: () throws -> Void) rethrows -> Double {
    let start = ContinuousClock.now
    try body()
    return (ContinuousClock.now - start) / .seconds(1)
  }
}
