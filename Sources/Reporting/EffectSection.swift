import Formats
import Foundation

/// Average causal effects of the masks, with their controls.
enum EffectSection {
  static func write(_ data: RunData, _ page: inout Page) throws {
    page.heading("Interventions")
    let effects = try data.effects()
    if effects.isEmpty {
      page.paragraph("No intervention was compared with its baseline.")
      return
    }
    page.paragraph(
      "Masked less baseline, on the same layouts and the same noise, without any training. Pooled over "
        + "the tested K beyond the training range unless the row says *in range*. Intervals: paired "
        + "bootstrap over layouts; p: sign flips of the layouts' differences, Holm-corrected over the "
        + "masks. Which K were tested is in the table of K_max.")
    let recall = effects.filter { $0.metric == "recall" }
    let chart = IntervalChart(
      title: "Effect on recall beyond the training range", xLabel: "change of location recall",
      rows: recall.map {
        IntervalChart.Row(
          label: $0.intervention, value: $0.estimate.value,
          low: $0.estimate.low ?? $0.estimate.value, high: $0.estimate.high ?? $0.estimate.value,
          isEmphasized: !["identity", "placebo"].contains($0.arm))
      })
    page.picture(
      "effects.svg", Data(chart.svg().utf8),
      alternative: "Effect of each mask on location recall with its interval")
    page.table(
      ["intervention", "baseline", "measure", "effect [95 %]", "p", "Holm p", "N layouts"],
      effects.map { effect in
        [
          Markdown.name(effect.intervention), Markdown.name(effect.baseline),
          effect.metric.replacingOccurrences(of: "_", with: " "),
          Markdown.interval(
            effect.estimate.value, effect.estimate.low, effect.estimate.high, digits: 3),
          effect.p.map { Markdown.number($0, digits: 4) } ?? "–",
          effect.pHolm.map { Markdown.number($0, digits: 4) } ?? "–",
          effect.estimate.n.map(String.init) ?? "–",
        ]
      })
    try controls(data, effects, &page)
    page.query("SELECT * FROM run_intervention_effect WHERE run_id = \(data.quotedRun)")
    try changes(data, &page)
  }

  private static func controls(
    _ data: RunData, _ effects: [RunData.Effect], _ page: inout Page
  ) throws {
    let sql =
      "SELECT m.value, m.n FROM stage s JOIN metric m USING (execution_id) "
      + "WHERE s.run_id = \(data.quotedRun) AND m.name = 'identical_pictures'"
    let identical = try data.store.query(sql)
    for row in identical.rows {
      let share = row[0].number ?? 0
      let count = row[1].integer ?? 0
      page.paragraph(
        share == 1
          ? "Control *identity*: all \(count) pictures equal the baseline's bit for bit. No sign of a "
            + "problem in the masking machinery, which is no proof."
          : "**Control *identity* failed:** only \(Markdown.number(100 * share, digits: 1)) % of "
            + "\(count) pictures equal the baseline's; no effect above can be believed.")
      page.query(sql)
    }
    if effects.contains(where: { $0.arm == "placebo" }) {
      page.paragraph(
        "Control *placebo*: masks of the same area in the wrong place, computed anew. What it changes is "
          + "what masking does by itself.")
    }
    let still = effects.filter {
      $0.estimate.low == $0.estimate.value && $0.estimate.high == $0.estimate.value
    }
    if !still.isEmpty {
      let names = Set(still.map { Markdown.name($0.intervention) }).sorted()
      page.paragraph(
        "An interval without width (\(names.joined(separator: ", "))) means that every layout changed by "
          + "the same amount, which for the identity is 0 by construction; it does not mean that the "
          + "value is known exactly.")
    }
  }

  private static func changes(_ data: RunData, _ page: inout Page) throws {
    let sql =
      "SELECT s.name, m.sigma, m.value, m.n FROM stage s JOIN metric m USING (execution_id) "
      + "WHERE s.run_id = \(data.quotedRun) AND m.name = 'mask_changed_share' "
      + "ORDER BY s.id, m.sigma DESC"
    let found = try data.store.query(sql)
    if found.rows.isEmpty { return }
    page.details("How many outputs each mask changes at all, in one pass") { page in
      page.table(
        ["mask", "σ", "share of output values changed", "N pictures"],
        found.rows.map { row in
          [
            Markdown.name(row[0].text ?? "?"), ChartNumber.text(row[1].number ?? 0),
            Markdown.number(row[2].number ?? 0, digits: 3), "\(row[3].integer ?? 0)",
          ]
        })
      page.query(sql)
    }
  }
}
