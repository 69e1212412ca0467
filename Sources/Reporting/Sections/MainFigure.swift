import Formats
import Measures

/// Recall against K of what the claims are about.
struct MainFigure {
  private let lines: [(name: String, points: [LineChart.Point])]
  /// The evaluations that have a line of their own, which no further chart has to repeat.
  let stages: Set<String>
  private let trainingMaximum: Int?
  private let threshold: Double?

  init(_ data: RunData, _ basis: ClaimsOfRun) throws {
    trainingMaximum = data.trainingMaximum
    threshold = data.compared.first?.threshold
    if basis.isAboutMachines {
      (lines, stages) = ([], [])
      return
    }
    var lines: [(String, [LineChart.Point])] = []
    var stages: Set<String> = []
    for name in Self.names(basis.claims) {
      var members: [EvaluatedModel] = []
      var seeds: Set<String?> = []
      for model in data.evaluated {
        let replicate = data.naming.replicate(of: name, title: model.title, stage: model.stage)
        if let replicate, seeds.insert(replicate.seed).inserted { members.append(model) }
      }
      if members.count == 1 { stages.insert(members[0].stage) }
      let recall = EvaluatedRecipe(label: name, members: members).points(.recall, data.curves)
      let points = recall.sorted { $0.key < $1.key }.map { k, mean in
        LineChart.Point(x: Double(k), y: mean.value, low: mean.low, high: mean.high)
      }
      if !points.isEmpty { lines.append((name, points)) }
    }
    self.lines = lines
    self.stages = stages
  }

  /// So many lines can be told apart.
  private static let most = 10

  /// The claimed models, and of the masks those of the first claim, which is the primary one.
  private static func names(_ claims: Claims) -> [String] {
    var names = claims.recalls.flatMap { [$0.model, $0.against] }
    names += claims.remotes.flatMap { [$0.model, $0.against] }
    if let first = claims.repairs.first {
      names += [first.of, first.mask] + [first.control].compactMap { $0 }
    }
    let all = distinct(names)
    if all.count <= most { return all }
    // What each family begins with; the sections below have every line.
    var families: Set<String?> = []
    let leading = claims.recalls.filter { families.insert($0.family).inserted }
    return Array(distinct(leading.flatMap { [$0.model, $0.against] } + all).prefix(most))
  }

  /// From the tenth below the least end: many lines share it.
  private var range: ClosedRange<Double> {
    let least = lines.flatMap(\.points).map { $0.low ?? $0.y }.min() ?? 0
    return min(0.9, max(0, (least * 10).rounded(.down) / 10))...1
  }

  var blocks: [Block] {
    if lines.isEmpty { return [] }
    return [
      .chart(
        name: "recall.svg",
        .lines(
          LineChart(
            title: "Recall against K", xLabel: "K, requested places", yLabel: "location recall",
            series: lines.map { LineChart.Series(name: $0.name, points: $0.points) }, yRange: range,
            marks: trainingMaximum.map {
              [LineChart.Mark(at: Double($0), label: "largest in training")]
            } ?? [],
            levels: threshold.map {
              [LineChart.Mark(at: $0, label: "threshold \(ChartNumber.text($0))")]
            } ?? [])),
        alternative:
          "Location recall against the number of requested places, for what the claims are about")
    ]
  }
}
