import Artifacts
import Diffusion
import Evaluation
import Foundation
import Lineage
import Measures
import Probing
import Scenes
import Statistics
import Streams
import Workflow

/// What changes at labelled objects with what is remote to them: at inputs of the training law, and at states
/// of the denoiser's own trajectories. Layouts, noise and changes are the same for every denoiser of a seed.
struct RemoteProbe {
  let artifact: DenoiserArtifact
  let camera: CameraKind
  let options: ProbeStage.Options
  let context: StageContext

  struct Result {
    var metrics: [MetricRow] = []
    var table = SensitivityTable([])
  }

  private var denoiser: any Denoiser { artifact.denoiser }
  private var shape: PictureShape { denoiser.shape }
  private var sampler: Sampler { options.pathSampler }

  func measure(_ checkpointing: Checkpointing) throws -> Result {
    var result = Result()
    if options.layouts == 0 { return result }
    for (place, k) in options.counts.sorted().enumerated() {
      let own = checkpointing.scoped("remote-\(place)")
      if k <= artifact.origin.objects.upperBound { try law(k, own, &result) }
      try trajectory(k, own, &result)
    }
    for inputs in ProbeInputs.allCases {
      for k in result.table.counts(of: inputs.rawValue).sorted() {
        result.metrics += indices(inputs, k, result.table)
      }
    }
    return result
  }

  private func indices(_ inputs: ProbeInputs, _ k: Int, _ table: SensitivityTable) -> [MetricRow] {
    let average = table.average(
      of: inputs.rawValue, k: k, sigmas: table.sigmas(of: inputs.rawValue))
    return RemoteAverage.Change.allCases.compactMap { change in
      average.interval(change, seed: context.seed).map {
        Measure.remoteIndex(change.catalogued).row($0, .k(k), .inputs(inputs))
      }
    }
  }

  /// Noised renders, told of as in training.
  private func law(_ k: Int, _ checkpointing: Checkpointing, _ result: inout Result) throws {
    let held = try HeldOutPictures(
      k, count: options.layouts, origin: artifact.origin, shape: shape, camera: camera,
      purpose: .probeScenes, context)
    for sigma in options.remoteSigmas.sorted(by: >) {
      try add(.law, k, sigma, held.noised(sigma), checkpointing, &result)
    }
  }

  private func trajectory(_ k: Int, _ checkpointing: Checkpointing, _ result: inout Result) throws {
    let count = options.layouts
    // Twice as many: the second half are the labels that come too late.
    let requests = try (0..<2 * count).map {
      try requestedLayout(k: k, layout: $0, shape: shape, camera: camera, seed: context.seed)
    }
    let labels = requests.prefix(count).flatMap(\.labels)
    let noise = (0..<count).flatMap {
      startingNoise(k: k, layout: $0, shape: shape, seed: context.seed)
    }
    let draws = (0..<count).map { layoutDraw(k: k, layout: $0, seed: context.seed) }
    let sampled = try sampler.states(
      denoiser, labels: labels, noise: noise, draws: draws, at: options.remoteSigmas,
      threads: context.threads, checkCancellation: context.checkCancellation)
    for (sigma, x) in sampled.states.sorted(by: { $0.key > $1.key }) {
      let batch = NoisedBatch(
        x: x, sigma: [Float](repeating: Float(sigma), count: count), labels: labels, draws: draws)
      try add(.trajectory, k, sigma, batch, checkpointing, &result)
    }
    let decision = try LayoutDecision(
      denoiser, sampler, labels: labels, others: requests.suffix(count).flatMap(\.labels),
      noise: noise, draws: draws, pictures: sampled.pictures, states: sampled.states,
      seed: context.seed, threads: context.threads, checkCancellation: context.checkCancellation)
    for level in decision.levels {
      result.metrics.append(Measure.layoutDecided.row(level.share, .k(k), .sigma(level.sigma)))
    }
    if let range = decision.range {
      result.metrics += [
        Measure.layoutSigmaHigh.row(range.upperBound, .k(k)),
        Measure.layoutSigmaLow.row(range.lowerBound, .k(k)),
      ]
    }
  }

  private func add(
    _ inputs: ProbeInputs, _ k: Int, _ sigma: Double, _ batch: NoisedBatch,
    _ checkpointing: Checkpointing, _ result: inout Result
  ) throws {
    // The next picture's pixels stand in for each one's.
    let size = shape.pictureCount
    let changes = try remoteChanges(
      denoiser,
      RemoteInputs(
        batch: batch, others: Array(batch.x.suffix(batch.x.count - size) + batch.x.prefix(size))),
      RemoteSettings(window: options.window), seed: context.seed, threads: context.threads,
      checkpointing: checkpointing.scoped("\(inputs.rawValue)-\(sigma)"))
    for (picture, change) in changes.enumerated() {
      result.table.pictures.append(
        .init(inputs: inputs.rawValue, k: k, sigma: sigma, picture: picture, changes: change))
    }
    let level = RemoteAverage(levels: [changes])
    result.metrics += RemoteAverage.Change.allCases.compactMap { change in
      level.interval(change, seed: context.seed).map {
        Measure.remote(change.catalogued).row($0, .k(k), .sigma(sigma), .inputs(inputs))
      }
    }
  }
}

extension RemoteAverage.Change {
  /// As the catalogue knows it.
  fileprivate var catalogued: Measure.RemoteChange {
    switch self {
    case .single: .single
    case .removed: .removed
    case .moved: .moved
    case .swapped: .swapped
    }
  }
}

extension SensitivityRow {
  init?(_ picture: SensitivityTable.Picture) {
    guard let inputs = ProbeInputs(rawValue: picture.inputs) else { return nil }
    let changes = picture.changes
    self.init(
      inputs: inputs, k: picture.k, sigma: picture.sigma, picture: picture.picture,
      labels: changes.labels, own: changes.own, swapped: changes.swapped,
      replaced: changes.replaced, remoteLabels: changes.remoteLabels,
      remoteOwn: changes.remoteOwn, removed: changes.removed, moved: changes.moved,
      single: changes.single)
  }
}
