/// Classifier-free guidance: D(∅) + g · (D(c) − D(∅)), all or part of the way from ∅ (g < 1), or beyond what
/// the conditioner alone says (g > 1) (Ho & Salimans 2022).
package struct Guidance: Sendable, Hashable, Codable {
  /// g; 1 is the denoiser itself.
  package var scale: Double
  /// It holds for `low` ≤ σ ≤ `high` (Kynkäänniemi et al. 2024); elsewhere the denoiser's own result stands.
  /// `nil`: no bound.
  package var low: Double?
  package var high: Double?

  /// - Returns: `nil` for what changes nothing.
  package init?(scale: Double, low: Double? = nil, high: Double? = nil) {
    if scale == 1 { return nil }
    self.scale = scale
    self.low = low
    self.high = high
  }

  /// Noise levels from 0 to this one are all that there are: no bound.
  package static let wholeRange = [0.0, 1000.0]

  /// - Parameter sigmas: the lowest and the highest noise level; an end of `wholeRange` is no bound.
  package init?(scale: Double, sigmas: [Double]) {
    self.init(
      scale: scale, low: sigmas.first.flatMap { $0 > Self.wholeRange[0] ? $0 : nil },
      high: sigmas.last.flatMap { $0 < Self.wholeRange[1] ? $0 : nil })
  }

  package func applies(at sigma: Float) -> Bool {
    Double(sigma) >= low ?? 0 && Double(sigma) <= high ?? .infinity
  }
}

extension Denoiser {
  /// The denoiser under guidance; itself without.
  package func guided(by guidance: Guidance?) -> any Denoiser {
    guard let guidance else { return self }
    return GuidedDenoiser(base: self, guidance: guidance)
  }
}

/// A denoiser under guidance: a second pass for each picture that is told anything, where it holds.
struct GuidedDenoiser: Denoiser {
  let base: any Denoiser
  let guidance: Guidance

  var shape: PictureShape { base.shape }
  var labelWindowArea: Double { base.labelWindowArea }
  var schedule: NoiseSchedule { base.schedule }

  func denoise(_ batch: NoisedBatch, threads: Int) throws -> [Float] {
    try batch.validate(shape)
    let guided = guided(batch)
    var result = try base.denoise(with(blanked: guided, batch), threads: threads)
    combine(guided, of: batch.count, in: &result)
    return result
  }

  func vectorJacobian(_ batch: NoisedBatch, cotangent: [Float], threads: Int) throws -> (
    x: [Float], labels: [Float]
  ) {
    try batch.validate(shape, cotangent: cotangent)
    let guided = guided(batch)
    let count = shape.pictureCount
    let conditioners = shape.conditionerCount
    var cotangents = cotangent
    for n in guided { cotangents += cotangent[n * count..<(n + 1) * count] }
    var result = try base.vectorJacobian(
      with(blanked: guided, batch), cotangent: cotangents, threads: threads)
    combine(guided, of: batch.count, in: &result.x)
    let scale = Float(guidance.scale)
    for n in guided {
      for i in n * conditioners..<(n + 1) * conditioners { result.labels[i] *= scale }
    }
    result.labels.removeLast(guided.count * conditioners)
    return result
  }

  /// empty + g · (told − empty) for the pictures that have an empty one behind the batch, which goes.
  private func combine(_ guided: [Int], of pictures: Int, in values: inout [Float]) {
    let count = shape.pictureCount
    let scale = Float(guidance.scale)
    for (place, n) in guided.enumerated() {
      let blank = (pictures + place) * count
      for i in 0..<count {
        let empty = values[blank + i]
        values[n * count + i] = empty + scale * (values[n * count + i] - empty)
      }
    }
    values.removeLast(guided.count * count)
  }

  /// The pictures for which D(c) and D(∅) may differ and guidance holds.
  private func guided(_ batch: NoisedBatch) -> [Int] {
    let conditioners = shape.conditionerCount
    return (0..<batch.count).filter { n in
      guidance.applies(at: batch.sigma[n])
        && batch.labels[n * conditioners..<(n + 1) * conditioners].contains { $0 != 0 }
    }
  }

  /// The batch, and behind it some of its pictures again with ∅.
  private func with(blanked chosen: [Int], _ batch: NoisedBatch) -> NoisedBatch {
    var result = batch
    var blank = batch.pictures(chosen, shape)
    for i in blank.labels.indices { blank.labels[i] = 0 }
    result.append(blank)
    return result
  }
}
