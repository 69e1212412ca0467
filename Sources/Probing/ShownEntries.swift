import Diffusion
import Streams

/// Which entries of a conditioner pictures show most, by the errors of the model that is told of them (Li et al. 2023,
/// "Your diffusion model is secretly a zero-shot classifier"): telling of one that is there leaves a smaller squared
/// error of denoising the picture than telling of one that is not. Beside nothing an entry alone says with many models
/// that nothing else is there: entries are held against each other, never against ∅.
///
/// The score of entry k in a picture x₀ is the mean over noise levels and noises of
/// (‖D(x₀ + σε, σ, ∅) − x₀‖² − ‖D(x₀ + σε, σ, {k}) − x₀‖²) / ‖D(x₀ + σε, σ, ∅) − x₀‖²; those with the largest are shown. The
/// noises are the same for all entries of a picture, and for what several models draw.
package struct ShownEntries {
  private let model: any FieldDenoiser
  private let clean: [Float]
  private let sigmas: [Double]
  private let noises: Int
  private let seed: UInt64

  /// - Parameter clean: pictures x₀, (N, C, H, W).
  package init(
    model: any FieldDenoiser, clean: [Float], sigmas: [Double], noises: Int, seed: UInt64
  ) {
    self.model = model
    self.clean = clean
    self.sigmas = sigmas
    self.noises = noises
    self.seed = seed
  }

  /// Of each picture, whether each entry is among the so many that it shows most.
  ///
  /// - Parameter checkpointing: keeps the scores of pictures that are done.
  package func measure(most: Int, _ checkpointing: Checkpointing = .none) throws -> [[Bool]] {
    let shape = model.fieldShape
    var rows = PictureRows(width: shape.entries, checkpointing)
    try rows.fill(clean.count / shape.count, checkpointing) { n in
      var scores = [Double](repeating: 0, count: shape.entries)
      for sigma in sigmas {
        for (entry, gain) in try gains(n, sigma).enumerated() { scores[entry] += gain }
      }
      return scores
    }
    return rows.all.map { scores in
      let first = scores.indices.sorted { (scores[$0], $1) > (scores[$1], $0) }.prefix(most)
      return scores.indices.map { first.contains($0) }
    }
  }

  /// Of each entry, summed over noises.
  private func gains(_ n: Int, _ sigma: Double) throws -> [Double] {
    let shape = model.fieldShape
    let x = Array(clean[n * shape.count..<(n + 1) * shape.count])
    var batch = FieldBatch()
    for noise in 0..<noises {
      var stream = RandomStream(
        seed: seed, purpose: .shownNoise, index: UInt64(n) << 16 | UInt64(noise))
      let noised = x.map { $0 + Float(sigma) * stream.gaussian() }
      for told in -1..<shape.entries {
        var labels = [Float](repeating: 0, count: shape.entries)
        if told >= 0 { labels[told] = 1 }
        batch.append(noised, Float(sigma), labels)
      }
    }
    let values = try model.denoise(batch)
    func error(_ item: Int) -> Double {
      (0..<shape.count).reduce(0) { sum, i in
        let off = Double(values[item * shape.count + i]) - Double(x[i])
        return sum + off * off
      }
    }
    var gains = [Double](repeating: 0, count: shape.entries)
    for noise in 0..<noises {
      let first = noise * (1 + shape.entries)
      let blank = error(first)
      for entry in gains.indices where blank > 0 {
        gains[entry] += (blank - error(first + 1 + entry)) / blank
      }
    }
    return gains
  }
}
