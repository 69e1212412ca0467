import Artifacts
import Diffusion
import Evaluation
import Features
import Formats
import Foundation
import Lineage
import Measures
import Scenes
import Statistics
import Streams
import Workflow

/// `features`: what words change inside a network, and whether each changes what is its own.
enum FeaturesStage {
  struct Options: Settings {
    @Setting(
      default: .encoder2,
      "the level of the U-Net whose output is looked at: from the picture down, encoder.0 to encoder.2, and up,"
        + " decoder.0 and decoder.1; of a model that lives elsewhere the activation that it tells by this name"
    )
    var level: NetworkLevel
    @Setting(each: Shared.sigmaRange, count: 1...20, default: [10, 5, 2, 1], "noise levels")
    var sigmas: [Double]
    @Setting(
      each: 1...WordSet.mostWords, count: 1...12, default: [1, 2, 3, 5],
      "words told together, in and out of the training range")
    var counts: [Int]
    @Setting(
      4...10000, default: 64, isBudget: true,
      "training pictures with noise at which every word is told or not; half of them give the subspaces"
    )
    var draws: Int
    @Setting(
      2...10000, default: 32, isBudget: true,
      "states on the way to pictures of K asked words at which one of the words is told no longer")
    var layouts: Int
    @Setting(
      0...10000, default: 32, isBudget: true,
      "renders of exactly one word, and of exactly two, for means over pictures; 0: none")
    var pictures: Int
    @Setting(1...4096, default: 16, "places of each picture that are looked at one by one")
    var places: Int
    @Setting(1...512, default: 2, "dimensions of a word's subspace of the level's channels")
    var rank: Int
    @Setting(
      default: .nothing,
      "what is told beside a word when its subspace is learned: nothing, or another word that training showed with"
        + " it (word); with label dropout a word alone says that nothing else is there, and ∅ does not"
    )
    var beside: Beside
    @Setting(10...100_000, default: 1000, "draws behind intervals, and exchanges of words")
    var resamples: Int
    @Setting(Shared.steps) var steps: Int
    @Setting(
      default: "", isLate: true,
      "of a model of a shape of its own: the name of the activation that is looked at, instead of a level"
    )
    var feature: String
    @Setting(
      default: .level, isLate: true,
      "the features that are looked at: the level's own, the level's after a linear map that makes their covariance"
        + " the identity (whitened), or the judge's of what the network denoises (judge)")
    var space: FeatureSpace
    @Setting(Shared.together) var together: Int
  }

  static let kind = StageKind(
    name: "features", version: 1,
    summary:
      "Measures what words change inside a network, and whether each changes what is its own.",
    settings: Options.self,
    inputs: [
      InputDeclaration(
        "denoiser", accepts: [.denoiser],
        help: "a U-Net told of words, or a model that lives elsewhere; not behind a mask"),
      InputDeclaration(
        "scenes", accepts: [.pictureSet], arity: .optional,
        help: "its training pictures; none of a model of a shape of its own"),
      InputDeclaration(
        "judge", accepts: [.judge], arity: .optional, help: "whose features space \"judge\" is"),
    ], produces: .features, check: check, checkInputs: checkInputs,
    foresee: { options, upstream in
      var foreseen = Foreseen(upstream, "denoiser")
      foreseen.level = options.level
      foreseen.featureSpace = options.space
      foreseen.counts = options.counts
      foreseen.sigmas = options.sigmas
      return foreseen.value
    },
    foretell: { options, inputs in
      DenoiserManifest.field("denoiser", inputs).map { FieldFeaturesWork.work(options, $0.field) }
    },
    memory: { options, context in
      if let found = try DenoiserManifest(context.input("denoiser").manifest).field {
        return FieldFeaturesWork.memory(options, found.field)
      }
      try Shared.requireScenes(context)
      let shape = try PictureSetManifest("scenes", of: context).shape
      let words = shape.conditionerCount
      let pictures =
        options.draws + options.layouts * (options.sigmas.count + 4)
        + options.pictures * words * words
      return pictures * shape.pictureCount * MemoryLayout<Float>.stride
    }, run: run)

  private static func check(_ options: Options) -> [ParameterProblem] {
    Shared.checkDistinct(options.sigmas, path: "sigmas", what: "σ")
      + Shared.checkDistinct(options.counts, path: "counts", what: "K")
  }

  private static func checkInputs(_ options: Options, _ upstream: Upstream) -> [ParameterProblem] {
    let denoiser = Foreseen(upstream, "denoiser")
    var problems = Shared.checkScenesAreGiven(denoiser, upstream)
    if !problems.isEmpty { return problems }
    problems = Shared.checkScenes(of: denoiser, upstream)
    func refuse(_ path: String, _ message: String) {
      problems.append(ParameterProblem(path: path, message: message))
    }
    let hasJudge = upstream.one("judge") != nil
    if hasJudge != (options.space == .judge) {
      refuse(
        "inputs.judge",
        hasJudge
          ? "is given, and space \"\(options.space.rawValue)\" does not ask it; accepted: space \"judge\""
          : "is missing; space \"judge\" is that of a judge's features")
    } else if hasJudge {
      problems += Shared.checkJudge(upstream, of: denoiser, as: "denoiser")
    }
    // Of what shape a model that lives elsewhere is, it alone knows.
    let mayBeField = denoiser.isMasked != true && upstream.one("scenes") == nil
    if mayBeField {
      if options.feature.isEmpty {
        refuse("feature", "is missing; accepted: the name of an activation that the model tells")
      }
      if options.space != .level {
        refuse(
          "space",
          "found \"\(options.space.rawValue)\", accepted of a model of a shape of its own: level")
      }
    } else if denoiser.isMasked == true || (denoiser.isNetwork == false && denoiser.levels != nil) {
      refuse(
        "inputs.denoiser",
        "is no network but one behind a mask, or none; accepted: a U-Net, or a model that lives elsewhere"
      )
    } else if let levels = denoiser.levels, !levels.contains(options.level) {
      refuse(
        "level",
        levels.isEmpty
          ? NetworkLevelError.missing(options.level, found: levels).description
          : "found \"\(options.level.rawValue)\", where words do not tell yet; accepted: "
            + levels.map { "\"\($0.rawValue)\"" }.joined(separator: ", "))
    }
    let scenes = Foreseen(upstream, "scenes")
    // A model that lives elsewhere will be told of what its pictures are.
    guard let space = denoiser.space ?? scenes.space else { return problems }
    let heldOut = denoiser.heldOut ?? scenes.heldOut ?? []
    guard case .set(let texts) = space else {
      refuse(
        "inputs.denoiser",
        "its conditioners are \(space.text), and features are told apart by words; accepted:"
          + " pictures whose `conditioner` is a set of words")
      return problems
    }
    if !(2...WordSet.mostWords).contains(texts.count) {
      refuse("inputs.denoiser", FeatureError.words(texts.count).description)
    }
    if let words = PictureWords(texts, heldOut: heldOut),
      let most = options.counts.max(), most > words.askable.count
    {
      refuse("counts", "found \(most), accepted: up to \(words.askable.count) words")
    }
    if options.beside == .word, let words = PictureWords(texts, heldOut: heldOut) {
      problems += checkCompanions(words, upstream)
    }
    return problems
  }

  /// Beside what a word is told, training must have shown it.
  private static func checkCompanions(_ words: PictureWords, _ upstream: Upstream)
    -> [ParameterProblem]
  {
    let companions = FeatureMeasurement.companions(words)
    let lonely = words.askable.filter { companions[$0].isEmpty }.map { words.texts[$0] }
    let most = Foreseen(upstream, "scenes").objects?.last.map { $0 * words.perObject }
    if lonely.isEmpty, most ?? 2 > 1 { return [] }
    return [
      ParameterProblem(
        path: "beside",
        message: "found \"word\", and training shows "
          + (lonely.isEmpty ? "one word a picture" : "no pair of words with \(lonely[0])")
          + "; accepted: nothing")
    ]
  }

  private static func run(_ options: Options, _ context: StageContext) throws -> StageOutput {
    if let artifact = try FieldArtifact("denoiser", of: context) {
      return try FieldFeaturesWork(options: options, artifact: artifact, context: context).output()
    }
    let artifact = try DenoiserArtifact("denoiser", of: context)
    guard let network = artifact.leveled else {
      throw NetworkLevelError.missing(options.level, found: [])
    }
    let scenes = try PictureSet("scenes", of: context)
    try Shared.requireSameShape(artifact.denoiser.shape, scenes.shape)
    guard let words = artifact.words(trainedOn: scenes) else { throw FeatureError.words(0) }
    guard (2...WordSet.mostWords).contains(words.texts.count) else {
      throw FeatureError.words(words.texts.count)
    }
    let measurement = try FeatureMeasurement(
      options: options, artifact: artifact, network: network, words: words, scenes: scenes,
      context: context)
    let (metrics, table) = try measurement.measure()
    let subspaces = table.data()
    let content = metricTable(metrics)
    return StageOutput(
      files: [
        try context.output(
          FeaturesManifest(
            denoiser: artifact.sha256, level: options.level, space: options.space,
            words: words.texts,
            beside: options.beside, subspaces: SHA256.hash(subspaces), table: SHA256.hash(content))),
        try context.output("subspaces", kind: "subspaces", .safetensors, subspaces),
        try context.output("features", kind: "features", .json, content),
      ], metrics: metrics)
  }
}
