import Analytic
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
  static let kind = StageKind(
    name: "analytic", version: 1,
    summary: "Makes the exact posterior mean over training patches a denoiser, without training.",
    parameters: [
      Parameter(
        "labelling", .choice(Labelling.allCases.map(\.rawValue)), default: .string("all"),
        help: "which objects the training conditioner tells of"),
      Parameter(
        "label_dropout", .number(0...1), default: .number(0.1),
        help: "share of training conditioners that are blanked"),
      Parameter(
        "schedule",
        .choice(["fixed", "calibrated"] + PublishedSchedule.allCases.map(\.rawValue)),
        default: .string("fixed"),
        help: "windows by noise level: one radius, by agreement with `teacher`, or as published"),
      Parameter(
        "radius", .integer(0...512), default: .integer(6),
        help: "fixed: pixels seen on each side; the window is 2 radius + 1 px"),
      Parameter(
        "label_radius", .integer(-1...512), default: .integer(-1),
        help: "reach of labels in px; -1: `radius`"),
      Parameter(
        "places", .choice(MachineSettings.Places.allCases.map(\.rawValue)),
        default: .string("same"),
        help: "training patches from the output's own place, or from all of its border class"),
      Parameter(
        "pictures", .integer(0...10_000_000), default: .integer(0),
        help: "a random subset of so many training pictures; 0: all of them"),
      Parameter(
        "candidates", .list(.integer(0...512), count: 1...64),
        default: .array([1, 2, 3, 4, 6, 8, 11, 15, 31].map(JSONValue.integer)),
        help: "calibrated: radii to choose from"),
      Parameter(
        "sigmas", .list(.number(0.002...80), count: 1...40),
        default: .array([0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30].map(JSONValue.number)),
        help: "calibrated: noise levels at which the radius is chosen"),
      Parameter(
        "calibration_pictures", .integer(1...10000), default: .integer(8),
        help: "calibrated: held-out pictures a noise level"),
      Parameter(
        "counts", .list(.integer(1...12), count: 0...12),
        default: .array((1...12).map(JSONValue.integer)),
        help: "K for which windows without an agreeing training patch are counted"),
    ],
    inputs: [
      InputDeclaration("scenes", from: ["generate"], help: "the training pictures"),
      InputDeclaration(
        "teacher", from: ["train"], arity: .optional,
        help: "calibrated: the network to agree with"),
    ], check: check, run: run)

  private static func check(_ parameters: JSONValue) -> [ParameterProblem] {
    guard parameters["places"]?.string == "all", parameters["pictures"]?.integer == 0 else {
      return []
    }
    return [
      ParameterProblem(
        path: "pictures",
        message: "found 0, accepted: 1 or more with places \"all\", which compares every place of "
          + "each picture with every other")
    ]
  }

  private static func run(_ context: StageContext) throws -> StageOutput {
    let parameters = context.parameters
    let scenes = try SceneArtifact(try context.input("scenes"))
    let set = try subset(scenes, count: parameters.integer("pictures"), context)
    let labelRadius = try parameters.integer("label_radius")
    var settings = MachineSettings(
      schedule: WindowSchedule(radius: try parameters.integer("radius")),
      labelRadius: labelRadius < 0 ? try parameters.integer("radius") : labelRadius,
      places: try parameters.choice("places"), labelling: try parameters.choice("labelling"),
      labelDropout: try parameters.number("label_dropout"))
    let origin = TrainingOrigin(labelling: settings.labelling, objects: scenes.objects)
    var metrics = [Measure.pictures.row(Double(set.count))]
    switch try parameters.text("schedule") {
    case "fixed": break
    case "calibrated":
      let calibration = try WindowCalibration(
        set: set, settings: settings, origin: origin, scenes: scenes, context: context
      ).run()
      settings.schedule = calibration.schedule
      metrics += calibration.metrics
    case let name:
      guard let published = PublishedSchedule(rawValue: name) else {
        throw StageFault("schedule \(name) is not one of the listed words")
      }
      settings.schedule = try published.schedule(
        size: scenes.shape.size, cellSize: scenes.shape.cellSize)
    }
    let machine = try AnalyticDenoiser(set, settings)
    metrics += settings.schedule.steps.map {
      Measure.windowRadius.row(Double($0.radius), .sigma($0.from))
    }
    metrics += try unmatchedWindows(machine, context)

    let shape = scenes.shape
    // The whole set is the scenes' own file, whose hash is known.
    let isWhole = set.count == scenes.count
    let file = try context.input("scenes").file("pixels")
    let pixels =
      isWhole
      ? try file.data()
      : try NPYArray(
        shape: [set.count, shape.size, shape.size, PictureShape.channels],
        elements: .uint8(set.pixels)
      ).npyData()
    let conditioners = try NPYArray(
      shape: [set.count, shape.cells, shape.cells], elements: .uint8(set.conditioners))
    let machineFile = MachineFile(
      settings, windows: try parameters.text("schedule"), objects: scenes.objects,
      pixels: isWhole ? file.sha256 : SHA256.hash(pixels))
    return StageOutput(
      files: [
        try context.output("machine", kind: "machine", .json, try machineFile.data),
        try context.output("pixels", kind: "pixels", .npy, pixels),
        try context.output("conditioners", kind: "conditioners", .npy, conditioners.npyData()),
      ], metrics: metrics)
  }

  /// Pictures drawn without replacement, in the set's order; all of them for 0 and for more than there are.
  private static func subset(_ scenes: SceneArtifact, count: Int, _ context: StageContext) throws
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
  private static func unmatchedWindows(_ machine: AnalyticDenoiser, _ context: StageContext) throws
    -> [MetricRow]
  {
    let camera: CameraKind = try context.input("scenes").parameters.choice("camera")
    return try context.parameters.integers("counts").map { k in
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
