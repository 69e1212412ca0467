import Formats
import Foundation
import Lineage

/// Denoisers that need no training, beside trained ones.
enum AnalyticSection {
  static func write(_ data: RunData, _ page: inout Page) throws {
    let found = try AnalyticMachines(data)
    if found.machines.isEmpty { return }
    page.heading("Without training")
    page.paragraph(
      "An *analytic machine* is the exact posterior mean over training patches: output *i* is the mean "
        + "of the training pictures' pixel *i*, weighted by how well each picture fits the noised one "
        + "inside the window around *i* and by the probability that its training conditioner agrees "
        + "with the requested labels there (Kamb & Ganguli 2024, made conditional). Nothing is trained: "
        + "what differs between machines is the window, and with the picture as window it is the "
        + "optimal denoiser, which can only reproduce training pictures.")
    table(found, data, &page)
    windowChart(found, &page)
    try agreement(data, &page)
    try calibration(data, &page)
    cost(found, data, &page)
  }

  private static func table(_ found: AnalyticMachines, _ data: RunData, _ page: inout Page) {
    page.table(
      [
        "machine", "window, px", "labels within, px", "patches from", "training pictures",
        "K_max [95 %]", "recall beyond training [95 %]", "N layouts",
        "labelled windows without agreement: K = 1 / 3 / 12",
      ],
      found.machines.map { machine in
        let labels = min(2 * machine.labelRadius + 1, found.size)
        let estimate = machine.kMax?.estimate
        let beyond = machine.kMax?.recallBeyond
        return [
          Markdown.name(machine.name), found.sideText(machine),
          labels == found.size ? "picture" : "\(labels)",
          machine.places == "all" ? "all places" : "the same place", "\(machine.pictures)",
          estimate.map {
            "\(Int($0.value)) [\(Int($0.low ?? $0.value)), \(Int($0.high ?? $0.value))]"
          } ?? "not evaluated",
          beyond.map { Markdown.interval($0.value, $0.low, $0.high) } ?? "–",
          estimate?.n.map(String.init) ?? "–",
          [1, 3, 12].map { k in
            machine.unmatched[k].map { Markdown.number(100 * $0.value, digits: 1) + " %" } ?? "–"
          }.joined(separator: " / "),
        ]
      })
    page.paragraph(
      "Where no training patch agrees with a window's labels, the nearest agreement decides: the least "
        + "number of labels that differ. Under `single` that is every window with two labels or more. "
        + "Patches of all places compete only within a border class, and only in whole cells.")
    page.query(AnalyticMachines.query(data))
  }

  /// Recall beyond training, and K_max, against the window, with trained networks as levels.
  private static func windowChart(_ found: AnalyticMachines, _ page: inout Page) {
    let machines = found.byWindow.filter { $0.kMax != nil }
    guard let first = machines.first, let last = machines.last, machines.count > 1 else { return }
    func chart(
      _ title: String, _ label: String, _ range: ClosedRange<Double>,
      _ value: (RunData.KMax) -> Estimate?
    ) -> String {
      func point(_ side: Int, _ kMax: RunData.KMax?) -> LineChart.Point? {
        kMax.flatMap(value).map {
          LineChart.Point(x: Double(side), y: $0.value, low: $0.low, high: $0.high)
        }
      }
      let levels = found.networks.map { network in
        LineChart.Series(
          name: network.evaluated.title + ", trained",
          points: [first.side, last.side].compactMap { point($0, network) })
      }
      return LineChart(
        title: title, xLabel: "side of the window, px (\(last.side): the whole picture)",
        yLabel: label,
        series: [
          LineChart.Series(
            name: "analytic, no training", points: machines.compactMap { point($0.side, $0.kMax) })
        ] + levels, xScale: .logarithmic, yRange: range
      ).svg()
    }
    page.picture(
      "analytic-recall.svg",
      Data(
        chart("Recall beyond training against the window", "location recall", 0...1) {
          $0.recallBeyond
        }.utf8), alternative: "Recall beyond the training range against the window's side")
    page.picture(
      "analytic-k-max.svg",
      Data(chart("K_max against the window", "K_max", 0...12) { $0.estimate }.utf8),
      alternative: "K_max against the window's side, beside trained networks")
    page.paragraph(
      "Trained networks are drawn as levels; their own windows do not vary. Bands are 95 % bootstrap "
        + "intervals over layouts.")
  }

  private static func agreement(_ data: RunData, _ page: inout Page) throws {
    let sql = "SELECT * FROM run_agreement WHERE run_id = \(data.quotedRun)"
    let rows = try data.store.query(
      """
      SELECT model, arm, reference, measure, sigma, k, r2, ci_low, ci_high, n FROM run_agreement
      WHERE run_id = ? ORDER BY reference, k, model, sigma
      """, [.text(data.run.id)]
    ).rows
    if rows.isEmpty { return }
    page.heading("Agreement with trained networks", level: 3)
    page.paragraph(
      "r² = 1 − Σ(b − a)² / Σ(b − b̄)², *b* the trained network's output and *a* the machine's, both on "
        + "the same noised held-out pictures; medians over pictures with 95 % bootstrap intervals. "
        + "*Beyond the mean picture* takes b̄ as the mean training picture, so that the background which "
        + "all share does not count. Kamb & Ganguli report medians of 0.94 to 0.96 for convolutional "
        + "networks without attention and 0.77 with it, between finished pictures of other data.")
    func name(_ row: [SQLValue]) -> String {
      let arm = row[1].text ?? "none"
      return (row[0].text ?? "?") + (arm == "none" ? "" : ", " + arm)
    }
    let references = rows.map { $0[2].text ?? "?" }.reduce(into: [String]()) {
      if !$0.contains($1) { $0.append($1) }
    }
    let counts = Set(rows.compactMap { $0[5].integer }).sorted()
    for reference in references {
      for (measure, title) in [
        ("agreement.r2", "r²"), ("agreement.r2_centered", "r² beyond the mean picture"),
      ] {
        guard let k = counts.first else { continue }
        var series: [LineChart.Series] = []
        for row in rows
        where row[2].text == reference && row[3].text == measure && row[5].integer == k {
          let point = LineChart.Point(
            x: row[4].number ?? 0, y: row[6].number ?? 0, low: row[7].number, high: row[8].number)
          if let index = series.firstIndex(where: { $0.name == name(row) }) {
            series[index].points.append(point)
          } else {
            series.append(LineChart.Series(name: name(row), points: [point]))
          }
        }
        let chart = LineChart(
          title: "Agreement with \(reference), K = \(k): \(title)", xLabel: "σ", yLabel: title,
          series: series, xScale: .logarithmic, yRange: 0...1)
        let file =
          "agreement-\((references.firstIndex(of: reference) ?? 0) + 1)"
          + (measure.hasSuffix("centered") ? "-centered" : "") + ".svg"
        page.picture(
          file, Data(chart.svg().utf8),
          alternative: "\(title) between each machine and \(reference) against the noise level")
      }
    }
    let drawn = rows.filter { $0[3].text?.hasPrefix("drawn") == true }
    var lines: [[String]] = []
    for row in drawn where row[3].text == "drawn.r2" {
      let centered = drawn.first {
        $0[3].text == "drawn.r2_centered" && $0[0...2] == row[0...2] && $0[5] == row[5]
      }
      func text(_ row: [SQLValue]?) -> String {
        guard let row else { return "–" }
        return Markdown.interval(row[6].number ?? 0, row[7].number, row[8].number)
      }
      lines.append([
        Markdown.name(name(row)), Markdown.name(row[2].text ?? "?"), "\(row[5].integer ?? 0)",
        text(row), text(centered), "\(row[9].integer ?? 0)",
      ])
    }
    if !lines.isEmpty {
      page.paragraph(
        "Between the pictures that both draw from the same noise for the same layouts:")
      page.table(
        ["machine", "network", "K", "median r² [95 %]", "beyond the mean picture [95 %]", "N"],
        lines)
    }
    page.query(sql)
  }

  private static func calibration(_ data: RunData, _ page: inout Page) throws {
    let sql =
      "SELECT s.name, m.sigma, m.radius, m.value, m.ci_low, m.ci_high, m.n FROM stage s "
      + "JOIN metric m USING (execution_id) WHERE s.run_id = \(data.quotedRun) "
      + "AND m.name = 'calibration_r2' ORDER BY s.id, m.sigma, m.radius"
    let rows = try data.store.query(sql).rows
    if rows.isEmpty { return }
    page.heading("Windows by noise level", level: 3)
    page.paragraph(
      "At each σ the radius whose machine agrees best with the teacher (median r² over held-out "
        + "pictures of the training range; the smaller of equals).")
    var lines: [[String]] = []
    for stage in rows.map({ $0[0].text ?? "?" }).reduce(
      into: [String](),
      {
        if !$0.contains($1) { $0.append($1) }
      })
    {
      let mine = rows.filter { $0[0].text == stage }
      for sigma in Set(mine.compactMap { $0[1].number }).sorted() {
        let here = mine.filter { $0[1].number == sigma }
        guard let best = here.max(by: { ($0[3].number ?? 0) < ($1[3].number ?? 0) }) else {
          continue
        }
        lines.append([
          Markdown.name(stage), ChartNumber.text(sigma), "\(2 * Int(best[2].number ?? 0) + 1)",
          Markdown.interval(best[3].number ?? 0, best[4].number, best[5].number, digits: 3),
          here.map { Markdown.number($0[3].number ?? 0, digits: 3) }.joined(separator: " "),
          "\(best[6].integer ?? 0)",
        ])
      }
    }
    let sides = Set(rows.compactMap { $0[2].number }).sorted().map { "\(2 * Int($0) + 1)" }
    page.table(
      [
        "machine", "σ", "window chosen, px", "its r² [95 %]",
        "r² with windows of \(sides.joined(separator: " "))", "N pictures",
      ], lines)
    page.query(sql)
  }

  private static func cost(_ found: AnalyticMachines, _ data: RunData, _ page: inout Page) {
    let timed = found.machines.filter { $0.passSeconds != nil }
    if timed.isEmpty { return }
    page.heading("What a picture costs", level: 3)
    page.paragraph(
      "CPU time of the evaluation over its pictures and passes (the judge's share is small). A pass "
        + "compares the noised picture with every training picture. Windows are box sums, so their "
        + "size should not matter; training pictures should count in proportion.")
    page.table(
      [
        "machine", "window, px", "training pictures", "patches from", "CPU ms a picture and pass",
        "µs a training picture",
      ],
      timed.map { machine in
        let seconds = machine.passSeconds ?? 0
        return [
          Markdown.name(machine.name), found.sideText(machine), "\(machine.pictures)",
          machine.places == "all" ? "all places" : "the same place",
          Markdown.number(seconds * 1e3, digits: 1),
          Markdown.number(seconds * 1e6 / Double(max(machine.pictures, 1)), digits: 2),
        ]
      })
    let local = timed.filter { $0.isPlain && $0.radii.last == found.localRadius }
      .sorted { $0.pictures < $1.pictures }
    let windows = timed.filter { $0.isPlain && $0.isWhole }.sorted { $0.side < $1.side }
    func chart(
      _ name: String, _ title: String, _ label: String, _ machines: [AnalyticMachines.Machine],
      _ x: (AnalyticMachines.Machine) -> Int
    ) {
      if machines.count < 2 { return }
      let svg = LineChart(
        title: title, xLabel: label, yLabel: "CPU ms a picture and pass",
        series: [
          LineChart.Series(
            name: "measured",
            points: machines.map {
              LineChart.Point(x: Double(x($0)), y: ($0.passSeconds ?? 0) * 1e3)
            })
        ], yRange: 0...(machines.compactMap(\.passSeconds).max() ?? 1) * 1.1e3
      ).svg()
      page.picture(name, Data(svg.utf8), alternative: title)
    }
    chart(
      "analytic-cost-pictures.svg", "Cost against training pictures", "training pictures", local
    ) { $0.pictures }
    chart(
      "analytic-cost-window.svg", "Cost against the window", "side of the window, px", windows
    ) { $0.side }
    page.query(AnalyticMachines.costQuery(data))
  }
}
