import Artifacts
import Diffusion
import Formats
import Foundation
import Lineage
import Measures
import Probing
import Scenes
import Statistics
import Streams
import Workflow

/// `probe`: how far the outputs of a denoiser depend on pixels and labels, σ by σ.
enum ProbeStage {
  struct Options: Settings {
    @Setting(
      each: Shared.sigmaRange, count: 1...40, default: [0.2, 0.5, 1, 2, 5, 10], "noise levels")
    var sigmas: [Double]
    @Setting(
      each: 1...12, count: 1...12, default: [3, 9],
      "objects in the probed pictures, in and out of the training range")
    var counts: [Int]
    @Setting(1...10000, default: 12, isBudget: true, "probed pictures a K") var pictures: Int
    @Setting(1...4096, default: 6, "probed output pixels a picture, half of them near a label")
    var pixels: Int
    @Setting(
      0...10000, default: 24, isBudget: true,
      "layouts a K at which labels and pixels remote to an object are changed; 0: none")
    var layouts: Int
    @Setting(
      each: Shared.sigmaRange, count: 1...40, default: [80, 20, 5, 2, 1, 0.5],
      "noise levels of these changes")
    var remoteSigmas: [Double]
    @Setting(
      1...511, default: 13, unit: "px", "side of the window outside of which they are made; odd")
    var window: Int
    @Setting(Shared.steps) var steps: Int
    @Setting(Shared.sampler) var sampler: SamplingMethod
    @Setting(Shared.together) var together: Int
    @Setting(
      1...64, default: 4, isLate: true,
      "of the same: random projections of a place's channels; as many as there are take each channel once"
    )
    var projections: Int
    @Setting(
      default: false, isLate: true,
      "of the same, where it encodes and decodes: whether it is probed between pixels, too, by differences of pictures that"
        + " go through the encoder, noise, the model and the decoder")
    var pictureSpace: Bool

    var pathSampler: Sampler { Sampler(steps: steps, method: sampler) }
  }

  static let kind = StageKind(
    name: "probe", version: 6,
    summary: "Measures locality by changing what is remote to an object, and by exact Jacobians.",
    settings: Options.self,
    inputs: [
      InputDeclaration("denoiser", accepts: [.denoiser], help: "the denoiser to probe"),
      InputDeclaration(
        "scenes", accepts: [.pictureSet], arity: .optional,
        help: "how the pictures are rendered; none of a model of a shape of its own"),
    ], produces: .locality, check: check, checkInputs: checkInputs,
    foresee: { options, upstream in
      Foreseen(
        size: Foreseen(upstream, "denoiser").size, counts: options.counts, sigmas: options.sigmas,
        remoteSigmas: options.layouts > 0 ? options.remoteSigmas : []
      ).value
    },
    foretell: { options, inputs in
      DenoiserManifest.field("denoiser", inputs).map {
        FieldProbeWork.work(options, $0.field, $0.mask)
      }
    },
    memory: { options, context in
      if let found = try DenoiserManifest(context.input("denoiser").manifest).field {
        return FieldProbeWork.memory(options, found.field)
      }
      try Shared.requireScenes(context)
      let shape = try PictureSetManifest("scenes", of: context).shape
      // States stay at every noise level.
      let pictures = max(options.pictures, options.layouts * (options.remoteSigmas.count + 4))
      return pictures * (shape.pictureCount + shape.conditionerCount) * MemoryLayout<Float>.stride
    }, run: run)

  private static func check(_ options: Options) -> [ParameterProblem] {
    let even =
      options.window.isMultiple(of: 2)
      ? [
        ParameterProblem(
          path: "window",
          message: "found \(options.window), accepted: an odd side, with its pixel in the middle")
      ] : []
    return even + Shared.checkDistinct(options.sigmas, path: "sigmas", what: "σ")
      + Shared.checkDistinct(options.remoteSigmas, path: "remote_sigmas", what: "σ")
      + Shared.checkDistinct(options.counts, path: "counts", what: "K")
  }

  private static func checkInputs(_ options: Options, _ upstream: Upstream) -> [ParameterProblem] {
    let denoiser = Foreseen(upstream, "denoiser")
    let problems = Shared.checkScenesAreGiven(denoiser, upstream)
    if !problems.isEmpty { return problems }
    let others = Shared.checkScenes(of: denoiser, upstream)
    guard let space = denoiser.space, !space.hasPlaces else { return others }
    guard case .set(let texts) = space,
      let words = PictureWords(texts, heldOut: denoiser.heldOut ?? [])
    else {
      return others
        + Shared.checkPlaces(
          denoiser, path: "inputs.denoiser",
          what: "windows need places, and regions where words act need words of objects")
    }
    guard let most = options.counts.max(), most > words.askable.count else { return others }
    return others + [
      ParameterProblem(
        path: "counts", message: "found \(most), accepted: up to \(words.askable.count) words")
    ]
  }

  private static func run(_ options: Options, _ context: StageContext) throws -> StageOutput {
    if let artifact = try FieldArtifact("denoiser", of: context) {
      return try FieldProbeWork(options: options, artifact: artifact, context: context).output()
    }
    let artifact = try DenoiserArtifact("denoiser", of: context)
    if let words = artifact.words {
      return try WordProbe(options: options, artifact: artifact, words: words, context: context)
        .output()
    }
    let denoiser = artifact.denoiser
    let scenes = try PictureSetManifest(try context.input("scenes").manifest)
    let total = options.counts.count * options.sigmas.count
    var profiles: [LocalityProfile] = []
    let checkpointing = try context.checkpointing()
    for (place, k) in options.counts.enumerated() {
      let own = checkpointing.scoped("count-\(place)")
      let pictures = try probePictures(
        k, count: options.pictures, denoiser.shape, camera: scenes.camera, context, own)
      for sigma in options.sigmas {
        profiles += try probeLocality(
          denoiser, pictures,
          ProbeSettings(sigmas: [sigma], pixelsPerPicture: options.pixels),
          seed: context.seed, threads: context.threads,
          checkpointing: own.scoped("\(sigma)"))
        context.progress(
          StageProgress(done: profiles.count, total: total, unit: "noise levels"))
      }
    }
    let remote = try RemoteProbe(
      artifact: artifact, camera: scenes.camera, options: options, context: context
    ).measure(checkpointing)
    let map = try LocalityMap.draw(profiles, size: denoiser.shape.size).pngData()
    let changes = Data(remote.table.json.canonicalText().utf8)
    let grid = try denoiser.shape.places()
    return StageOutput(
      files: [
        try context.output(
          LocalityManifest(
            denoiser: artifact.sha256,
            conditions: .init(
              seed: context.seed, layouts: options.layouts, steps: options.steps,
              window: options.window, camera: scenes.camera, size: grid.size, cells: grid.cells),
            changes: SHA256.hash(changes), map: SHA256.hash(map))),
        try context.output("changes", kind: "changes", .json, changes),
        try context.output("map", kind: "picture", .png, map),
      ],
      metrics: profiles.flatMap(metrics) + remote.metrics,
      tables: SensitivityRow.tables(remote.table.pictures.compactMap(SensitivityRow.init)))
  }

  /// Renders of K objects, none of them a training picture, with the labels of all.
  private static func probePictures(
    _ k: Int, count: Int, _ shape: PictureShape, camera: CameraKind, _ context: StageContext,
    _ checkpointing: Checkpointing
  ) throws -> ProbePictures {
    let grid = try shape.places()
    let settings = SceneSettings(
      camera: camera, size: grid.size, cells: grid.cells,
      rules: LayoutRules(objects: k...k, gap: 0.25, margin: 0))
    let set = try renderSet(
      settings, seed: context.seed, indices: k << 24..<k << 24 + count, purpose: .probeScenes,
      threads: context.threads, checkpointing: checkpointing)
    return ProbePictures(
      pictures: set.pixels.map(TrainingSet.value), labels: set.conditioners.map { Float($0) }, k: k)
  }

  private static func metrics(_ profile: LocalityProfile) -> [MetricRow] {
    var rows: [MetricRow] = []
    func append(_ space: Measure.Space, _ estimates: [Interval]?, _ sides: [Int]?) {
      for (window, estimate) in zip(profile.windows, estimates ?? []) {
        rows.append(
          Measure.locality(space).row(
            estimate, .window(window), .sigma(profile.sigma), .k(profile.k)))
      }
      for (fraction, side) in zip(LocalityProfile.sideShares, sides ?? []) {
        guard let share = Measure.Share(rawValue: Int((fraction * 100).rounded())) else { continue }
        rows.append(
          Measure.side(space, share).row(
            Double(side), .sigma(profile.sigma), .k(profile.k)))
      }
    }
    append(.pixel, profile.pixel, profile.pixelSides)
    append(.conditioner, profile.conditioner, profile.conditionerSides)
    append(.label, profile.label, nil)
    for (window, share) in zip(profile.windows, profile.isotropic) {
      rows.append(
        Measure.locality(.isotropic).row(
          share, .window(window), .sigma(profile.sigma), .k(profile.k)))
    }
    return rows
  }
}
