import Analytic
import Artifacts
import Diffusion
import Evaluation
import Formats
import Foundation
import Lineage
import Measures
import Scenes
import Streams
import Workflow

/// `analytic`: a denoiser that needs no training, from pictures and windows alone.
enum AnalyticStage {
  /// Where windows come from, noise level by noise level.
  enum Schedule: Sendable, Decodable, RawRepresentable, CaseIterable {
    case fixed, calibrated
    case published(PublishedSchedule)

    static var allCases: [Schedule] {
      [.fixed, .calibrated] + PublishedSchedule.allCases.map(Schedule.published)
    }

    var rawValue: String {
      switch self {
      case .fixed: "fixed"
      case .calibrated: "calibrated"
      case .published(let schedule): schedule.rawValue
      }
    }

    init?(rawValue: String) {
      guard let found = Self.allCases.first(where: { $0.rawValue == rawValue }) else { return nil }
      self = found
    }
  }

  struct Options: Settings {
    @Setting(Shared.labelling) var labelling: Labelling
    @Setting(0...1, default: 0.1, "share of training conditioners that are blanked")
    var labelDropout: Double
    @Setting(
      default: .fixed,
      "windows by noise level: one radius, by agreement with `teacher`, or as published")
    var schedule: Schedule
    @Setting(
      0...512, default: 6, unit: "px",
      "fixed: pixels seen on each side; the window is 2 radius + 1 px")
    var radius: Int
    @Setting(-1...512, default: -1, unit: "px", "reach of labels in px; -1: `radius`")
    var labelRadius: Int
    @Setting(
      default: .same,
      "training patches from the output's own place, or from all of its border class")
    var places: MachineSettings.Places
    @Setting(
      0...10_000_000, default: 0, "a random subset of so many training pictures; 0: all of them")
    var pictures: Int
    @Setting(
      each: 0...512, count: 1...64, default: [1, 2, 3, 4, 6, 8, 11, 15, 31], unit: "px",
      "calibrated: radii to choose from")
    var candidates: [Int]
    @Setting(
      each: Shared.sigmaRange, count: 1...40, default: Shared.agreementSigmas,
      "calibrated: noise levels at which the radius is chosen")
    var sigmas: [Double]
    @Setting(1...10000, default: 8, "calibrated: held-out pictures a noise level")
    var calibrationPictures: Int
    @Setting(
      each: 1...12, count: 0...12, default: Array(1...12),
      "K for which windows without an agreeing training patch are counted")
    var counts: [Int]
  }

  static let kind = StageKind(
    name: "analytic", version: 2,
    summary: "Makes the exact posterior mean over training patches a denoiser, without training.",
    settings: Options.self,
    inputs: [
      InputDeclaration("scenes", accepts: [.pictureSet], help: "the training pictures"),
      InputDeclaration(
        "teacher", accepts: [.denoiser], arity: .optional,
        help: "calibrated: the network to agree with"),
    ], produces: .denoiser, check: check, checkInputs: checkInputs,
    foresee: { options, upstream in
      var foreseen = Foreseen(upstream, "scenes")
      foreseen.labelling = options.labelling
      foreseen.paths = []
      foreseen.levels = []
      foreseen.isNetwork = false
      switch options.schedule {
      case .fixed: foreseen.pixelReach = options.radius
      case .calibrated: foreseen.pixelReach = options.candidates.max()
      case .published: break
      }
      foreseen.labelReach = options.labelRadius < 0 ? options.radius : options.labelRadius
      return foreseen.value
    },
    memory: { options, context in
      let scenes = try PictureSetManifest("scenes", of: context)
      // What is drawn of a set is a copy, and another one in its file.
      let isPart = options.pictures > 0 && options.pictures < scenes.count
      let part =
        isPart
        ? 2 * options.pictures * (scenes.shape.pictureCount + scenes.shape.conditionerCount) : 0
      return try scenes.bytes(context) + part
    }, run: run)

  private static func check(_ options: Options) -> [ParameterProblem] {
    var problems = Shared.checkDistinct(options.counts, path: "counts", what: "K")
    problems += Shared.checkDistinct(options.sigmas, path: "sigmas", what: "σ")
    if options.labelDropout == 1, options.labelling != .none {
      problems.append(
        ParameterProblem(
          path: "label_dropout",
          message: "found 1: no training conditioner would have a label, and no picture be like one"
            + " that is asked for; accepted: less than 1, or labelling \"none\""))
    }
    if options.places == .all, options.pictures == 0 {
      problems.append(
        ParameterProblem(
          path: "pictures",
          message:
            "found 0, accepted: 1 or more with places \"all\", which compares every place of "
            + "each picture with every other"))
    }
    return problems
  }

  private static func checkInputs(_ options: Options, _ upstream: Upstream) -> [ParameterProblem] {
    let scenes = Foreseen(upstream, "scenes")
    var problems = Shared.checkPlaces(
      scenes, path: "inputs.scenes", what: "windows of labels need places")
    problems += Shared.checkRequests(options.counts, of: scenes, camera: scenes.camera)
    guard case .calibrated = options.schedule else { return problems }
    if upstream.one("teacher") == nil {
      problems.append(
        ParameterProblem(
          path: "schedule",
          message: "\"calibrated\" needs the network to agree with; add `teacher` to the inputs"))
    }
    if let difference = Foreseen(upstream, "teacher").differenceOfShape(from: scenes) {
      problems.append(
        ParameterProblem(
          path: "inputs.teacher",
          message: "teacher and scenes differ: \(difference); give both one set of scenes"))
    }
    return problems
  }

  private static func run(_ options: Options, _ context: StageContext) throws -> StageOutput {
    let scenes = try PictureSet("scenes", of: context)
    let set = try subset(scenes, count: options.pictures, context)
    var settings = MachineSettings(
      schedule: WindowSchedule(radius: options.radius),
      labelRadius: options.labelRadius < 0 ? options.radius : options.labelRadius,
      places: options.places, labelling: options.labelling, labelDropout: options.labelDropout)
    let origin = TrainingOrigin(labelling: settings.labelling, objects: scenes.objects)
    var metrics = [Measure.pictures.row(Double(set.count))]
    switch options.schedule {
    case .fixed: break
    case .calibrated:
      let calibration = try WindowCalibration(
        set: set, settings: settings, origin: origin, scenes: scenes, options: options,
        context: context
      ).run()
      settings.schedule = calibration.schedule
      metrics += calibration.metrics
    case .published(let published):
      settings.schedule = try published.schedule(
        size: scenes.shape.size, cellSize: try scenes.shape.places().cellSize)
    }
    let machine = try AnalyticDenoiser(set, settings)
    metrics += settings.schedule.steps.map {
      Measure.windowRadius.row(Double($0.radius), .sigma($0.from))
    }
    metrics += try unmatchedWindows(machine, options, scenes.camera, context)

    var files: [StageOutput.File] = []
    var (pixels, conditioners) = (scenes.manifest.pixels, scenes.manifest.conditioners)
    // The whole set is the scenes' own, and lies in the store already.
    if set.count < scenes.count {
      let shape = scenes.shape
      let chosen = try NPYArray(
        shape: [set.count, shape.size, shape.size, PictureShape.channels],
        elements: .uint8(set.pixels)
      ).npyData()
      let labels = try NPYArray(
        shape: [set.count] + shape.space.dimensions, elements: .uint8(set.conditioners)
      ).npyData()
      files = [
        try context.output("pixels", kind: "pixels", .npy, chosen),
        try context.output("conditioners", kind: "conditioners", .npy, labels),
      ]
      (pixels, conditioners) = (SHA256.hash(chosen), SHA256.hash(labels))
    }
    let manifest = DenoiserManifest.machine(
      .init(
        camera: scenes.camera, size: scenes.shape.size, space: scenes.manifest.space,
        labelling: settings.labelling, objects: scenes.objects),
      .init(
        settings, windows: options.schedule.rawValue, size: scenes.shape.size, pixels: pixels,
        conditioners: conditioners))
    files.append(try context.output(manifest))
    return StageOutput(files: files, metrics: metrics)
  }

  /// Pictures drawn without replacement, in the set's order; all of them for 0 and for more than there are.
  private static func subset(_ scenes: PictureSet, count: Int, _ context: StageContext) throws
    -> TrainingSet
  {
    if count == 0 || count >= scenes.count { return try scenes.trainingSet }
    var stream = RandomStream(seed: context.seed, purpose: .subset, index: 0)
    var order = Array(0..<scenes.count)
    for i in 0..<count { order.swapAt(i, i + stream.integer(below: order.count - i)) }
    let chosen = order.prefix(count).sorted()
    let size = scenes.shape.pictureCount
    let cells = scenes.shape.conditionerCount
    return try TrainingSet(
      shape: scenes.shape,
      pixels: chosen.flatMap { scenes.pixels[$0 * size..<($0 + 1) * size] },
      conditioners: chosen.flatMap { scenes.conditioners[$0 * cells..<($0 + 1) * cells] })
  }

  /// Layouts a K over which windows are counted.
  private static let layouts = 24

  /// Of the windows with a label in the layouts that `evaluate` draws, the share whose labels no training
  /// conditioner equals, so that the nearest decides.
  private static func unmatchedWindows(
    _ machine: AnalyticDenoiser, _ options: Options, _ camera: CameraKind, _ context: StageContext
  ) throws -> [MetricRow] {
    try options.counts.map { k in
      try context.checkCancellation()
      var (labelled, unmatched) = (0, 0)
      for layout in 0..<layouts {
        let request = try requestedLayout(
          k: k, layout: layout, shape: machine.shape, camera: camera, seed: context.seed)
        let found = try machine.agreement(labels: request.labels, sigma: 1)
        labelled += found.labelled
        unmatched += found.unmatched
      }
      return Measure.windowsUnmatched.row(
        Double(unmatched) / Double(max(labelled, 1)), .k(k), n: labelled)
    }
  }
}
