import Formats
import Foundation
import Lineage

/// How far outputs depend on pixels and labels.
enum LocalitySection {
  static func write(_ data: RunData, _ page: inout Page) throws {
    page.heading("Locality")
    let probed = try data.store.query(
      """
      SELECT DISTINCT model, arm, sigma, k FROM run_locality WHERE run_id = ?
      ORDER BY model, arm, k, sigma
      """, [.text(data.run.id)])
    if probed.rows.isEmpty {
      page.paragraph("No locality was probed.")
      return
    }
    page.paragraph(
      "Share of the squared sensitivity of an output pixel that lies within a square window around it, "
        + "by exact Jacobians for pixels and by removing labels one at a time for conditioners. "
        + "*Even* is what the windows would hold if sensitivity were spread evenly over the picture. "
        + "Bands are 95 % bootstrap intervals over pictures.")
    let counts = Set(probed.column("k").compactMap(\.integer)).sorted()
    let sigmas = Set(probed.column("sigma").compactMap(\.number)).sorted()
    let sigma = sigmas.min { abs($0 - HeaderSection.sigma) < abs($1 - HeaderSection.sigma) } ?? 2
    for space in ["pixel", "conditioner"] {
      for k in counts { try chart(data, &page, space: space, k: k, sigma: sigma) }
    }
    try sides(data, &page)
    for (index, map) in try data.files(kind: "probe", role: "map").enumerated() {
      guard let picture = try? Data(contentsOf: data.store.objectURL(map.sha256)) else { continue }
      page.heading("Sensitivity maps of \(Markdown.name(map.stage))", level: 4)
      page.paragraph(
        "Mean squared sensitivity around the output pixel (middle), on a logarithmic scale of six "
          + "decades; rows K = \(counts.map(String.init).joined(separator: ", ")), columns σ = "
          + "\(sigmas.map { Markdown.number($0, digits: 1) }.joined(separator: ", ")).")
      page.picture(
        "locality-\(index + 1).png", picture, alternative: "Sensitivity maps of \(map.stage)")
    }
    page.query("SELECT * FROM run_locality WHERE run_id = \(data.quotedRun)")
  }

  private static func chart(
    _ data: RunData, _ page: inout Page, space: String, k: Int, sigma: Double
  ) throws {
    let found = try data.store.query(
      """
      SELECT model, arm, "window", share, ci_low, ci_high FROM run_locality
      WHERE run_id = ? AND space = ? AND k = ? AND sigma = ? ORDER BY model, arm, "window"
      """, [.text(data.run.id), .text(space), .integer(Int64(k)), .real(sigma)])
    if found.rows.isEmpty { return }
    var series = grouped(found)
    let even = try data.store.query(
      """
      SELECT 'even', 'none', "window", avg(share), NULL, NULL FROM run_locality
      WHERE run_id = ? AND space = 'isotropic' AND k = ? AND sigma = ? GROUP BY "window"
      """, [.text(data.run.id), .integer(Int64(k)), .real(sigma)])
    series += grouped(even).map {
      LineChart.Series(name: "even", points: $0.points, isReference: true)
    }
    let sigmaText = ChartNumber.text(sigma)
    let subject = space == "pixel" ? "pixels" : "conditioners"
    let chart = LineChart(
      title: "Locality in \(subject), K = \(k), σ = \(sigmaText)",
      xLabel: "side of the window, px", yLabel: "share of squared sensitivity",
      series: series, yRange: 0...1)
    page.picture(
      "locality-\(space)-\(k).svg", Data(chart.svg().utf8),
      alternative: "Share of squared sensitivity to \(subject) against window size, K = \(k)")
  }

  private static func grouped(_ result: QueryResult) -> [LineChart.Series] {
    var series: [LineChart.Series] = []
    for row in result.rows {
      let arm = row[1].text ?? "none"
      let name = (row[0].text ?? "?") + (arm == "none" ? "" : ", " + arm)
      let point = LineChart.Point(
        x: row[2].number ?? 0, y: row[3].number ?? 0, low: row[4].number, high: row[5].number)
      if series.last?.name == name {
        series[series.count - 1].points.append(point)
      } else {
        series.append(LineChart.Series(name: name, points: [point]))
      }
    }
    return series
  }

  private static func sides(_ data: RunData, _ page: inout Page) throws {
    let sql = """
      SELECT v.model, v.arm, m.k, m.sigma,
        max(CASE m.name WHEN 'side.pixel.50' THEN m.value END),
        max(CASE m.name WHEN 'side.pixel.75' THEN m.value END),
        max(CASE m.name WHEN 'side.pixel.95' THEN m.value END),
        max(CASE m.name WHEN 'side.conditioner.50' THEN m.value END),
        max(CASE m.name WHEN 'side.conditioner.75' THEN m.value END),
        max(CASE m.name WHEN 'side.conditioner.95' THEN m.value END)
      FROM run_model v JOIN metric m USING (execution_id)
      WHERE v.run_id = \(data.quotedRun) AND v.kind = 'probe' AND m.name LIKE 'side.%'
      GROUP BY v.model, v.arm, m.k, m.sigma ORDER BY v.model, v.arm, m.k, m.sigma
      """
    let found = try data.store.query(sql)
    page.details("Side of the square that holds 50, 75 and 95 %, in px") { page in
      page.table(
        ["model", "mask", "K", "σ", "pixels 50 / 75 / 95 %", "conditioners 50 / 75 / 95 %"],
        found.rows.map { row in
          func three(_ start: Int) -> String {
            row[start..<start + 3].map { $0.number.map { "\(Int($0))" } ?? "–" }
              .joined(separator: " / ")
          }
          return [
            Markdown.name(row[0].text ?? "?"), row[1].text ?? "", "\(row[2].integer ?? 0)",
            ChartNumber.text(row[3].number ?? 0), three(4), three(7),
          ]
        })
      page.query(sql.split(whereSeparator: \.isNewline).joined(separator: " "))
    }
  }
}

/// Numbers as people write them: no trailing zeros.
enum ChartNumber {
  static func text(_ value: Double) -> String {
    value == value.rounded() ? "\(Int(value))" : "\(value)"
  }
}
