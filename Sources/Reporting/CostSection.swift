import Formats
import Foundation

/// Training curves, and what each stage cost.
enum CostSection {
  static func write(_ data: RunData, _ page: inout Page) throws {
    try training(data, &page)
    page.heading("Costs")
    let sql = "SELECT * FROM run_stage_cost WHERE run_id = \(data.quotedRun)"
    let found = try data.store.query(sql)
    if found.rows.isEmpty {
      page.paragraph("No stage has finished.")
      return
    }
    page.table(
      ["stage", "wall, s", "share", "CPU, s", "peak memory, MiB", "this run"],
      found.rows.map { row in
        func number(_ column: String) -> Double { found.value(row, column).number ?? 0 }
        return [
          Markdown.name(found.value(row, "stage").text ?? "?"),
          Markdown.number(number("wall_seconds"), digits: 1),
          Markdown.number(100 * number("share"), digits: 1) + " %",
          Markdown.number(number("cpu_seconds"), digits: 1),
          Markdown.number(number("peak_rss_bytes") / 1_048_576, digits: 0),
          found.value(row, "reused").integer == 1 ? "reused" : "executed",
        ]
      })
    page.query(sql)
  }

  private static func training(_ data: RunData, _ page: inout Page) throws {
    let sql =
      "SELECT model, pictures, loss FROM run_training_curve WHERE run_id = \(data.quotedRun) "
      + "ORDER BY model, pictures"
    let found = try data.store.query(sql)
    if found.rows.isEmpty { return }
    page.heading("Training")
    var series: [LineChart.Series] = []
    for row in found.rows {
      let name = row[0].text ?? "?"
      let point = LineChart.Point(x: row[1].number ?? 0, y: row[2].number ?? 0)
      if series.last?.name == name {
        series[series.count - 1].points.append(point)
      } else {
        series.append(LineChart.Series(name: name, points: [point]))
      }
    }
    page.picture(
      "training.svg",
      Data(
        LineChart(
          title: "Training loss", xLabel: "pictures seen", yLabel: "weighted squared error",
          series: series, yScale: .logarithmic
        ).svg().utf8), alternative: "Training loss against pictures seen")
    page.paragraph(
      "Losses compare only between models with the same noise distribution and label balance.")
    page.query(sql)
  }
}
