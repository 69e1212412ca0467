import Evaluation
import Measures

/// Recall is not composition: how solid the finds are, where they fail, and whether what is drawn is
/// distributed as what was learned.
struct CompositionSection: Section {
  static let kinds: Set = ["evaluate"]

  private let run: String
  private let compared: [ComparedRecipe]
  private let solid: [SolidRow]
  private let rows: [FindRow]
  private let looks: [LookRow]

  init(_ data: RunData) throws {
    run = data.run.id
    compared = ComparedRecipe.all(data.compared)
    solid = try data.ask(SolidRow.question(run))
    rows = try data.ask(FindRow.question(run)).labelled().overSeeds()
    looks = try data.ask(LookRow.question(run))
  }

  var blocks: [Block] {
    // What an evaluation of an earlier version did not look at is not asked for.
    if rows.isEmpty { return [] }
    return [.heading("Beyond places")] + solidity + distances + attributes + blanks
  }

  private func of(_ measure: Measure) -> [FindRow] { rows.filter { $0.measure == measure.name } }

  // MARK: - How solid

  private var solidity: [Block] {
    let table = compared.compactMap { one -> [String]? in
      let finds = one.replicates { compared in
        solid.first { $0.executionID == compared.evaluated.executionID }?.estimate
      }
      guard let own = finds.mean, let all = one.replicates(\.recallAsFound).mean else { return nil }
      return [
        Markdown.name(one.label), Markdown.interval(all), Markdown.interval(own),
        Markdown.count(own.n),
      ]
    }
    if table.isEmpty { return [] }
    return [
      .paragraph(
        "The judge finds faint objects too. Recall beyond the training range, chance not taken off, averaged"
          + " over the compared K, of all its finds and of those of opacity ½ or more (told by the held-out"
          + " renders that are most alike):"),
      .table(
        columns: ["model", "all finds", "solid finds", "N layouts"], rows: table),
      SolidRow.question(run).block,
    ]
  }

  // MARK: - Where

  private var distances: [Block] {
    let own = of(.recallByDistance)
    let edges = Set(own.compactMap(\.distance)).sorted()
    if edges.isEmpty { return [] }
    let columns = edges.enumerated().map { index, edge in
      index + 1 < edges.count
        ? "\(Markdown.number(edge, digits: 0))–\(Markdown.number(edges[index + 1], digits: 0)) px"
        : "from \(Markdown.number(edge, digits: 0)) px"
    }
    return [
      .paragraph(
        "Crowding rises with K: recall beyond the training range by how near the nearest other requested"
          + " place is (bootstrap over layouts; N is places)."),
      .table(
        columns: ["model"] + columns,
        rows: labels(own).map { label in
          [Markdown.name(label)]
            + edges.map { edge in
              own.first { $0.label == label && $0.distance == edge }.map {
                Markdown.interval($0.estimate) + " N \(Markdown.count($0.estimate.n))"
              } ?? Markdown.nothing
            }
        }),
    ]
  }

  // MARK: - What

  private var attributes: [Block] {
    let dependence = of(.neighbourDependence)
    let law = of(.attributeLaw)
    if dependence.isEmpty { return [] }
    let kinds = ObjectAttributes.Kind.allCases.map(\.rawValue)
    func text(_ rows: [FindRow], _ label: String, _ kind: String) -> String {
      rows.first { $0.label == label && $0.attribute == kind }.map {
        Markdown.interval($0.estimate, digits: 3)
      } ?? Markdown.nothing
    }
    let apart = dependence.filter {
      guard let low = $0.estimate.low, let high = $0.estimate.high else { return false }
      return low > 0 || high < 0
    }
    let control = looks.filter { $0.measure == Measure.renderedDependence.name }
    return [
      .paragraph(
        "In training an object's colour, size and shape do not depend on its neighbour's. Beyond the"
          + " range: how much more often neighbours among the finds that meet a request share them than such"
          + " finds shuffled over all pictures (0: independent), and of all finds how far the law of each is from that of renders, both as the same"
          + " examples tell them (total variation; small samples give more than 0). "
          + (apart.isEmpty
            ? "No interval of the first excludes 0."
            : "\(apart.count) of \(dependence.count) intervals of the first exclude 0, where 1 in 20 would by"
              + " chance.")
          + (control.isEmpty
            ? ""
            : " Finds that meet two requests may stand a few pixels nearer to each other than objects can, and"
              + " then share some of what is looked at. Objects of renders, told alike: "
              + control.map { "\($0.what ?? "") \(Markdown.interval($0.estimate, digits: 3))" }
              .joined(separator: ", ") + ".")),
      .table(
        columns: ["model"] + kinds.map { "neighbours, \($0)" } + kinds.map { "law, \($0)" }
          + ["N pictures"],
        rows: labels(dependence).map { label in
          [Markdown.name(label)] + kinds.map { text(dependence, label, $0) }
            + kinds.map { text(law, label, $0) }
            + [Markdown.count(dependence.first { $0.label == label }?.estimate.n)]
        }),
    ]
  }

  // MARK: - Nothing asked, and what training had

  private var blanks: [Block] {
    var blocks: [Block] = []
    let blank = of(.withinLaw)
    if !blank.isEmpty {
      blocks.append(
        .paragraph(
          "A blank request asks for nothing in particular. Pictures with as many objects as training"
            + " pictures have: "
            + blank.map {
              "\(Markdown.name($0.label)) \(Markdown.interval($0.estimate)) of \(Markdown.count($0.estimate.n))"
            }.joined(separator: ", ") + "."))
    }
    let seen = of(.trainingLayouts)
    if !seen.isEmpty {
      let passed = Dictionary(grouping: seen.filter { $0.k ?? 0 > 1 }, by: { $0.k ?? 0 })
        .mapValues { $0.map(\.estimate.value).max() ?? 0 }.filter { $0.value > 0 }
      blocks.append(
        .paragraph(
          "Layouts that training pictures have were passed over: "
            + (passed.isEmpty
              ? "there were none from K = 2 on"
              : passed.sorted { $0.key < $1.key }.map {
                "\(Markdown.number($0.value, digits: 0)) at K = \($0.key)"
              }.joined(separator: ", "))
            + ". At K = 1 training has every place."))
    }
    return blocks + [FindRow.question(run).block]
  }

  private func labels(_ rows: [FindRow]) -> [String] { distinct(rows.map(\.label)) }
}
