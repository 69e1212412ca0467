import Formats
import Measures

/// Recall against K of what the claims are about.
struct MainFigure {
  private let lines: [(name: String, points: [LineChart.Point])]
  /// The evaluations that have a line of their own, which no further chart has to repeat.
  let stages: Set<String>
  private let trainingMaximum: Int?
  private let threshold: Double?
  private let requested: Requested

  init(_ data: RunData, _ basis: ClaimsOfRun) throws {
    trainingMaximum = data.trainingMaximum
    threshold = data.compared.first?.threshold
    requested = data.requested
    if basis.isAboutMachines {
      (lines, stages) = ([], [])
      return
    }
    var lines: [(String, [LineChart.Point])] = []
    var stages: Set<String> = []
    let conditions = try data.ask(ConditionsRow.question(data.run.id))
    for named in Self.named(basis.claims) {
      let members = Self.members(of: named, data, conditions)
      let name = named.label
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

  /// Those that a claim rests on, one a replicate: of several that were compared the first with the guidance that the
  /// claim states. What no comparison gathers is no part of any claim, and stands in where there is nothing else.
  private static func members(
    of named: Named, _ data: RunData, _ conditions: [ConditionsRow]
  ) -> [EvaluatedModel] {
    func members(_ all: [EvaluatedModel]) -> [EvaluatedModel] {
      var seeds: Set<String?> = []
      return all.filter { model in
        guard
          let replicate = data.naming.replicate(
            of: named.name, title: model.title, stage: model.stage),
          conditions.first(where: { $0.executionID == model.executionID })?
            .isMeant(named.guidance) ?? true
        else { return false }
        return seeds.insert(replicate.seed).inserted
      }
    }
    let compared = members(data.compared.map(\.evaluated))
    return compared.isEmpty ? members(data.evaluated) : compared
  }

  /// What a claim is about, and the guidance that it states.
  private struct Named: Hashable {
    var name: String
    var guidance: Double?

    var label: String {
      name + (guidance.map { ", guidance \(ChartNumber.text($0))" } ?? "")
    }
  }

  /// So many lines can be told apart.
  private static let most = 10

  /// The claimed models, then the masks in the order of their claims, of which the first is the primary one.
  private static func named(_ claims: Claims) -> [Named] {
    func both(_ claim: Claims.Recall) -> [Named] {
      [claim.model, claim.against].map { Named(name: $0, guidance: claim.guidance) }
    }
    let models =
      claims.recalls.flatMap(both)
      + claims.remotes.flatMap { [Named(name: $0.model), Named(name: $0.against)] }
    let masks = claims.repairs.flatMap { claim in
      [claim.of, claim.mask, claim.control].compactMap(\.self).map {
        Named(name: $0, guidance: claim.guidance)
      }
    }
    let all = distinct(models + masks)
    if all.count <= most { return all }
    // What each family begins with; the sections below have every line.
    var families: Set<String?> = []
    let leading = claims.recalls.filter { families.insert($0.family).inserted }
    return Array(distinct(leading.flatMap(both) + all).prefix(most))
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
            title: "Recall against K", xLabel: "K, \(requested.things)", yLabel: requested.recall,
            series: lines.map { LineChart.Series(name: $0.name, points: $0.points) }, yRange: range,
            marks: trainingMaximum.map {
              [LineChart.Mark(at: Double($0), label: "largest in training")]
            } ?? [],
            levels: threshold.map {
              [LineChart.Mark(at: $0, label: "threshold \(ChartNumber.text($0))")]
            } ?? [])),
        alternative:
          "\(requested.alternative), for what the claims are about")
    ]
  }
}
