import Diffusion
import Evaluation
import Features

/// The judge's features of what a denoiser makes of inputs that stay the same whatever is told: D(x, σ, c) clipped to
/// pictures, then the mean and the standard deviation over places of the channels from which the judge tells centres.
struct JudgedFeatures: FeatureSource {
  let denoiser: any Denoiser
  let judge: Judge
  /// Their labels are not used.
  let inputs: NoisedBatch
  let threads: Int
  let checkCancellation: () throws -> Void

  /// Pictures that are denoised at a time: bounds the memory, not the result.
  private static let portion = 64

  var words: Int { denoiser.shape.conditionerCount }
  var dimension: Int { judge.featureCount }
  var draws: Int { inputs.count }

  func features(told: [WordSet]) throws -> FeatureRows {
    var values: [Double] = []
    values.reserveCapacity(draws * dimension)
    for start in stride(from: 0, to: draws, by: Self.portion) {
      try checkCancellation()
      let chosen = start..<min(start + Self.portion, draws)
      let batch = inputs.pictures(chosen, telling: told, of: denoiser.shape)
      let denoised = try denoiser.denoise(batch, threads: threads)
      values += judge.features(denoised.map { min(max($0, -1), 1) }, threads: threads)
    }
    return FeatureRows(dimension: dimension, values: values)
  }
}

extension NoisedBatch {
  /// Some of the pictures, told the words that stand for each in `told`.
  func pictures(_ chosen: Range<Int>, telling told: [WordSet], of shape: PictureShape)
    -> NoisedBatch
  {
    var batch = pictures(chosen, shape)
    batch.labels = chosen.flatMap { n in
      (0..<shape.conditionerCount).map { told[n].contains($0) ? 1 : 0 }
    }
    return batch
  }
}
