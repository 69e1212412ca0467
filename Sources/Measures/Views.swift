import Lineage

// What stands in the store, as people ask of it. Joins are written in the order in which they shall be
// made, as in Lineage: from the stages of a run to the few rows that belong to them.

extension ViewDeclaration {
  static let denoisers: [ViewDeclaration] = [denoiser, runModel]

  /// A row a denoiser, from its manifest; what a masked one does not say, its base does.
  private static let denoiser = ViewDeclaration(
    name: "denoiser", about: "Every denoiser in the store, a masked one with its base's facts.",
    columns: [
      .name.saying("the instance that made it last, NULL where no run did"),
      ViewColumn("sha256", .text, "of its manifest"), .form, .labelling, .network, .objectsMin,
      .objectsMax, .window.saying("side in px of what an output pixel depends on"), .base, .mask,
      .weights, .size, .cells, .camera,
    ],
    sql: """
      SELECT (
          SELECT s.name FROM execution_output o CROSS JOIN stage s
          WHERE o.sha256 = m.sha256 AND o.role = 'manifest' AND s.execution_id = o.execution_id
          ORDER BY s.id DESC LIMIT 1) AS name,
        m.sha256, \(text("m.body", "$.form")) AS form, \(text(own, "$.labelling")) AS labelling,
        \(text(own, "$.network.type")) AS network, \(integer(own, "$.objects[0]")) AS objects_min,
        \(integer(own, "$.objects[1]")) AS objects_max, \(integer(own, "$.window")) AS "window",
        \(text("m.body", "$.base")) AS base, \(text("m.body", "$.mask.mask")) AS mask,
        \(text(own, "$.weights")) AS weights, \(integer(own, "$.size")) AS size,
        \(integer(own, "$.space.grid")) AS cells, \(text(own, "$.camera")) AS camera
      FROM manifest m LEFT JOIN manifest behind ON behind.sha256 = \(text("m.body", "$.base"))
      WHERE m.type = 'denoiser'
      """)

  private static let own = "coalesce(behind.body, m.body)"

  /// Which denoiser an evaluation, a probe or an agreement was about: which stage of the run made the
  /// model, and which put it behind a mask.
  ///
  /// Equal stages are one execution, which stands under the name of the first of them, once.
  /// The manifest says what the denoiser is. For executions from before there were manifests the
  /// weights, or the machine,
  /// lead to the stage that made them, and its parameters say the rest.
  private static let runModel = ViewDeclaration(
    name: "run_model", about: "Which denoiser each evaluation, probe or agreement was about.",
    columns: [
      .runID, .pipeline, .name, .executionID, .kind, .model, .labelling, .arm, .intervention,
      .denoiser, .position,
    ],
    sql: """
      SELECT s.run_id, p.name AS pipeline, s.name, s.execution_id, s.kind, t.name AS model,
        coalesce(\(text("coalesce(behind.body, d.body)", "$.labelling")),
          \(text("e.params", "$.labelling"))) AS labelling,
        coalesce(\(text("d.body", "$.mask.mask")), (
          SELECT \(text("x.params", "$.mask"))
          \(intervention) CROSS JOIN execution x
          WHERE \(isMasked) AND x.id = i.execution_id ORDER BY i.id LIMIT 1), 'none') AS arm,
        (SELECT i.name
          \(intervention)
          WHERE \(isMasked) ORDER BY i.id LIMIT 1) AS intervention,
        d.sha256 AS denoiser, s.id AS position
      FROM stage s
      CROSS JOIN run r
      CROSS JOIN pipeline p
      CROSS JOIN execution_input w
      LEFT JOIN manifest d ON d.sha256 = w.sha256
      LEFT JOIN manifest behind ON behind.sha256 = \(text("d.body", "$.base"))
      CROSS JOIN execution_output o
      CROSS JOIN stage t
      CROSS JOIN execution e
      WHERE s.kind <> 'intervene' AND s.id = \(firstOfEqual("s"))
        AND r.id = s.run_id AND p.id = r.pipeline_id
        AND w.execution_id = s.execution_id AND w.role = (
          SELECT y.role FROM execution_input y WHERE y.execution_id = s.execution_id
            AND y.role IN ('denoiser/manifest', 'denoiser/weights', 'denoiser/machine')
          ORDER BY CASE y.role WHEN 'denoiser/manifest' THEN 0 ELSE 1 END LIMIT 1)
        AND o.sha256 = coalesce(behind.sha256, w.sha256)
        AND o.role IN ('manifest', 'weights', 'machine')
        AND t.execution_id = o.execution_id AND t.run_id = s.run_id
        AND t.kind <> 'intervene' AND t.id = \(firstOfEqual("t"))
        AND e.id = t.execution_id
      """)

  private static let intervention = """
    FROM execution_input m CROSS JOIN execution_output mo CROSS JOIN stage i
    """
  private static let isMasked = """
    m.execution_id = s.execution_id AND m.role IN ('denoiser/manifest', 'denoiser/mask')
            AND mo.sha256 = m.sha256 AND mo.role IN ('manifest', 'mask')
            AND i.execution_id = mo.execution_id AND i.run_id = s.run_id AND i.kind = 'intervene'
    """

  static let results: [ViewDeclaration] = [
    pair(
      "length_generalization", about: "Location recall of each evaluation at each K.",
      columns: [
        .name, .model, .labelling, .arm, .k.saying("labels asked for"),
        ViewColumn("window_load", .real, .windowLoad), ViewColumn("recall", .real, .recall),
        .ciLow, .ciHigh, .n("requested places"), .seed, .pipeline, .intervention,
      ], order: "position, k, seed",
      """
      SELECT v.run_id, v.name, v.model, v.labelling, v.arm, m.k, l.value AS window_load,
        m.value AS recall, m.ci_low, m.ci_high, m.n, m.seed, v.pipeline, v.intervention, v.position
      FROM run_model v
      CROSS JOIN metric m
      LEFT JOIN metric l
        ON l.execution_id = v.execution_id AND l.name = \(Measure.windowLoad.sqlName) AND l.k = m.k
      WHERE v.kind = 'evaluate'
        AND m.execution_id = v.execution_id AND m.name = \(Measure.recall.sqlName)
      """),
    pair(
      "recall_by_distance",
      about: "Recall beyond the training range, by how near the nearest other requested place is.",
      columns: [
        .name, .model, .labelling, .arm, ViewColumn(.distance),
        ViewColumn("recall", .real, .recallByDistance), .ciLow, .ciHigh, .n("requested places"),
        .seed, .pipeline, .intervention,
      ], order: "position, distance, seed",
      """
      SELECT v.run_id, v.name, v.model, v.labelling, v.arm, m.distance, m.value AS recall,
        m.ci_low, m.ci_high, m.n, m.seed, v.pipeline, v.intervention, v.position
      FROM run_model v
      CROSS JOIN metric m
      WHERE v.kind = 'evaluate' AND m.execution_id = v.execution_id
        AND m.name = \(Measure.recallByDistance.sqlName)
      """),
    pair(
      "k_max", about: "How far each evaluation's recall extrapolates.",
      columns: [
        .name, .model, .labelling, .arm, ViewColumn("k_max", .integer, .kMax),
        ViewColumn("ci_low", .integer, "lower end of the 95 % interval, in labels"),
        ViewColumn("ci_high", .integer, "upper end of the 95 % interval, in labels"),
        ViewColumn("threshold", .real, .kMaxThreshold), .n("layouts"), .seed, .pipeline,
        .intervention, .comparison,
      ], order: "position, comparison, seed",
      """
      SELECT v.run_id, v.name, v.model, v.labelling, v.arm, CAST(m.value AS BIGINT) AS k_max,
        CAST(m.ci_low AS BIGINT) AS ci_low, CAST(m.ci_high AS BIGINT) AS ci_high,
        t.value AS threshold, m.n, m.seed, v.pipeline, v.intervention, s.name AS comparison,
        v.position
      FROM stage s
      CROSS JOIN metric m
      CROSS JOIN metric t
      \(evaluation)
        AND m.execution_id = s.execution_id AND m.name = \(Measure.kMax.sqlName)
        AND t.execution_id = s.execution_id AND t.name = \(Measure.kMaxThreshold.sqlName)
      """),
    pair(
      "locality", about: "How much of a denoiser's dependence each probe finds within a window.",
      columns: [
        .name, .model, .arm, .sigma, .k.saying("objects in the probed pictures"),
        ViewColumn(
          "space", .text, "pixel, conditioner (labels removed), label (Jacobian), isotropic (area)"),
        .window,
        ViewColumn(
          "share", .real, "of the squared sensitivity that lies within the window, 0 to 1"),
        .ciLow, .ciHigh, .n("pictures"), .pipeline, .intervention,
      ], order: "position, space, sigma, k, \"window\"",
      """
      SELECT v.run_id, v.name, v.model, v.arm, m.sigma, m.k,
        \(choice(Measure.Space.allCases.map { (Measure.locality($0), "'\($0.rawValue)'") })) AS space,
        m."window", m.value AS share, m.ci_low, m.ci_high, m.n, v.pipeline, v.intervention,
        v.position
      FROM run_model v
      CROSS JOIN metric m
      WHERE v.kind = 'probe' AND m.execution_id = v.execution_id
        AND m.name IN (\(Measure.Space.allCases.map(Measure.locality).sqlNames))
      """),
    pair(
      "remote",
      about: "How much the output at labelled objects depends on what is remote to them.",
      columns: [
        .name, .model, .arm,
        ViewColumn("inputs", .text, "law, or trajectory: the model's own states"),
        .k.saying("objects in the probed pictures"), .sigma,
        ViewColumn(
          "change", .text,
          "remote labels that go one at a time (single), are removed at once or moved, or pixels outside that are swapped"
        ),
        ViewColumn(
          "effect", .real, "over that of the own label, of pixels over that of all"),
        .ciLow, .ciHigh, .n("pictures"), .pipeline, .intervention,
      ], order: "position, inputs, k, change, sigma",
      """
      SELECT v.run_id, v.name, v.model, v.arm, m.inputs, m.k, m.sigma,
        \(choice(Measure.RemoteChange.allCases.map { (Measure.remote($0), "'\($0.rawValue)'") })) AS change,
        m.value AS effect, m.ci_low, m.ci_high, m.n, v.pipeline, v.intervention, v.position
      FROM run_model v
      CROSS JOIN metric m
      WHERE v.kind = 'probe' AND m.execution_id = v.execution_id
        AND m.name IN (\(Measure.RemoteChange.allCases.map(Measure.remote).sqlNames))
      """),
    pair(
      "intervention_effect",
      about: "What a mask changes, pooled over K: masked less plain, same layouts and noise.",
      columns: [
        .name.saying("the instance that evaluated the masked denoiser"), .baseline, .intervention,
        .arm,
        ViewColumn(
          "metric", .text,
          "recall, exact, precision, background (recall by that detector), or recall_in_range"),
        ViewColumn("effect", .real, "the change of that share, -1 to 1"), .ciLow, .ciHigh, .p,
        .pHolm, .n("layouts"), .pipeline, .comparison,
      ], order: "position, comparison, metric",
      """
      SELECT v.run_id, v.name, v.model AS baseline, v.intervention, v.arm,
        \(choice(Measure.effects.map { ($0.measure, "'\($0.on)'") })) AS metric,
        m.value AS effect, m.ci_low, m.ci_high, q.value AS p, h.value AS p_holm, m.n, v.pipeline,
        s.name AS comparison, v.position
      FROM stage s
      CROSS JOIN metric m
      LEFT JOIN metric q ON q.execution_id = s.execution_id AND q.subject = m.subject
        AND q.name = \(choice(Measure.effects.compactMap { e in e.p.map { (e.measure, $0.sqlName) } }))
      LEFT JOIN metric h ON h.execution_id = s.execution_id AND h.subject = m.subject
        AND h.name = \(choice(Measure.effects.compactMap { e in e.pHolm.map { (e.measure, $0.sqlName) } }))
      \(evaluation)
        AND m.execution_id = s.execution_id AND m.k IS NULL
        AND m.name IN (\(Measure.effects.map(\.measure).sqlNames))
      """),
    pair(
      "agreement", about: "How well one denoiser tells what another does.",
      columns: [
        .name, .model, .arm, .reference,
        ViewColumn(
          "measure", .text, "what is compared: outputs (agreement), drawn pictures (drawn)"),
        .sigma, .k, ViewColumn("r2", .real, "median over pictures, a pure number"), .ciLow,
        .ciHigh, .n("pictures"), .pipeline, .intervention,
      ], order: "position, measure, k, sigma",
      """
      SELECT v.run_id, v.name, v.model, v.arm, t.name AS reference,
        \(choice(Measure.agreements.map { ($0.measure, "'\($0.short)'") })) AS measure, m.sigma, m.k,
        m.value AS r2, m.ci_low, m.ci_high, m.n, v.pipeline, v.intervention, v.position
      FROM run_model v
      CROSS JOIN execution_input w
      CROSS JOIN execution_output o
      CROSS JOIN stage t
      CROSS JOIN metric m
      WHERE v.kind = 'agree' AND w.execution_id = v.execution_id AND w.role = (
          -- Before there were manifests, the weights alone.
          SELECT min(x.role) FROM execution_input x WHERE x.execution_id = v.execution_id
          AND x.role IN ('reference/manifest', 'reference/weights'))
        AND o.sha256 = w.sha256 AND o.role IN ('manifest', 'weights')
        AND t.run_id = v.run_id AND t.execution_id = o.execution_id
        AND (t.kind = 'train' OR w.role = 'reference/manifest') AND t.id = \(firstOfEqual("t"))
        AND m.execution_id = v.execution_id AND m.name IN (\(Measure.agreement.sqlNames))
      """),
    pair(
      "training_curve", about: "The loss of each trained network as it learned.",
      columns: [
        .name, .model.saying("the same"), .pictures, ViewColumn("loss", .real, .loss), .pipeline,
      ], order: "position, pictures",
      """
      SELECT s.run_id, s.name, s.name AS model, m.pictures, m.value AS loss, p.name AS pipeline,
        s.id AS position
      FROM stage s
      CROSS JOIN run r
      CROSS JOIN pipeline p
      CROSS JOIN metric m
      WHERE s.kind IN ('train', 'finetune') AND s.id = \(firstOfEqual("s")) AND r.id = s.run_id
        AND p.id = r.pipeline_id AND m.execution_id = s.execution_id
        AND m.name = \(Measure.loss.sqlName)
      """),
  ].flatMap { $0 }

  /// From a comparison's metric `m` to the evaluation that it is about.
  private static let evaluation = """
    CROSS JOIN execution_output o
    CROSS JOIN run_model v
    WHERE s.kind = 'compare' AND s.id = \(firstOfEqual("s"))
      AND o.sha256 = m.subject AND o.role IN ('outcomes', 'manifest')
      AND v.run_id = s.run_id AND v.execution_id = o.execution_id
    """

  /// An expression of SQL that depends on the measure of `m`.
  private static func choice(_ cases: [(Measure, String)]) -> String {
    "CASE m.name" + cases.map { " WHEN \($0.0.sqlName) THEN \($0.1)" }.joined() + " END"
  }
}
