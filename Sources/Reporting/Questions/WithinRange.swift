import Measures

/// How models stand to the threshold within the training range: what has not learned what it is asked to extrapolate
/// says nothing of composition.
struct WithinRange {
  let threshold: Double?
  /// By its name without a seed.
  private let standings: [String: ThresholdStanding]

  /// - Parameter compared: of several comparisons of a model the first counts.
  init(_ compared: [ComparedEvaluation]) {
    threshold = compared.first?.threshold
    standings = ComparedRecipe.all(compared).reduce(into: [:]) { standings, recipe in
      let name = Labels.withoutSeed(recipe.model.title)
      guard standings[name] == nil, let within = recipe.recall(.within).mean else { return }
      standings[name] = within.standing(to: recipe.first.threshold)
    }
  }

  subscript(name: String) -> ThresholdStanding? { standings[name] }

  /// What stands against a statement over models; `nil` where none of them is under-trained.
  func words(_ names: [String]) -> String? {
    let own = names.compactMap { standings[$0] }
    let short = own.count { $0 == .below }
    guard short > 0, let threshold else { return nil }
    let reached = own.count { $0 == .reached }
    return
      "Of these \(own.count) recipes \(reached == 0 ? "none reaches" : reached == 1 ? "1 reaches" : "\(reached) reach") "
      + "the threshold of \(Markdown.number(threshold)) within the training range, and \(short) "
      + "\(short == 1 ? "is" : "are") under-trained, all of the interval of recall below it there already: what is drawn "
      + "beyond says nothing of composition for them."
  }
}
