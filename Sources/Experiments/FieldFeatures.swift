import Artifacts
import Diffusion
import External
import Features
import Foundation
import Lineage
import Measures
import Streams
import Workflow

/// Activations of a model that lives elsewhere, at inputs that stay the same whatever is told.
struct FieldFeatures: FeatureSource {
  let model: PeerModel
  let feature: PeerHello.Feature
  /// Their labels are not used.
  let inputs: FieldBatch
  /// Places of each input that are looked at one by one; `nil`: the mean over all of them.
  let chosen: [[Int]]?

  var words: Int { model.fieldShape.entries }
  var dimension: Int { feature.channels }
  var draws: Int { inputs.count }
  var places: Int { chosen?.first?.count ?? 1 }

  func features(told: [WordSet]) throws -> FeatureRows {
    var batch = inputs
    batch.labels = told.flatMap { set in (0..<words).map { set.contains($0) ? 1 : 0 } }
    let made = try model.features(batch, of: feature.name)
    let (channels, all) = (feature.channels, feature.places)
    func value(_ n: Int, _ place: Int, _ channel: Int) -> Double {
      let index = feature.isChannelsLast ? place * channels + channel : channel * all + place
      return Double(made[n * feature.count + index])
    }
    var values: [Double] = []
    values.reserveCapacity(draws * places * dimension)
    for n in 0..<draws {
      for place in chosen?[n] ?? [] {
        for c in 0..<channels { values.append(value(n, place, c)) }
      }
      if chosen != nil { continue }
      for c in 0..<channels {
        values.append((0..<all).reduce(0) { $0 + value(n, $1, c) } / Double(all))
      }
    }
    return FeatureRows(dimension: dimension, values: values)
  }
}

/// `features` of a model of a shape of its own: what its concepts change in an activation that it tells by name.
struct FieldFeaturesWork {
  let options: FeaturesStage.Options
  let artifact: FieldArtifact
  let context: StageContext

  private var model: PeerModel { artifact.peer }

  static func memory(_ options: FeaturesStage.Options, _ field: DenoiserManifest.Field) -> Int {
    6 * options.draws * field.shape.reduce(1, *) * MemoryLayout<Float>.stride
  }

  /// What it will be, without a pass.
  static func work(_ options: FeaturesStage.Options, _ field: DenoiserManifest.Field) -> String {
    let words = field.entries.count
    let together = min(options.together, words)
    let half = options.draws / 2
    let drawn =
      options.draws
      * FieldDrawing.passes(Sampler(steps: options.steps), endpoints: field.endpoints)
    // Drawn; told each word, each pair or nothing, singly and again; each alone; each told no longer.
    let looked =
      options.draws * (2 + 2 * words + words * (words - 1) / 2) + half * (1 + words)
      + (options.draws - half) * (1 + together)
    // Of one thing alone, told or not, and again for its subspace.
    let each = words == 1 ? 2 * (options.draws + half) : looked
    return "\(drawn + options.sigmas.count * each) passes of \(field.text),"
      + " \(max(1, memory(options, field) >> 20)) MiB"
  }

  func output() throws -> StageOutput {
    if let mask = artifact.mask {
      throw MismatchError(
        "the model is behind mask `\(mask.mask.rawValue)`, which has no activations; give the one behind it"
      )
    }
    context.note("plans " + Self.work(options, artifact.field))
    let words = artifact.field.entries
    guard (1...WordSet.mostWords).contains(words.count) else {
      throw FeatureError.words(words.count)
    }
    let feature = try model.peer.feature(options.feature)
    if options.rank > feature.channels {
      throw FeatureError.rank(found: options.rank, most: feature.channels)
    }
    let together = min(options.together, words.count)
    let drawing = try FieldDrawing(
      model, count: options.draws, together: together, sampler: Sampler(steps: options.steps),
      portion: model.peer.hello.batch, context, try context.checkpointing().scoped("drawing"))
    let told = FeatureMetrics(
      texts: words, askable: Array(words.indices), isHeldOut: { _ in false }, seed: context.seed,
      resamples: options.resamples)
    func source(_ sigma: Double, _ range: Range<Int>, byPlace: Bool) -> FieldFeatures {
      FieldFeatures(
        model: model, feature: feature, inputs: drawing.noised(sigma, range),
        chosen: byPlace ? range.map { places($0, of: feature) } : nil)
    }
    let half = options.draws / 2
    var metrics: [MetricRow] = []
    var found: [WordSubspaces] = []
    let sigmas = options.sigmas.sorted()
    let isAlone = words.count == 1
    if isAlone {
      context.note(
        "looks at a model told of one thing alone: no pairs, but what telling it changes")
      metrics.append(Measure.fieldEndpoints.row(artifact.field.endpoints ? 1 : 0))
    }
    for (place, sigma) in sigmas.enumerated() {
      try context.checkCancellation()
      if isAlone {
        let effect = try source(sigma, 0..<options.draws, byPlace: true).effect(
          ofTelling: 0, seed: context.seed, resamples: options.resamples)
        metrics.append(Measure.featureEffect.row(effect, .sigma(sigma), .attribute(words[0])))
      } else {
        let means = source(sigma, 0..<options.draws, byPlace: false)
        metrics += told.rows(
          try MeanDifferences(intervening: means, on: told.singles),
          try MeanDifferences(intervening: means, on: told.singles + told.pairs), sigma,
          .intervened)
      }
      let subspaces = try WordSubspaces(
        source(sigma, 0..<half, byPlace: true), beside: words.map { _ in [] }, rank: options.rank)
      found.append(subspaces)
      // What it draws itself, on its way: the inputs that gave the subspaces are left out.
      if !isAlone {
        metrics += try told.rows(
          source(sigma, half..<options.draws, byPlace: true),
          drawing.told[half...].map { WordSet($0) }, subspaces, together, sigma, .trajectory)
      }
      context.progress(StageProgress(done: place + 1, total: sigmas.count, unit: "noise levels"))
    }
    let subspaces = try SubspaceTable(
      words: words, sigmas: sigmas, levels: [feature.name: found]
    ).data()
    let content = metricTable(metrics)
    return StageOutput(
      files: [
        try context.output(
          FieldFeaturesManifest(
            denoiser: artifact.sha256, feature: feature.name, words: words,
            subspaces: SHA256.hash(subspaces), table: SHA256.hash(content))),
        try context.output("subspaces", kind: "subspaces", .safetensors, subspaces),
        try context.output("features", kind: "features", .json, content),
      ], metrics: metrics)
  }

  private func places(_ n: Int, of feature: PeerHello.Feature) -> [Int] {
    var stream = RandomStream(seed: context.seed, purpose: .featurePlaces, index: UInt64(n))
    var all = Array(0..<feature.places)
    stream.shuffle(&all)
    return all.prefix(options.places).sorted()
  }
}
