import Formats
import Workflow

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
      costs.count > Self.most ? byStage : everyInstance, CostRow.question(run).block,
    ]
  }

  /// A table of more instances is read by nobody.
  private static let most = 100

  private var everyInstance: Block {
    .table(
      columns: ["stage", "wall, s", "share", "CPU, s", "peak memory, MiB", "this run"],
      rows: costs.map { cost in
        [
          Markdown.name(cost.stage), Markdown.number(cost.wallSeconds, digits: 1),
          share(cost.share), Markdown.number(cost.cpuSeconds, digits: 1),
          Markdown.number(cost.peakBytes / 1_048_576, digits: 0),
          cost.isReused ? "reused" : "executed",
        ]
      })
  }

  private var byStage: Block {
    func name(_ cost: CostRow) -> String { StageReference(cost.stage)?.stage ?? cost.stage }
    let groups = Dictionary(grouping: costs, by: name)
    return .table(
      columns: [
        "stage", "instances", "wall, s", "share", "CPU, s", "peak memory, MiB", "executed",
      ],
      rows: distinct(costs.map(name)).map { stage in
        let own = groups[stage, default: []]
        func sum(_ part: (CostRow) -> Double) -> Double { own.map(part).reduce(0, +) }
        return [
          Markdown.name(stage), "\(own.count)", Markdown.number(sum(\.wallSeconds), digits: 1),
          share(sum { $0.share ?? 0 }), Markdown.number(sum(\.cpuSeconds), digits: 1),
          Markdown.number((own.map(\.peakBytes).max() ?? 0) / 1_048_576, digits: 0),
          "\(own.count { !$0.isReused })",
        ]
      })
  }

  private func share(_ value: Double?) -> String {
    value.map { Markdown.number(100 * $0, digits: 1) + " %" } ?? Markdown.nothing
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
    var shown: Set<String> = []
    let first = series.filter { shown.insert(Labels.withoutSeed($0.name)).inserted }
    return [.heading("Training")]
      + first.parts.enumerated().map { index, part in
        .chart(
          name: "training\(index == 0 ? "" : "-\(index + 1)").svg",
          .lines(
            LineChart(
              title: "Training loss", xLabel: "pictures seen", yLabel: "weighted squared error",
              series: part, yScale: .logarithmic)),
          alternative: "Training loss against pictures seen")
      } + [
        .paragraph(
          "Losses compare only between models with the same noise distribution and label balance."
            + (first.count < series.count ? " Of several seeds the first is shown." : "")),
        TrainingRow.question(run).block,
      ]
  }
}
