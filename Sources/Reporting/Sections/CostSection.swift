import Formats

/// Training curves, and what each stage cost.
struct CostSection: Section {
  private let run: String
  private let costs: [CostRow]
  private let training: [TrainingRow]

  init(_ data: RunData) throws {
    run = data.run.id
    costs = try data.ask(CostRow.question(run))
    training = try data.ask(TrainingRow.question(run))
  }

  var blocks: [Block] {
    let blocks = curves + [.heading("Costs")]
    if costs.isEmpty { return blocks + [.paragraph("No stage has finished.")] }
    return blocks + [
      .table(
        columns: ["stage", "wall, s", "share", "CPU, s", "peak memory, MiB", "this run"],
        rows: costs.map { cost in
          [
            Markdown.name(cost.stage), Markdown.number(cost.wallSeconds, digits: 1),
            cost.share.map { Markdown.number(100 * $0, digits: 1) + " %" } ?? Markdown.nothing,
            Markdown.number(cost.cpuSeconds, digits: 1),
            Markdown.number(cost.peakBytes / 1_048_576, digits: 0),
            cost.isReused ? "reused" : "executed",
          ]
        }), CostRow.question(run).block,
    ]
  }

  private var curves: [Block] {
    if training.isEmpty { return [] }
    var series: [LineChart.Series] = []
    for row in training {
      let point = LineChart.Point(x: Double(row.pictures), y: row.loss)
      if series.last?.name == row.model {
        series[series.count - 1].points.append(point)
      } else {
        series.append(LineChart.Series(name: row.model, points: [point]))
      }
    }
    return [
      .heading("Training"),
      .chart(
        name: "training.svg",
        .lines(
          LineChart(
            title: "Training loss", xLabel: "pictures seen", yLabel: "weighted squared error",
            series: series, yScale: .logarithmic)),
        alternative: "Training loss against pictures seen"),
      .paragraph(
        "Losses compare only between models with the same noise distribution and label balance."),
      TrainingRow.question(run).block,
    ]
  }
}
