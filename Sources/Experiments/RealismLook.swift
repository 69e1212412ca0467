import Artifacts
import Diffusion
import Evaluation
import Formats
import Lineage
import Measures
import Scenes
import Statistics
import Workflow

/// What is found in real pictures and in renders of the same scenes.
struct RealismLook {
  private typealias View = Measure.SceneView

  private let pairs: ScenePairs
  private let context: StageContext
  /// By view and detector, a picture each.
  private var outcomes: [View: [Detector: [Outcome]]] = [:]
  /// By view, of each picture's objects whether the judge found them.
  private var isFound: [View: [[Bool]]] = [:]
  /// By view and attribute: of how many found objects it was told, and right.
  private var told: [View: [ObjectAttributes.Kind: (right: Int, all: Int)]] = [:]
  private var frechet: [(view: View, result: FrechetComparison.Result)] = []

  init(
    _ pairs: ScenePairs, judge: JudgeFile, options: RealismStage.Options, _ context: StageContext
  ) throws {
    (self.pairs, self.context) = (pairs, context)
    let tolerance = options.tolerance * Double(pairs.shape.size)
    for view in View.allCases {
      try context.checkCancellation()
      let pictures = pairs.pixels(of: view)
      see(
        view, .trained, judge.judge.detect(pictures, threads: context.threads), tolerance)
      see(view, .background, judge.background.detect(pictures), tolerance)
      tell(view, pictures, judge.examples)
    }
    try measureFeatures(judge.judge, options)
  }

  // MARK: - Finds

  private mutating func see(
    _ view: View, _ detector: Detector, _ finds: [[Find]], _ tolerance: Double
  ) {
    let found = zip(pairs.places, finds).map {
      matches(requested: $0, detected: $1.map(\.place), tolerance: tolerance)
    }
    if detector == .trained { isFound[view] = found }
    outcomes[view, default: [:]][detector] = zip(found, finds).enumerated().map { index, pair in
      Outcome(
        seed: 0, k: pair.0.count, layout: index, requested: pair.0.count,
        found: pair.0.count(where: \.self), drawn: pair.1.count)
    }
  }

  /// Objects that the judge found are looked at where they are.
  private mutating func tell(_ view: View, _ pictures: [Float], _ examples: ObjectExamples) {
    var told: [ObjectAttributes.Kind: (right: Int, all: Int)] = [:]
    for (n, scene) in pairs.scenes.enumerated() {
      let picture = Array(pictures[pairs.range(of: n)])
      for (object, (place, isFound)) in zip(
        scene.objects, zip(pairs.places[n], isFound[view]?[n] ?? []))
      where isFound {
        guard let look = examples.look(picture, at: place) else { continue }
        let own = ObjectAttributes(color: object.color, size: object.size, shape: object.shape)
        for kind in ObjectAttributes.Kind.allCases {
          let before = told[kind] ?? (0, 0)
          let isRight = look.attributes[kind] == own[kind]
          told[kind] = (before.right + (isRight ? 1 : 0), before.all + 1)
        }
      }
    }
    self.told[view] = told
  }

  // MARK: - Features

  private mutating func measureFeatures(_ judge: Judge, _ options: RealismStage.Options) throws {
    let groups = pairs.groups
    func features(_ pixels: [Float]) -> [Double] {
      judge.features(pixels, threads: context.threads)
    }
    let axes = FeatureAxes(
      try groups.flatMap { features(try renders(k: $0.k, .axes, count: options.renders)) },
      count: judge.featureCount, dimensions: options.dimensions)
    var held: [[Double]] = []
    for group in groups {
      held.append(
        axes.project(
          features(try renders(k: group.k, .features, count: 2 * group.scenes.count))))
      context.progress(StageProgress(done: held.count, total: groups.count, unit: "counts"))
    }
    for view in View.allCases {
      let pixels = pairs.pixels(of: view)
      let strata = zip(groups, held).map { group, rendered in
        FrechetComparison.Stratum(
          drawn: axes.project(features(group.scenes.flatMap { pixels[pairs.range(of: $0)] })),
          rendered: rendered)
      }
      guard let comparison = FrechetComparison(strata, dimensions: axes.dimensions) else {
        continue
      }
      frechet.append(
        (
          view,
          comparison.result(
            splits: options.splits, resamples: options.resamples, seed: context.seed,
            threads: context.threads)
        ))
    }
  }

  /// CLEVR's margin along the directions leaves room for so many.
  private static let mostWithMargin = 10

  /// New scenes of K objects by CLEVR's rules.
  private func renders(k: Int, _ use: QualityRenders.Use, count: Int) throws -> [Float] {
    let grid = try pairs.shape.places()
    let rules =
      k > Self.mostWithMargin
      ? LayoutRules(objects: k...k, margin: 0) : LayoutRules(objects: k...k)
    let first = use.first(k: k)
    let set = try renderSet(
      SceneSettings(camera: pairs.camera, size: grid.size, cells: grid.cells, rules: rules),
      seed: context.seed, indices: first..<first + count, purpose: .featureRenders,
      threads: context.threads)
    try context.checkCancellation()
    return set.pixels.map(TrainingSet.value)
  }

  // MARK: - Results

  var metrics: [MetricRow] {
    var rows = [Measure.pairedScenes.row(Double(pairs.scenes.count))]
    for view in View.allCases {
      for detector in Detector.allCases {
        rows += counted(view, detector)
      }
      rows += ObjectAttributes.Kind.allCases.compactMap { kind in
        told[view]?[kind].map {
          Measure.sceneAttributes(view).row(
            wilson(successes: $0.right, trials: $0.all), .attribute(kind.rawValue))
        }
      }
    }
    rows += Detector.allCases.compactMap { detector in
      difference(detector).map { Measure.realRecallDifference.row($0, .detector(detector)) }
    }
    for (view, result) in frechet {
      rows.append(Measure.sceneFrechet(view).row(result.distance))
      if view == .real { rows.append(Measure.sceneFrechetNull.row(result.null)) }
    }
    return rows
  }

  private func counted(_ view: View, _ detector: Detector) -> [MetricRow] {
    let own = outcomes[view]?[detector] ?? []
    func rows(_ outcomes: [Outcome], _ at: Coordinate?) -> [MetricRow] {
      guard let summary = pooled(outcomes) else { return [] }
      let by = Coordinate.detector(detector)
      return [
        summary.recall.map { Measure.sceneRecall(view).row($0, at, by) },
        summary.precision.map { Measure.scenePrecision(view).row($0, at, by) },
        Measure.sceneExact(view).row(summary.exact, at, by),
      ].compactMap(\.self)
    }
    let byCount = Dictionary(grouping: own, by: \.k)
    return rows(own, nil) + byCount.keys.sorted().flatMap { rows(byCount[$0] ?? [], .k($0)) }
  }

  /// As if all were of one K.
  private func pooled(_ outcomes: [Outcome]) -> CountSummary? {
    summarize(
      outcomes.map { outcome in
        var outcome = outcome
        outcome.k = 0
        return outcome
      }, seed: context.seed
    ).first
  }

  /// Recall in real pictures less that in renders, over the same scenes; `nil` where no scene has an object.
  private func difference(_ detector: Detector) -> Interval? {
    guard let real = outcomes[.real]?[detector], let rendered = outcomes[.rendered]?[detector]
    else { return nil }
    let objects = real.map(\.requested)
    let all = objects.reduce(0, +)
    if all == 0 { return nil }
    let gains = zip(real, rendered).map { $0.found - $1.found }
    return Bootstrap(seed: context.seed).interval(
      strata: [0..<real.count], count: real.count, n: all
    ) { weights in
      let total = zip(weights, objects).reduce(0) { $0 + $1.0 * $1.1 }
      let gained = zip(weights, gains).reduce(0) { $0 + $1.0 * $1.1 }
      return total == 0 ? 0 : Double(gained) / Double(total)
    }
  }

  /// A row a scene: what is in it, and what either detector found of it in either picture.
  var table: JSONValue {
    let columns: [(String, [Outcome], KeyPath<Outcome, Int>)] = View.allCases.flatMap { view in
      Detector.allCases.flatMap { detector in
        let own = outcomes[view]?[detector] ?? []
        return [
          ("\(view.rawValue)_\(detector.rawValue)_found", own, \Outcome.found),
          ("\(view.rawValue)_\(detector.rawValue)_seen", own, \Outcome.drawn),
        ]
      }
    }
    return .object([
      "columns": .array((["picture", "objects"] + columns.map(\.0)).map(JSONValue.string)),
      "rows": .array(
        pairs.scenes.enumerated().map { n, scene in
          .array(
            [.string(scene.picture), .integer(scene.objects.count)]
              + columns.map { .integer($0.1[n][keyPath: $0.2]) })
        }),
    ])
  }

  /// A row a K, each real picture beside its render; crossed what the judge does not find.
  func grid(_ shown: Int) throws -> PNGImage {
    let rows = pairs.groups.map { group in
      let members = group.scenes.prefix(shown).flatMap { n in
        View.allCases.map { (scene: n, view: $0) }
      }
      return SampleGrid.Row(
        label: group.k,
        pictures: members.map { Array(pairs.pixels(of: $0.view)[pairs.range(of: $0.scene)]) },
        places: members.map { pairs.places[$0.scene] },
        isFound: members.map { isFound[$0.view]?[$0.scene] ?? [] })
    }
    return try SampleGrid.draw(rows, shape: pairs.shape, scale: 2)
  }
}
