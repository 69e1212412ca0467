import Diffusion

/// One denoiser at some noise levels, another at all others.
struct RangedDenoiser: Denoiser {
  let inside: any Denoiser
  let outside: any Denoiser
  let applies: @Sendable (_ sigma: Float) -> Bool

  var shape: PictureShape { outside.shape }
  var schedule: NoiseSchedule { outside.schedule }
  /// That of the wider of the two.
  var labelWindowArea: Double { max(inside.labelWindowArea, outside.labelWindowArea) }

  func denoise(_ batch: NoisedBatch, threads: Int) throws -> [Float] {
    try batch.validate(shape)
    var result = [Float](repeating: 0, count: batch.x.count)
    for (denoiser, chosen) in parts(batch) {
      let part = try denoiser.denoise(batch.pictures(chosen, shape), threads: threads)
      try check(part, chosen.count * shape.pictureCount)
      place(part, chosen, each: shape.pictureCount, into: &result)
    }
    return result
  }

  func vectorJacobian(_ batch: NoisedBatch, cotangent: [Float], threads: Int) throws
    -> (x: [Float], labels: [Float])
  {
    try batch.validate(shape, cotangent: cotangent)
    let (pixels, conditioner) = (shape.pictureCount, shape.conditionerCount)
    var dx = [Float](repeating: 0, count: batch.x.count)
    var dlabels = [Float](repeating: 0, count: batch.labels.count)
    for (denoiser, chosen) in parts(batch) {
      let part = try denoiser.vectorJacobian(
        batch.pictures(chosen, shape),
        cotangent: chosen.flatMap { cotangent[$0 * pixels..<($0 + 1) * pixels] }, threads: threads)
      try check(part.x, chosen.count * pixels)
      try check(part.labels, chosen.count * conditioner)
      place(part.x, chosen, each: pixels, into: &dx)
      place(part.labels, chosen, each: conditioner, into: &dlabels)
    }
    return (dx, dlabels)
  }

  /// Which pictures each of the two is asked for; one that has none is not asked.
  private func parts(_ batch: NoisedBatch) -> [(any Denoiser, [Int])] {
    let chosen = batch.sigma.indices.filter { applies(batch.sigma[$0]) }
    let others = batch.sigma.indices.filter { !applies(batch.sigma[$0]) }
    return [(inside, chosen), (outside, others)].filter { !$0.1.isEmpty }
  }

  private func check(_ values: [Float], _ expected: Int) throws(MaskError) {
    if values.count != expected { throw .baseResult(found: values.count, expected: expected) }
  }

  private func place(_ part: [Float], _ chosen: [Int], each count: Int, into whole: inout [Float]) {
    for (position, n) in chosen.enumerated() {
      whole.replaceSubrange(
        n * count..<(n + 1) * count, with: part[position * count..<(position + 1) * count])
    }
  }
}
