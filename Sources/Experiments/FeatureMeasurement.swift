import Artifacts
import Diffusion
import Evaluation
import Features
import Foundation
import Lineage
import Measures
import Scenes
import Statistics
import Streams
import Workflow

/// The measurements of a `features` stage, noise level by noise level.
struct FeatureMeasurement {
  let options: FeaturesStage.Options
  let network: any LevelDenoiser
  let words: PictureWords
  let context: StageContext
  /// `nil` where a judge's features are looked at.
  private let level: LevelShape?
  private let judge: Judge?
  /// Training pictures, clean, with their noise and their places: (N, S, S, 3).
  private let law: Inputs
  private let worded: WordedRenders?
  /// What each K asks for, and the states on the way to it.
  private let requests: [(k: Int, sets: [WordSet], states: [Double: [Float]])]

  private struct Inputs {
    var clean: [Float]
    var noise: [Float]
    var count: Int
  }

  init(
    options: FeaturesStage.Options, artifact: DenoiserArtifact, network: any LevelDenoiser,
    words: PictureWords, scenes: PictureSet, context: StageContext
  ) throws {
    self.options = options
    self.network = network
    self.words = words
    self.context = context
    judge = try context.inputs["judge"] == nil ? nil : JudgeFile.read("judge", of: context).0.judge
    level = try judge == nil ? network.shape(of: options.level) : nil
    if let dimension = judge?.featureCount ?? level?.channels, options.rank > dimension {
      throw FeatureError.rank(found: options.rank, most: dimension)
    }
    let pixels = network.shape.pictureCount
    var inputs = Inputs(clean: [], noise: [], count: options.draws)
    for n in 0..<options.draws {
      var stream = RandomStream(seed: context.seed, purpose: .featurePictures, index: UInt64(n))
      let picture = stream.integer(below: scenes.count)
      inputs.clean += scenes.pixels[picture * pixels..<(picture + 1) * pixels]
        .map(TrainingSet.value)
      for _ in 0..<pixels { inputs.noise.append(stream.gaussian()) }
    }
    law = inputs
    worded =
      try options.pictures == 0
      ? nil : WordedRenders(words, scenes, count: options.pictures, context)
    requests = try options.counts.map { k in
      try Self.requests(k, options, artifact.denoiser, words, context)
    }
  }

  private static func requests(
    _ k: Int, _ options: FeaturesStage.Options, _ denoiser: any Denoiser, _ words: PictureWords,
    _ context: StageContext
  ) throws -> (k: Int, sets: [WordSet], states: [Double: [Float]]) {
    let asked = try (0..<options.layouts).map {
      try words.request(k: k, layout: $0, asked: .seen, seed: context.seed)
    }
    let sampled = try Sampler(steps: options.steps).states(
      denoiser, labels: asked.flatMap(\.labels),
      noise: (0..<options.layouts).flatMap {
        startingNoise(k: k, layout: $0, shape: denoiser.shape, seed: context.seed)
      }, draws: (0..<options.layouts).map { layoutDraw(k: k, layout: $0, seed: context.seed) },
      at: options.sigmas, threads: context.threads, checkCancellation: context.checkCancellation)
    return (k, asked.map { WordSet($0.asked) }, sampled.states)
  }

  // MARK: - Sources

  /// The maps of one noise level that make features' covariance the identity: of means over places, and of places.
  private struct Whitenings {
    var means: Whitening
    var places: Whitening
  }

  private func whitenings(_ sigma: Double) throws -> Whitenings? {
    if options.space != .whitened { return nil }
    let half = max(options.draws / 2, 1)
    return Whitenings(
      means: try Whitening(
        source(noisedLaw(sigma, 0..<law.count), law.count, sigma, byPlace: false, nil)
          .features(telling: .none)),
      places: try Whitening(
        source(noisedLaw(sigma, 0..<half), half, sigma, byPlace: true, nil)
          .features(telling: .none)))
  }

  private func source(
    _ x: [Float], _ count: Int, _ sigma: Double, byPlace: Bool, _ whitenings: Whitenings?
  ) throws -> any FeatureSource {
    let inputs = NoisedBatch(
      x: x, sigma: [Float](repeating: Float(sigma), count: count),
      labels: [Float](repeating: 0, count: count * network.shape.conditionerCount))
    if let judge {
      return JudgedFeatures(
        denoiser: network, judge: judge, inputs: inputs, threads: context.threads,
        checkCancellation: context.checkCancellation)
    }
    func whitened(_ source: some FeatureSource, _ map: Whitening) -> any FeatureSource {
      WhitenedSource(source, map)
    }
    let plain = try levelSource(inputs, byPlace: byPlace)
    guard let whitenings else { return plain }
    return whitened(plain, byPlace ? whitenings.places : whitenings.means)
  }

  private func levelSource(_ inputs: NoisedBatch, byPlace: Bool) throws -> NetworkFeatures {
    let all = level?.places ?? 1
    let places = min(options.places, all)
    let look: NetworkFeatures.Look =
      byPlace
      ? .places(
        (0..<inputs.count).map { n in
          var stream = RandomStream(
            seed: context.seed, purpose: .featurePlaces, index: UInt64(n))
          var order = Array(0..<all)
          stream.shuffle(&order)
          return order.prefix(places).sorted()
        }) : .mean
    return try NetworkFeatures(
      network, options.level, inputs, look, threads: context.threads,
      checkCancellation: context.checkCancellation)
  }

  private func noisedLaw(_ sigma: Double, _ chosen: Range<Int>) -> [Float] {
    let pixels = network.shape.pictureCount
    return (chosen.lowerBound * pixels..<chosen.upperBound * pixels).map {
      law.clean[$0] + Float(sigma) * law.noise[$0]
    }
  }

  // MARK: - Measurements

  private var told: FeatureMetrics {
    FeatureMetrics(
      texts: words.texts, askable: words.askable, isHeldOut: { words.isHeldOut($0.contains) },
      seed: context.seed, resamples: options.resamples)
  }
  private var singles: [WordSet] { told.singles }
  private var pairs: [WordSet] { told.pairs }

  func measure() throws -> (metrics: [MetricRow], table: SubspaceTable) {
    var metrics: [MetricRow] = []
    var found: [Double: WordSubspaces] = [:]
    let sigmas = options.sigmas.sorted()
    for (place, sigma) in sigmas.enumerated() {
      let whitenings = try whitenings(sigma)
      metrics += try means(sigma, whitenings)
      let (subspaces, turned) = try subspaces(sigma, whitenings)
      found[sigma] = subspaces
      metrics += turned
      metrics += try locality(sigma, subspaces, whitenings)
      context.progress(StageProgress(done: place + 1, total: sigmas.count, unit: "noise levels"))
    }
    return (
      metrics,
      try SubspaceTable(
        words: words.texts, sigmas: sigmas,
        levels: [options.level.rawValue: sigmas.compactMap { found[$0] }])
    )
  }

  /// Of each word, what training showed beside it and may be told so.
  static func companions(_ words: PictureWords) -> [[Int]] {
    let askable = words.askable
    return words.texts.indices.map { word in
      askable.contains(word)
        ? askable.filter { $0 != word && !words.isHeldOut(Set([word, $0]).contains) } : []
    }
  }

  /// Along what a word changes the features at a place, over half of the training pictures; and how much of what
  /// it changes from ∅ on is what it changes beside another word.
  private func subspaces(_ sigma: Double, _ whitenings: Whitenings?) throws -> (
    WordSubspaces, [MetricRow]
  ) {
    let half = max(options.draws / 2, 1)
    let source = try source(noisedLaw(sigma, 0..<half), half, sigma, byPlace: true, whitenings)
    let alone = try WordSubspaces(
      source, beside: words.texts.map { _ in [] }, rank: options.rank)
    let companions = Self.companions(words)
    let beside = try WordSubspaces(source, beside: companions, rank: options.rank)
    let rows = words.askable.filter { !companions[$0].isEmpty }.map { word in
      Measure.featureBeside.row(
        alone.overlap(word, beside, word), .sigma(sigma), .attribute(words.texts[word]), n: half)
    }
    return (options.beside == .word ? beside : alone, rows)
  }

  private func means(_ sigma: Double, _ whitenings: Whitenings?) throws -> [MetricRow] {
    let source = try source(
      noisedLaw(sigma, 0..<law.count), law.count, sigma, byPlace: false, whitenings)
    var rows = told.rows(
      try MeanDifferences(intervening: source, on: singles),
      try MeanDifferences(intervening: source, on: singles + pairs), sigma, .intervened)
    // Where it stands for the features themselves, the map is the one that made them.
    let whitening =
      try whitenings?.means ?? Whitening(try source.features(telling: .none))
    rows += [
      Measure.featureDeparture.row(whitening.departure, .sigma(sigma), n: law.count),
      Measure.featureCondition.row(whitening.condition, .sigma(sigma), n: law.count),
    ]
    if let worded {
      let base = try features(worded.base, sigma, whitenings)
      let groups = try (singles + pairs).compactMap { set in
        try worded.groups[set].map { (words: set, rows: try features($0, sigma, whitenings)) }
      }
      let alone = groups.filter { $0.words.count == 1 }
      if alone.count > 1 {
        rows += told.rows(
          try MeanDifferences(conditioning: alone, base: base),
          try MeanDifferences(conditioning: groups, base: base), sigma, .conditioned)
      }
    }
    return rows
  }

  /// z of clean pictures with noise, told nothing: a function of the picture alone.
  private func features(
    _ pictures: WordedRenders.Pictures, _ sigma: Double, _ whitenings: Whitenings?
  ) throws -> FeatureRows {
    let noise = pictures.noise
    return try source(
      zip(pictures.clean, noise).map { $0 + Float(sigma) * $1 }, pictures.count, sigma,
      byPlace: false, whitenings
    ).features(telling: .none)
  }

  private func locality(
    _ sigma: Double, _ subspaces: WordSubspaces, _ whitenings: Whitenings?
  ) throws -> [MetricRow] {
    var rows: [MetricRow] = []
    let half = max(options.draws / 2, 1)
    let others = options.draws - half
    for (k, sets, states) in requests {
      try context.checkCancellation()
      // Half of the training pictures were looked at for the subspaces.
      let law = try source(
        noisedLaw(sigma, half..<options.draws), others, sigma, byPlace: true, whitenings)
      rows += try told.rows(
        law, (0..<others).map { sets[$0 % sets.count] }, subspaces, k, sigma, .law)
      if let x = states[sigma] {
        rows += try told.rows(
          source(x, sets.count, sigma, byPlace: true, whitenings), sets, subspaces, k, sigma,
          .trajectory)
      }
    }
    return rows
  }
}
