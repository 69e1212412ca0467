/// The share of squared sensitivity inside one window.
struct LocalityRow {
  var model: String
  var arm: String
  var sigma: Double
  var k: Int
  /// `pixel`, `conditioner`, or `isotropic`: what windows would hold were it spread evenly.
  var space: String
  /// Side in px.
  var window: Int
  var share: Estimate

  var title: String { model + (arm == "none" ? "" : ", " + arm) }

  static func question(_ runID: String) -> Question<LocalityRow> {
    Question(
      """
      SELECT * FROM run_locality WHERE run_id = \(quoted(runID))
      ORDER BY model, arm, k, sigma, space, "window"
      """
    ) { row in
      LocalityRow(
        model: try row.text("model"), arm: try row.text("arm"), sigma: try row.number("sigma"),
        k: try row.integer("k"), space: try row.text("space"), window: try row.integer("window"),
        share: try row.estimate("share"))
    }
  }
}

/// Sides of the squares that hold given shares, in px.
struct SidesRow {
  var model: String
  var arm: String
  var k: Int
  var sigma: Double
  /// 50, 75 and 95 %.
  var pixels: [Double?]
  var conditioners: [Double?]

  private static let shares = [50, 75, 95]

  static func question(_ runID: String) -> Question<SidesRow> {
    let columns = ["pixel", "conditioner"].flatMap { space in
      shares.map {
        "max(CASE m.name WHEN 'side.\(space).\($0)' THEN m.value END) AS \(space)_\($0)"
      }
    }
    return Question(
      """
      SELECT v.model, v.arm, m.k, m.sigma, \(columns.joined(separator: ", "))
      FROM run_model v JOIN metric m USING (execution_id)
      WHERE v.run_id = \(quoted(runID)) AND v.kind = 'probe' AND m.name LIKE 'side.%'
      GROUP BY v.model, v.arm, m.k, m.sigma ORDER BY v.model, v.arm, m.k, m.sigma
      """
    ) { row in
      SidesRow(
        model: try row.text("model"), arm: try row.text("arm"), k: try row.integer("k"),
        sigma: try row.number("sigma"),
        pixels: try shares.map { try row.numberIfAny("pixel_\($0)") },
        conditioners: try shares.map { try row.numberIfAny("conditioner_\($0)") })
    }
  }
}
