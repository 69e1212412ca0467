import Lineage

extension NamedQuery {
  /// What tells rows apart comes first, then what they say.
  /// The order is that of the pipeline: by name, ten comes before two.
  static let science: [NamedQuery] = [
    NamedQuery(
      name: "k-max", summary: "The largest number of labels at which each model still extrapolates",
      sql: """
        SELECT name, k_max, ci_low, ci_high, n, threshold, comparison, model, labelling, arm,
          intervention, seed, pipeline
        FROM run_k_max \(latest) ORDER BY pipeline, position, comparison, seed
        """, descriptions: descriptions),
    NamedQuery(
      name: "recall", summary: "Location recall for every K, with intervals and window load",
      sql: """
        SELECT name, k, recall, ci_low, ci_high, n, window_load, model, labelling, arm,
          intervention, seed, pipeline
        FROM run_length_generalization \(latest) ORDER BY pipeline, position, k, seed
        """, descriptions: descriptions),
    NamedQuery(
      name: "locality", summary: "Share of squared sensitivity inside windows",
      sql: """
        SELECT name, space, sigma, k, "window", share, ci_low, ci_high, n, model, arm, intervention,
          pipeline
        FROM run_locality \(latest) ORDER BY pipeline, position, space, sigma, k, "window"
        """, descriptions: descriptions),
    NamedQuery(
      name: "effects", summary: "Average causal effect of each intervention",
      sql: """
        SELECT name, metric, effect, ci_low, ci_high, n, p_holm, comparison, p, baseline,
          intervention, arm, pipeline
        FROM run_intervention_effect \(latest) ORDER BY pipeline, metric, effect DESC, position, comparison
        """, descriptions: descriptions),
    NamedQuery(
      name: "training", summary: "Loss against pictures seen",
      sql: """
        SELECT name, pictures, loss, pipeline
        FROM run_training_curve \(latest) ORDER BY pipeline, position, pictures
        """),
    NamedQuery(
      name: "agreement", summary: "How well one denoiser tells what another does",
      sql: """
        SELECT name, measure, k, sigma, r2, ci_low, ci_high, n, reference, model, arm, intervention,
          pipeline
        FROM run_agreement \(latest) ORDER BY pipeline, position, measure, k, sigma
        """, descriptions: descriptions),
    NamedQuery(
      name: "pictures", summary: "What picture sets hold: pictures by K, objects by attribute",
      sql: """
        SELECT s.name, m.name AS metric, m.k, m.attribute, m.value, m.unit, p.name AS pipeline
        FROM metric m JOIN stage s ON s.execution_id = m.execution_id
        JOIN run r ON r.id = s.run_id JOIN pipeline p ON p.id = r.pipeline_id
        WHERE s.kind IN ('generate', 'import-clevr', 'import-positions', 'import-arrays')
          AND s.run_id IN (SELECT id FROM latest_run UNION SELECT run_id FROM (
            SELECT z.run_id, max(z.id) FROM run own CROSS JOIN stage z
            WHERE own.trigger = 'import' AND z.run_id = own.id AND z.execution_id IS NOT NULL
            GROUP BY z.name))
        ORDER BY p.name, s.id, m.name, m.k, m.attribute
        """),
    NamedQuery(
      name: "denoisers", summary: "Every denoiser in the store, from its manifest",
      sql: "SELECT * FROM denoiser ORDER BY name, sha256"),
    NamedQuery(
      name: "theory",
      summary: "Violations of composition (KL) and of locality in enumerated worlds",
      sql: """
        SELECT s.name, m.name AS metric, m.coupling, m.sigma, m.view, m.value, m.ci_low,
          m.ci_high, p.name AS pipeline
        FROM metric m JOIN stage s ON s.execution_id = m.execution_id
        JOIN run r ON r.id = s.run_id JOIN pipeline p ON p.id = r.pipeline_id
        WHERE s.kind = 'theory' AND s.run_id IN (SELECT id FROM latest_run) AND m.k IS NULL
          AND m.name IN (\(Measure.violations.sqlNames))
        ORDER BY p.name, s.id, m.name, m.view, m.coupling, m.sigma
        """),
    NamedQuery(
      name: "features",
      summary: "What words change inside networks: cosines, sums and shares of their own subspaces",
      sql: """
        SELECT s.name, m.name AS metric, m.sigma, m.k, m.inputs, m.attribute, m.value, m.ci_low,
          m.ci_high, m.n, p.name AS pipeline
        FROM metric m JOIN stage s ON s.execution_id = m.execution_id
        JOIN run r ON r.id = s.run_id JOIN pipeline p ON p.id = r.pipeline_id
        WHERE s.kind = 'features' AND s.run_id IN (SELECT id FROM latest_run) AND m.pair IS NULL
        ORDER BY p.name, s.id, m.name, m.sigma, m.k, m.inputs, m.attribute
        """),
    NamedQuery(
      name: "judge", summary: "The judge's own recall and precision on held-out renders",
      sql: """
        SELECT s.name, m.detector, m.k, m.name AS metric, m.value, m.ci_low, m.ci_high, m.n,
          p.name AS pipeline
        FROM metric m JOIN stage s ON s.execution_id = m.execution_id
        JOIN run r ON r.id = s.run_id JOIN pipeline p ON p.id = r.pipeline_id
        WHERE s.kind = 'judge' AND s.run_id IN (SELECT id FROM latest_run) AND m.k IS NOT NULL
        ORDER BY p.name, s.id, m.detector, m.name, m.k
        """),
  ]

  private static let descriptions = [
    "pipeline", "seed", "arm", "intervention", "labelling", "baseline", "reference", "model",
  ]
  private static let latest = "WHERE run_id IN (SELECT id FROM latest_run)"
}
