import Formats
import Lineage
import Measures

/// The windows of a mask, wherever they are: a placebo has those of the mask that it imitates.
struct MaskWindows: Hashable {
  var target: String
  /// `nil` where the mask does not use it.
  var radius: Double?
  var block: Int?
  var margin: Int?
  var fill: String?

  init(mask: String, of: String?, radius: Double?, block: Int?, margin: Int?, fill: String?) {
    target = mask == "placebo" ? of ?? mask : mask
    if target != "pixel" { self.radius = radius }
    if target == "pixel" || target == "both" {
      self.block = block
      self.margin = margin
      self.fill = fill
    }
  }
}

/// What an intervention cuts.
struct MaskRow {
  var intervention: String
  /// What decides the windows: a placebo is the control of the mask that has the same.
  var windows: MaskWindows

  static func question(_ runID: String) -> Question<MaskRow> {
    // Before there were manifests, the parameters alone.
    let columns = ["mask", "of", "radius", "block", "margin", "fill"].map {
      "coalesce(json_extract(m.body, '$.mask.\($0)'), json_extract(e.params, '$.\($0)')) AS \"\($0)\""
    }.joined(separator: ", ")
    return Question(
      """
      SELECT s.name, \(columns)
      FROM stage s JOIN execution e ON e.id = s.execution_id
      LEFT JOIN execution_output o ON o.execution_id = e.id AND o.role = 'manifest'
      LEFT JOIN manifest m ON m.sha256 = o.sha256
      WHERE s.run_id = \(Escape.sql(runID)) AND s.kind = 'intervene' ORDER BY s.id
      """
    ) { row in
      MaskRow(
        intervention: try row.text("name"),
        windows: MaskWindows(
          mask: try row.text("mask"), of: try row.optionalText("of"),
          radius: try row.optionalNumber("radius"), block: try row.optionalInteger("block"),
          margin: try row.optionalInteger("margin"), fill: try row.optionalText("fill")))
    }
  }
}

/// The effect of a mask on its own baseline.
struct EffectRow {
  var intervention: String
  var baseline: String
  var arm: String
  /// `recall`, `exact`, `precision` or `recall_in_range`.
  var measure: String
  var estimate: Estimate
  var p: Double?
  var pHolm: Double?

  static func question(_ runID: String) -> Question<EffectRow> {
    Question("SELECT * FROM run_intervention_effect WHERE run_id = \(Escape.sql(runID))") { row in
      EffectRow(
        intervention: try row.text("intervention"), baseline: try row.text("baseline"),
        arm: try row.text("arm"), measure: try row.text("metric"),
        estimate: try row.estimate("effect"), p: try row.optionalNumber("p"),
        pHolm: try row.optionalNumber("p_holm"))
    }
  }

  /// In the order of the pipeline.
  static func all(_ runID: String, _ evaluated: [EvaluatedModel], _ store: Store) throws
    -> [EffectRow]
  {
    let order = Dictionary(
      evaluated.enumerated().map { ($1.title, $0) }, uniquingKeysWith: { first, _ in first })
    func place(_ row: EffectRow) -> (Int, String) { (order[row.intervention] ?? .max, row.measure) }
    return try question(runID).rows(store).sorted { place($0) < place($1) }
  }
}

/// Whether the identity left every picture as it was.
struct IdentityRow {
  var share: Double
  var count: Int

  static func question(_ runID: String) -> Question<IdentityRow> {
    Question(
      """
      SELECT m.value, m.n FROM stage s JOIN metric m USING (execution_id)
      WHERE s.run_id = \(Escape.sql(runID)) AND m.name = \(Measure.identicalPictures.quotedName)
      """
    ) { IdentityRow(share: try $0.number("value"), count: try $0.integer("n")) }
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
      WHERE s.run_id = \(Escape.sql(runID)) AND m.name = \(Measure.maskChangedShare.quotedName)
      ORDER BY s.id, m.sigma DESC
      """
    ) { row in
      MaskChangeRow(
        mask: try row.text("name"), sigma: try row.number("sigma"),
        share: try row.number("value"), count: try row.integer("n"))
    }
  }
}
