import Diffusion
import Evaluation
import Formats
import Foundation
import Interventions
import Lineage
import Measures
import Streams
import Workflow

/// `intervene`: a denoiser behind a mask, without training.
enum InterveneStage {
  static let kind = StageKind(
    name: "intervene", version: 1,
    summary: "Puts a mask before a trained denoiser and checks that it cuts what it should.",
    parameters: [
      Parameter(
        "mask", .choice(MaskSpecification.Name.allCases.map(\.rawValue)),
        help: "what is cut: labels, pixels, both, nothing (identity) or the wrong place (placebo)"),
      Parameter(
        "of", .choice(MaskSpecification.Target.allCases.map(\.rawValue)),
        default: .string("conditioner"), help: "what a placebo imitates"),
      Parameter(
        "radius", .number(0.5...1000), default: .number(7), help: "reach of a label in px"),
      Parameter("block", .integer(1...512), default: .integer(4), help: "side of a block in px"),
      Parameter(
        "margin", .integer(0...512), default: .integer(4), help: "px seen on each side of a block"),
      Parameter(
        "fill", .choice(MaskSpecification.Fill.allCases.map(\.rawValue)),
        default: .string("resampled"),
        help: "what stands where a pixel must not be seen: another noised picture, or the mean"),
      Parameter(
        "fill_pictures", .integer(1...10000), default: .integer(64),
        help: "training pictures to resample from"),
    ],
    inputs: [
      InputDeclaration(
        "denoiser", from: ["train", "analytic", "import"], help: "the denoiser to mask"),
      InputDeclaration("scenes", from: ["generate"], help: "pictures for fills and for the check"),
    ], run: run)

  private static func run(_ context: StageContext) throws -> StageOutput {
    let parameters = context.parameters
    let input = try context.input("denoiser")
    let base = try DenoiserArtifact("denoiser", of: context)
    let scenes = try SceneArtifact(try context.input("scenes"))
    let specification = MaskSpecification(
      mask: try parameters.choice("mask"), of: try parameters.choice("of"),
      radius: try parameters.number("radius"), block: try parameters.integer("block"),
      margin: try parameters.integer("margin"), fill: try parameters.choice("fill"),
      seed: context.seed)
    let set = try scenes.trainingSet
    let fill =
      specification.masksPixels
      ? try self.fill(set, specification, count: parameters.integer("fill_pictures")) : []
    let masked = try MaskedDenoiser(
      base: base.denoiser, specification: specification, fill: fill)

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

    let encoder = JSONEncoder()
    var description = try JSONValue.parse(try encoder.encode(specification)).object ?? [:]
    // The weights make masks of different models different artifacts.
    description["weights"] = .string(base.weightsHash)
    var files = try base.baseRoles.map { role in
      let format: OutputFormat =
        switch role {
        case "weights": .safetensors
        case "machine": .json
        default: .npy
        }
      return try context.output(role, kind: role, format, try input.file(role).data())
    }
    files.append(
      try context.output(
        "mask", kind: "mask", .json, Data(JSONValue.object(description).prettyText().utf8)))
    if !fill.isEmpty {
      let size = scenes.shape.size
      let array = try NPYArray(
        shape: [fill.count / scenes.shape.pictureCount, size, size, 3], elements: .float32(fill))
      files.append(try context.output("fill", kind: "fill", .npy, array.npyData()))
    }
    return StageOutput(files: files, metrics: metrics)
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
      labels: set.conditioners.prefix(count * shape.conditionerCount).map { Float($0) })
    var stream = RandomStream(seed: seed, purpose: .maskCheck, index: 0)
    for i in batch.x.indices { batch.x[i] += sigma * stream.gaussian() }
    return batch
  }

  /// The mean training picture, or some training pictures at random.
  private static func fill(_ set: TrainingSet, _ specification: MaskSpecification, count: Int)
    throws -> [Float]
  {
    let size = set.shape.pictureCount
    switch specification.fill {
    case .mean:
      var sums = [Int](repeating: 0, count: size)
      for n in 0..<set.count {
        for i in 0..<size { sums[i] += Int(set.pixels[n * size + i]) }
      }
      return sums.map { Float(Double($0) / Double(set.count) / 127.5 - 1) }
    case .resampled:
      var stream = RandomStream(seed: specification.seed, purpose: .fillPictures, index: 0)
      return (0..<count).flatMap { _ in
        let chosen = stream.integer(below: set.count)
        return set.pixels[chosen * size..<(chosen + 1) * size].map(TrainingSet.value)
      }
    }
  }
}
