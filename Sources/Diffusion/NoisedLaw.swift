import Streams

/// Pictures of the training law with noise, and with conditioners as a labelling draws them. Pictures, what is
/// told of them and the noise before it is scaled are the same at every σ.
package struct NoisedLaw: Sendable {
  /// (N, S, S, 3).
  private let clean: [Float]
  private let noise: [Float]
  /// (N, C).
  private let labels: [Float]
  package let count: Int

  package init(_ set: TrainingSet, _ labelling: Labelling, count: Int, seed: UInt64) {
    let (pixels, conditioner) = (set.shape.pictureCount, set.shape.conditionerCount)
    var (clean, noise): ([Float], [Float]) = ([], [])
    var labels = [Float](repeating: 0, count: count * conditioner)
    for n in 0..<count {
      var stream = RandomStream(seed: seed, purpose: .normMoments, index: UInt64(n))
      let picture = stream.integer(below: set.count)
      set.conditioners.withUnsafeBufferPointer { counts in
        labels.withUnsafeMutableBufferPointer { labels in
          guard let counts = counts.baseAddress, let labels = labels.baseAddress else { return }
          labelling.draw(
            from: counts + picture * conditioner, into: labels + n * conditioner,
            count: conditioner, stream: &stream)
        }
      }
      clean += set.pixels[picture * pixels..<(picture + 1) * pixels].map(TrainingSet.value)
      for _ in 0..<pixels { noise.append(stream.gaussian()) }
    }
    (self.clean, self.noise, self.labels, self.count) = (clean, noise, labels, count)
  }

  package func batch(sigma: Float) -> NoisedBatch {
    NoisedBatch(
      x: zip(clean, noise).map { $0 + sigma * $1 },
      sigma: [Float](repeating: sigma, count: count), labels: labels)
  }
}
