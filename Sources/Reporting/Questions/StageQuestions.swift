import Formats
import Measures

/// What a judge finds in held-out renders, by one of its two detectors.
struct CalibrationRow {
  var judge: String
  var k: Int
  var detector: String
  var measure: String
  var estimate: Estimate

  static func question(_ runID: String) -> Question<CalibrationRow> {
    Question(
      """
      SELECT s.name AS judge, m.k, m.detector, m.name, m.value, m.ci_low, m.ci_high, m.n
      FROM stage s JOIN metric m USING (execution_id) WHERE s.run_id = \(Escape.sql(runID))
      AND s.kind = 'judge' AND m.k IS NOT NULL AND m.detector IS NOT NULL AND s.id = (
        SELECT min(z.id) FROM stage z
        WHERE z.execution_id = s.execution_id AND z.run_id = s.run_id)
      ORDER BY s.id, m.k, m.detector, m.name
      """
    ) { row in
      CalibrationRow(
        judge: try row.text("judge"), k: try row.integer("k"), detector: try row.text("detector"),
        measure: try row.text("name"),
        estimate: try row.estimate("value"))
    }
  }
}

/// What a stage took.
struct CostRow {
  var stage: String
  var wallSeconds: Double
  var cpuSeconds: Double
  var peakBytes: Double
  /// `nil` when no stage took any time.
  var share: Double?
  var isReused: Bool

  static func question(_ runID: String) -> Question<CostRow> {
    Question("SELECT * FROM run_stage_cost WHERE run_id = \(Escape.sql(runID))") { row in
      CostRow(
        stage: try row.text("stage"), wallSeconds: try row.number("wall_seconds"),
        cpuSeconds: try row.number("cpu_seconds"), peakBytes: try row.number("peak_rss_bytes"),
        share: try row.optionalNumber("share"), isReused: try row.integer("reused") == 1)
    }
  }
}

/// A point of a training curve.
struct TrainingRow {
  var model: String
  var pictures: Int
  var loss: Double

  static func question(_ runID: String) -> Question<TrainingRow> {
    Question(
      """
      SELECT model, pictures, loss FROM run_training_curve WHERE run_id = \(Escape.sql(runID))
      ORDER BY model, pictures
      """
    ) { row in
      TrainingRow(
        model: try row.text("model"), pictures: try row.integer("pictures"),
        loss: try row.number("loss"))
    }
  }
}

/// What a run did with a stage, and why.
struct StageRow {
  var name: String
  var status: String
  var reason: String

  static func question(_ runID: String) -> Question<StageRow> {
    Question(
      "SELECT name, status, reason FROM stage WHERE run_id = \(Escape.sql(runID)) ORDER BY id"
    ) { row in
      StageRow(
        name: try row.text("name"), status: try row.text("status"), reason: try row.text("reason"))
    }
  }
}

/// A K_max that is not what it was.
struct KMaxChangeRow: Labelled {
  var title: String
  var arm: String
  /// The evaluation's own stage.
  var stage: String
  var comparison: String
  var before: Int
  var now: Int
  var label = ""
  var thing: Labels.Thing { Labels.Thing(title: title, instances: [stage, comparison]) }

  static func question(_ runID: String, since last: String) -> Question<KMaxChangeRow> {
    Question(
      """
      SELECT coalesce(a.intervention, a.model) AS model, a.arm, a.name AS stage, a.comparison,
        b.k_max AS before, a.k_max AS now
      FROM run_k_max a JOIN run_k_max b ON b.name = a.name AND b.comparison = a.comparison
      AND b.run_id = \(Escape.sql(last)) WHERE a.run_id = \(Escape.sql(runID)) AND a.k_max <> b.k_max
      ORDER BY a.position, a.comparison
      """
    ) { row in
      KMaxChangeRow(
        title: try row.text("model"), arm: try row.text("arm"), stage: try row.text("stage"),
        comparison: try row.text("comparison"), before: try row.integer("before"),
        now: try row.integer("now"))
    }
  }

  /// The run of the same pipeline before a run.
  static func previous(_ runID: String) -> Question<String> {
    Question(
      """
      SELECT r.id FROM run own JOIN pipeline op ON op.id = own.pipeline_id
      JOIN pipeline p ON p.name = op.name JOIN run r ON r.pipeline_id = p.id
      WHERE own.id = \(Escape.sql(runID)) AND r.sequence < own.sequence
      ORDER BY r.sequence DESC, r.id DESC LIMIT 1
      """
    ) { try $0.text("id") }
  }
}

/// An arrow of the lineage graph.
struct ArrowRow: Hashable {
  var maker: String
  var user: String

  /// Equal bytes may have left several stages: an input came from the one whose outputs hold the whole
  /// of it and the least beside it, so that neither what a stage passes on unchanged nor a part of a
  /// larger thing makes an arrow. The first of equals, which made the very same.
  static func question(_ runID: String) -> Question<ArrowRow> {
    Question(
      """
      WITH used AS (
        SELECT s.id AS stage, substr(i.role, 1, instr(i.role, '/') - 1) AS input,
          substr(i.role, instr(i.role, '/') + 1) AS role, i.sha256
        FROM stage s JOIN execution_input i USING (execution_id) WHERE s.run_id = \(Escape.sql(runID))),
      maker AS (
        SELECT u.stage, u.input, m.id AS maker, m.name, count(*) AS held,
          (SELECT count(*) FROM execution_output x WHERE x.execution_id = m.execution_id) AS outputs
        FROM used u JOIN execution_output o ON o.sha256 = u.sha256 AND o.role = u.role
        JOIN stage m ON m.execution_id = o.execution_id AND m.run_id = \(Escape.sql(runID))
        WHERE m.id <> u.stage GROUP BY u.stage, u.input, m.id)
      SELECT DISTINCT m.name AS maker, s.name AS user FROM maker m JOIN stage s ON s.id = m.stage
      WHERE m.maker = (
        SELECT b.maker FROM maker b WHERE b.stage = m.stage AND b.input = m.input
        AND b.held = (SELECT count(*) FROM used u WHERE u.stage = b.stage AND u.input = b.input)
        ORDER BY b.outputs, b.maker LIMIT 1) ORDER BY m.maker, m.stage
      """
    ) { ArrowRow(maker: try $0.text("maker"), user: try $0.text("user")) }
  }
}

/// A run with the hash of its pipeline file.
struct OriginRow {
  static func question(_ runID: String) -> Question<String> {
    Question(
      """
      SELECT r.*, p.source_sha256 FROM run r JOIN pipeline p ON p.id = r.pipeline_id
      WHERE r.id = \(Escape.sql(runID))
      """
    ) { try $0.text("source_sha256") }
  }
}

/// What a stage left.
struct ArtifactRow {
  var stage: String
  var role: String
  var sha256: String
  var bytes: Int

  static func question(_ runID: String) -> Question<ArtifactRow> {
    Question(
      """
      SELECT s.name, o.role, o.sha256, a.bytes FROM stage s
      JOIN execution_output o USING (execution_id) JOIN artifact a USING (sha256)
      WHERE s.run_id = \(Escape.sql(runID)) ORDER BY s.id, o.role
      """
    ) { row in
      ArtifactRow(
        stage: try row.text("name"), role: try row.text("role"), sha256: try row.text("sha256"),
        bytes: try row.integer("bytes"))
    }
  }
}
