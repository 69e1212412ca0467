import Artifacts
import Formats
import Foundation
import Lineage
import Measures
import Theory
import Workflow

/// `theory`: CPC against LCS in a finite world, from its enumerated distribution.
///
/// Violations are over all conditioners unless `k` says how many labels. Their interval is 1.96 standard
/// errors of a Monte Carlo mean over N points a conditioner, or, without N, what doubling the step of a
/// quadrature changes, and rounding.
enum TheoryStage {
  enum Transform: String, Sendable, Decodable, CaseIterable { case none, orthogonal, general }

  struct Options: Settings {
    @Setting(required: .boundedCount, "which cells are coupled, and what the labels tell")
    var family: WorldFamily
    @Setting(
      each: 1...8, count: 2...2, default: [1, 4], "rows and columns of cells, at most 8 in all")
    var cells: [Int]
    @Setting(
      each: -10...10, columns: 1...4, rows: 1...4, default: [[1, 0.3], [-0.4, 0.8]],
      "the pixels of each pattern that an object may show; an empty cell shows zeros")
    var patterns: [[Double]]
    @Setting(0.01...0.99, default: 0.4, "probability of an object in a cell, before coupling")
    var occupancy: Double
    @Setting(
      1...8, default: 2,
      "the count that `bounded-count` rarely exceeds and `fixed-count` rarely misses")
    var bound: Int
    @Setting(0.01...10, default: 0.6, "how much darker the second background is")
    var shade: Double
    @Setting(
      each: 0...1, count: 1...20, default: [0, 0.03, 0.1, 0.3, 1],
      "from 0, where CPC holds, to 1")
    var couplings: [Double]
    @Setting(
      each: 0.02...1000, count: 1...40, default: [0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 20],
      "noise levels")
    var sigmas: [Double]
    @Setting(
      10...10_000_000, default: 2000,
      "Monte Carlo points a conditioner; worlds of two pixels are integrated instead")
    var samples: Int
    @Setting(
      default: .none,
      "z = A x: the cells are features z of pixels x, by an orthogonal or any invertible A")
    var transform: Transform
    @Setting(
      0...10_000_000, default: 2000,
      "pictures sampled for each number of labels at the last coupling, 0 for none")
    var draws: Int
    @Setting(4...1000, default: 48, "steps of the sampler") var steps: Int

    var world: WorldSettings {
      WorldSettings(
        rows: cells[0], columns: cells[1], patterns: patterns, occupancy: occupancy, bound: bound,
        shade: shade)
    }
  }

  static let kind = StageKind(
    name: "theory", version: 1,
    summary: "Checks that composition and locality of scores go together, in an enumerated world.",
    settings: Options.self, inputs: [], produces: .theory, check: check,
    memory: { options, _ in memory(options) }, run: run)

  private static func check(_ options: Options) -> [ParameterProblem] {
    let settings = options.world
    var problems = Shared.checkDistinct(options.couplings, path: "couplings", what: "coupling")
    problems += Shared.checkDistinct(options.sigmas, path: "sigmas", what: "σ")
    if Set(settings.patterns.map(\.count)).count > 1 {
      problems.append(
        ParameterProblem(path: "patterns", message: "every pattern needs the same number of pixels")
      )
    }
    for (index, pattern) in settings.patterns.enumerated() where pattern.allSatisfy({ $0 == 0 }) {
      problems.append(
        ParameterProblem(
          path: "patterns[\(index)]",
          message: "shows zeros, as an empty cell does, and no label could be told from none"))
    }
    // An object or none, before either background.
    let states = (settings.patterns.count + 1) * (options.family.hasBackgrounds ? 2 : 1)
    if pow(Double(states), Double(settings.cells)) > Double(CellWorld.limit) || settings.cells > 8 {
      problems.append(
        ParameterProblem(
          path: "cells",
          message: "more than 8 cells or \(CellWorld.limit) pictures; take fewer cells or patterns")
      )
    }
    if settings.cells < 2 {
      problems.append(ParameterProblem(path: "cells", message: "at least 2 cells are needed"))
    }
    return problems
  }

  /// Every sample that is drawn, the states of its cells: worlds are small.
  private static func memory(_ options: Options) -> Int {
    options.draws * options.world.cells * MemoryLayout<Int>.stride
  }

  private static func run(_ options: Options, _ context: StageContext) throws -> StageOutput {
    let settings = options.world
    let family = options.family
    let couplings = options.couplings
    let sigmas = options.sigmas
    let samples = options.samples
    let views = try views(options.transform, settings, seed: context.seed)
    let total = couplings.count * sigmas.count * views.count
    var metrics = [Measure.theoryControl.row(family.isControl ? 1 : 0)]
    var worlds: [JSONValue] = []
    var done = 0
    // All of them first: one in which composition is undefined is told of at once.
    let enumerated = try couplings.map { coupling in
      let world = try CellWorld(family, settings, coupling: coupling)
      let divergences = try WindowForm.allCases.map { form in
        Measure.theoryKL(form.windows).row(
          try world.enumeratedDivergence(form), .coupling(coupling), .sigma(0))
      }
      let tests = try views.map { try disentanglement(world, $0, coupling) }
      return (world: world, coupling: coupling, divergences: divergences, tests: tests)
    }
    for (world, coupling, divergences, tests) in enumerated {
      worlds.append(description(of: world, coupling: coupling))
      metrics += divergences
      for (view, test) in zip(views, tests) {
        metrics += test
        for (draw, sigma) in sigmas.enumerated() {
          try context.checkCancellation()
          let found = try measureViolations(
            try NoisedWorld(world, view: view.view, sigma: sigma), samples: samples,
            seed: context.seed, draw: UInt64(draw), threads: context.threads,
            checkCancellation: context.checkCancellation)
          metrics += rows(found, coupling: coupling, view: view.name)
          done += 1
          context.progress(
            StageProgress(done: done, total: total, unit: "noise levels"))
        }
      }
    }
    if options.draws > 0, let last = enumerated.last {
      metrics += try TheorySampling(
        world: last.world, coupling: last.coupling,
        family: UInt64(WorldFamily.allCases.firstIndex(of: family) ?? 0), draws: options.draws,
        steps: options.steps
      ).rows(context)
    }
    let content = Data(JSONValue.array(worlds).canonicalText().utf8)
    return StageOutput(
      files: [
        try context.output(
          TheoryManifest(family: family.rawValue, worlds: SHA256.hash(content))),
        try context.output("worlds", kind: "worlds", .json, content),
      ], metrics: metrics)
  }

  private struct NamedView {
    var name: String?
    var view: View
  }

  private static func views(_ transform: Transform, _ settings: WorldSettings, seed: UInt64) throws
    -> [NamedView]
  {
    if transform == .none { return [NamedView(name: nil, view: .plain)] }
    let size = settings.cells * (settings.patterns.first?.count ?? 0)
    let map =
      transform == .orthogonal
      ? Matrix.orthogonal(size, seed: seed) : Matrix.general(size, seed: seed)
    return try View.Space.allCases.flatMap { looking in
      try View.Space.allCases.map { noised in
        NamedView(
          name: "windows in \(looking.rawValue), noise in \(noised.rawValue)",
          view: try View(features: map, looking: looking, noised: noised))
      }
    }
  }

  private static func disentanglement(
    _ world: CellWorld, _ view: NamedView, _ coupling: Double
  ) throws -> [MetricRow] {
    // Of means alone: any σ gives the same.
    let test = try Disentanglement(try NoisedWorld(world, view: view.view, sigma: 1))
    return [
      Measure.theoryCosine.row(
        test.largestCosine, .coupling(coupling), view.name.map(Coordinate.view)),
      Measure.theoryOutside.row(
        test.shareOutside, .coupling(coupling), view.name.map(Coordinate.view)),
    ]
  }

  private static func rows(_ found: Violations, coupling: Double, view: String?) -> [MetricRow] {
    func row(
      _ measure: Measure, _ estimate: TheoryEstimate?, k: Int? = nil, pair: String? = nil
    ) -> MetricRow {
      measure.row(
        estimate?.value ?? .nan, low: estimate?.low, high: estimate?.high, .coupling(coupling),
        .sigma(found.sigma), k.map(Coordinate.k), view.map(Coordinate.view),
        pair.map(Coordinate.pair), n: found.samples == 0 ? nil : found.samples)
    }
    var rows: [MetricRow] = []
    for form in WindowForm.allCases {
      let kl = Measure.theoryKL(form.windows)
      rows.append(row(kl, found.divergence[form]))
      rows.append(row(.theoryPixel(form.windows), found.pixel[form]))
      rows.append(row(.theoryLabel(form.windows), found.label[form]))
      for (k, estimate) in found.divergenceByCount[form].sorted(by: { $0.key < $1.key }) {
        rows.append(row(kl, estimate, k: k))
      }
    }
    rows.append(row(.theoryGap, found.scoreGap))
    // Pairs of cells mean pairs of features under a transform; they are told for the plain view.
    if view != nil { return rows }
    for i in found.pixelPairs.indices {
      for j in found.pixelPairs.indices where j != i {
        if i < j {
          rows.append(
            row(.theoryPairPixel, found.pixelPairs[i][j], pair: "\(i + 1)-\(j + 1)"))
        }
        rows.append(row(.theoryPairLabel, found.labelPairs[i][j], pair: "\(i + 1)|\(j + 1)"))
      }
    }
    return rows
  }

  /// Every conditioner with its probability and the pictures that occur under it.
  private static func description(of world: CellWorld, coupling: Double) -> JSONValue {
    .object([
      "coupling": .number(coupling),
      "states": .array(
        world.states.map {
          .object([
            "patch": .array($0.patch.map(JSONValue.number)), "occupied": .bool($0.isOccupied),
          ])
        }),
      "conditioners": .array(
        zip(world.conditioners, zip(world.conditionerProbabilities, world.pictures)).map { row in
          .object([
            "labels": .array(row.0.cells(of: world.cells).map(JSONValue.integer)),
            "probability": .number(row.1.0),
            "pictures": .array(
              row.1.1.map {
                .object([
                  "states": .array($0.states.map(JSONValue.integer)),
                  "probability": .number($0.probability),
                ])
              }),
          ])
        }),
    ])
  }
}

/// Samples drawn with the exact score and with the composed one, for each number of labels.
private struct TheorySampling {
  var world: CellWorld
  var coupling: Double
  /// Its place in the list: families draw different random numbers, or their tests would be one.
  var family: UInt64
  var draws: Int
  var steps: Int

  /// Labels on the first K cells, K = 0 … all. `theory.support` is P(c): 0 where p(x ∣ c) does not
  /// exist, and only the composed score can be sampled.
  func rows(_ context: StageContext) throws -> [MetricRow] {
    var rows: [MetricRow] = []
    for k in 0...world.cells {
      try context.checkCancellation()
      let labels = Labels(0..<k)
      let exact = world.index(of: labels)
      rows.append(
        Measure.theorySupport.row(
          exact.map { world.conditionerProbabilities[$0] } ?? 0, .coupling(coupling), .k(k)))
      if let exact {
        let drawn = try sample(labels, k, .exact, context) {
          Composition(exactly: try NoisedWorld(world, sigma: $0), conditioner: exact)
        }
        rows += test(drawn, world.pictures[exact], .exact, k)
      }
      let drawn = try sample(labels, k, .composed, context) {
        try Composition(try NoisedWorld(world, sigma: $0), labels: labels, form: .block)
      }
      rows += test(drawn, try world.composedPictures(labels, form: .block), .composed, k)
      context.progress(StageProgress(done: k + 1, total: world.cells + 1, unit: "label counts"))
    }
    return rows
  }

  private func sample(
    _ labels: Labels, _ k: Int, _ score: SampledScore, _ context: StageContext,
    _ at: (Double) throws -> Composition
  ) throws -> SampledPictures {
    try samplePictures(
      world, labels: labels, count: draws, steps: steps, seed: context.seed,
      draw: family << 8 | UInt64(2 * k + (score == .exact ? 0 : 1)), threads: context.threads,
      density: at)
  }

  private func test(
    _ drawn: SampledPictures, _ pictures: [Picture], _ score: SampledScore, _ k: Int
  ) -> [MetricRow] {
    let test = drawn.test(against: pictures)
    func row(_ measure: Measure, _ value: Double) -> MetricRow {
      measure.row(value, .coupling(coupling), .k(k), .score(score), n: drawn.total)
    }
    return [
      row(.theoryChi2, test.statistic), row(.theoryP, test.p),
      row(.theoryFreedom, Double(test.degreesOfFreedom)),
    ] + (drawn.recall.map { [row(.theoryRecall, $0)] } ?? [])
  }
}

extension WindowForm {
  /// As the catalogue knows it.
  fileprivate var windows: Measure.Windows {
    switch self {
    case .block: .block
    case .cells: .cells
    }
  }
}
