import Statistics

/// Whether a correlation over recipes is shown: by both detectors, and without any one kind of network.
struct CorrelationVerdict {
  var judge: RecipeCorrelation
  var background: RecipeCorrelation?
  /// What is claimed, in words.
  var what: String
  /// Of ρ, if what is claimed holds.
  var sign: Double

  private func isShown(_ correlation: RankCorrelation, sign: Double) -> Bool {
    sign < 0 ? correlation.high < 0 : correlation.low > 0
  }

  private var isByTheJudgeAlone: Bool {
    background.map { !isShown($0.correlation, sign: sign) } ?? false
  }

  /// The kinds of network without which the judge shows it no more.
  private var needed: [String] {
    judge.withoutKind.filter { !isShown($0.correlation, sign: sign) }.map(\.kind)
  }

  var text: String {
    let numbers =
      "ρ \(RecipeCorrelation.text(judge.correlation)) by the judge"
      + (background.map { ", \(RecipeCorrelation.text($0.correlation)) by the background detector" }
        ?? "")
    if isShown(judge.correlation, sign: -sign),
      background.map({ isShown($0.correlation, sign: -sign) }) ?? true
    {
      return "**Shown, against it:** over recipes the reverse of *\(what)* (\(numbers))."
    }
    if !isShown(judge.correlation, sign: sign) {
      return "**Not shown** over recipes that \(what): \(numbers)."
    }
    let rest =
      needed.isEmpty
      ? ""
      : " It rests on networks of one kind: without \(needed.map(Markdown.escape).joined(separator: ", or without ")) "
        + "the judge does not show it."
    if isByTheJudgeAlone {
      return "**Not shown: by the judge alone**, that \(what), over recipes: \(numbers).\(rest)"
    }
    return needed.isEmpty
      ? "**Shown** over recipes that \(what): \(numbers)."
      : "**Shown in part** over recipes that \(what): \(numbers).\(rest)"
  }
}
