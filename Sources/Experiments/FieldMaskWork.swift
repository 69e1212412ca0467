import Artifacts
import Diffusion
import External
import Foundation
import Interventions
import Lineage
import Measures
import Probing
import Statistics
import Streams
import Workflow

/// `intervene` on a model of a shape of its own: what a mask changes in what it denoises and draws, beside the same
/// without a mask, picture by picture and from the same noise.
struct FieldMaskWork {
  let options: InterveneStage.Options
  let artifact: FieldArtifact
  let context: StageContext

  private var model: any FieldDenoiser { artifact.model }
  private var shape: FieldShape { model.fieldShape }
  private var sampler: Sampler { Sampler(steps: options.steps, method: options.sampler) }
  private var together: Int { min(options.together, shape.entries) }
  private var all: Range<Int> { 0..<options.pictures }

  static func memory(_ options: InterveneStage.Options, _ field: DenoiserManifest.Field) -> Int {
    // Three drawings, noise and differences; the passes of a mask a few hundred at a time.
    (8 * options.pictures + 2 * 256) * field.fieldShape.count * MemoryLayout<Float>.stride
  }

  /// What it will be, without a pass.
  static func work(_ options: InterveneStage.Options, _ field: DenoiserManifest.Field) -> String {
    let entries = field.entries.count
    let behind =
      options.specification(seed: 0).mostPasses(told: min(options.together, entries)) ?? 1
    let drawing = FieldDrawing.passes(
      Sampler(steps: options.steps, method: options.sampler), endpoints: field.endpoints)
    let judged =
      field.endpoints ? 0 : 2 * options.judgements * options.sigmas.count * (1 + entries)
    let each = (2 + behind) * (drawing + options.sigmas.count) + judged
    return "up to \(options.pictures * each) passes of \(field.text),"
      + " \(max(1, memory(options, field) >> 20)) MiB"
  }

  func output() throws -> StageOutput {
    if let mask = artifact.mask {
      throw MismatchError(
        "the model is behind mask `\(mask.mask.rawValue)` already; name the one behind it")
    }
    let specification = options.specification(seed: context.seed)
    let masked = try MaskedField(base: model, specification: specification)
    context.note("plans " + Self.work(options, artifact.field))
    let checkpointing = try context.checkpointing()
    let portion = artifact.peer.peer.hello.batch
    let before = try FieldDrawing(
      model, count: options.pictures, together: together, sampler: sampler, portion: portion,
      context, checkpointing.scoped("before"))
    let after = try FieldDrawing(
      masked, count: options.pictures, together: together, sampler: sampler, portion: portion,
      context, checkpointing.scoped("masked"))
    let blank = try FieldDrawing(
      model, count: options.pictures, together: 0, sampler: sampler, portion: portion, context,
      checkpointing.scoped("blank"))
    var metrics: [MetricRow] = []
    var isChanged = false
    for sigma in options.sigmas.sorted(by: >) {
      try context.checkCancellation()
      let found = try compare(masked, before, sigma)
      metrics += found.rows
      isChanged = isChanged || found.isChanged
    }
    if !specification.isIdentity, !isChanged,
      options.sigmas.contains(where: { specification.applies(at: Float($0)) })
    {
      throw MaskError.changedNothing(specification.mask)
    }
    metrics.append(
      Measure.maskDrawnDeparture.row(
        departure(of: after.clean, from: before.clean, scale: blank.clean)))
    // Of what is no mean the errors tell of no likelihood.
    if options.judgements > 0, together > 0, !model.givesEndpoints {
      metrics += try shown(before, after, checkpointing)
    }
    return StageOutput(
      files: [
        try context.output(
          DenoiserManifest.maskedField(
            artifact.field, .init(base: artifact.sha256, mask: specification, fill: nil))),
        try context.output(
          "samples", kind: "picture", .png, after.grid(artifact.peer.peer).pngData()),
      ], metrics: metrics)
  }

  // MARK: - One pass

  /// - Throws: `MaskError` where the identity changes a bit, or a mask one outside of its range.
  private func compare(_ masked: MaskedField, _ drawing: FieldDrawing, _ sigma: Double) throws -> (
    rows: [MetricRow], isChanged: Bool
  ) {
    let specification = masked.specification
    let batch = drawing.noised(sigma, all)
    let before = try model.denoise(batch)
    let after = try masked.denoise(batch)
    var blank = batch
    blank.labels = [Float](repeating: 0, count: batch.labels.count)
    let nothing = try model.denoise(blank)
    var changed = 0
    var largest: Float = 0
    for (a, b) in zip(before, after) where a.bitPattern != b.bitPattern {
      changed += 1
      largest = max(largest, abs(a - b))
    }
    if changed > 0, specification.isIdentity {
      throw MaskError.identityChanged(specification.mask, largest: largest)
    }
    if changed > 0, !specification.applies(at: Float(sigma)) {
      throw MaskError.changedOutside(specification.mask, largest: largest)
    }
    let n = options.pictures
    return (
      [
        Measure.maskChangedShare.row(
          Double(changed) / Double(max(before.count, 1)), .sigma(sigma), n: n),
        Measure.maskLargestChange.row(Double(largest), .sigma(sigma), n: n),
        Measure.maskDeparture.row(
          departure(of: after, from: before, scale: nothing), .sigma(sigma)),
      ], changed > 0
    )
  }

  /// ‖a − b‖ over ‖scale − b‖, over all pictures; 0 where neither differs.
  private func departure(of a: [Float], from b: [Float], scale: [Float]) -> Interval {
    let parts = all.map { n -> (Double, Double) in
      var (above, below) = (0.0, 0.0)
      for i in n * shape.count..<(n + 1) * shape.count {
        let change = Double(a[i]) - Double(b[i])
        let whole = Double(scale[i]) - Double(b[i])
        above += change * change
        below += whole * whole
      }
      return (above, below)
    }
    return interval(parts, root: true)
  }

  /// Of Σ above over Σ below by pictures.
  private func interval(_ parts: [(Double, Double)], root: Bool = false) -> Interval {
    Bootstrap(seed: context.seed).interval(
      strata: [0..<parts.count], count: parts.count, n: parts.count
    ) { weights in
      var (above, below) = (0.0, 0.0)
      for (part, weight) in zip(parts, weights) {
        above += Double(weight) * part.0
        below += Double(weight) * part.1
      }
      let ratio = below > 0 ? above / below : 0
      return root ? ratio.squareRoot() : ratio
    }
  }

  // MARK: - What is drawn

  private func shown(
    _ before: FieldDrawing, _ after: FieldDrawing, _ checkpointing: Checkpointing
  ) throws -> [MetricRow] {
    let entries = shape.entries
    func judged(_ drawing: FieldDrawing, _ name: String) throws -> [[Bool]] {
      try ShownEntries(
        model: model, clean: drawing.clean, sigmas: options.sigmas, noises: options.judgements,
        seed: context.seed
      ).measure(most: together, checkpointing.scoped("shown-" + name))
    }
    let (plain, masked) = (try judged(before, "before"), try judged(after, "masked"))
    func share(_ shown: [[Bool]], asked: Bool) -> [(Double, Double)] {
      zip(shown, before.told).map { shown, told in
        let some = (0..<entries).filter { told.contains($0) == asked }
        return (Double(some.count { shown[$0] }), Double(some.count))
      }
    }
    var rows: [MetricRow] = []
    for (drawn, shown) in [(Measure.Drawn.before, plain), (.masked, masked)] {
      rows.append(Measure.maskShown(drawn).row(interval(share(shown, asked: true))))
      if together < entries {
        rows.append(Measure.maskUnasked(drawn).row(interval(share(shown, asked: false))))
      }
    }
    let change = zip(share(masked, asked: true), share(plain, asked: true)).map {
      ($0.0 - $1.0, $0.1)
    }
    return rows + [Measure.maskShownChange.row(interval(change))]
  }
}
