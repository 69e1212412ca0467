import Formats
import Measures

/// A number that an analytic machine's stage left, with what the machine is.
struct MachineRow {
  var stage: String
  /// `fixed`, `calibrated` or a published schedule.
  var schedule: String
  var radius: Int
  /// Below 0: that of the pixels.
  var labelRadius: Int
  /// `same` or `all`.
  var places: String
  var metric: String
  var value: Double
  var k: Int?
  var n: Int?

  static func question(_ runID: String) -> Question<MachineRow> {
    Question(
      """
      SELECT s.name AS stage, json_extract(e.params, '$.schedule') AS schedule,
        json_extract(e.params, '$.radius') AS radius,
        json_extract(e.params, '$.label_radius') AS label_radius,
        json_extract(e.params, '$.places') AS places, m.name AS metric, m.value, m.sigma, m.k, m.n
      FROM stage s JOIN execution e ON e.id = s.execution_id JOIN metric m USING (execution_id)
      WHERE s.run_id = \(Escape.sql(runID)) AND s.kind = 'analytic'
      AND m.name IN (\([Measure.pictures, .windowRadius, .windowsUnmatched].sqlNames)) ORDER BY s.id, m.sigma, m.k
      """
    ) { row in
      MachineRow(
        stage: try row.text("stage"), schedule: try row.text("schedule"),
        radius: try row.integer("radius"), labelRadius: try row.integer("label_radius"),
        places: try row.text("places"), metric: try row.text("metric"),
        value: try row.number("value"), k: try row.optionalInteger("k"),
        n: try row.optionalInteger("n"))
    }
  }
}

/// CPU time of an evaluation, its pictures and its steps of Heun's method.
struct PassRow {
  var executionID: String
  var cpuSeconds: Double
  var pictures: Int
  var steps: Int

  /// A picture's share of the time, a pass of the denoiser.
  var passSeconds: Double? {
    pictures > 0 ? cpuSeconds / (Double(pictures) * Double(2 * steps - 1)) : nil
  }

  static func question(_ runID: String) -> Question<PassRow> {
    Question(
      """
      SELECT v.model, v.execution_id, e.cpu_seconds,
        (SELECT count(*) FROM outcome o WHERE o.execution_id = e.id) AS pictures,
        json_extract(e.params, '$.steps') AS steps
      FROM run_model v JOIN execution e ON e.id = v.execution_id
      WHERE v.run_id = \(Escape.sql(runID)) AND v.kind = 'evaluate' AND v.arm = 'none'
      """
    ) { row in
      PassRow(
        executionID: try row.text("execution_id"), cpuSeconds: try row.number("cpu_seconds"),
        pictures: try row.integer("pictures"), steps: try row.integer("steps"))
    }
  }
}

/// The pictures that machines learn from.
struct PictureSetRow {
  /// Side in px.
  var size: Int?
  var count: Int?

  static func question(_ runID: String) -> Question<PictureSetRow> {
    Question(
      """
      SELECT max(coalesce(json_extract(m.body, '$.size'), json_extract(e.params, '$.size'))) AS size,
        max(coalesce(json_extract(m.body, '$.count'), json_extract(e.params, '$.count'))) AS pictures
      FROM stage s JOIN execution e ON e.id = s.execution_id
      LEFT JOIN execution_output o ON o.execution_id = e.id AND o.role = 'manifest'
      LEFT JOIN manifest m ON m.sha256 = o.sha256
      WHERE s.run_id = \(Escape.sql(runID)) AND coalesce(m.type = 'picture-set', s.kind = 'generate')
      """
    ) { row in
      PictureSetRow(
        size: try row.optionalInteger("size"), count: try row.optionalInteger("pictures"))
    }
  }
}

/// The reach in px of the first trained local network.
enum LocalRadiusRow {
  static func question(_ runID: String) -> Question<Int> {
    Question(
      """
      SELECT coalesce((json_extract(m.body, '$.window') - 1) / 2, 1 + (
        SELECT sum(d.value) FROM json_each(e.params, '$.network.dilations') d)) AS radius
      FROM stage s JOIN execution e ON e.id = s.execution_id
      LEFT JOIN execution_output o ON o.execution_id = e.id AND o.role = 'manifest'
      LEFT JOIN manifest m ON m.sha256 = o.sha256
      WHERE s.run_id = \(Escape.sql(runID)) AND s.kind = 'train'
      AND coalesce(json_extract(m.body, '$.network.type'), json_extract(e.params, '$.network.type'))
        = 'local'
      ORDER BY s.id LIMIT 1
      """
    ) { try $0.integer("radius") }
  }
}

/// r² between two denoisers.
struct AgreementRow: Labelled {
  var title: String
  /// The agreement's own stage.
  var stage: String
  var reference: String
  /// Of their outputs on noised pictures, or of what both draw from the same noise.
  var measure: String
  var sigma: Double?
  var k: Int
  var r2: Estimate
  var label = ""
  /// Titles stand beside each other among those of one reference.
  var thing: Labels.Thing { Labels.Thing(title: title, instances: [stage]) }

  static func question(_ runID: String) -> Question<AgreementRow> {
    Question(
      """
      SELECT * FROM run_agreement WHERE run_id = \(Escape.sql(runID))
      ORDER BY reference, k, position, sigma
      """
    ) { row in
      AgreementRow(
        title: try row.optionalText("intervention") ?? row.text("model"),
        stage: try row.text("name"),
        reference: try row.text("reference"), measure: try row.text("measure"),
        sigma: try row.optionalNumber("sigma"), k: try row.integer("k"), r2: try row.estimate("r2"))
    }
  }
}

/// How well a window's machine agrees with its teacher.
struct WindowCalibrationRow {
  var stage: String
  var sigma: Double
  var radius: Int
  var r2: Estimate

  static func question(_ runID: String) -> Question<WindowCalibrationRow> {
    Question(
      """
      SELECT s.name, m.sigma, m.radius, m.value, m.ci_low, m.ci_high, m.n
      FROM stage s JOIN metric m USING (execution_id) WHERE s.run_id = \(Escape.sql(runID))
      AND m.name = \(Measure.calibrationR2.sqlName) ORDER BY s.id, m.sigma, m.radius
      """
    ) { row in
      WindowCalibrationRow(
        stage: try row.text("name"), sigma: try row.number("sigma"),
        radius: try row.integer("radius"), r2: try row.estimate("value"))
    }
  }
}
