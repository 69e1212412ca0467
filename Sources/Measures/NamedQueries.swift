import Lineage

extension NamedQuery {
  static let science: [NamedQuery] = [
    NamedQuery(
      name: "k-max", summary: "The largest number of labels at which each model still extrapolates",
      sql: "SELECT * FROM k_max ORDER BY pipeline, model, arm"),
    NamedQuery(
      name: "recall", summary: "Location recall for every K, with intervals and window load",
      sql: "SELECT * FROM length_generalization ORDER BY pipeline, model, arm, k"),
    NamedQuery(
      name: "locality", summary: "Share of squared sensitivity inside windows",
      sql: "SELECT * FROM locality ORDER BY pipeline, model, arm, space, sigma, k, \"window\""),
    NamedQuery(
      name: "effects", summary: "Average causal effect of each intervention",
      sql: "SELECT * FROM intervention_effect ORDER BY pipeline, metric, effect DESC"),
    NamedQuery(
      name: "training", summary: "Loss against pictures seen",
      sql: "SELECT * FROM training_curve ORDER BY pipeline, model, pictures"),
    NamedQuery(
      name: "denoisers", summary: "Every denoiser in the store, from its manifest",
      sql: "SELECT * FROM denoiser ORDER BY form, labelling, network, mask, sha256"),
    NamedQuery(
      name: "theory",
      summary: "Violations of composition (KL) and of locality in enumerated worlds",
      sql: """
        SELECT s.name AS world, m.name, m.coupling, m.sigma, m.view, m.value, m.ci_low, m.ci_high
        FROM metric m JOIN stage s ON s.execution_id = m.execution_id
        WHERE s.kind = 'theory' AND s.run_id IN (SELECT id FROM latest_run) AND m.k IS NULL
          AND m.name IN (\(Measure.violations.sqlNames))
        ORDER BY s.id, m.name, m.view, m.coupling, m.sigma
        """),
    NamedQuery(
      name: "judge", summary: "The judge's own recall and precision on held-out renders",
      sql: """
        SELECT m.detector, m.k, m.name, m.value, m.ci_low, m.ci_high, m.n
        FROM metric m JOIN stage s ON s.execution_id = m.execution_id
        WHERE s.kind = 'judge' AND s.run_id IN (SELECT id FROM latest_run) AND m.k IS NOT NULL
        ORDER BY m.detector, m.name, m.k
        """),
  ]
}
