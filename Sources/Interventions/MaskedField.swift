import Diffusion

/// A model of any shape behind a mask: passes with parts of its conditioner hidden, stitched place by place or added, as
/// `MaskedDenoiser` does it to pictures of Locus.
package struct MaskedField: FieldDenoiser {
  package let base: any FieldDenoiser
  package let specification: MaskSpecification
  private let planner: PassPlanner
  private let regions: RegionFinder?
  private let order: ValueOrder
  private let wholePlan: PassPlan

  /// Passes that go to the base at a time: bounds the memory, not the result.
  private static let chunk = 256

  /// - Throws: `MaskError` for a mask that goes by pixels, by the places of labels or by what is inside a network.
  package init(base: any FieldDenoiser, specification: MaskSpecification) throws(MaskError) {
    let shape = base.fieldShape
    planner = try PassPlanner(specification, shape)
    let order = ValueOrder(shape)
    self.order = order
    regions = specification.region.map { [planner] in
      RegionFinder(
        region: $0, keep: specification.keep, seed: specification.seed, planner: planner,
        order: order, height: shape.height, width: shape.width)
    }
    wholePlan = .whole(places: shape.places)
    self.base = base
    self.specification = specification
  }

  package var fieldShape: FieldShape { base.fieldShape }
  package var schedule: NoiseSchedule { base.schedule }
  package var hasGradients: Bool { base.hasGradients }
  package var givesEndpoints: Bool { base.givesEndpoints }

  package func denoise(_ batch: FieldBatch) throws -> [Float] {
    let expansion = MaskExpansion(try plans(batch), order)
    var result = [Float](repeating: 0, count: batch.x.count)
    try forEachChunk(expansion) { chunk in
      let passes = passes(expansion.jobs[chunk], of: batch)
      expansion.combine(chunk, from: try checked(base.denoise(passes), passes), into: &result)
    }
    return result
  }

  /// Regions are taken as they are: what x changes in them is no part of the gradient.
  package func gradient(_ batch: FieldBatch, cotangent: [Float]) throws -> [Float] {
    let expansion = MaskExpansion(try plans(batch), cotangent: cotangent, order)
    var result = [Float](repeating: 0, count: batch.x.count)
    try forEachChunk(expansion) { chunk in
      let jobs = expansion.jobs[chunk]
      let passes = passes(jobs, of: batch)
      var cotangents = [Float](repeating: 0, count: passes.x.count)
      expansion.spread(cotangent, over: chunk, into: &cotangents)
      let gradient = try checked(base.gradient(passes, cotangent: cotangents), passes)
      for (position, job) in jobs.enumerated() {
        for i in 0..<order.count {
          result[job.picture * order.count + i] += gradient[position * order.count + i]
        }
      }
    }
    return result
  }

  func plans(_ batch: FieldBatch) throws -> [PassPlan] {
    let entries = fieldShape.entries
    if let regions {
      let found = try regions.plans(
        batch.x, batch.sigma, batch.labels, applies: specification.applies
      ) { try base.denoise(FieldBatch(x: $0, sigma: $1, labels: $2)) }
      return found.map { $0 ?? wholePlan }
    }
    return (0..<batch.count).map { n in
      specification.applies(at: batch.sigma[n])
        ? planner.plan(labels: batch.labels[n * entries..<(n + 1) * entries], draw: 0) : wholePlan
    }
  }

  private func passes(_ jobs: ArraySlice<MaskJob>, of batch: FieldBatch) -> FieldBatch {
    let entries = fieldShape.entries
    var passes = FieldBatch()
    for job in jobs {
      let own = job.picture * entries
      var labels = Array(batch.labels[own..<own + entries])
      if let shown = job.pass.cells {
        labels = [Float](repeating: 0, count: entries)
        for entry in shown { labels[entry] = batch.labels[own + entry] }
      }
      passes.append(
        Array(batch.x[job.picture * order.count..<(job.picture + 1) * order.count]),
        batch.sigma[job.picture], labels)
    }
    return passes
  }

  private func forEachChunk(_ expansion: MaskExpansion, _ body: (Range<Int>) throws -> Void)
    throws
  {
    for start in stride(from: 0, to: expansion.jobs.count, by: Self.chunk) {
      try body(start..<min(start + Self.chunk, expansion.jobs.count))
    }
  }

  private func checked(_ values: [Float], _ passes: FieldBatch) throws(MaskError) -> [Float] {
    if values.count == passes.x.count { return values }
    throw .baseResult(found: values.count, expected: passes.x.count)
  }
}
