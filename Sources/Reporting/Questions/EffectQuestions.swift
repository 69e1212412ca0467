import Diffusion
import Evaluation
import Formats
import Foundation
import Interventions
import Lineage
import Measures

/// What an intervention cuts.
struct MaskRow {
  var intervention: String
  /// `nil` for one of an earlier version, which this one does not know.
  var specification: MaskSpecification?

  /// The input that an intervention masks.
  static let role = "denoiser"

  static func question(_ runID: String) -> Question<MaskRow> {
    // Before there were manifests, the parameters alone.
    Question(
      """
      SELECT s.name, coalesce(json_extract(m.body, '$.mask'), e.params) AS mask
      FROM stage s JOIN execution e ON e.id = s.execution_id
      LEFT JOIN execution_output o ON o.execution_id = e.id AND o.role = 'manifest'
      LEFT JOIN manifest m ON m.sha256 = o.sha256
      WHERE s.run_id = \(Escape.sql(runID)) AND s.kind = 'intervene' ORDER BY s.id
      """
    ) { row in
      // As manifests and parameters spell their members.
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      return MaskRow(
        intervention: try row.text("name"),
        specification: try decoder.decode(
          Stated.self, from: Data(try row.text("mask").utf8)
        ).specification)
    }
  }

  /// What decides what is seen.
  private struct Stated: Decodable {
    var mask: String
    var labels: Int?
    var keep: MaskSpecification.Keep?
    var at: MaskSpecification.Place?
    var radius: Double?
    var block: Int?
    var margin: Int?
    var ring: MaskSpecification.Ring?
    var fill: MaskSpecification.Fill?
    var sigmaLow: Double?
    var sigmaHigh: Double?
    var path: NetworkPath?
    var features: FeatureMask?
    var region: RegionMask?

    var specification: MaskSpecification? {
      guard let name = MaskSpecification.Name(rawValue: mask) else { return nil }
      var result = MaskSpecification(
        mask: name, sigmaLow: sigmaLow, sigmaHigh: sigmaHigh, path: path, features: features,
        region: region)
      if let labels { result.labels = labels }
      if let keep { result.keep = keep }
      result.at = at
      if let radius { result.radius = radius }
      if let block { result.block = block }
      if let margin { result.margin = margin }
      if let ring { result.ring = ring }
      if let fill { result.fill = fill }
      return result
    }
  }
}

/// The effect of a mask on its own baseline.
struct EffectRow: Replicated {
  var intervention: String
  var baseline: String
  /// The evaluation's own stage.
  var stage: String
  var comparison: String
  /// `nil` for one that this version does not know.
  var mask: MaskSpecification.Name?
  /// `recall`, `exact`, `precision` or `recall_in_range`.
  var measure: String
  var estimate: Estimate
  var p: Double?
  var pHolm: Double?
  var label = ""
  var thing: Labels.Thing { Labels.Thing(title: intervention, instances: [stage, comparison]) }

  struct Key: Hashable {
    var comparison: String
    var measure: String
  }
  var key: Key { Key(comparison: comparison, measure: measure) }

  static func question(_ runID: String) -> Question<EffectRow> {
    Question("SELECT * FROM run_intervention_effect WHERE run_id = \(Escape.sql(runID))") { row in
      EffectRow(
        intervention: try row.text("intervention"), baseline: try row.text("baseline"),
        stage: try row.text("name"), comparison: try row.text("comparison"),
        mask: MaskSpecification.Name(rawValue: try row.text("arm")),
        measure: try row.text("metric"),
        estimate: try row.estimate("effect"), p: try row.optionalNumber("p"),
        pHolm: try row.optionalNumber("p_holm"))
    }
  }

  /// In the order of the pipeline.
  static func all(_ runID: String, _ evaluated: [EvaluatedModel], _ store: Store) throws
    -> [EffectRow]
  {
    let order = Dictionary(
      evaluated.enumerated().map { ($1.stage, $0) }, uniquingKeysWith: { first, _ in first })
    func place(_ row: EffectRow) -> (Int, String, String) {
      (order[row.stage] ?? .max, row.comparison, row.measure)
    }
    return try question(runID).rows(store).sorted { place($0) < place($1) }.labelled()
  }
}

/// One evaluation beside another: what the one recalls beyond the other.
struct ContrastRow: Replicated {
  /// Of a mask beside what may object to it, or of one model beside another.
  enum Between { case masks, models }

  var intervention: String
  /// The evaluations' own stages.
  var stage: String
  var control: String
  var comparison: String
  /// Of what: recall by either detector, or precision.
  var measure: EffectMeasure
  var estimate: Estimate
  var label = ""
  var thing: Labels.Thing { Labels.Thing(title: intervention, instances: [stage, comparison]) }

  struct Key: Hashable {
    /// Without its seed.
    var control: String
    var comparison: String
    var measure: EffectMeasure
  }
  var key: Key {
    Key(control: Labels.withoutSeed(control), comparison: comparison, measure: measure)
  }

  static func question(_ runID: String, _ between: Between) -> Question<ContrastRow> {
    let measures: [(measured: Measure, on: EffectMeasure)] =
      switch between {
      case .masks: [(.contrastRecall, .recall), (.contrastBackground, .background)]
      case .models:
        [
          (.differenceRecall, .recall), (.differenceBackground, .background),
          (.differencePrecision, .precision),
        ]
      }
    let on = measures.map { "WHEN \($0.sqlName) THEN '\($1.rawValue)'" }.joined(separator: " ")
    return Question(
      """
      \(MeasuredPair.named(runID))
      SELECT v.title AS intervention, v.name AS stage, w.name AS control,
        s.name AS comparison, CASE m.name \(on) END AS measure, m.value, m.ci_low, m.ci_high, m.n
      \(MeasuredPair.joined(runID, measures.map(\.measured)))
      ORDER BY v.position, w.position, s.id, measure DESC
      """
    ) { row in
      let text = try row.text("measure")
      guard let measure = EffectMeasure(rawValue: text) else {
        throw StoreError.column("measure", problem: "\(text), which is not known")
      }
      return ContrastRow(
        intervention: try row.text("intervention"), stage: try row.text("stage"),
        control: try row.text("control"),
        comparison: try row.text("comparison"), measure: measure,
        estimate: try row.estimate("value"))
    }
  }
}

/// What one evaluation has beyond another, by what it was measured on.
typealias Contrasts = PairedEstimates<EffectMeasure>

extension Contrasts {
  init(_ rows: [ContrastRow]) {
    self.init(rows.map { ($0.stage, $0.control, $0.measure, $0.estimate) })
  }

  func difference(_ stage: String, _ other: String, _ measure: EffectMeasure) -> Estimate? {
    difference(stage, other, of: measure)
  }
}

/// Whether the identity left every picture as it was.
struct IdentityRow: Labelled {
  var intervention: String
  /// The evaluation's own stage.
  var stage: String
  var comparison: String
  var share: Double
  var count: Int
  var label = ""
  var thing: Labels.Thing { Labels.Thing(title: intervention, instances: [stage, comparison]) }

  static func question(_ runID: String) -> Question<IdentityRow> {
    Question(
      """
      SELECT coalesce(v.intervention, v.model, 'identity') AS intervention,
        coalesce(v.name, m.subject) AS stage, s.name AS comparison, m.value, m.n
      FROM stage s JOIN metric m USING (execution_id)
      LEFT JOIN execution_output o ON o.sha256 = m.subject AND o.role IN ('outcomes', 'manifest')
      LEFT JOIN run_model v ON v.run_id = s.run_id AND v.execution_id = o.execution_id
      WHERE s.run_id = \(Escape.sql(runID)) AND m.name = \(Measure.identicalPictures.sqlName)
      ORDER BY v.position, s.id
      """
    ) { row in
      IdentityRow(
        intervention: try row.text("intervention"), stage: try row.text("stage"),
        comparison: try row.text("comparison"), share: try row.number("value"),
        count: try row.integer("n"))
    }
  }
}

/// How much of one pass a mask changes.
struct MaskChangeRow {
  var mask: String
  var sigma: Double
  var share: Double
  var count: Int

  static func question(_ runID: String) -> Question<MaskChangeRow> {
    Question(
      """
      SELECT s.name, m.sigma, m.value, m.n FROM stage s JOIN metric m USING (execution_id)
      WHERE s.run_id = \(Escape.sql(runID)) AND m.name = \(Measure.maskChangedShare.sqlName)
      ORDER BY s.id, m.sigma DESC
      """
    ) { row in
      MaskChangeRow(
        mask: try row.text("name"), sigma: try row.number("sigma"),
        share: try row.number("value"), count: try row.integer("n"))
    }
  }
}
