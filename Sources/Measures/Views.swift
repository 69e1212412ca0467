import Lineage

// What stands in the store, as people ask of it. Joins are written in the order in which they shall be
// made, as in Lineage: from the stages of a run to the few rows that belong to them.

extension ViewDeclaration {
  static let denoisers: [ViewDeclaration] = [denoiser, runModel]

  /// A row a denoiser, from its manifest; what a masked one does not say, its base does.
  private static let denoiser = ViewDeclaration(
    name: "denoiser",
    sql: """
      SELECT m.sha256, json_extract(m.body, '$.form') AS form,
        json_extract(coalesce(behind.body, m.body), '$.labelling') AS labelling,
        json_extract(coalesce(behind.body, m.body), '$.network.type') AS network,
        json_extract(coalesce(behind.body, m.body), '$.objects[0]') AS objects_min,
        json_extract(coalesce(behind.body, m.body), '$.objects[1]') AS objects_max,
        json_extract(coalesce(behind.body, m.body), '$.window') AS "window",
        json_extract(m.body, '$.base') AS base, json_extract(m.body, '$.mask.mask') AS mask,
        json_extract(coalesce(behind.body, m.body), '$.weights') AS weights,
        json_extract(coalesce(behind.body, m.body), '$.size') AS size,
        json_extract(coalesce(behind.body, m.body), '$.space.grid') AS cells,
        json_extract(coalesce(behind.body, m.body), '$.camera') AS camera
      FROM manifest m LEFT JOIN manifest behind ON behind.sha256 = json_extract(m.body, '$.base')
      WHERE m.type = 'denoiser'
      """)

  /// Which denoiser an evaluation, a probe or an agreement was about: which stage of the run made the
  /// model, and which put it behind a mask.
  ///
  /// Equal stages are one execution, which stands under the name of the first of them, once.
  /// The manifest says what the denoiser is. For executions from before there were manifests the
  /// weights, or the machine,
  /// lead to the stage that made them, and its parameters say the rest.
  private static let runModel = ViewDeclaration(
    name: "run_model",
    sql: """
      SELECT s.run_id, p.name AS pipeline, s.name AS stage, s.execution_id, s.kind, t.name AS model,
        coalesce(json_extract(coalesce(behind.body, d.body), '$.labelling'),
          json_extract(e.params, '$.labelling')) AS labelling,
        coalesce(json_extract(d.body, '$.mask.mask'), (
          SELECT json_extract(x.params, '$.mask')
          \(intervention)
          CROSS JOIN execution x ON x.id = i.execution_id
          WHERE \(isMasked) ORDER BY i.id LIMIT 1), 'none') AS arm,
        (SELECT i.name
          \(intervention)
          WHERE \(isMasked) ORDER BY i.id LIMIT 1) AS intervention,
        d.sha256 AS denoiser
      FROM stage s
      CROSS JOIN run r ON r.id = s.run_id
      CROSS JOIN pipeline p ON p.id = r.pipeline_id
      CROSS JOIN execution_input w ON w.execution_id = s.execution_id AND w.role = (
        SELECT y.role FROM execution_input y WHERE y.execution_id = s.execution_id
          AND y.role IN ('denoiser/manifest', 'denoiser/weights', 'denoiser/machine')
        ORDER BY y.role = 'denoiser/manifest' DESC LIMIT 1)
      LEFT JOIN manifest d ON d.sha256 = w.sha256
      LEFT JOIN manifest behind ON behind.sha256 = json_extract(d.body, '$.base')
      CROSS JOIN execution_output o ON o.sha256 = coalesce(behind.sha256, w.sha256)
        AND o.role IN ('manifest', 'weights', 'machine')
      CROSS JOIN stage t ON t.execution_id = o.execution_id AND t.run_id = s.run_id
        AND t.kind <> 'intervene' AND t.id = \(firstOfEqual("t"))
      CROSS JOIN execution e ON e.id = t.execution_id
      WHERE s.kind <> 'intervene' AND s.id = \(firstOfEqual("s"))
      """)

  /// The first stage of the run with the execution of a stage.
  private static func firstOfEqual(_ stage: String) -> String {
    """
    (SELECT min(z.id) FROM stage z
          WHERE z.execution_id = \(stage).execution_id AND z.run_id = \(stage).run_id)
    """
  }

  private static let intervention = """
    FROM execution_input m
          CROSS JOIN execution_output mo ON mo.sha256 = m.sha256 AND mo.role IN ('manifest', 'mask')
          CROSS JOIN stage i ON i.execution_id = mo.execution_id AND i.run_id = s.run_id
            AND i.kind = 'intervene'
    """
  private static let isMasked =
    "m.execution_id = s.execution_id AND m.role IN ('denoiser/manifest', 'denoiser/mask')"

  static let results: [ViewDeclaration] = [
    pair(
      "length_generalization",
      columns:
        "model, labelling, arm, k, window_load, recall, ci_low, ci_high, n, seed, pipeline, intervention",
      """
      SELECT v.run_id, v.model, v.labelling, v.arm, m.k, l.value AS window_load,
        m.value AS recall, m.ci_low, m.ci_high, m.n, m.seed, v.pipeline, v.intervention
      FROM run_model v
      CROSS JOIN metric m ON m.execution_id = v.execution_id AND m.name = \(Measure.recall.sqlName)
      LEFT JOIN metric l
        ON l.execution_id = v.execution_id AND l.name = \(Measure.windowLoad.sqlName) AND l.k = m.k
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
      CROSS JOIN metric m ON m.execution_id = s.execution_id AND m.name = \(Measure.kMax.sqlName)
      CROSS JOIN metric t ON t.execution_id = s.execution_id
        AND t.name = \(Measure.kMaxThreshold.sqlName)
      \(evaluation)
      WHERE s.kind = 'compare'
      """),
    pair(
      "locality",
      columns:
        "model, arm, sigma, k, space, \"window\", share, ci_low, ci_high, n, pipeline, intervention",
      """
      SELECT v.run_id, v.model, v.arm, m.sigma, m.k,
        \(choice(Measure.Space.allCases.map { (Measure.locality($0), "'\($0.rawValue)'") })) AS space,
        m."window", m.value AS share, m.ci_low, m.ci_high, m.n, v.pipeline, v.intervention, v.stage
      FROM run_model v
      CROSS JOIN metric m ON m.execution_id = v.execution_id
        AND m.name IN (\(Measure.Space.allCases.map(Measure.locality).sqlNames))
      WHERE v.kind = 'probe'
      """),
    pair(
      "intervention_effect",
      columns:
        "baseline, intervention, arm, metric, effect, ci_low, ci_high, p, p_holm, n, pipeline",
      """
      SELECT s.run_id, v.model AS baseline, v.intervention, v.arm,
        \(choice(Measure.effects.map { ($0.measure, "'\($0.on)'") })) AS metric,
        m.value AS effect, m.ci_low, m.ci_high, q.value AS p, h.value AS p_holm, m.n, v.pipeline,
        v.stage
      FROM stage s
      CROSS JOIN metric m ON m.execution_id = s.execution_id AND m.k IS NULL
        AND m.name IN (\(Measure.effects.map(\.measure).sqlNames))
      \(evaluation)
      LEFT JOIN metric q ON q.execution_id = s.execution_id AND q.subject = m.subject
        AND q.name = \(choice(Measure.effects.compactMap { e in e.p.map { (e.measure, $0.sqlName) } }))
      LEFT JOIN metric h ON h.execution_id = s.execution_id AND h.subject = m.subject
        AND h.name = \(choice(Measure.effects.compactMap { e in e.pHolm.map { (e.measure, $0.sqlName) } }))
      WHERE s.kind = 'compare'
      """),
    pair(
      "agreement",
      columns:
        "model, arm, reference, measure, sigma, k, r2, ci_low, ci_high, n, pipeline, intervention",
      """
      SELECT v.run_id, v.model, v.arm, t.name AS reference,
        \(choice(Measure.agreements.map { ($0.measure, "'\($0.short)'") })) AS measure, m.sigma, m.k,
        m.value AS r2, m.ci_low, m.ci_high, m.n, v.pipeline, v.intervention
      FROM run_model v
      CROSS JOIN execution_input w ON w.execution_id = v.execution_id AND w.role = (
        -- Before there were manifests, the weights alone.
        SELECT min(x.role) FROM execution_input x WHERE x.execution_id = v.execution_id
          AND x.role IN ('reference/manifest', 'reference/weights'))
      CROSS JOIN execution_output o ON o.sha256 = w.sha256 AND o.role IN ('manifest', 'weights')
      CROSS JOIN stage t ON t.run_id = v.run_id AND t.execution_id = o.execution_id
        AND (t.kind = 'train' OR w.role = 'reference/manifest') AND t.id = \(firstOfEqual("t"))
      CROSS JOIN metric m ON m.execution_id = v.execution_id
        AND m.name IN (\(Measure.agreement.sqlNames))
      WHERE v.kind = 'agree'
      """),
    pair(
      "training_curve", columns: "model, pictures, loss, pipeline",
      """
      SELECT s.run_id, s.name AS model, m.pictures, m.value AS loss, p.name AS pipeline
      FROM stage s
      CROSS JOIN run r ON r.id = s.run_id
      CROSS JOIN pipeline p ON p.id = r.pipeline_id
      CROSS JOIN metric m ON m.execution_id = s.execution_id AND m.name = \(Measure.loss.sqlName)
      WHERE s.kind = 'train'
      """),
  ].flatMap { $0 }

  /// From a comparison's metric `m` to the evaluation that it is about.
  private static let evaluation = """
    CROSS JOIN execution_output o ON o.sha256 = m.subject AND o.role IN ('outcomes', 'manifest')
    CROSS JOIN run_model v ON v.run_id = s.run_id AND v.execution_id = o.execution_id
    """

  /// An expression of SQL that depends on the measure of `m`.
  private static func choice(_ cases: [(Measure, String)]) -> String {
    "CASE m.name" + cases.map { " WHEN \($0.0.sqlName) THEN \($0.1)" }.joined() + " END"
  }
}
