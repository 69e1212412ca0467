import Formats
import Foundation

/// K_max beside the published numbers, and the whole curves that K_max alone hides.
enum LengthGeneralizationSection {
  static func write(_ data: RunData, _ page: inout Page) throws {
    page.heading("Length generalization")
    if data.evaluated.isEmpty {
      page.paragraph("Nothing was evaluated.")
      return
    }
    try kMaxTable(data, &page)
    try curves(data, &page)
    try disagreement(data, &page)
  }

  private static func kMaxTable(_ data: RunData, _ page: inout Page) throws {
    let rows = try data.kMax()
    if rows.isEmpty {
      page.paragraph("K_max was not computed: no `compare` stage finished.")
      return
    }
    var cells: [[String]] = []
    for row in rows {
      let k = row.estimate
      let loads = try data.byCount("window_load", row.evaluated.executionID)
      let tested = try data.byCount("recall", row.evaluated.executionID).keys.sorted()
      let atMaximum = loads[Int(k.value)].map { Markdown.number($0.value, digits: 1) } ?? "–"
      let last = tested.last.flatMap { loads[$0] }.map { Markdown.number($0.value, digits: 1) }
      cells.append([
        Markdown.name(row.evaluated.title), row.evaluated.labelling, row.evaluated.arm,
        "\(Int(k.value)) [\(Int(k.low ?? k.value)), \(Int(k.high ?? k.value))]",
        published(row.evaluated, data.trainingMaximum), "\(k.n ?? 0)",
        tested.map(String.init).joined(separator: " "), atMaximum, last ?? "–",
      ])
    }
    page.paragraph(
      "Trained on up to \(data.trainingMaximum.map(String.init) ?? "?") objects; recall threshold "
        + "\(Markdown.number(rows[0].threshold)). λ is the window load: how many labels one window "
        + "holds on average; a local model stays in distribution while λ is near what training showed. "
        + "With few tested K, K_max is the largest tested one that passes.")
    page.table(
      [
        "model", "labelling", "mask", "K_max [95 %]", "published", "N layouts", "tested K",
        "λ at K_max", "λ at largest K",
      ], cells)
    page.query("SELECT * FROM run_k_max WHERE run_id = \(data.quotedRun)")
  }

  /// Bradley et al. 2025 (arXiv 2509.16447), for the training range of this run.
  private static func published(_ model: EvaluatedModel, _ maximum: Int?) -> String {
    guard model.isPlain, let maximum, let column = [1: 0, 3: 1, 5: 2][maximum] else { return "–" }
    switch (model.network, model.labelling) {
    case ("unet", "all"): return column < 2 ? "succeeds (Exp 1)" : "–"
    case ("unet", "single"): return "\([1, 2, 3][column]) (Exp 2)"
    case ("local", "single"): return "\([5, 9, 10][column]) (Exp 2L)"
    default: return "–"
    }
  }

  private static func curves(_ data: RunData, _ page: inout Page) throws {
    let plain = data.evaluated.filter(\.isPlain)
    let masked = data.evaluated.filter { !$0.isPlain }
    let marks = data.trainingMaximum.map { [(x: Double($0), label: "largest in training")] } ?? []
    func chart(_ title: String, _ models: [EvaluatedModel]) throws -> String {
      LineChart(
        title: title, xLabel: "K, requested places", yLabel: "location recall",
        series: try models.map { model in
          let recall = try data.byCount("recall", model.executionID)
          return LineChart.Series(
            name: model.title,
            points: recall.keys.sorted().compactMap { k in
              recall[k].map {
                LineChart.Point(x: Double(k), y: $0.value, low: $0.low, high: $0.high)
              }
            })
        }, yRange: 0...1, marks: marks
      ).svg()
    }
    if !plain.isEmpty {
      page.picture(
        "recall.svg", Data(try chart("Recall against K, as trained", plain).utf8),
        alternative: "Location recall against the number of requested places, for each model")
    }
    if !masked.isEmpty {
      let baselines = plain.filter { model in masked.contains { $0.model == model.model } }
      page.picture(
        "recall-masked.svg",
        Data(try chart("Recall against K, behind masks", baselines + masked).utf8),
        alternative: "Location recall against the number of requested places, for each mask")
    }
    let tables = try data.evaluated.map { model in
      (
        model, try data.byCount("recall", model.executionID),
        try data.byCount("precision", model.executionID),
        try data.byCount("exact", model.executionID), try data.byCount("drawn", model.executionID)
      )
    }
    page.details("Every number: recall, precision, exact layouts, objects drawn") { page in
      for (model, recall, precision, exact, drawn) in tables {
        page.heading(Markdown.name(model.title), level: 4)
        page.table(
          ["K", "recall", "places", "precision", "exact", "drawn", "layouts"],
          drawn.keys.sorted().map { k in
            [
              "\(k)", text(recall[k]), recall[k]?.n.map(String.init) ?? "–", text(precision[k]),
              text(exact[k]), text(drawn[k]), drawn[k]?.n.map(String.init) ?? "–",
            ]
          })
      }
      page.paragraph(
        "Under `single` the training pictures hold objects without a label, so more objects than "
          + "requested are in distribution: recall is the primary measure there.")
      page.query(
        "SELECT v.model, v.arm, m.* FROM run_model v JOIN metric m USING (execution_id) "
          + "WHERE v.run_id = \(data.quotedRun) AND m.k IS NOT NULL AND v.kind = 'evaluate'")
    }
    page.query("SELECT * FROM run_length_generalization WHERE run_id = \(data.quotedRun)")
  }

  private static func text(_ estimate: Estimate?) -> String {
    estimate.map { Markdown.interval($0.value, $0.low, $0.high) } ?? "–"
  }

  /// Recall by the two detectors may differ by so much, beyond what their calibrations explain.
  private static let margin = 0.05

  private static func disagreement(_ data: RunData, _ page: inout Page) throws {
    let sql =
      "SELECT coalesce(v.intervention, v.model), max(m.value), avg(m.value), count(*) FROM run_model v "
      + "JOIN metric m USING (execution_id) WHERE v.run_id = \(data.quotedRun) "
      + "AND m.name = 'judge_disagreement' GROUP BY v.execution_id"
    let found = try data.store.query(sql)
    let large = found.rows.filter { ($0[1].number ?? 0) > margin }
    if large.isEmpty {
      page.paragraph(
        "The judge and the background-difference detector agree on recall within "
          + "\(Markdown.number(margin)) everywhere, once each one's own recall on renders is taken out."
      )
    } else {
      page.paragraph(
        "**The two detectors disagree** on recall by more than \(Markdown.number(margin)), beyond what "
          + "their calibrations on renders explain. The plain detector may miss soft or pale objects and "
          + "merge those that touch; the samples show which of the two to believe.")
      page.table(
        ["model", "largest difference of recall", "mean over K", "tested K"],
        large.map { row in
          [
            Markdown.name(row[0].text ?? "?"), Markdown.number(row[1].number ?? 0),
            Markdown.number(row[2].number ?? 0), "\(row[3].integer ?? 0)",
          ]
        })
    }
    page.query(sql)
  }
}
