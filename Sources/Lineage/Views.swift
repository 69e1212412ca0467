/// The views, made anew whenever their text changes: they hold nothing.
///
/// `run_X` covers every run; `X` is the latest run of each pipeline, for a quick look. Joins are
/// written in the order in which they shall be made (SQLite keeps a CROSS JOIN's): from the stages of
/// a run to the few rows that belong to them, so that no view reads a big table from end to end.
enum Views {
  struct View {
    var name: String
    var sql: String
  }

  static let all: [View] = [latestRun, runModel] + pairs

  private static let latestRun = View(
    name: "latest_run",
    sql: """
      SELECT r.id, p.name AS pipeline, r.started_at, r.finished_at, r.status, r.seed, r.git_commit
      FROM (SELECT DISTINCT name FROM pipeline) p
      JOIN run r ON r.id = (
        SELECT r2.id FROM pipeline p2 CROSS JOIN run r2 ON r2.pipeline_id = p2.id
        WHERE p2.name = p.name ORDER BY r2.started_at DESC, r2.id DESC LIMIT 1)
      """)

  /// Which trained model, and behind which mask, an evaluation or a probe was about.
  ///
  /// The weights, or the analytic machine, lead to the stage that made them, the mask to the
  /// intervention, within the same run.
  private static let runModel = View(
    name: "run_model",
    sql: """
      SELECT s.run_id, p.name AS pipeline, s.execution_id, s.kind, t.name AS model,
        json_extract(e.params, '$.labelling') AS labelling,
        coalesce((
          SELECT json_extract(x.params, '$.mask')
          FROM \(mask)
          CROSS JOIN execution x ON x.id = i.execution_id
          WHERE m.execution_id = s.execution_id AND m.role = 'denoiser/mask' LIMIT 1), 'none')
          AS arm,
        (SELECT i.name
          FROM \(mask)
          WHERE m.execution_id = s.execution_id AND m.role = 'denoiser/mask' LIMIT 1)
          AS intervention
      FROM stage s
      CROSS JOIN run r ON r.id = s.run_id
      CROSS JOIN pipeline p ON p.id = r.pipeline_id
      CROSS JOIN execution_input w
        ON w.execution_id = s.execution_id AND w.role IN ('denoiser/weights', 'denoiser/machine')
      CROSS JOIN execution_output o ON o.sha256 = w.sha256 AND o.role IN ('weights', 'machine')
      CROSS JOIN stage t
        ON t.execution_id = o.execution_id AND t.run_id = s.run_id
        AND t.kind IN ('train', 'import', 'analytic')
      CROSS JOIN execution e ON e.id = t.execution_id
      WHERE s.kind IN ('evaluate', 'probe', 'agree')
      """)

  private static let mask = """
    execution_input m
          CROSS JOIN execution_output mo ON mo.sha256 = m.sha256 AND mo.role = 'mask'
          CROSS JOIN stage i ON i.execution_id = mo.execution_id AND i.run_id = s.run_id
            AND i.kind = 'intervene'
    """

  private static let pairs: [View] = [
    pair(
      "length_generalization",
      columns:
        "model, labelling, arm, k, window_load, recall, ci_low, ci_high, n, seed, pipeline, intervention",
      """
      SELECT v.run_id, v.model, v.labelling, v.arm, m.k, l.value AS window_load,
        m.value AS recall, m.ci_low, m.ci_high, m.n, m.seed, v.pipeline, v.intervention
      FROM run_model v
      CROSS JOIN metric m ON m.execution_id = v.execution_id AND m.name = 'recall'
      LEFT JOIN metric l
        ON l.execution_id = v.execution_id AND l.name = 'window_load' AND l.k = m.k
      WHERE v.kind = 'evaluate'
      """),
    pair(
      "k_max",
      columns:
        "model, labelling, arm, k_max, ci_low, ci_high, threshold, n, seed, pipeline, intervention",
      """
      SELECT v.run_id, v.model, v.labelling, v.arm, CAST(m.value AS INTEGER) AS k_max,
        CAST(m.ci_low AS INTEGER) AS ci_low, CAST(m.ci_high AS INTEGER) AS ci_high,
        t.value AS threshold, m.n, m.seed, v.pipeline, v.intervention
      FROM stage s
      CROSS JOIN metric m ON m.execution_id = s.execution_id AND m.name = 'k_max'
      CROSS JOIN metric t ON t.execution_id = s.execution_id AND t.name = 'k_max_threshold'
      CROSS JOIN execution_output o ON o.sha256 = m.arm AND o.role = 'outcomes'
      CROSS JOIN run_model v ON v.run_id = s.run_id AND v.execution_id = o.execution_id
      WHERE s.kind = 'compare'
      """),
    pair(
      "locality",
      columns: "model, arm, sigma, k, space, \"window\", share, ci_low, ci_high, n, pipeline",
      """
      SELECT v.run_id, v.model, v.arm, m.sigma, m.k, substr(m.name, 10) AS space,
        CAST(m.step AS INTEGER) AS "window", m.value AS share, m.ci_low, m.ci_high, m.n, v.pipeline
      FROM run_model v
      CROSS JOIN metric m ON m.execution_id = v.execution_id
        AND m.name IN ('locality.pixel', 'locality.conditioner', 'locality.isotropic')
      WHERE v.kind = 'probe'
      """),
    pair(
      "intervention_effect",
      columns:
        "baseline, intervention, arm, metric, effect, ci_low, ci_high, p, p_holm, n, pipeline",
      """
      SELECT s.run_id, v.model AS baseline, v.intervention, v.arm, substr(m.name, 8) AS metric,
        m.value AS effect, m.ci_low, m.ci_high, q.value AS p, h.value AS p_holm, m.n, v.pipeline
      FROM stage s
      CROSS JOIN metric m ON m.execution_id = s.execution_id AND m.k IS NULL
        AND m.name IN (
          'effect_recall', 'effect_exact', 'effect_precision', 'effect_recall_in_range')
      CROSS JOIN execution_output o ON o.sha256 = m.arm AND o.role = 'outcomes'
      CROSS JOIN run_model v ON v.run_id = s.run_id AND v.execution_id = o.execution_id
      LEFT JOIN metric q ON q.execution_id = s.execution_id AND q.arm = m.arm
        AND q.name = 'p_' || substr(m.name, 8)
      LEFT JOIN metric h ON h.execution_id = s.execution_id AND h.arm = m.arm
        AND h.name = 'p_holm_' || substr(m.name, 8)
      WHERE s.kind = 'compare'
      """),
    pair(
      "agreement",
      columns:
        "model, arm, reference, measure, sigma, k, r2, ci_low, ci_high, n, pipeline, intervention",
      """
      SELECT v.run_id, v.model, v.arm, t.name AS reference,
        replace(m.name, '_agreement', '') AS measure, m.sigma, m.k, m.value AS r2, m.ci_low,
        m.ci_high, m.n, v.pipeline, v.intervention
      FROM run_model v
      CROSS JOIN execution_input w ON w.execution_id = v.execution_id AND w.role = 'reference/weights'
      CROSS JOIN execution_output o ON o.sha256 = w.sha256 AND o.role = 'weights'
      CROSS JOIN stage t ON t.run_id = v.run_id AND t.execution_id = o.execution_id AND t.kind = 'train'
      CROSS JOIN metric m ON m.execution_id = v.execution_id
      WHERE v.kind = 'agree'
      """),
    pair(
      "training_curve", columns: "model, pictures, loss, pipeline",
      """
      SELECT s.run_id, s.name AS model, CAST(m.step AS INTEGER) AS pictures, m.value AS loss,
        p.name AS pipeline
      FROM stage s
      CROSS JOIN run r ON r.id = s.run_id
      CROSS JOIN pipeline p ON p.id = r.pipeline_id
      CROSS JOIN metric m ON m.execution_id = s.execution_id AND m.name = 'loss'
      WHERE s.kind = 'train'
      """),
    [
      View(name: "run_stage_cost", sql: stageCost(of: "stage")),
      View(
        name: "stage_cost",
        sql: """
          SELECT stage, kind, wall_seconds, cpu_seconds, peak_rss_bytes, share, reused, pipeline
          FROM (\(stageCost(of: "(SELECT * FROM stage WHERE run_id IN (SELECT id FROM latest_run))")))
          """),
    ],
    [
      View(name: "run_lineage", sql: runLineage),
      View(
        name: "lineage",
        sql: """
          SELECT DISTINCT artifact, depth, ancestor, execution_id, kind FROM run_lineage
          WHERE run_id IN (SELECT id FROM latest_run)
          """),
    ],
  ].flatMap { $0 }

  private static func pair(_ name: String, columns: String, _ sql: String) -> [View] {
    [
      View(name: "run_" + name, sql: sql),
      View(
        name: name,
        sql: "SELECT \(columns) FROM run_\(name) WHERE run_id IN (SELECT id FROM latest_run)"),
    ]
  }

  /// The stages are chosen inside: SQLite would sum the shares of every run before it drops most.
  private static func stageCost(of stages: String) -> String {
    """
    SELECT s.run_id, s.name AS stage, s.kind, e.wall_seconds, e.cpu_seconds, e.peak_rss_bytes,
      e.wall_seconds / sum(e.wall_seconds) OVER (PARTITION BY s.run_id) AS share,
      s.status = 'reused' AS reused, p.name AS pipeline
    FROM \(stages) s
    CROSS JOIN run r ON r.id = s.run_id
    CROSS JOIN pipeline p ON p.id = r.pipeline_id
    CROSS JOIN execution e ON e.id = s.execution_id
    """
  }

  /// Every artifact of a run with all that it came from.
  ///
  /// Ancestors are sought from each artifact by itself, through a table function of its hash: a
  /// recursive view could only be made whole and then searched.
  private static let runLineage = """
    SELECT s.run_id, o.sha256 AS artifact, json_extract(j.value, '$[0]') AS depth,
      json_extract(j.value, '$[1]') AS ancestor, json_extract(j.value, '$[2]') AS execution_id,
      json_extract(j.value, '$[3]') AS kind
    FROM stage s
    JOIN execution_output o ON o.execution_id = s.execution_id
    CROSS JOIN json_each((
      WITH RECURSIVE ancestry (depth, ancestor, execution_id) AS (
        SELECT 1, i.sha256, i.execution_id
        FROM execution_output x
        CROSS JOIN execution e ON e.id = x.execution_id AND e.status = 'succeeded'
        CROSS JOIN execution_input i ON i.execution_id = x.execution_id AND i.sha256 <> x.sha256
        WHERE x.sha256 = o.sha256
        UNION
        SELECT a.depth + 1, i.sha256, i.execution_id
        FROM ancestry a
        CROSS JOIN execution_output x ON x.sha256 = a.ancestor
        CROSS JOIN execution e ON e.id = x.execution_id AND e.status = 'succeeded'
        CROSS JOIN execution_input i ON i.execution_id = x.execution_id AND i.sha256 <> x.sha256
        WHERE a.depth < 64)
      SELECT json_group_array(json_array(b.depth, b.ancestor, b.execution_id, b.kind))
      FROM (
        SELECT min(a.depth) AS depth, a.ancestor, a.execution_id, e.kind
        FROM ancestry a CROSS JOIN execution e ON e.id = a.execution_id
        GROUP BY a.ancestor, a.execution_id) b)) j
    """
}
