import Formats

/// Denoisers that need no training, beside trained ones.
struct AnalyticSection: Section {
  private let run: String
  private let found: AnalyticMachines
  private let agreement: AgreementBlocks
  private let calibration: [WindowCalibrationRow]

  init(_ data: RunData) throws {
    run = data.run.id
    found = try AnalyticMachines(data)
    let rows = try data.ask(AgreementRow.question(run))
    agreement = AgreementBlocks(
      run: run,
      rows: distinct(rows.map(\.reference)).flatMap { reference in
        rows.filter { $0.reference == reference }.labelled()
      })
    calibration = try data.ask(WindowCalibrationRow.question(run))
  }

  var blocks: [Block] {
    if found.machines.isEmpty { return [] }
    return [
      .heading("Without training"),
      .paragraph(
        "An *analytic machine* is the exact posterior mean over training patches: output *i* is the mean "
          + "of the training pictures' pixel *i*, weighted by how well each picture fits the noised one "
          + "inside the window around *i* and by the probability that its training conditioner agrees "
          + "with the requested labels there (Kamb & Ganguli 2024, made conditional). Nothing is trained: "
          + "what differs between machines is the window, and with the picture as window it is the "
          + "optimal denoiser, which can only reproduce training pictures."),
    ] + table + windowCharts + agreement.blocks + calibrationTable + cost
  }

  private var table: [Block] {
    [
      .table(
        columns: [
          "machine", "window / labels within, px", "patches from", "training pictures",
          "K_max [95 %]", "recall beyond training [95 %]", "N layouts",
          "labelled windows without agreement: K = 1 / 3 / 12",
        ], rows: found.machines.map(row)),
      .paragraph(
        "Where no training patch agrees with a window's labels, the nearest agreement decides: the least "
          + "number of labels that differ. Under `single` that is every window with two labels or more. "
          + "Patches of all places compete only within a border class, and only in whole cells."),
      MachineRow.question(run).block,
    ]
  }

  private func row(_ machine: AnalyticMachines.Machine) -> [String] {
    let labels = 2 * machine.labelRadius + 1
    let kMax = machine.compared?.kMax
    return [
      Markdown.name(machine.label),
      found.sideText(machine) + " / "
        + (found.size.map { labels >= $0 } ?? false ? "picture" : "\(labels)"),
      machine.places == "all" ? "all places" : "the same place", "\(machine.pictures)",
      kMax.map {
        "\(Int($0.value)) [\(Int($0.low ?? $0.value)), \(Int($0.high ?? $0.value))]"
      } ?? "not evaluated",
      machine.compared?.recallBeyond.map { Markdown.interval($0) } ?? Markdown.nothing,
      Markdown.count(kMax?.n),
      [1, 3, 12].map { k in
        machine.unmatched[k].map { Markdown.number(100 * $0.value, digits: 1) + " %" }
          ?? Markdown.nothing
      }.joined(separator: " / "),
    ]
  }

  /// Recall beyond training, and K_max, against the window, with trained networks as levels.
  private var windowCharts: [Block] {
    let machines = found.byWindow.compactMap { machine in
      machine.side.flatMap { side in machine.compared.map { (side, machine.setting, $0) } }
    }
    guard let first = machines.first?.0, let last = machines.last?.0, first < last else {
      return []
    }
    func chart(
      _ title: String, _ label: String, _ range: ClosedRange<Double>,
      _ value: (ComparedEvaluation) -> Estimate?
    ) -> Chart {
      func point(_ side: Int, _ compared: ComparedEvaluation) -> LineChart.Point? {
        value(compared).map {
          LineChart.Point(x: Double(side), y: $0.value, low: $0.low, high: $0.high)
        }
      }
      let levels = found.networks.map { network in
        LineChart.Series(
          name: network.evaluated.label + ", trained",
          points: [first, last].compactMap { point($0, network) },
          subject: network.evaluated.label)
      }
      return .lines(
        LineChart(
          title: title, xLabel: "side of the window, px (\(last): the whole picture)",
          yLabel: label,
          series: distinct(machines.map(\.1)).map { setting in
            LineChart.Series(
              name: "analytic, no training\(setting)",
              points: machines.filter { $0.1 == setting }.compactMap { point($0.0, $0.2) })
          } + levels, xScale: .logarithmic, yRange: range))
    }
    return [
      .chart(
        name: "analytic-recall.svg",
        chart("Recall beyond training against the window", "location recall", 0...1) {
          $0.recallBeyond
        }, alternative: "Recall beyond the training range against the window's side"),
      .chart(
        name: "analytic-k-max.svg",
        chart("K_max against the window", "K_max", 0...12) { $0.kMax },
        alternative: "K_max against the window's side, beside trained networks"),
      .paragraph(
        "Trained networks are drawn as levels; their own windows do not vary. Bands are 95 % bootstrap "
          + "intervals over layouts."),
    ]
  }

  private var calibrationTable: [Block] {
    if calibration.isEmpty { return [] }
    var lines: [[String]] = []
    for stage in distinct(calibration.map(\.stage)) {
      let mine = calibration.filter { $0.stage == stage }
      for sigma in Set(mine.map(\.sigma)).sorted() {
        let here = mine.filter { $0.sigma == sigma }
        // The smaller of equals: rows are in the order of their radius.
        guard let best = here.max(by: { $0.r2.value < $1.r2.value }) else { continue }
        lines.append([
          Markdown.name(stage), ChartNumber.text(sigma), "\(2 * best.radius + 1)",
          Markdown.interval(best.r2, digits: 3),
          here.map { Markdown.number($0.r2.value, digits: 3) }.joined(separator: " "),
          Markdown.count(best.r2.n),
        ])
      }
    }
    let sides = Set(calibration.map(\.radius)).sorted().map { "\(2 * $0 + 1)" }
    return [
      .heading("Windows by noise level", level: 3),
      .paragraph(
        "At each σ the radius whose machine agrees best with the teacher (median r² over held-out "
          + "pictures of the training range; the smaller of equals)."),
      .table(
        columns: [
          "machine", "σ", "window chosen, px", "its r² [95 %]",
          "r² with windows of \(sides.joined(separator: " "))", "N pictures",
        ], rows: lines), WindowCalibrationRow.question(run).block,
    ]
  }

  // MARK: - Cost

  private struct Timed {
    var machine: AnalyticMachines.Machine
    var seconds: Double
  }

  private var cost: [Block] {
    let timed = found.machines.compactMap { machine in
      machine.passSeconds.map { Timed(machine: machine, seconds: $0) }
    }
    if timed.isEmpty { return [] }
    let local = timed.filter {
      $0.machine.isPlain && found.localRadius != nil && $0.machine.radii.last == found.localRadius
    }.sorted { $0.machine.pictures < $1.machine.pictures }
    let windows = timed.filter { $0.machine.isPlain && $0.machine.isWhole }
      .sorted { ($0.machine.side ?? 0) < ($1.machine.side ?? 0) }
    return [
      .heading("What a picture costs", level: 3),
      .paragraph(
        "CPU time of the evaluation over its pictures and passes (the judge's share is small). A pass "
          + "compares the noised picture with every training picture. Windows are box sums, so their "
          + "size should not matter; training pictures should count in proportion."),
      .table(
        columns: [
          "machine", "window, px", "training pictures", "patches from",
          "CPU ms a picture and pass", "µs a training picture",
        ],
        rows: timed.map { row in
          [
            Markdown.name(row.machine.label), found.sideText(row.machine),
            "\(row.machine.pictures)",
            row.machine.places == "all" ? "all places" : "the same place",
            Markdown.number(row.seconds * 1e3, digits: 1),
            Markdown.number(row.seconds * 1e6 / Double(max(row.machine.pictures, 1)), digits: 2),
          ]
        }),
    ]
      + costChart(
        "analytic-cost-pictures.svg", "Cost against training pictures", "training pictures", local
      ) { $0.pictures }
      + costChart(
        "analytic-cost-window.svg", "Cost against the window", "side of the window, px", windows
      ) { $0.side }
      + [PassRow.question(run).block]
  }

  private func costChart(
    _ name: String, _ title: String, _ label: String, _ timed: [Timed],
    _ x: (AnalyticMachines.Machine) -> Int?
  ) -> [Block] {
    guard timed.count > 1, let most = timed.map(\.seconds).max() else { return [] }
    let chart = LineChart(
      title: title, xLabel: label, yLabel: "CPU ms a picture and pass",
      series: distinct(timed.map(\.machine.setting)).map { setting in
        LineChart.Series(
          name: "measured\(setting)",
          points: timed.filter { $0.machine.setting == setting }.compactMap { row in
            x(row.machine).map { LineChart.Point(x: Double($0), y: row.seconds * 1e3) }
          })
      }, yRange: 0...most * 1.1e3)
    return [.chart(name: name, .lines(chart), alternative: title)]
  }
}

/// Each once, in order.
func distinct<Value: Equatable>(_ values: [Value]) -> [Value] {
  values.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
}
