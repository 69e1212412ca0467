import Formats
import Foundation
import Lineage
import Measures
import Statistics

@testable import Reporting

/// A store in a folder of its own with one run, published as stages would: a few rows of everything
/// that the report asks for.
final class ReportFixture {
  let folder: URL
  let store: Store
  let run: String

  init(source: String = "{ question: 'Does it compose?' }") throws {
    folder = FileManager.default.temporaryDirectory.appending(
      path: "locus-report-\(UUID().uuidString)")
    store = try Store.open(folder, .readWrite, .locus)
    run = try store.beginRun(
      pipeline: "study", path: "study.json5", source: source, trigger: "test", seed: 1,
      host: "here", locusVersion: "0", gitCommit: nil)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  var data: RunData { get throws { try RunData(store: store, runID: run) } }

  /// By the manifests of masked denoisers and of their evaluations.
  private var masks: [String: (name: String, base: String)] = [:]

  /// What stages left, by their names.
  private(set) var made: [String: Made] = [:]

  /// What a stage left, by role.
  struct Made {
    var outputs: [String: String]

    func callAsFunction(_ role: String) -> String { outputs[role] ?? "" }
    var manifest: String { self("manifest") }
  }

  /// What every stage took.
  var wallSeconds = 2.0

  /// Publishes a stage that takes all that its makers left.
  @discardableResult
  func stage(
    _ name: String, _ kind: String, _ parameters: [String: JSONValue] = [:],
    inputs: [(String, Made)] = [], manifest: [String: JSONValue]? = nil,
    files: [String: String] = [:], metrics: [MetricRow] = [], outcomes: [OutcomeRow] = [],
    seed: UInt64 = 1
  ) throws -> Made {
    var execution = ExecutionRecord(
      key: SHA256.hash(Data(name.utf8)), kind: kind, parameters: .object(parameters), seed: seed,
      inputs: inputs.flatMap { role, made in
        made.outputs.sorted { $0.key < $1.key }.map {
          ArtifactReference(role: "\(role)/\($0.key)", sha256: $0.value)
        }
      })
    execution.wallSeconds = wallSeconds
    execution.cpuSeconds = 3
    execution.peakRSSBytes = 1 << 20
    execution.metrics = metrics
    execution.tables = OutcomeRow.tables(outcomes)
    var publish: [StageFileToPublish] = []
    func add(_ role: String, _ text: String, _ mediaType: String) throws {
      let url = store.temporaryFolder.appending(path: UUID().uuidString)
      try Data(text.utf8).write(to: url)
      publish.append(StageFileToPublish(role: role, url: url, kind: role, mediaType: mediaType))
    }
    for (role, text) in files.sorted(by: { $0.key < $1.key }) { try add(role, text, "text/plain") }
    if let manifest {
      try add(
        "manifest", JSONValue.object(manifest).canonicalText(), ArtifactRecord.manifestMediaType)
    }
    let published = try store.publish(execution, files: publish, runID: run)
    try store.recordStage(
      StageRecord(
        runID: run, name: name, kind: kind, key: execution.key, status: "executed",
        reason: "never run", executionID: published.id))
    let result = Made(
      outputs: Dictionary(uniqueKeysWithValues: published.outputs.map { ($0.role, $0.sha256) }))
    made[name] = result
    return result
  }

  /// A stage that is equal to one before it.
  func alias(_ name: String, of other: String) throws {
    guard var record = try store.run(run).stages.first(where: { $0.name == other }) else { return }
    record.name = name
    record.status = "reused"
    try store.recordStage(record)
  }

  // MARK: - Stages

  func scenes() throws -> Made {
    try stage(
      "scenes", "generate", ["size": .integer(32), "count": .integer(100)],
      manifest: [
        "type": .string("picture-set"), "format": .integer(1), "size": .integer(32),
        "objects": .array([.integer(1), .integer(3)]),
      ], files: ["pixels": "p", "conditioners": "c", "scenes": "s"])
  }

  func judge(_ name: String = "judge") throws -> Made {
    try stage(
      name, "judge", manifest: ["type": .string("judge"), "name": .string(name)],
      files: ["weights": name],
      metrics: [0, 3].flatMap { k in
        [
          Measure.judgeRecall.row(interval(0.98), .k(k), .detector(.trained)),
          Measure.judgePrecision.row(interval(0.97), .k(k), .detector(.trained)),
          Measure.judgeExact.row(interval(0.9), .k(k), .detector(.trained)),
          Measure.judgeRecall.row(interval(0.9), .k(k), .detector(.background)),
          Measure.judgePrecision.row(interval(0.95), .k(k), .detector(.background)),
        ]
      } + [
        Measure.solidShare.row(interval(0.96)), Measure.faintShare.row(interval(0.05)),
        Measure.faintRecall.row(interval(0.5), .detector(.trained)),
        Measure.faintRecall.row(interval(0.02), .detector(.background)),
        Measure.attributeAccuracy.row(interval(0.9, n: 400), .attribute("color")),
        Measure.attributeAccuracy.row(interval(0.95, n: 400), .attribute("size")),
        Measure.attributeAccuracy.row(interval(0.6, n: 400), .attribute("shape")),
        Measure.renderedDependence.row(interval(0.02), .attribute("color")),
      ])
  }

  func model(
    _ name: String, labelling: String, network: String = "unet", kind: String = "train",
    scenes: Made, window: Int? = nil, seed: UInt64 = 1, pictures: Int = 100
  ) throws -> Made {
    try stage(
      name, kind,
      kind == "import"
        ? ["weights": .string("elsewhere")]
        : [
          "labelling": .string(labelling), "pictures": .integer(pictures),
          "network": .object(
            network == "local"
              ? [
                "type": .string(network),
                "dilations": .array([1, 1, 1, 1, 1, 1].map(JSONValue.integer)),
              ]
              : ["type": .string(network)]),
        ], inputs: kind == "import" ? [] : [(kind == "snapshot" ? "denoiser" : "scenes", scenes)],
      manifest: [
        "type": .string("denoiser"), "format": .integer(1),
        "form": .string(kind == "import" ? "imported" : "trained"), "name": .string(name),
        "labelling": .string(labelling), "network": .object(["type": .string(network)]),
        "window": .integer(window ?? (network == "local" ? 13 : 32)),
        "objects": .array([.integer(1), .integer(3)]), "size": .integer(32),
      ], files: ["weights": "weights of \(name)"],
      metrics: kind == "import"
        ? []
        : [
          Measure.loss.row(0.5, .pictures(100)), Measure.loss.row(0.25, .pictures(200)),
        ], seed: seed)
  }

  func mask(
    _ name: String, _ mask: String, of base: Made, scenes: Made, radius: Double = 7,
    seed: UInt64 = 1
  ) throws -> Made {
    let parameters: [String: JSONValue] = [
      "mask": .string(mask), "labels": .integer(1), "keep": .string("near"),
      "radius": .number(radius), "block": .integer(4), "margin": .integer(4),
      "ring": .string("near"), "fill": .string("mean"),
    ]
    let made = try stage(
      name, "intervene", parameters, inputs: [("denoiser", base), ("scenes", scenes)],
      manifest: [
        "type": .string("denoiser"), "format": .integer(1), "form": .string("masked"),
        "base": .string(base.manifest),
        "mask": .object(parameters.merging(["seed": .integer(Int(seed))]) { $1 }),
      ], metrics: [Measure.maskChangedShare.row(0.25, .sigma(2), n: 8)], seed: seed)
    masks[made.manifest] = (mask, base.manifest)
    return made
  }

  static let counts = [1, 3, 6, 9]
  static let layouts = 8

  /// An evaluation in which each requested place is found with about the chance that is given for its K.
  func evaluation(
    _ name: String, of denoiser: Made, judge: Made, steps: Int = 18,
    counts: [Int] = ReportFixture.counts, seed: UInt64 = 1, isAllOrNothing: Bool = false,
    conditions: [String: JSONValue] = [:], trainedUpTo: Double = 3, recall: (Int) -> Double
  ) throws -> Made {
    var outcomes: [OutcomeRow] = []
    var metrics = [Measure.trainingMaximum.row(trainedUpTo)]
    for k in counts {
      let share = recall(k)
      for layout in 0..<Self.layouts {
        // As many as the share says over all layouts, spread evenly.
        let places = Double(k * layout) * share
        let found =
          isAllOrNothing
          ? (Double(layout) < share * Double(Self.layouts) ? k : 0)
          : Int((places + Double(k) * share).rounded()) - Int(places.rounded())
        outcomes.append(
          OutcomeRow(
            k: k, layout: layout, seed: Int(seed), requested: k, found: found, drawn: found,
            exact: found == k, foundBackground: found, chance: 0, chanceBackground: 0,
            foundSolid: found))
      }
      let at = Coordinate.k(k)
      let of = Coordinate.seed(Int(seed))
      metrics += [
        Measure.recall.row(interval(share), at, of),
        Measure.precision.row(interval(0.9), at, of), Measure.exact.row(interval(share), at, of),
        Measure.drawn.row(interval(Double(k) * share), at, of),
        Measure.windowLoad.row(Double(k) / 2, at, of),
        Measure.recallSolid.row(interval(share - 0.1), at, of),
        Measure.trainingLayouts.row(k == 1 ? 8 : k == 3 ? 2 : 0, at, of, n: 8),
        Measure.judgeDisagreement.row(k == 9 ? 0.12 : 0.01, at, of, n: 8 * k),
      ]
    }
    metrics += [0, 4, 6].map {
      Measure.recallByDistance.row(
        interval(0.5 + $0 / 20, n: 40), .seed(Int(seed)), .distance($0))
    }
    metrics += ["color", "size", "shape"].flatMap { attribute in
      [
        Measure.neighbourDependence.row(
          interval(attribute == "size" ? 0.2 : 0.01), .seed(Int(seed)), .attribute(attribute)),
        Measure.attributeLaw.row(interval(0.1), .seed(Int(seed)), .attribute(attribute)),
      ]
    }
    metrics.append(Measure.withinLaw.row(interval(0.75), .k(0), .seed(Int(seed))))
    let made = try stage(
      name, "evaluate", ["steps": .integer(steps), "tolerance": .number(0.08)],
      inputs: [("denoiser", denoiser), ("judge", judge)],
      manifest: [
        "type": .string("outcomes"), "format": .integer(1), "name": .string(name),
        "denoiser": .string(denoiser.manifest),
        "conditions": .object(
          [
            "judge": .string(judge("weights")), "steps": .integer(steps),
            "tolerance": .number(0.08), "instructions": .string("avx2"),
          ].merging(conditions) { $1 }),
      ], files: ["rows": name], metrics: metrics, outcomes: outcomes, seed: seed)
    masks[made.manifest] = masks[denoiser.manifest]
    return made
  }

  /// What a comparison says of one evaluation.
  struct Compared {
    var evaluation: Made
    var kMax: Double
    var beyond: Double
    var within = 0.95
    /// Change of recall, for a mask.
    var effect: Double?
    var seed = 1
  }

  @discardableResult
  func comparison(
    _ entries: [Compared], identical: Double? = nil, name: String = "comparison",
    threshold: Double = 0.9
  ) throws -> Made {
    var metrics = [Measure.kMaxThreshold.row(threshold)]
    for entry in entries {
      let about = Coordinate.subject(entry.evaluation.manifest)
      metrics += [
        Measure.kMax.row(
          Interval(value: entry.kMax, low: entry.kMax - 1, high: entry.kMax + 1, n: 32),
          .seed(entry.seed), about),
        Measure.kMaxFitted.row(
          Interval(value: entry.kMax, low: entry.kMax - 2, high: entry.kMax, n: 32),
          .seed(entry.seed), about),
        Measure.recallWithinCorrected.row(
          interval(entry.within, n: 16), .seed(entry.seed), about),
        Measure.recallBeyondCorrected.row(
          interval(entry.beyond, n: 16), .seed(entry.seed), about),
        Measure.recallBeyond.row(interval(entry.beyond, n: 16), .seed(entry.seed), about),
        Measure.recallBeyondSolid.row(
          interval(entry.beyond - 0.1, n: 16), .seed(entry.seed), about),
      ]
      guard let effect = entry.effect else { continue }
      // Without any change there is no width either, and no hypothesis.
      let width = effect == 0 ? 0 : 0.08
      if effect != 0 { metrics.append(Measure.pHolm(.recall).row(0.002, about, n: 2)) }
      metrics += [
        Measure.effect(.recall).row(interval(effect, width: width, n: 16), about),
        Measure.p(.recall).row(effect == 0 ? 1 : 0.001, about, n: 16),
        Measure.effect(.precision).row(interval(0, width: width, n: 16), about),
        Measure.effectRecallInRange.row(interval(effect / 2, width: width, n: 16), about),
      ]
    }
    for entry in entries where masks[entry.evaluation.manifest]?.name == "conditioner" {
      for control in entries where masks[control.evaluation.manifest]?.name == "sum" {
        guard let own = entry.effect, let other = control.effect, entry.seed == control.seed,
          masks[entry.evaluation.manifest]?.base == masks[control.evaluation.manifest]?.base
        else { continue }
        metrics += [
          Measure.contrastRecall.row(
            interval(own - other, n: 16), .subject(entry.evaluation.manifest),
            .against(control.evaluation.manifest)),
          Measure.contrastBackground.row(
            interval(own - other - 0.01, n: 16), .subject(entry.evaluation.manifest),
            .against(control.evaluation.manifest)),
        ]
      }
    }
    let plain = entries.filter { $0.effect == nil }
    for (i, entry) in plain.enumerated() {
      for other in plain[(i + 1)...] where other.seed == entry.seed {
        metrics.append(
          Measure.differenceRecall.row(
            interval(entry.beyond - other.beyond, n: 16), .subject(entry.evaluation.manifest),
            .against(other.evaluation.manifest)))
      }
    }
    if let identical, let first = entries.first {
      metrics.append(
        Measure.identicalPictures.row(identical, .subject(first.evaluation.manifest), n: 32))
    }
    return try stage(
      name, "compare",
      inputs: entries.enumerated().map { ("evaluations[\($0)]", $1.evaluation) },
      files: ["comparison": name], metrics: metrics)
  }

  @discardableResult
  func probe(
    _ name: String, of denoiser: Made, scenes: Made, share: Double, index: Double = 0.4
  ) throws -> Made {
    try stage(
      name, "probe", inputs: [("denoiser", denoiser), ("scenes", scenes)],
      manifest: ["type": .string("locality"), "format": .integer(1), "name": .string(name)],
      files: ["map": name],
      metrics: Measure.Space.allCases.flatMap { space in
        [5, 13].map { window in
          Measure.locality(space).row(
            interval(space == .isotropic ? 0.3 : share, width: 0.01), .k(3), .sigma(2),
            .window(window))
        }
      } + [
        Measure.remoteIndex(.single).row(interval(0.05, width: 0.02), .k(3), .inputs(.law)),
        Measure.remoteIndex(.removed).row(interval(1 - share, width: 0.02), .k(3), .inputs(.law)),
        Measure.remoteIndex(.removed).row(
          interval(index, width: index / 5), .k(9), .inputs(.trajectory)),
        Measure.remoteIndex(.moved).row(interval(0.1), .k(9), .inputs(.trajectory)),
        Measure.remoteIndex(.swapped).row(interval(0.3), .k(9), .inputs(.trajectory)),
        Measure.side(.pixel, .half).row(3, .k(3), .sigma(2)),
        Measure.side(.conditioner, .nearlyAll).row(7, .k(3), .sigma(2)),
      ])
  }

  func interval(_ value: Double, width: Double = 0.08, n: Int = 24) -> Interval {
    Interval(value: value, low: value - width / 2, high: value + width / 2, n: n)
  }
}
