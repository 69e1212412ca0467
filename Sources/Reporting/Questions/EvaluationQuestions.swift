import Evaluation
import Formats
import Foundation
import Lineage
import Measures

/// A denoiser of a run, perhaps behind a mask, as an evaluation saw it.
struct EvaluatedModel: Hashable, Labelled {
  var model: String
  /// `nil` when its file does not say.
  var labelling: String?
  /// The type of its network; `nil` for a machine without one.
  var network: String?
  /// Its norm; `nil` where there is none to choose, or its file does not say.
  var normalization: String?
  var reach: Reach
  /// Side in px of what an output pixel depends on; `nil` when its file does not say.
  var window: Int?
  /// The largest number of objects in the pictures that it was trained on.
  var trainingMaximum: Int?
  /// `nil` for what was not trained by a stage of this run, or further trained.
  var training: Training?
  /// Not trained further, and not left untrained: its labelling is all that it learned from.
  var isOfOneTraining = true
  /// Its conditioner is a grid of labels; not of one that is told which words are true.
  var isToldOfPlaces = true
  /// The mask's name, `none` without one.
  var arm: String
  /// The intervention's stage, for a masked model.
  var intervention: String?
  /// The evaluation's own stage.
  var stage: String
  var executionID: String

  struct Training: Hashable {
    /// The stage that trained it.
    var stage: String
    /// How many pictures it had seen.
    var pictures: Int
    /// Whether this is a moment of a training that went on.
    var isSnapshot: Bool
  }

  /// What an output may depend on, whatever the architecture is called.
  enum Reach: Hashable {
    /// Of a network: a window smaller than the picture.
    case local
    /// Of a network: the whole picture.
    case unbounded
    /// Not of a network at all.
    case machine
  }

  /// What the report calls the denoiser.
  var title: String { intervention ?? model }
  /// What the report calls it among the others: one denoiser may be evaluated under several settings.
  var label = ""
  var thing: Labels.Thing { Labels.Thing(title: title, instances: [stage]) }
  var isPlain: Bool { arm == "none" }
  /// What its recall is comparable within: the training range, by which the K differ, and the budget.
  var stratum: String? {
    guard let trainingMaximum, let training else { return nil }
    return "\(trainingMaximum) objects, \(training.pictures) pictures"
  }
  /// The kind of its network, in words; `nil` for a machine.
  var architecture: String? {
    network.map { $0 + (normalization.map { ", \($0) norm" } ?? "") }
  }

  static func question(_ runID: String) -> Question<EvaluatedModel> {
    Question(
      """
      SELECT v.model, v.labelling, v.arm, v.intervention, v.name AS stage, v.execution_id,
        coalesce(d.network, json_extract(e.params, '$.network.type')) AS network,
        (SELECT json_extract(coalesce(p.body, q.body), '$.network.normalization') FROM manifest q
          LEFT JOIN manifest p ON p.sha256 = json_extract(q.body, '$.base')
          WHERE q.sha256 = v.denoiser) AS normalization,
        CASE WHEN d.sha256 IS NULL THEN t.kind = 'analytic' ELSE d.network IS NULL END AS is_machine,
        coalesce(d."window" < d.size,
          json_extract(e.params, '$.network.type') IN ('local', 'patchwise')) AS is_local,
        d."window", (SELECT max(m.value) FROM metric m WHERE m.execution_id = v.execution_id
          AND m.name = \(Measure.trainingMaximum.sqlName)) AS trained_up_to,
        t.kind = 'snapshot' AS is_snapshot,
        t.kind NOT IN ('finetune', 'untrained') AS is_of_one_training,
        (SELECT json_extract(q.body, '$.space.set') IS NULL FROM manifest q WHERE q.sha256 = v.denoiser)
          AS is_told_of_places,
        CASE WHEN t.kind IN ('train', 'snapshot') THEN json_extract(e.params, '$.pictures') END
          AS pictures,
        CASE t.kind WHEN 'train' THEN t.name WHEN 'snapshot' THEN (
          SELECT z.name FROM execution_input i
          JOIN execution_output o ON o.sha256 = i.sha256 AND o.role = 'manifest'
          JOIN stage z ON z.execution_id = o.execution_id AND z.run_id = v.run_id
          WHERE i.execution_id = t.execution_id AND i.role = 'denoiser/manifest' ORDER BY z.id LIMIT 1)
          END AS training
      FROM run_model v
      JOIN stage s ON s.run_id = v.run_id AND s.name = v.name
      LEFT JOIN denoiser d ON d.sha256 = v.denoiser
      JOIN stage t ON t.run_id = v.run_id AND t.name = v.model
      JOIN execution e ON e.id = t.execution_id
      WHERE v.run_id = \(Escape.sql(runID)) AND v.kind = 'evaluate' ORDER BY s.id
      """
    ) { row in
      EvaluatedModel(
        model: try row.text("model"), labelling: try row.optionalText("labelling"),
        network: try row.optionalText("network"),
        normalization: try row.optionalText("normalization"),
        reach: try row.optionalInteger("is_machine") == 1
          ? .machine : try row.optionalInteger("is_local") == 1 ? .local : .unbounded,
        window: try row.optionalInteger("window"),
        trainingMaximum: try row.optionalNumber("trained_up_to").map { Int($0) },
        training: try Self.training(row),
        isOfOneTraining: try row.integer("is_of_one_training") == 1,
        isToldOfPlaces: try row.optionalInteger("is_told_of_places") != 0, arm: try row.text("arm"),
        intervention: try row.optionalText("intervention"), stage: try row.text("stage"),
        executionID: try row.text("execution_id"))
    }
  }

  private static func training(_ row: Row) throws -> Training? {
    guard let stage = try row.optionalText("training"),
      let pictures = try row.optionalInteger("pictures")
    else { return nil }
    return Training(
      stage: stage, pictures: pictures,
      isSnapshot: try row.optionalInteger("is_snapshot") == 1)
  }
}

/// The measures of evaluations by K.
struct Curves {
  struct Row {
    var executionID: String
    var measure: String
    var k: Int
    var estimate: Estimate
  }
  private var values: [String: [String: [Int: Estimate]]] = [:]

  init(_ rows: [Row]) {
    for row in rows {
      values[row.executionID, default: [:]][row.measure, default: [:]][row.k] = row.estimate
    }
  }

  subscript(measure: Measure, of model: EvaluatedModel) -> [Int: Estimate] {
    values[model.executionID]?[measure.name] ?? [:]
  }

  static func question(_ runID: String) -> Question<Row> {
    Question(
      """
      SELECT v.model, v.arm, m.* FROM run_model v JOIN metric m USING (execution_id)
      WHERE v.run_id = \(Escape.sql(runID)) AND m.k IS NOT NULL AND v.kind = 'evaluate'
      """
    ) { row in
      Row(
        executionID: try row.text("execution_id"), measure: try row.text("name"),
        k: try row.integer("k"), estimate: try row.estimate("value"))
    }
  }
}

/// What `compare` says of one evaluation.
struct ComparedEvaluation: Labelled {
  var evaluated: EvaluatedModel
  /// The comparison's own stage.
  var comparison: String
  var kMax: Estimate
  /// By the crossing of a fitted curve; `nil` where too few K were tested, or it was not kept.
  var kMaxFitted: Estimate?
  var threshold: Double
  /// Recall beyond chance, averaged over the compared K of the training range, and over those beyond it.
  var recallWithin: Estimate?
  var recallBeyond: Estimate?
  /// The latter as the background detector sees it; `nil` where it was not kept.
  var recallBackground: Estimate?
  /// Recall as it is, averaged over the K beyond.
  var recallAsFound: Estimate?
  /// The K that the comparison is stated to be about; `nil` where that is all that were tested.
  var counts: Set<Int>?
  /// By which the comparison drew its resamples.
  var seed: UInt64
  /// What resampled layouts make of a recall; nothing of a model of one seed.
  var draws: [RecallPart: [Double]] = [:]
  /// The same of recall as it is, by K.
  var drawsByCount: [Int: [Double]] = [:]
  var label = ""

  var thing: Labels.Thing {
    Labels.Thing(title: evaluated.title, instances: [evaluated.stage, comparison])
  }

  struct Row {
    var executionID: String
    var comparison: String
    var kMax: Estimate
    var kMaxFitted: Estimate?
    var threshold: Double
    var recallWithin: Estimate?
    var recallBeyond: Estimate?
    var recallBackground: Estimate?
    var recallAsFound: Estimate?
    var counts: Set<Int>?
    var seed: UInt64
  }

  /// Whether a K is one that the comparison is about.
  func isCompared(_ k: Int) -> Bool { counts?.contains(k) ?? (k > 0) }

  static func question(_ runID: String) -> Question<Row> {
    Question(
      """
      SELECT o.execution_id, s.name AS comparison, m.value AS k_max, m.ci_low, m.ci_high, m.n, t.value AS threshold,
        f.value AS fitted_value, f.ci_low AS fitted_ci_low, f.ci_high AS fitted_ci_high,
        f.n AS fitted_n,
        w.value AS within_value, w.ci_low AS within_ci_low, w.ci_high AS within_ci_high,
        w.n AS within_n, b.value AS beyond_value, b.ci_low AS beyond_ci_low, b.ci_high AS beyond_ci_high,
        b.n AS beyond_n, g.value AS background_value, g.ci_low AS background_ci_low,
        g.ci_high AS background_ci_high, g.n AS background_n, c.value AS found_value,
        c.ci_low AS found_ci_low, c.ci_high AS found_ci_high, c.n AS found_n, e.seed,
        json_extract(e.params, '$.counts') AS counts
      FROM stage s
      JOIN execution e ON e.id = s.execution_id
      JOIN metric m ON m.execution_id = s.execution_id AND m.name = \(Measure.kMax.sqlName)
      JOIN metric t ON t.execution_id = s.execution_id AND t.name =
        \(Measure.kMaxThreshold.sqlName)
      JOIN execution_output o ON o.sha256 = m.subject
        AND o.role IN ('outcomes', 'manifest')
      LEFT JOIN metric f ON f.execution_id = s.execution_id AND f.name = \(Measure.kMaxFitted.sqlName)
        AND f.subject = m.subject
      LEFT JOIN metric w ON w.execution_id = s.execution_id AND w.name =
        \(Measure.recallWithinCorrected.sqlName)
        AND w.subject = m.subject
      LEFT JOIN metric b ON b.execution_id = s.execution_id AND b.name =
        \(Measure.recallBeyondCorrected.sqlName)
        AND b.subject = m.subject
      LEFT JOIN metric g ON g.execution_id = s.execution_id
        AND g.name = \(Measure.recallBeyondCorrectedBackground.sqlName) AND g.subject = m.subject
      LEFT JOIN metric c ON c.execution_id = s.execution_id
        AND c.name = \(Measure.recallBeyond.sqlName) AND c.subject = m.subject
      WHERE s.run_id = \(Escape.sql(runID)) AND s.kind = 'compare' AND s.id = (
        SELECT min(z.id) FROM stage z
        WHERE z.execution_id = s.execution_id AND z.run_id = s.run_id) ORDER BY s.id
      """
    ) { row in
      Row(
        executionID: try row.text("execution_id"), comparison: try row.text("comparison"),
        kMax: try row.estimate("k_max"),
        kMaxFitted: try row.estimateIfAny("fitted_value", "fitted_"),
        threshold: try row.number("threshold"),
        recallWithin: try row.estimateIfAny("within_value", "within_"),
        recallBeyond: try row.estimateIfAny("beyond_value", "beyond_"),
        recallBackground: try row.estimateIfAny("background_value", "background_"),
        recallAsFound: try row.estimateIfAny("found_value", "found_"),
        counts: try row.optionalText("counts").flatMap {
          try? JSONDecoder().decode(Set<Int>.self, from: Data($0.utf8))
        }.flatMap { $0.isEmpty ? nil : $0 },
        seed: UInt64(bitPattern: Int64(try row.integer("seed"))))
    }
  }

  /// In the order of the pipeline, an evaluation's by its comparisons.
  static func all(_ runID: String, _ evaluated: [EvaluatedModel], _ store: Store) throws
    -> [ComparedEvaluation]
  {
    let rows = withoutReferences(try question(runID).rows(store), evaluated)
    return evaluated.flatMap { model in
      // Compared a second time by the same rule it has the same numbers.
      var rules: Set<String> = []
      return rows.filter {
        $0.executionID == model.executionID
          && rules.insert("\($0.threshold) \(($0.counts ?? []).sorted())").inserted
      }.map {
        ComparedEvaluation(
          evaluated: model, comparison: $0.comparison, kMax: $0.kMax,
          kMaxFitted: $0.kMaxFitted, threshold: $0.threshold,
          recallWithin: $0.recallWithin, recallBeyond: $0.recallBeyond,
          recallBackground: $0.recallBackground,
          recallAsFound: $0.recallAsFound, counts: $0.counts, seed: $0.seed)
      }
    }.labelled()
  }
}

extension DisagreementRow {
  /// Of several seeds the largest, and the mean of means.
  static func overSeeds(_ rows: [DisagreementRow]) -> [DisagreementRow] {
    let names = distinct(rows.map { Labels.withoutSeed($0.label) })
    return names.compactMap { name in
      let own = rows.filter { Labels.withoutSeed($0.label) == name }
      guard var row = own.first else { return nil }
      row.label = name
      row.largest = own.map(\.largest).max() ?? row.largest
      row.mean = own.map(\.mean).reduce(0, +) / Double(own.count)
      return row
    }
  }
}

/// How far the two detectors are from each other, beyond what their calibrations explain.
struct DisagreementRow: Labelled {
  var title: String
  /// The evaluation's own stage.
  var stage: String
  var largest: Double
  var mean: Double
  var tested: Int
  var label = ""
  var thing: Labels.Thing { Labels.Thing(title: title, instances: [stage]) }

  static func question(_ runID: String) -> Question<DisagreementRow> {
    Question(
      """
      SELECT coalesce(v.intervention, v.model) AS model, v.name AS stage, max(m.value) AS largest, avg(m.value) AS mean,
        count(*) AS tested
      FROM run_model v JOIN metric m USING (execution_id) WHERE v.run_id = \(Escape.sql(runID))
      AND m.name = \(Measure.judgeDisagreement.sqlName) GROUP BY v.execution_id
      ORDER BY v.position
      """
    ) { row in
      DisagreementRow(
        title: try row.text("model"), stage: try row.text("stage"),
        largest: try row.number("largest"),
        mean: try row.number("mean"), tested: try row.integer("tested"))
    }
  }
}

extension Outcome {
  /// The pictures of an evaluation, for what no stage has pooled.
  static func question(_ executionID: String) -> Question<Outcome> {
    Question(
      """
      SELECT seed, k, layout, requested, found, drawn, found_background, chance,
        chance_background, found_solid FROM outcome
      WHERE execution_id = \(Escape.sql(executionID)) ORDER BY seed, k, layout
      """
    ) { row in
      Outcome(
        seed: try row.integer("seed"), k: try row.integer("k"), layout: try row.integer("layout"),
        requested: try row.integer("requested"), found: try row.integer("found"),
        drawn: try row.integer("drawn"),
        foundBackground: try row.optionalInteger("found_background"),
        chance: try row.optionalNumber("chance"),
        chanceBackground: try row.optionalNumber("chance_background"),
        foundSolid: try row.optionalInteger("found_solid"))
    }
  }
}

/// The seeds of a run's evaluations.
enum SeedRow {
  static func question(_ runID: String) -> Question<Int> {
    Question(
      """
      SELECT DISTINCT seed FROM run_length_generalization
      WHERE run_id = \(Escape.sql(runID)) AND seed IS NOT NULL ORDER BY seed
      """
    ) { try $0.integer("seed") }
  }
}
