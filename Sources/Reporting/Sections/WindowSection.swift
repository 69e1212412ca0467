import Formats
import Measures

/// Recall against the window, of networks that differ in nothing else, with how far scores reach that have
/// no window.
struct WindowSection: Section {
  static let kinds: Set = ["evaluate"]

  private struct Family {
    var name: String
    /// By side of the window in px; the largest may be the whole picture.
    var members: [(window: Int, recipe: ComparedRecipe)]
  }
  /// The side of the square that holds 95 % of the squared sensitivity to pixels.
  private struct Reach {
    var sigma: Double
    var median: Double
    var least: Double
    var most: Double
    var models: Int
  }
  private let families: [Family]
  private let reaches: [Reach]
  private let questions: [Block]

  /// So many windows make an axis.
  private static let fewest = 3

  init(_ data: RunData) throws {
    let run = data.run.id
    let recipes = ComparedRecipe.all(data.compared).filter {
      $0.model.isPlain && $0.model.training?.isSnapshot != true
    }
    func family(_ recipe: ComparedRecipe) -> String {
      let stage = recipe.label.prefix { $0 != "[" }
      return "\(stage), \(recipe.model.labelling ?? "?")"
    }
    families = distinct(recipes.map(family)).compactMap { name in
      let own = recipes.filter { family($0) == name }.compactMap { recipe in
        recipe.model.window.map { (window: $0, recipe: recipe) }
      }.sorted { $0.window < $1.window }
      return Set(own.map(\.window)).count >= Self.fewest ? Family(name: name, members: own) : nil
    }
    if families.isEmpty {
      (reaches, questions) = ([], [])
      return
    }
    let unbounded = Set(
      data.evaluated.filter { $0.isPlain && $0.reach == .unbounded && $0.network != "patchwise" }
        .map(\.title))
    let sides = try data.ask(SidesRow.question(run)).filter { unbounded.contains($0.title) }
    let count = sides.map(\.k).max()
    reaches = Set(sides.map(\.sigma)).sorted().compactMap { sigma in
      let own = sides.filter { $0.sigma == sigma && $0.k == count }.compactMap(\.pixels.last)
        .compactMap { $0 }.sorted()
      guard let least = own.first, let most = own.last else { return nil }
      return Reach(
        sigma: sigma, median: own[own.count / 2], least: least, most: most, models: own.count)
    }
    questions =
      [ComparedEvaluation.question(run).block]
      + (sides.isEmpty ? [] : [SidesRow.question(run).block])
  }

  var blocks: [Block] {
    if families.isEmpty { return [] }
    return [
      .heading("The window"), chart, .paragraph(reading),
      .table(
        columns: [
          "model", "window, px", "recall within", "recall beyond (judge)", "(background)", "seeds",
        ],
        rows: families.flatMap { family in
          family.members.map { member in
            [
              Markdown.name(member.recipe.label), "\(member.window)",
              text(member.recipe.recall(.within)),
              text(member.recipe.recall(.beyond)), text(member.recipe.recall(.background)),
              "\(member.recipe.members.count)",
            ]
          }
        }), .details("Queries that yield these numbers", questions),
    ]
  }

  private func text(_ replicates: Replicates) -> String {
    replicates.mean.map { Markdown.interval($0) } ?? Markdown.nothing
  }

  private var chart: Block {
    .chart(
      name: "windows.svg",
      .lines(
        LineChart(
          title: "Recall beyond the training range against the window",
          xLabel: "side of the window, px", yLabel: "recall beyond chance",
          series: families.map { family in
            LineChart.Series(
              name: family.name,
              points: family.members.compactMap { member in
                member.recipe.recall(.beyond).mean.map {
                  LineChart.Point(
                    x: Double(member.window), y: $0.value, low: $0.low, high: $0.high)
                }
              })
          }, yRange: 0...1,
          marks: reaches.map {
            LineChart.Mark(at: $0.median, label: "95 % at σ = \(ChartNumber.text($0.sigma))")
          })),
      alternative: "Recall beyond the training range against the side of the window")
  }

  private var reading: String {
    let own = reaches.map { reach in
      "\(Markdown.number(reach.median, digits: 0)) px at σ = \(ChartNumber.text(reach.sigma)) "
        + "(\(Markdown.number(reach.least, digits: 0)) to \(Markdown.number(reach.most, digits: 0)), "
        + "\(reach.models) probes)"
    }
    return
      "A rival explanation (arXiv 2606.09705): what matters is that the window covers the range to which the "
      + "smoothed score responds, not that it is small. "
      + (own.isEmpty
        ? "No network without a window was probed: that range is not known here."
        : "Lines: the side of the square that holds 95 % of the squared sensitivity to pixels, of networks that "
          + "see the whole picture, median over their probes: " + own.joined(separator: "; ") + ".")
  }
}
