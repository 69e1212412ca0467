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

/// `probe` of a model of a shape of its own: between places by its Jacobian, and by concepts.
struct FieldProbeWork {
  let options: ProbeStage.Options
  let artifact: FieldArtifact
  let context: StageContext

  private var model: any FieldDenoiser { artifact.model }
  private var shape: FieldShape { model.fieldShape }
  private var probe: FieldProbe { Self.probe(options) }
  /// Told of a picture.
  private var together: Int { min(options.together, shape.entries) }
  private var passes: Int { Self.passes(options, artifact.field) }

  private static func probe(_ options: ProbeStage.Options) -> FieldProbe {
    FieldProbe(places: options.pixels, projections: options.projections)
  }

  /// Fields that are passed through the model, all in all.
  private static func passes(_ options: ProbeStage.Options, _ field: DenoiserManifest.Field) -> Int
  {
    let shape = field.fieldShape
    let together = min(options.together, shape.entries)
    // A picture has three channels at most.
    let pixels =
      options.pictureSpace ? 2 * options.pixels * min(options.projections, 3) + 2 : 0
    let each =
      pixels + probe(options).passes(shape, hasGradients: field.gradients)
      + (together > 0 ? ConceptLocality.passes(concepts: together) : 0)
    return options.pictures
      * (FieldDrawing.passes(options.pathSampler, endpoints: field.endpoints)
        + options.sigmas.count * each)
  }

  /// Bytes that the largest request and its answer hold, and the pictures.
  static func memory(_ options: ProbeStage.Options, _ field: DenoiserManifest.Field) -> Int {
    let shape = field.fieldShape
    let each = 2 * options.pixels * probe(options).directions(shape)
    return (3 * options.pictures + 6 * max(each, options.pictures)) * shape.count
      * MemoryLayout<Float>.stride
  }

  /// What it will be, without a pass.
  static func work(
    _ options: ProbeStage.Options, _ field: DenoiserManifest.Field, _ mask: MaskSpecification?
  ) -> String {
    let behind =
      mask?.mostPasses(told: min(options.together, field.entries.count)).map {
        ", each up to \($0) of the one behind the mask"
      } ?? ""
    return
      "\(passes(options, field)) passes of \(field.text)\(behind), \(field.gradients ? "gradients" : "differences") at"
      + " \(options.pixels) places of \(options.pictures) pictures, \(max(1, memory(options, field) >> 20)) MiB"
  }

  func output() throws -> StageOutput {
    if options.pictureSpace, !PixelModel.isOffered(by: artifact.peer.peer.hello) {
      throw MismatchError(
        "`picture_space` is true, and the model does not say that it encodes and decodes pictures")
    }
    context.note(try plan())
    let checkpointing = try context.checkpointing()
    let drawing = try FieldDrawing(
      model, count: options.pictures, together: together, sampler: options.pathSampler,
      portion: artifact.peer.peer.hello.batch, context, checkpointing.scoped("drawing"))
    var metrics = [
      Measure.fieldEndpoints.row(model.givesEndpoints ? 1 : 0),
      Measure.fieldPasses.row(Double(passes)),
    ]
    let sigmas = options.sigmas.sorted()
    for (place, sigma) in sigmas.enumerated() {
      let found = try probe.measure(
        model, drawing.noised(sigma, 0..<options.pictures), seed: context.seed,
        checkpointing: checkpointing.scoped("places-\(sigma)"))
      metrics += rows(found, sigma)
      if options.pictureSpace {
        metrics += rows(
          try betweenPixels(
            drawing, sigma, checkpointing.scoped("pixels-\(sigma)")), sigma, betweenPixels: true)
      }
      if together > 0 {
        metrics += rows(
          try ConceptLocality(
            model, clean: drawing.clean, told: drawing.told, sigma: sigma, seed: context.seed,
            checkpointing: checkpointing.scoped("concepts-\(sigma)")), sigma)
      }
      context.progress(StageProgress(done: place + 1, total: sigmas.count, unit: "noise levels"))
    }
    let content = metricTable(metrics)
    let samples = try drawing.grid(artifact.peer.peer).pngData()
    return StageOutput(
      files: [
        try context.output(
          FieldProbeManifest(denoiser: artifact.sha256, table: SHA256.hash(content))),
        try context.output("probe", kind: "probe", .json, content),
        try context.output("samples", kind: "picture", .png, samples),
      ], metrics: metrics)
  }

  /// Of what was drawn, decoded, each with a noise of its own.
  private func betweenPixels(
    _ drawing: FieldDrawing, _ sigma: Double, _ checkpointing: Checkpointing
  ) throws -> FieldLocality {
    let peer = artifact.peer.peer
    func pixels(_ n: Int) -> PixelModel {
      var stream = RandomStream(seed: context.seed, purpose: .fieldNoising, index: UInt64(n))
      return PixelModel(
        latents: model, peer: peer, sigma: Float(sigma),
        noise: (0..<shape.count).map { _ in stream.gaussian() })
    }
    var fields = FieldBatch()
    let pictures = try peer.decode(drawing.clean)
    let size = pixels(0).fieldShape.count
    for (n, told) in drawing.told.enumerated() {
      // A pixel is moved by a part of 1, half of what lies between black and white.
      fields.append(
        Array(pictures[n * size..<(n + 1) * size]), 1, FieldDrawing.labels(told, shape))
    }
    return try probe.measure(
      fields, seed: context.seed, like: pixels(0), checkpointing: checkpointing, of: pixels)
  }

  /// What it will take, by one pass that is timed.
  private func plan() throws -> String {
    let sigma = Float(min(max(1, model.schedule.low), model.schedule.high))
    var one = FieldBatch()
    one.append(
      [Float](repeating: 0, count: shape.count), sigma,
      FieldDrawing.labels(Array(0..<together), shape))
    // The first one has to get ready.
    _ = try model.denoise(one)
    let start = ContinuousClock.now
    _ = try model.denoise(one)
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    let whole = seconds * Double(passes)
    let time = whole < 90 ? "\(Int(whole.rounded(.up))) s" : "\(Int((whole / 60).rounded(.up))) min"
    return
      "plans \(Self.work(options, artifact.field, artifact.mask)): about \(time) by a pass of one picture"
  }

  /// Sides 1, 3, 5, 9, 17, …: a picture of 128 places has too many others.
  private func isTold(_ window: Int) -> Bool { (window - 1) & (window - 2) == 0 || window <= 3 }

  private func rows(_ found: FieldLocality, _ sigma: Double, betweenPixels: Bool = false)
    -> [MetricRow]
  {
    let space: Measure.FieldSpace = betweenPixels ? .pixels : .places
    var rows: [MetricRow] = []
    for (place, window) in found.windows.enumerated()
    where isTold(window) || place == found.windows.count - 1 {
      rows += [
        Measure.fieldLocality(space).row(found.shares[place], .sigma(sigma), .window(window)),
        Measure.fieldEven(space).row(found.even[place], .sigma(sigma), .window(window)),
      ]
    }
    for (share, side) in zip(Measure.Share.allCases, found.sides) {
      rows.append(
        Measure.fieldSide(share, space).row(Double(side), .sigma(sigma), n: options.pictures))
    }
    if let error = found.stepError {
      rows.append(Measure.fieldStepError(space).row(error, .sigma(sigma)))
    }
    return rows
  }

  private func rows(_ found: ConceptLocality, _ sigma: Double) -> [MetricRow] {
    [
      Measure.conceptInside.row(found.inside, .sigma(sigma)),
      Measure.conceptArea.row(found.area, .sigma(sigma)),
    ]
      + (found.remote.map { [Measure.conceptRemote.row($0, .sigma(sigma))] } ?? [])
      + found.effects.map { entry, effect in
        Measure.conceptEffect.row(
          effect, .sigma(sigma), .attribute(artifact.field.entries[entry]))
      }
  }
}
