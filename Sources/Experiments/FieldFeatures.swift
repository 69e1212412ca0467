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
  let name: String
  let layout: Layout
  /// Their labels are not used.
  let inputs: FieldBatch
  /// Places of each input that are looked at one by one; `nil`: the mean over all of them.
  let chosen: [[Int]]?

  /// How an activation's values are channels at places: (C, H, W) and other shapes of channels first, (T, C) of tokens,
  /// or channels alone.
  struct Layout {
    var channels: Int
    var places: Int
    var isChannelsLast: Bool

    init(_ shape: [Int]) {
      isChannelsLast = shape.count == 2
      channels = isChannelsLast ? shape[1] : shape[0]
      places = shape.reduce(1, *) / max(channels, 1)
    }

    func index(_ channel: Int, _ place: Int) -> Int {
      isChannelsLast ? place * channels + channel : channel * places + place
    }
  }

  var words: Int { model.fieldShape.entries }
  var dimension: Int { layout.channels }
  var draws: Int { inputs.count }
  var places: Int { chosen?.first?.count ?? 1 }

  func features(told: [WordSet]) throws -> FeatureRows {
    var batch = inputs
    batch.labels = told.flatMap { set in (0..<words).map { set.contains($0) ? 1 : 0 } }
    let made = try model.features(batch, of: name)
    let count = layout.channels * layout.places
    var values: [Double] = []
    values.reserveCapacity(draws * places * dimension)
    for n in 0..<draws {
      for place in chosen?[n] ?? [] {
        for c in 0..<layout.channels {
          values.append(Double(made[n * count + layout.index(c, place)]))
        }
      }
      if chosen != nil { continue }
      for c in 0..<layout.channels {
        let sum = (0..<layout.places).reduce(0.0) {
          $0 + Double(made[n * count + layout.index(c, $1)])
        }
        values.append(sum / Double(layout.places))
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
    // Drawn; told each word, each pair or nothing, singly and again; each alone; each told no longer.
    let looked =
      options.draws * (2 + 2 * words + words * (words - 1) / 2) + half * (1 + words)
      + (options.draws - half) * (1 + together)
    let drawn =
      options.draws
      * FieldDrawing.passes(Sampler(steps: options.steps), endpoints: field.endpoints)
    return "\(drawn + options.sigmas.count * looked) passes of \(field.text),"
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
    guard (2...WordSet.mostWords).contains(words.count) else {
      throw FeatureError.words(words.count)
    }
    let offered = model.peer.hello.features
    guard let feature = offered.first(where: { $0.name == options.feature }) else {
      throw MismatchError(
        "`feature` is \"\(options.feature)\", and the model tells "
          + (offered.isEmpty ? "none" : offered.map(\.name).joined(separator: ", ")))
    }
    let layout = FieldFeatures.Layout(feature.shape)
    if options.rank > layout.channels {
      throw FeatureError.rank(found: options.rank, most: layout.channels)
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
        model: model, name: feature.name, layout: layout, inputs: drawing.noised(sigma, range),
        chosen: byPlace ? range.map { places($0, layout) } : nil)
    }
    let half = options.draws / 2
    var metrics: [MetricRow] = []
    var found: [WordSubspaces] = []
    let sigmas = options.sigmas.sorted()
    for (place, sigma) in sigmas.enumerated() {
      try context.checkCancellation()
      let means = source(sigma, 0..<options.draws, byPlace: false)
      metrics += told.rows(
        try MeanDifferences(intervening: means, on: told.singles),
        try MeanDifferences(intervening: means, on: told.singles + told.pairs), sigma, .intervened)
      let subspaces = try WordSubspaces(
        source(sigma, 0..<half, byPlace: true), beside: words.map { _ in [] }, rank: options.rank)
      found.append(subspaces)
      // What it draws itself, on its way: the inputs that gave the subspaces are left out.
      metrics += try told.rows(
        source(sigma, half..<options.draws, byPlace: true),
        drawing.told[half...].map { WordSet($0) }, subspaces, together, sigma, .trajectory)
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

  private func places(_ n: Int, _ layout: FieldFeatures.Layout) -> [Int] {
    var stream = RandomStream(seed: context.seed, purpose: .featurePlaces, index: UInt64(n))
    var all = Array(0..<layout.places)
    stream.shuffle(&all)
    return all.prefix(options.places).sorted()
  }
}
