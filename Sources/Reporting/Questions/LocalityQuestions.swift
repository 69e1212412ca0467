import Formats
import Lineage
import Measures

/// The share of squared sensitivity inside one window.
struct LocalityRow: Replicated {
  var model: String
  var arm: String
  /// The intervention's stage, for a masked model.
  var intervention: String?
  /// The probe's own stage.
  var stage: String
  var sigma: Double
  var k: Int
  var space: Measure.Space
  /// Side in px.
  var window: Int
  var share: Estimate
  var label = ""

  var thing: Labels.Thing { Labels.Thing(title: intervention ?? model, instances: [stage]) }

  struct Key: Hashable {
    var sigma: Double
    var k: Int
    var space: Measure.Space
    var window: Int
  }
  var key: Key { Key(sigma: sigma, k: k, space: space, window: window) }
  var estimate: Estimate {
    get { share }
    set { share = newValue }
  }

  static func question(_ runID: String) -> Question<LocalityRow> {
    Question(
      """
      SELECT * FROM run_locality WHERE run_id = \(Escape.sql(runID))
      ORDER BY position, k, sigma, space, "window"
      """
    ) { row in
      LocalityRow(
        model: try row.text("model"), arm: try row.text("arm"),
        intervention: try row.optionalText("intervention"), stage: try row.text("name"),
        sigma: try row.number("sigma"), k: try row.integer("k"), space: try space(row),
        window: try row.integer("window"),
        share: try row.estimate("share"))
    }
  }
}

extension LocalityRow {
  private static func space(_ row: Row) throws -> Measure.Space {
    let text = try row.text("space")
    guard let space = Measure.Space(rawValue: text) else {
      throw StoreError.column("space", problem: "\(text), not a space that is known")
    }
    return space
  }
}

/// Sides of the squares that hold given shares, in px.
struct SidesRow: Labelled {
  var title: String
  /// The probe's own stage.
  var stage: String
  var k: Int
  var sigma: Double
  /// 50, 75 and 95 %.
  var pixels: [Double?]
  var conditioners: [Double?]
  var label = ""
  var thing: Labels.Thing { Labels.Thing(title: title, instances: [stage]) }

  struct Key: Hashable {
    /// Without a seed.
    var label: String
    var k: Int
    var sigma: Double
  }
  var key: Key { Key(label: Labels.withoutSeed(label), k: k, sigma: sigma) }

  static func question(_ runID: String) -> Question<SidesRow> {
    let spaces = [Measure.Space.pixel, .conditioner]
    @Sendable func column(_ space: Measure.Space, _ share: Measure.Share) -> String {
      "\(space.rawValue)_\(share.rawValue)"
    }
    let columns = spaces.flatMap { space in
      Measure.Share.allCases.map { share in
        "max(CASE m.name WHEN \(Measure.side(space, share).sqlName) THEN m.value END) AS "
          + column(space, share)
      }
    }
    let measures = spaces.flatMap { space in
      Measure.Share.allCases.map { Measure.side(space, $0) }
    }
    return Question(
      """
      SELECT coalesce(v.intervention, v.model) AS model, v.name AS stage, m.k, m.sigma, \(columns.joined(separator: ", "))
      FROM run_model v JOIN metric m USING (execution_id)
      WHERE v.run_id = \(Escape.sql(runID)) AND v.kind = 'probe' AND m.name IN (\(measures.sqlNames))
      GROUP BY v.execution_id, m.k, m.sigma ORDER BY v.position, m.k, m.sigma
      """
    ) { row in
      func sides(_ space: Measure.Space) throws -> [Double?] {
        try Measure.Share.allCases.map { try row.optionalNumber(column(space, $0)) }
      }
      return SidesRow(
        title: try row.text("model"), stage: try row.text("stage"), k: try row.integer("k"),
        sigma: try row.number("sigma"), pixels: try sides(.pixel),
        conditioners: try sides(.conditioner))
    }
  }
}
