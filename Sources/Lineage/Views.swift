/// The views, made anew whenever their text changes: they hold nothing.
///
/// `run_X` covers every run; `X` is the latest run of each pipeline, for a quick look.
enum Views {
  struct View {
    var name: String
    var sql: String
  }

  static let all: [View] = [latestRun, runModel] + pairs + [lineage]

  private static let latestRun = View(
    name: "latest_run",
    sql: """
      SELECT r.id, p.name AS pipeline, r.started_at, r.finished_at, r.status, r.seed, r.git_commit
      FROM run r JOIN pipeline p ON p.id = r.pipeline_id
      WHERE r.id = (
        SELECT r2.id FROM run r2 JOIN pipeline p2 ON p2.id = r2.pipeline_id
        WHERE p2.name = p.name ORDER BY r2.started_at DESC, r2.id DESC LIMIT 1)
      """)

  /// Which trained model, and behind which mask, an evaluation or a probe was about.
  ///
  /// The weights lead to the training, the mask to the intervention, within the same run.
  private static let runModel = View(
    name: "run_model",
    sql: """
      SELECT s.run_id, p.name AS pipeline, s.execution_id, s.kind, t.name AS model,
        t.labelling, coalesce(i.mask, 'none') AS arm, i.name AS intervention
      FROM stage s
      JOIN run r ON r.id = s.run_id
      JOIN pipeline p ON p.id = r.pipeline_id
      JOIN execution_input w ON w.execution_id = s.execution_id AND w.role = 'denoiser/weights'
      JOIN (
        SELECT o.sha256, st.run_id, st.name, json_extract(e.params, '$.labelling') AS labelling
        FROM stage st
        JOIN execution_output o ON o.execution_id = st.execution_id AND o.role = 'weights'
        JOIN execution e ON e.id = st.execution_id
        WHERE st.kind IN ('train', 'import')) t
        ON t.run_id = s.run_id AND t.sha256 = w.sha256
      LEFT JOIN execution_input m ON m.execution_id = s.execution_id AND m.role = 'denoiser/mask'
      LEFT JOIN (
        SELECT o.sha256, st.run_id, st.name, json_extract(e.params, '$.mask') AS mask
        FROM stage st
        JOIN execution_output o ON o.execution_id = st.execution_id AND o.role = 'mask'
        JOIN execution e ON e.id = st.execution_id
        WHERE st.kind = 'intervene') i
        ON i.run_id = s.run_id AND i.sha256 = m.sha256
      WHERE s.kind IN ('evaluate', 'probe')
      """)

  private static let pairs: [View] = [
    pair(
      "length_generalization",
      columns:
        "model, labelling, arm, k, window_load, recall, ci_low, ci_high, n, seed, pipeline, intervention",
      """
      SELECT v.run_id, v.model, v.labelling, v.arm, m.k, l.value AS window_load,
        m.value AS recall, m.ci_low, m.ci_high, m.n, m.seed, v.pipeline, v.intervention
      FROM run_model v
      JOIN metric m ON m.execution_id = v.execution_id AND m.name = 'recall'
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
      JOIN metric m ON m.execution_id = s.execution_id AND m.name = 'k_max'
      JOIN metric t ON t.execution_id = s.execution_id AND t.name = 'k_max_threshold'
      JOIN execution_output o ON o.sha256 = m.arm AND o.role = 'outcomes'
      JOIN run_model v ON v.run_id = s.run_id AND v.execution_id = o.execution_id
      WHERE s.kind = 'compare'
      """),
    pair(
      "locality",
      columns: "model, arm, sigma, k, space, \"window\", share, ci_low, ci_high, n, pipeline",
      """
      SELECT v.run_id, v.model, v.arm, m.sigma, m.k, substr(m.name, 10) AS space,
        CAST(m.step AS INTEGER) AS "window", m.value AS share, m.ci_low, m.ci_high, m.n, v.pipeline
      FROM run_model v
      JOIN metric m ON m.execution_id = v.execution_id
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
      JOIN metric m ON m.execution_id = s.execution_id AND m.k IS NULL
        AND m.name IN (
          'effect_recall', 'effect_exact', 'effect_precision', 'effect_recall_in_range')
      JOIN execution_output o ON o.sha256 = m.arm AND o.role = 'outcomes'
      JOIN run_model v ON v.run_id = s.run_id AND v.execution_id = o.execution_id
      LEFT JOIN metric q ON q.execution_id = s.execution_id AND q.arm = m.arm
        AND q.name = 'p_' || substr(m.name, 8)
      LEFT JOIN metric h ON h.execution_id = s.execution_id AND h.arm = m.arm
        AND h.name = 'p_holm_' || substr(m.name, 8)
      WHERE s.kind = 'compare'
      """),
    pair(
      "training_curve", columns: "model, pictures, loss, pipeline",
      """
      SELECT s.run_id, s.name AS model, CAST(m.step AS INTEGER) AS pictures, m.value AS loss,
        p.name AS pipeline
      FROM stage s
      JOIN run r ON r.id = s.run_id
      JOIN pipeline p ON p.id = r.pipeline_id
      JOIN metric m ON m.execution_id = s.execution_id AND m.name = 'loss'
      WHERE s.kind = 'train'
      """),
    pair(
      "stage_cost",
      columns: "stage, kind, wall_seconds, cpu_seconds, peak_rss_bytes, share, reused, pipeline",
      """
      SELECT s.run_id, s.name AS stage, s.kind, e.wall_seconds, e.cpu_seconds, e.peak_rss_bytes,
        e.wall_seconds / sum(e.wall_seconds) OVER (PARTITION BY s.run_id) AS share,
        s.status = 'reused' AS reused, p.name AS pipeline
      FROM stage s
      JOIN run r ON r.id = s.run_id
      JOIN pipeline p ON p.id = r.pipeline_id
      JOIN execution e ON e.id = s.execution_id
      """),
  ].flatMap { $0 }

  private static func pair(_ name: String, columns: String, _ sql: String) -> [View] {
    [
      View(name: "run_" + name, sql: sql),
      View(
        name: name,
        sql: "SELECT \(columns) FROM run_\(name) WHERE run_id IN (SELECT id FROM latest_run)"),
    ]
  }

  /// Every artifact with all that it came from.
  private static let lineage = View(
    name: "lineage",
    sql: """
      WITH RECURSIVE ancestry (artifact, depth, ancestor, execution_id) AS (
        SELECT o.sha256, 1, i.sha256, o.execution_id
        FROM execution_output o
        JOIN execution e ON e.id = o.execution_id AND e.status = 'succeeded'
        JOIN execution_input i ON i.execution_id = o.execution_id
        WHERE i.sha256 <> o.sha256
        UNION
        SELECT a.artifact, a.depth + 1, i.sha256, o.execution_id
        FROM ancestry a
        JOIN execution_output o ON o.sha256 = a.ancestor
        JOIN execution e ON e.id = o.execution_id AND e.status = 'succeeded'
        JOIN execution_input i ON i.execution_id = o.execution_id
        WHERE i.sha256 <> o.sha256 AND a.depth < 64)
      SELECT a.artifact, min(a.depth) AS depth, a.ancestor, a.execution_id, e.kind
      FROM ancestry a JOIN execution e ON e.id = a.execution_id
      GROUP BY a.artifact, a.ancestor, a.execution_id
      """)
}
