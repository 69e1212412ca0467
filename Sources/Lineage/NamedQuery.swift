/// A question that people ask often, under a name for `locus query`.
public struct NamedQuery: Sendable {
  public var name: String
  public var summary: String
  public var sql: String

  public static let all: [NamedQuery] = [
    NamedQuery(
      name: "latest-run", summary: "The latest run of each pipeline",
      sql: "SELECT * FROM latest_run"),
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
      name: "costs", summary: "Time and memory of each stage",
      sql: "SELECT * FROM stage_cost ORDER BY pipeline, wall_seconds DESC"),
    NamedQuery(
      name: "training", summary: "Loss against pictures seen",
      sql: "SELECT * FROM training_curve ORDER BY pipeline, model, pictures"),
    NamedQuery(
      name: "stages", summary: "What the latest runs needed, and why",
      sql: """
        SELECT s.run_id, s.name, s.status, s.reason FROM stage s
        WHERE s.run_id IN (SELECT id FROM latest_run) ORDER BY s.id
        """),
    NamedQuery(
      name: "theory",
      summary: "Violations of composition (KL) and of locality in enumerated worlds",
      sql: """
        SELECT s.name AS world, m.name, m.step AS coupling, m.sigma, m.arm, m.value, m.ci_low, m.ci_high
        FROM metric m JOIN stage s ON s.execution_id = m.execution_id
        WHERE s.kind = 'theory' AND s.run_id IN (SELECT id FROM latest_run) AND m.k IS NULL
          AND m.sigma IS NOT NULL AND m.name NOT LIKE 'theory.pair.%'
        ORDER BY s.id, m.name, m.arm, m.step, m.sigma
        """),
    NamedQuery(
      name: "judge", summary: "The judge's own recall and precision on held-out renders",
      sql: """
        SELECT m.arm AS detector, m.k, m.name, m.value, m.ci_low, m.ci_high, m.n
        FROM metric m JOIN stage s ON s.execution_id = m.execution_id
        WHERE s.kind = 'judge' AND s.run_id IN (SELECT id FROM latest_run) AND m.k IS NOT NULL
        ORDER BY m.arm, m.name, m.k
        """),
  ]
}
