import Formats
import Measures

/// K_max beside the published numbers, a row a model.
struct KMaxTable {
  let recipes: [ComparedRecipe]
  let curves: Curves

  private var areSeveral: Bool { recipes.contains { $0.members.count > 1 } }

  var blocks: [Block] {
    let thresholds = Set(recipes.map(\.first.threshold)).sorted()
    if thresholds.isEmpty {
      return [.paragraph("K_max was not computed: no `compare` stage finished.")]
    }
    let maxima = Set(recipes.compactMap(\.model.trainingMaximum)).sorted()
    return [
      .paragraph(
        "Trained on up to \(maxima.isEmpty ? "?" : maxima.map(String.init).joined(separator: ", ")) objects; recall threshold "
          + "\(thresholds.map { Markdown.number($0) }.joined(separator: ", ")). λ is the window load: how many labels one window "
          + "holds on average; a local model stays in distribution while λ is near what training showed. "
          + "With few tested K, K_max is the largest tested one that passes: its interval inverts a test of each K "
          + "and assumes no law. "
          + (areSeveral
            ? "Of several seeds it is that of mean recall over them, by tests of the mean over seeds at each K; what "
              + "each seed alone gives stands beside it. "
            : "Beside it stands the last K before a fitted curve meets the threshold, which "
              + "assumes that recall falls like a logistic curve between two levels; ≥ is said where it may not fall "
              + "so far within the tested K. ")
          + PublishedKMax.rule + fewPlaces),
      .table(
        columns: [
          "model", "labelling", "mask", "K_max [95 %]",
          areSeveral ? "of each seed" : "by a fitted curve", "published", "N layouts", "tested K",
          "λ at K_max / largest K",
        ], rows: recipes.map(row)),
    ]
  }

  /// A K_max of 0 says no more than the places at the smallest K do.
  private var fewPlaces: String {
    let failing = recipes.filter { $0.kMax(curves).value == 0 }.compactMap { recipe -> String? in
      let recall = recipe.recipe.points(.recall, curves)
      guard let k = recall.keys.filter({ $0 > 0 }).min(), let first = recall[k] else {
        return nil
      }
      return "\(Markdown.name(recipe.label)) (\(Markdown.count(first.n)) at K = \(k))"
    }
    if failing.isEmpty { return "" }
    return " A K_max of 0 rests on the places requested at the smallest K: "
      + failing.joined(separator: ", ") + "."
  }

  private func row(_ recipe: ComparedRecipe) -> [String] {
    let model = recipe.model
    let k = recipe.kMax(curves)
    let loads = recipe.recipe.points(.windowLoad, curves)
    let tested = recipe.recipe.points(.recall, curves).keys.sorted()
    func load(_ k: Int?) -> String {
      k.flatMap { loads[$0] }.map { Markdown.number($0.value, digits: 1) } ?? Markdown.nothing
    }
    return [
      Markdown.name(recipe.label), model.labelling ?? "?", model.arm, Self.text(k),
      beside(recipe, upTo: tested.last),
      PublishedKMax(of: model).map {
        "\($0.words): \($0.agreement(with: PublishedTable.own(recipe, among: recipes, curves)).text)"
      } ?? Markdown.nothing,
      recipe.replicates(\.kMax).counted, tested.map(String.init).joined(separator: " "),
      "\(load(Int(k.value))) / \(load(tested.last))",
    ]
  }

  static func text(_ k: Estimate) -> String {
    "\(Int(k.value)) [\(Int(k.low ?? k.value)), \(Int(k.high ?? k.value))]"
  }

  private func beside(_ recipe: ComparedRecipe, upTo last: Int?) -> String {
    if areSeveral {
      return recipe.members.map { "\(Int($0.kMax.value))" }.joined(separator: " ")
    }
    return recipe.first.kMaxFitted.map { fitted($0, upTo: last) } ?? Markdown.nothing
  }

  /// `6 [4, 8]`; `≥ 12 [9, ≥ 12]` of tests up to 12.
  private func fitted(_ k: Estimate, upTo last: Int?) -> String {
    func text(_ value: Double) -> String {
      (Int(value) == last ? "≥ " : "") + "\(Int(value))"
    }
    return "\(text(k.value)) [\(text(k.low ?? k.value)), \(text(k.high ?? k.value))]"
  }
}
