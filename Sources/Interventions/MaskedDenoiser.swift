import Diffusion
import Tensors

extension RandomPurpose {
  static let fill = RandomPurpose(0x5001)
}

/// Another denoiser behind a mask, without any training: passes with parts of the input hidden,
/// stitched pixel by pixel.
public struct MaskedDenoiser: Denoiser {
  public let base: any Denoiser
  public let specification: MaskSpecification
  /// (M, S, S, 3): training pictures to resample from, or the one mean picture.
  private let fill: [Float]

  /// Passes that go to the base at a time: bounds the memory, not the result.
  private static let chunk = 256

  /// - Parameter fill: (M, S, S, 3) in [−1, 1]; needed where pixels are masked.
  public init(base: any Denoiser, specification: MaskSpecification, fill: [Float])
    throws(MaskError)
  {
    if specification.masksPixels {
      if specification.block < 1 || base.shape.size % specification.block != 0 {
        throw .block(block: specification.block, size: base.shape.size)
      }
      if fill.isEmpty || fill.count % base.shape.pictureCount != 0 {
        throw .fill(found: fill.count, expected: base.shape.pictureCount)
      }
    }
    self.base = base
    self.specification = specification
    self.fill = fill
  }

  public var shape: PictureShape { base.shape }

  public var labelWindowArea: Double {
    let whole = Double(shape.size * shape.size)
    switch specification.target {
    case nil, .pixel: return base.labelWindowArea
    case .conditioner:
      return min(base.labelWindowArea, .pi * specification.radius * specification.radius, whole)
    case .both:
      // A block with a rounded border of `radius`.
      let r = specification.radius
      let b = Double(specification.block)
      return min(base.labelWindowArea, b * b + 4 * b * r + .pi * r * r, whole)
    }
  }

  public func denoise(_ batch: NoisedBatch, threads: Int) throws -> [Float] {
    try batch.validate(shape)
    let count = shape.pictureCount
    var result = [Float](repeating: 0, count: batch.x.count)
    try forEachChunk(batch) { pictures, plans, passes in
      let denoised = try base.denoise(passes, threads: threads)
      for entry in pictures {
        let choice = plans[entry.picture].choice
        for pixel in choice.indices where choice[pixel] == entry.pass {
          for i in pixel * 3..<pixel * 3 + 3 {
            result[entry.picture * count + i] = denoised[entry.position * count + i]
          }
        }
      }
    }
    return result
  }

  public func vectorJacobian(_ batch: NoisedBatch, cotangent: [Float], threads: Int) throws
    -> (x: [Float], labels: [Float])
  {
    try batch.validate(shape, cotangent: cotangent)
    let count = shape.pictureCount
    let cells = shape.conditionerCount
    var dx = [Float](repeating: 0, count: batch.x.count)
    var dlabels = [Float](repeating: 0, count: batch.labels.count)
    try forEachChunk(batch) { pictures, plans, passes in
      var cotangents = [Float](repeating: 0, count: passes.x.count)
      for entry in pictures {
        let choice = plans[entry.picture].choice
        for pixel in choice.indices where choice[pixel] == entry.pass {
          for i in pixel * 3..<pixel * 3 + 3 {
            cotangents[entry.position * count + i] = cotangent[entry.picture * count + i]
          }
        }
      }
      let gradient = try base.vectorJacobian(passes, cotangent: cotangents, threads: threads)
      for entry in pictures {
        let pass = plans[entry.picture].passes[entry.pass]
        // What was filled in does not depend on the input.
        forEachVisible(pass.window) { pixel in
          for i in pixel * 3..<pixel * 3 + 3 {
            dx[entry.picture * count + i] += gradient.x[entry.position * count + i]
          }
        }
        for cell in pass.labels ?? Array(0..<cells) {
          dlabels[entry.picture * cells + cell] += gradient.labels[entry.position * cells + cell]
        }
      }
    }
    return (dx, dlabels)
  }

  private struct Entry {
    var picture: Int
    /// In the picture's plan.
    var pass: Int
    /// In the chunk.
    var position: Int
  }

  private func forEachChunk(
    _ batch: NoisedBatch, _ body: ([Entry], [PassPlan], NoisedBatch) throws -> Void
  ) throws {
    let cells = shape.conditionerCount
    let plans = (0..<batch.count).map { n in
      specification.plan(labels: batch.labels[n * cells..<(n + 1) * cells], shape: shape)
    }
    let all = plans.enumerated().flatMap { n, plan in plan.passes.indices.map { (n, $0) } }
    for start in stride(from: 0, to: all.count, by: Self.chunk) {
      var entries: [Entry] = []
      var passes = NoisedBatch(x: [], sigma: [], labels: [])
      for (picture, pass) in all[start..<min(start + Self.chunk, all.count)] {
        append(plans[picture].passes[pass], of: picture, batch, to: &passes)
        entries.append(Entry(picture: picture, pass: pass, position: entries.count))
      }
      try body(entries, plans, passes)
    }
  }

  private func append(
    _ pass: MaskPass, of picture: Int, _ batch: NoisedBatch, to passes: inout NoisedBatch
  ) {
    let count = shape.pictureCount
    let cells = shape.conditionerCount
    let sigma = batch.sigma[picture]
    let x = batch.x[picture * count..<(picture + 1) * count]
    passes.sigma.append(sigma)
    if let window = pass.window {
      let start = passes.x.count
      passes.x += filling(window, sigma: sigma)
      forEachVisible(window) { pixel in
        for i in pixel * 3..<pixel * 3 + 3 { passes.x[start + i] = x[x.startIndex + i] }
      }
    } else {
      passes.x += x
    }
    if let shown = pass.labels {
      let start = passes.labels.count
      passes.labels += [Float](repeating: 0, count: cells)
      for cell in shown { passes.labels[start + cell] = batch.labels[picture * cells + cell] }
    } else {
      passes.labels += batch.labels[picture * cells..<(picture + 1) * cells]
    }
  }

  private func forEachVisible(_ window: Int?, _ body: (Int) -> Void) {
    let all = 0..<shape.size
    let seen =
      window.map { specification.window($0, size: shape.size) } ?? (rows: all, columns: all)
    for row in seen.rows {
      for column in seen.columns { body(row * shape.size + column) }
    }
  }

  /// A picture to stand around a window. Along a sampling trajectory the noise stays the same, so that
  /// it remains one noised picture.
  private func filling(_ window: Int, sigma: Float) -> [Float] {
    let count = shape.pictureCount
    switch specification.fill {
    case .mean: return Array(fill[0..<count])
    case .resampled:
      var stream = RandomStream(
        seed: specification.seed, purpose: .fill, index: UInt64(window))
      let chosen = stream.integer(below: fill.count / count)
      return (chosen * count..<(chosen + 1) * count).map { fill[$0] + sigma * stream.gaussian() }
    }
  }
}

/// How much a mask changed.
public struct MaskEffect: Sendable, Hashable {
  /// Share of output values that differ.
  public var changedShare: Double
  public var largestChange: Float
}

/// Compares a masked denoiser with its base on a batch.
///
/// - Throws: `MaskError` when a mask changed nothing, or the identity anything.
public func checkMask(_ masked: MaskedDenoiser, on batch: NoisedBatch, threads: Int) throws
  -> MaskEffect
{
  let before = try masked.base.denoise(batch, threads: threads)
  let after = try masked.denoise(batch, threads: threads)
  var changed = 0
  var largest: Float = 0
  for i in before.indices where before[i].bitPattern != after[i].bitPattern {
    changed += 1
    largest = max(largest, abs(before[i] - after[i]))
  }
  let name = masked.specification.mask
  if name == .identity, changed > 0 { throw MaskError.identityChanged(largest: largest) }
  if name != .identity, changed == 0 { throw MaskError.changedNothing(name) }
  return MaskEffect(
    changedShare: Double(changed) / Double(max(before.count, 1)), largestChange: largest)
}
