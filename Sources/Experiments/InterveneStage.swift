import Artifacts
import Diffusion
import Evaluation
import Features
import Formats
import Foundation
import Interventions
import Lineage
import Measures
import Scenes
import Streams
import Workflow

/// `intervene`: a denoiser behind a mask, without training.
enum InterveneStage {
  struct Options: Settings {
    @Setting(
      required: .identity,
      "what is cut: labels (conditioner, window), pixels, both, a path inside the network (path), nothing"
        + " (identity, stitched); each entry told only where its knock-out acts (concept); or sum, reverse, or"
        + " features put together word by word"
    )
    var mask: MaskSpecification.Name
    @Setting(Shared.labels) var labels: Int
    @Setting(
      default: .near,
      "which labels remain beside its own; of a window those inside (near), or its own and those outside (far); of reverse"
        + " whether a label's strength goes by its own cell (near) or by all others (far); of concept where an entry"
        + " is told: in its own region (near), the next told one's (far), or its own moved at random (random)"
    )
    var keep: MaskSpecification.Keep
    @Setting(
      default: .everywhere, isLate: true,
      "which pixels have labels hidden from them, by conditioner, window and both: everywhere, those within"
        + " reach of a label (objects), or all others (ground); the rest see every label")
    var at: At
    @Setting(Shared.radius) var radius: Double
    @Setting(1...512, default: 4, unit: "px", "side of a block") var block: Int
    @Setting(0...512, default: 4, unit: "px", "width of the ring that a block sees beside itself")
    var margin: Int
    @Setting(default: .near, "where that ring lies: around the block, or half a picture away")
    var ring: MaskSpecification.Ring
    @Setting(
      default: .ground, "what stands where a pixel must not be seen, with fresh noise of the same σ"
    )
    var fill: MaskSpecification.Fill
    @Setting(1...10000, default: 64, "pictures to fill from") var fillPictures: Int
    @Setting(
      0.01...1, default: 0.5, "of reverse: how much stronger or weaker than 1 a label tells")
    var amplitude: Double
    @Setting(
      default: .both, isLate: true,
      "of path: group norms with the mean statistics of the training law at that σ (statistics), attention to"
        + " its own place alone (attention), or both")
    var path: NetworkPath
    @Setting(
      1...10000, default: 64, isLate: true,
      "noised pictures of the training law on which these statistics are measured, at 33 noise levels evenly"
        + " in ln σ from 0.002 to 80; between these they are linear in ln σ")
    var pathPictures: Int
    @Setting(
      default: .own, isLate: true,
      "of features: what each word changes at the level goes through its own subspace (own), another word's"
        + " (permuted), a random one (random), or none (sum); whole: all words at once, which changes nothing"
    )
    var projection: FeatureMask.Projection
    @Setting(
      default: .all, isLate: true,
      "of features: what the rest of the network is told, all words or nothing")
    var rest: FeatureMask.Rest
    @Setting(
      default: .nothing, isLate: true,
      "of features: beside what a word is told when it is looked at what it changes: nothing, or each of the other"
        + " words that are asked for, one at a time (word), of which the mean is taken")
    var beside: Beside
    @Setting(
      0.01...0.99, default: RegionMask.defaultShare, isLate: true,
      "of concept: share of an entry's squared effect that its region holds, in the fewest places")
    var share: Double
    @Setting(
      1...64, default: 2, isLate: true,
      "of concept: noises on which a region is found, none of them that of the input")
    var noises: Int
    @Setting(
      default: .among, isLate: true,
      "of concept: an entry's effect, which its region holds: all that is told against all but it (among), or it alone"
        + " against nothing (alone)")
    var knockOut: RegionMask.KnockOut
    @Setting(
      1...10000, default: 12, isLate: true, isBudget: true,
      "of a model of a shape of its own: pictures that it draws with and without the mask")
    var pictures: Int
    @Setting(
      each: Shared.sigmaRange, count: 1...40, default: [10, 3, 1], isLate: true,
      "of the same: noise levels at which both are compared")
    var sigmas: [Double]
    @Setting(
      0...256, default: 8, isLate: true,
      "of the same: noises a level by which the model without the mask tells which entries a drawn picture shows; 0: it"
        + " is not asked")
    var judgements: Int
    @Setting(
      2...1000, default: 18, isLate: true, "of the same: steps of the sampler") var steps: Int
    @Setting(Shared.sampler) var sampler: SamplingMethod
    @Setting(Shared.together) var together: Int
    @Setting(0...1000, default: 0, "noise level from which on the mask holds") var sigmaLow: Double
    @Setting(0...1000, default: 1000, "noise level up to which it holds") var sigmaHigh: Double

    enum At: String, Sendable, Codable, CaseIterable {
      case everywhere, objects, ground
      var place: MaskSpecification.Place? { .init(rawValue: rawValue) }
    }

    func specification(seed: UInt64, level: NetworkLevel = .encoder2) -> MaskSpecification {
      MaskSpecification(
        mask: mask, labels: labels, keep: keep, at: at.place, radius: radius, block: block,
        margin: margin, ring: ring, fill: fill, seed: seed,
        sigmaLow: sigmaLow > 0 ? sigmaLow : nil, sigmaHigh: sigmaHigh < 1000 ? sigmaHigh : nil,
        amplitude: amplitude, path: path,
        features: FeatureMask(level: level, projection: projection, rest: rest, beside: beside),
        region: RegionMask(share: share, noises: noises, knockOut: knockOut))
    }
  }

  static let kind = StageKind(
    name: "intervene", version: 4,
    summary:
      "Puts a mask before a denoiser, without training, and checks that it cuts what it should.",
    settings: Options.self,
    inputs: [
      InputDeclaration("denoiser", accepts: [.denoiser], help: "the denoiser to mask"),
      InputDeclaration(
        "scenes", accepts: [.pictureSet], arity: .optional,
        help: "pictures for fills and for the check; none of a model of a shape of its own"),
      InputDeclaration(
        "features", accepts: [.features], arity: .optional,
        help: "of features: the level, and the words' subspaces there"),
    ], produces: .denoiser,
    check: { Shared.checkDistinct($0.sigmas, path: "sigmas", what: "σ") }, checkInputs: check,
    foresee: { _, upstream in
      var foreseen = Foreseen(upstream, "denoiser")
      foreseen.isMasked = true
      foreseen.base = foreseen.stage
      return foreseen.value
    },
    foretell: { options, inputs in
      DenoiserManifest.field("denoiser", inputs).map { FieldMaskWork.work(options, $0.field) }
    },
    memory: { options, context in
      if let found = try DenoiserManifest(context.input("denoiser").manifest).field {
        return FieldMaskWork.memory(options, found.field)
      }
      try Shared.requireScenes(context)
      let scenes = try PictureSetManifest("scenes", of: context)
      let specification = options.specification(seed: 0)
      let fill =
        specification.masksPixels && specification.fill != .mean ? options.fillPictures : 1
      let measured = specification.path?.cutsStatistics == true ? options.pathPictures : 0
      // The pictures that fill, and the file that is made of them; clean ones, their noise and both.
      return try scenes.bytes(context) + (2 * fill + 3 * measured) * scenes.shape.pictureCount
        * MemoryLayout<Float>.stride
    }, run: run)

  private static func run(_ options: Options, _ context: StageContext) throws -> StageOutput {
    if let artifact = try FieldArtifact("denoiser", of: context) {
      return try FieldMaskWork(options: options, artifact: artifact, context: context).output()
    }
    let base = try DenoiserArtifact("denoiser", of: context)
    let scenes = try PictureSet("scenes", of: context)
    try Shared.requireSameShape(base.denoiser.shape, scenes.shape)
    let features = try features(base, context)
    let specification = options.specification(
      seed: context.seed, level: features?.level ?? .encoder2)
    let set = try scenes.trainingSet
    let fill =
      specification.masksPixels
      ? try self.fill(
        scenes, set, specification, count: options.fillPictures, threads: context.threads) : []
    let moments = try moments(specification, base, set, options, context)
    let masked = try MaskedDenoiser(
      base: base.denoiser, specification: specification, fill: fill,
      cut: try base.inside(
        specification, moments: moments, subspaces: try features?.file.subspaces()))

    var metrics: [MetricRow] = []
    for sigma in checkedSigmas {
      try context.checkCancellation()
      let batch = checkBatch(set, sigma: sigma, seed: context.seed)
      let effect = try checkMask(masked, on: batch, threads: context.threads)
      metrics.append(
        Measure.maskChangedShare.row(
          effect.changedShare, .sigma(Double(sigma)), n: batch.count))
      metrics.append(
        Measure.maskLargestChange.row(
          Double(effect.largestChange), .sigma(Double(sigma)), n: batch.count))
    }

    var files: [StageOutput.File] = []
    var fillHash: String?
    if !fill.isEmpty {
      let size = scenes.shape.size
      let data = try NPYArray(
        shape: [fill.count / scenes.shape.pictureCount, size, size, 3], elements: .float32(fill)
      ).npyData()
      fillHash = SHA256.hash(data)
      files.append(try context.output("fill", kind: "fill", .npy, data))
    }
    let momentsData = moments?.data()
    if let momentsData {
      files.append(try context.output("moments", kind: "moments", .safetensors, momentsData))
    }
    files.append(
      try context.output(
        DenoiserManifest.masked(
          .init(
            base: base.sha256, mask: specification, fill: fillHash,
            moments: momentsData.map(SHA256.hash), subspaces: features?.file.sha256))))
    return StageOutput(files: files, metrics: metrics)
  }

  /// The level, and the file of subspaces.
  ///
  /// - Throws: `MismatchError` for those of another denoiser.
  private static func features(_ base: DenoiserArtifact, _ context: StageContext) throws -> (
    level: NetworkLevel, file: StageFile
  )? {
    if context.inputs["features"] == nil { return nil }
    let manifest = try FeaturesManifest(try context.input("features").manifest)
    if manifest.denoiser != base.sha256 {
      throw MismatchError(
        "the features are of another denoiser; give those of the denoiser that is masked")
    }
    if let space = manifest.space, space != .level {
      throw MismatchError(
        "the features are of space \"\(space.rawValue)\"; a mask takes those of the level itself")
    }
    return (manifest.level, context.object(manifest.subspaces))
  }

  /// From high noise, where the layout is decided, to low.
  private static let checkedSigmas: [Float] = [10, 2, 0.5]
  private static let checkedPictures = 8

  private static func checkBatch(_ set: TrainingSet, sigma: Float, seed: UInt64) -> NoisedBatch {
    let shape = set.shape
    let count = min(checkedPictures, set.count)
    var batch = NoisedBatch(
      x: set.pixels.prefix(count * shape.pictureCount).map(TrainingSet.value),
      sigma: [Float](repeating: sigma, count: count),
      labels: set.conditioners.prefix(count * shape.conditionerCount).map { Float($0) },
      draws: (0..<count).map { UInt64($0) })
    // Every other one is told of the objects of all: what a mask cuts beyond the training range counts.
    let cells = shape.conditionerCount
    for n in stride(from: 1, to: count, by: 2) {
      for cell in 0..<cells {
        let all = (0..<count).contains { set.conditioners[$0 * cells + cell] != 0 }
        batch.labels[n * cells + cell] = all ? 1 : 0
      }
    }
    var stream = RandomStream(seed: seed, purpose: .maskCheck, index: 0)
    for i in batch.x.indices { batch.x[i] += sigma * stream.gaussian() }
    return batch
  }

  /// What the base's norms find on the training law, where they are frozen.
  private static func moments(
    _ specification: MaskSpecification, _ base: DenoiserArtifact, _ set: TrainingSet,
    _ options: Options, _ context: StageContext
  ) throws -> NormMoments? {
    guard let path = specification.path, path.cutsStatistics, let network = base.network else {
      return nil
    }
    let (low, high) = (log(Shared.sigmaRange.lowerBound), log(Shared.sigmaRange.upperBound))
    let sigmas = (0..<momentLevels).map {
      Float(exp(low + (high - low) * Double($0) / Double(momentLevels - 1)))
    }
    let law = NoisedLaw(
      set, base.training.labelling, count: options.pathPictures, seed: context.seed)
    return try NormMoments(
      of: network, on: law, sigmas: sigmas, threads: context.threads,
      checkCancellation: context.checkCancellation)
  }

  private static let momentLevels = 33

  /// The mean training picture, some training pictures at random, or renders of nothing.
  private static func fill(
    _ scenes: PictureSet, _ set: TrainingSet, _ specification: MaskSpecification, count: Int,
    threads: Int
  ) throws -> [Float] {
    switch specification.fill {
    case .mean: return scenes.meanPicture
    case .ground:
      let settings = SceneSettings(
        camera: scenes.manifest.camera, size: set.shape.size, cells: 1,
        rules: LayoutRules(objects: 0...0))
      return try renderSet(
        settings, seed: specification.seed, indices: 0..<count, purpose: .ground, threads: threads
      ).pixels.map(TrainingSet.value)
    case .resampled:
      let size = set.shape.pictureCount
      var stream = RandomStream(seed: specification.seed, purpose: .fillPictures, index: 0)
      return (0..<count).flatMap { _ in
        let chosen = stream.integer(below: set.count)
        return set.pixels[chosen * size..<(chosen + 1) * size].map(TrainingSet.value)
      }
    }
  }
}
