import Formats
import Measures

/// r² between machines and trained networks.
struct AgreementBlocks {
  let run: String
  let rows: [AgreementRow]

  var blocks: [Block] {
    if rows.isEmpty { return [] }
    return [
      .heading("Agreement with trained networks", level: 3),
      .paragraph(
        "r² = 1 − Σ(b − a)² / Σ(b − b̄)², *b* the trained network's output and *a* the machine's, both on "
          + "the same noised held-out pictures; medians over pictures with 95 % bootstrap intervals. "
          + "*Beyond the mean picture* takes b̄ as the mean training picture, so that the background which "
          + "all share does not count. Kamb & Ganguli report medians of 0.94 to 0.96 for convolutional "
          + "networks without attention and 0.77 with it, between finished pictures of other data."),
    ] + charts + drawn + [AgreementRow.question(run).block]
  }

  private var charts: [Block] {
    guard let k = rows.map(\.k).min() else { return [] }
    var blocks: [Block] = []
    for (index, reference) in distinct(rows.map(\.reference)).enumerated() {
      blocks.append(
        chart(.r2(.denoised), "r²", reference, k, file: "agreement-\(index + 1).svg"))
      blocks.append(
        chart(
          .r2Centered(.denoised), "r² beyond the mean picture", reference, k,
          file: "agreement-\(index + 1)-centered.svg"))
    }
    return blocks
  }

  private func chart(
    _ measure: Measure, _ title: String, _ reference: String, _ k: Int, file: String
  ) -> Block {
    var series: [LineChart.Series] = []
    for row in rows
    where row.reference == reference && row.k == k && row.measure == measure.nameInAgreements {
      guard let sigma = row.sigma else { continue }
      let point = LineChart.Point(x: sigma, y: row.r2.value, low: row.r2.low, high: row.r2.high)
      if let known = series.firstIndex(where: { $0.name == row.label }) {
        series[known].points.append(point)
      } else {
        series.append(LineChart.Series(name: row.label, points: [point]))
      }
    }
    return .chart(
      name: file,
      .lines(
        LineChart(
          title: "Agreement with \(reference), K = \(k): \(title)", xLabel: "σ", yLabel: title,
          series: series, xScale: .logarithmic, yRange: 0...1)),
      alternative: "\(title) between each machine and \(reference) against the noise level")
  }

  private var drawn: [Block] {
    let centered = rows.filter { $0.measure == Measure.r2Centered(.drawn).nameInAgreements }
    var lines: [[String]] = []
    for row in rows where row.measure == Measure.r2(.drawn).nameInAgreements {
      let twin = centered.first {
        $0.stage == row.stage && $0.reference == row.reference && $0.k == row.k
      }
      lines.append([
        Markdown.name(row.label), Markdown.name(row.reference), "\(row.k)",
        Markdown.interval(row.r2), twin.map { Markdown.interval($0.r2) } ?? Markdown.nothing,
        Markdown.count(row.r2.n),
      ])
    }
    if lines.isEmpty { return [] }
    return [
      .paragraph("Between the pictures that both draw from the same noise for the same layouts:"),
      .table(
        columns: [
          "machine", "network", "K", "median r² [95 %]", "beyond the mean picture [95 %]", "N",
        ],
        rows: lines),
    ]
  }
}
