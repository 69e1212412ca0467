import Diffusion
import Streams

/// Another denoiser behind a mask, without any training: passes with parts of the input hidden,
/// stitched pixel by pixel or added.
///
/// With passes p over inputs (x_p, c_p) and disjoint pixel sets M_p, D(x, σ, c) on M_p is the
/// base's D(x_p, σ, c_p), where `concept` asks the base for M_p; for `sum` and `reverse` it is Σ_p w_p D(x, σ, c_p); for `path` and `features` it is
/// that of the base with a path cut, or with a level's features put together. Costs as many passes as the
/// picture has distinct views.
package struct MaskedDenoiser: Denoiser {
  package let base: any Denoiser
  package let specification: MaskSpecification
  /// What does the passes.
  private let inner: any Denoiser
  private let fill: MaskFill?
  private let planner: PassPlanner
  private let regions: RegionFinder?
  private let order: ValueOrder
  private let shown: ShownPixels
  /// Outside the range of σ.
  private let wholePlan: PassPlan
  /// Where it does not depend on the labels.
  private let fixedPlan: PassPlan?

  /// Passes that go to the base at a time: bounds the memory, not the result.
  private static let chunk = 256

  /// - Parameter fill: (M, S, S, 3) in [−1, 1]: the pictures that stand where pixels are hidden, one of them
  ///   each time; needed where pixels are masked.
  /// - Parameter cut: the base with its path cut, or its features put together, for a mask that does.
  /// - Throws: `MaskError` for a mask that does not fit the pictures, or that goes by the places of
  ///   labels which have none.
  package init(
    base: any Denoiser, specification: MaskSpecification, fill: [Float],
    cut: (any Denoiser)? = nil
  ) throws(MaskError) {
    let shape = base.shape
    try specification.validate(shape)
    if specification.mask == .path || specification.mask == .features {
      guard let cut else { throw .uncut(specification.mask) }
      inner = RangedDenoiser(inside: cut, outside: base, applies: specification.applies)
    } else {
      inner = base
    }
    if specification.masksPixels, fill.isEmpty || fill.count % shape.pictureCount != 0 {
      throw .fill(found: fill.count, expected: shape.pictureCount)
    }
    planner = try PassPlanner(specification, shape)
    shown = ShownPixels(specification, shape)
    self.base = base
    self.specification = specification
    self.fill =
      specification.masksPixels ? MaskFill(specification, pictures: fill, shape: shape) : nil
    let order = ValueOrder(shape)
    self.order = order
    regions = specification.region.map { [planner] in
      RegionFinder(
        region: $0, keep: specification.keep, seed: specification.seed, planner: planner,
        order: order, height: shape.size, width: shape.size)
    }
    wholePlan = .whole(places: order.places)
    fixedPlan = planner.isFixed ? planner.plan(labels: [], draw: 0) : nil
  }

  package var shape: PictureShape { base.shape }
  package var schedule: NoiseSchedule { base.schedule }

  /// The area that the mask leaves of the base's. With a range of σ, or of pixels, the base's own, which
  /// holds outside the range.
  package var labelWindowArea: Double {
    let isPartial =
      specification.sigmaLow != nil || specification.sigmaHigh != nil || specification.at != nil
    if isPartial { return base.labelWindowArea }
    let r = specification.radius
    return switch specification.mask {
    case .identity, .stitched, .pixel, .sum, .reverse, .path, .features, .concept:
      base.labelWindowArea
    case .conditioner, .both: min(base.labelWindowArea, .pi * r * r)
    case .window: min(base.labelWindowArea, 4 * r * r)
    }
  }

  package func denoise(_ batch: NoisedBatch, threads: Int) throws -> [Float] {
    try batch.validate(shape)
    let expansion = MaskExpansion(try plans(batch, threads: threads), order)
    var result = [Float](repeating: 0, count: batch.x.count)
    try forEachChunk(expansion) { chunk in
      let passes = passes(expansion.jobs[chunk], of: batch, threads: threads)
      let denoised = try inner.denoise(passes, threads: threads)
      try check(denoised, passes.x.count)
      expansion.combine(chunk, from: denoised, into: &result)
    }
    return result
  }

  /// The transposed stitching, or sum: a pass gets the cotangent on its M_p alone, or times its weight, and
  /// of its gradient what it was shown counts: fills and hidden labels do not depend on the input. The
  /// nearest label stays the nearest, so that labels which no pass was given have gradient 0.
  package func vectorJacobian(_ batch: NoisedBatch, cotangent: [Float], threads: Int) throws
    -> (x: [Float], labels: [Float])
  {
    try batch.validate(shape, cotangent: cotangent)
    let expansion = MaskExpansion(
      try plans(batch, threads: threads), cotangent: cotangent, order)
    var dx = [Float](repeating: 0, count: batch.x.count)
    var dlabels = [Float](repeating: 0, count: batch.labels.count)
    try forEachChunk(expansion) { chunk in
      let jobs = expansion.jobs[chunk]
      let passes = passes(jobs, of: batch, threads: threads)
      var cotangents = [Float](repeating: 0, count: passes.x.count)
      expansion.spread(cotangent, over: chunk, into: &cotangents)
      let gradient = try inner.vectorJacobian(passes, cotangent: cotangents, threads: threads)
      try check(gradient.x, passes.x.count)
      try check(gradient.labels, passes.labels.count)
      for (position, job) in jobs.enumerated() {
        add(gradient.x, position, of: job, to: &dx)
        add(gradient.labels, position, ofLabels: job, to: &dlabels)
      }
    }
    return (dx, dlabels)
  }

  private func plans(_ batch: NoisedBatch, threads: Int) throws -> [PassPlan] {
    let cells = shape.conditionerCount
    if let regions {
      let found = try regions.plans(
        batch.x, batch.sigma, batch.labels, applies: specification.applies
      ) { try inner.denoise(NoisedBatch(x: $0, sigma: $1, labels: $2), threads: threads) }
      return found.map { $0 ?? wholePlan }
    }
    return (0..<batch.count).map { n in
      if !specification.applies(at: batch.sigma[n]) { return wholePlan }
      return fixedPlan
        ?? planner.plan(labels: batch.labels[n * cells..<(n + 1) * cells], draw: batch.draws[n])
    }
  }

  private func forEachChunk(_ expansion: MaskExpansion, _ body: (Range<Int>) throws -> Void)
    throws
  {
    let count = expansion.jobs.count
    for start in stride(from: 0, to: count, by: Self.chunk) {
      try body(start..<min(start + Self.chunk, count))
    }
  }

  private func check(_ values: [Float], _ expected: Int) throws(MaskError) {
    if values.count != expected { throw .baseResult(found: values.count, expected: expected) }
  }

  /// Adds a pass's gradient to its picture's, where the pass was shown it.
  private func add(_ gradient: [Float], _ position: Int, of job: MaskJob, to dx: inout [Float]) {
    let count = shape.pictureCount
    gradient.withUnsafeBufferPointer { gradient in
      dx.withUnsafeMutableBufferPointer { dx in
        for range in shown[job.pass.block] {
          for i in range { dx[job.picture * count + i] += gradient[position * count + i] }
        }
      }
    }
  }

  private func add(
    _ gradient: [Float], _ position: Int, ofLabels job: MaskJob, to dlabels: inout [Float]
  ) {
    let count = shape.conditionerCount
    func add(_ cell: Int) {
      dlabels[job.picture * count + cell] += gradient[position * count + cell]
    }
    if let shown = job.pass.cells { shown.forEach(add) } else { (0..<count).forEach(add) }
  }

  /// What the base is shown in some passes.
  private func passes(_ jobs: ArraySlice<MaskJob>, of batch: NoisedBatch, threads: Int)
    -> NoisedBatch
  {
    let count = shape.pictureCount
    let cells = shape.conditionerCount
    let x = [Float](unsafeUninitializedCapacity: jobs.count * count) { buffer, initialized in
      nonisolated(unsafe) let buffer = buffer
      batch.x.withUnsafeBufferPointer { pictures in
        nonisolated(unsafe) let pictures = pictures
        parallel(jobs.count, threads: threads) { position, _ in
          guard let source = pictures.baseAddress, let start = buffer.baseAddress else { return }
          let job = jobs[jobs.startIndex + position]
          let picture = source + job.picture * count
          let target = start + position * count
          if let block = job.pass.block {
            fill?.write(
              block: block, sigma: batch.sigma[job.picture], draw: batch.draws[job.picture],
              to: target)
          }
          for range in shown[job.pass.block] { for i in range { target[i] = picture[i] } }
        }
      }
      initialized = jobs.count * count
    }
    var labels = [Float](repeating: 0, count: jobs.count * cells)
    for (position, job) in jobs.enumerated() {
      func show(_ cell: Int) {
        labels[position * cells + cell] = batch.labels[job.picture * cells + cell]
      }
      if let shown = job.pass.cells { shown.forEach(show) } else { (0..<cells).forEach(show) }
    }
    return NoisedBatch(x: x, sigma: jobs.map { batch.sigma[$0.picture] }, labels: labels)
  }
}
