import Evaluation
import Formats
import Measures
import Statistics

/// What a pipeline of words asks, together: each question with its answer and its numbers.
struct WordAnswers {
  private struct Row {
    var question: String
    var answer: String
    var numbers: String
  }
  private let rows: [Row]

  init(_ data: RunData, pixels: [PixelVerdict]) throws {
    var rows = try Self.composes(data)
    rows += pixels.map { Self.split($0.text, "Is the score local in pixels?") }
    let features = try FeaturesSection(data)
    rows += Self.local(features.locality)
    rows += features.correlations.map {
      Self.split($0, "Does locality in features go with what is drawn?")
    }
    rows += try Self.causes(data)
    self.rows = rows
  }

  var blocks: [Block] {
    if rows.isEmpty { return [] }
    return [
      .table(
        columns: ["question", "answer", "numbers"],
        rows: rows.map { [$0.question, $0.answer, $0.numbers] })
    ]
  }

  /// Of a sentence what is bold, and the rest.
  private static func split(_ sentence: String, _ question: String) -> Row {
    guard let end = sentence.dropFirst(2).firstRange(of: "**") else {
      return Row(question: question, answer: sentence, numbers: "")
    }
    let lead = sentence[..<end.upperBound]
    return Row(
      question: question, answer: String(lead),
      numbers: String(sentence[end.upperBound...].drop { $0 == " " }))
  }

  // MARK: - Beyond the range

  /// Every plain model that a claim is about, alone.
  private static func composes(_ data: RunData) throws -> [Row] {
    let claims = try ClaimsOfRun(data).claims
    let names = distinct(
      claims.repairs.map(\.of) + claims.recalls.flatMap { [$0.against, $0.model] })
    let recipes = ComparedRecipe.all(data.compared)
    return try names.compactMap { name in
      let recipe = recipes.first {
        Labels.withoutSeed($0.model.title) == name && $0.model.isPlain
          && $0.recall(.within).mean != nil && $0.recall(.beyond).mean != nil
      }
      return try recipe.map { try row(name, $0, data) }
    }
  }

  private static func row(_ name: String, _ recipe: ComparedRecipe, _ data: RunData) throws -> Row {
    let (within, beyond) = (recipe.recall(.within), recipe.recall(.beyond))
    let background = recipe.recall(.background)
    let most = recipe.model.trainingMaximum ?? 0
    let (seen, lost) = try outcomes(recipe, most, data)
    func both(_ values: [Replicates]) -> String {
      values.compactMap(\.mean).map { Markdown.unbroken(Markdown.interval($0)) }
        .joined(separator: " / ")
    }
    let threshold = recipe.first.threshold
    return Row(
      question: "Does \(Markdown.name(name)) compose beyond \(most) words?",
      answer: answer(
        within.mean, [beyond, background].compactMap(\.mean), lost: lost.compactMap(\.mean),
        threshold),
      numbers:
        "recall within the range \(both([within, seen])), beyond it \(both([beyond, background])), the one less the other "
        + "\(both(lost)) (judge / background detector; threshold \(Markdown.number(threshold)); N = \(beyond.counted("requests")) beyond)"
    )
  }

  /// What the background detector sees within the range, and what both see there less beyond it.
  private static func outcomes(_ recipe: ComparedRecipe, _ most: Int, _ data: RunData) throws
    -> (seen: Replicates, lost: [Replicates])
  {
    let isAlone = recipe.members.count < 2
    var seen: [Replicates.Value] = []
    var lost = [[Replicates.Value]](repeating: [], count: 2)
    for member in recipe.members {
      let all = try data.ask(Outcome.question(member.evaluated.executionID))
      let counts = Set(all.map(\.k)).filter { member.isCompared($0) && $0 > 0 }
      let within = counts.filter { $0 <= most }
      func value(_ recall: (interval: Interval, draws: [Double])) -> Replicates.Value {
        Replicates.Value(
          seed: member.evaluated.seed, estimate: Estimate(recall.interval),
          draws: isAlone ? [] : recall.draws)
      }
      let background = all.asTheBackgroundSees
      if let background,
        let recall = recallBeyondChance(background, counts: within, seed: member.seed)
      {
        seen.append(
          value((recall, recallBeyondChanceDraws(background, counts: within, seed: member.seed))))
      }
      for (place, outcomes) in [all, background].enumerated() {
        guard let outcomes,
          let contrast = recallContrast(
            outcomes, over: within, less: counts.subtracting(within), seed: member.seed)
        else { continue }
        lost[place].append(value(contrast))
      }
    }
    return (.recalls(seen), lost.map { Replicates($0, areShared: true) })
  }

  /// By both detectors, and nothing of what is under-trained. What is below the threshold beyond the range does not
  /// compose where it recalls less there than within, too: then training is not all of what is lacking.
  static func answer(
    _ within: Estimate?, _ beyond: [Estimate], lost: [Estimate], _ threshold: Double
  ) -> String {
    guard let within else { return "not shown: not tested within the range" }
    let limit = Markdown.number(threshold)
    switch within.standing(to: threshold) {
    case .below:
      return "**not shown: under-trained**, below \(limit) within the range already"
    case .reached, .open: break
    }
    let standings = beyond.map { $0.standing(to: threshold) }
    let doubt =
      within.standing(to: threshold) == .open
      ? "; that it reaches \(limit) within the range is not shown" : ""
    if standings.allSatisfy({ $0 == .reached }) { return "**shown**" + doubt }
    if standings.allSatisfy({ $0 == .below }) {
      if doubt.isEmpty { return "**shown that it does not**, below \(limit)" }
      return lost.count == beyond.count && lost.allSatisfy { $0.low ?? 0 > 0 }
        ? "**shown that it does not**, below \(limit) and less than within the range" + doubt
        : "**not shown**: below \(limit) beyond the range" + doubt
    }
    return "**not shown**" + doubt
  }

  // MARK: - Features

  /// Those of which it is shown, in full or in part, and how many there are.
  private static func local(_ all: [FeatureVerdict]) -> [Row] {
    if all.isEmpty { return [] }
    let question = "Is there a feature space in which it is?"
    let found = all.filter { $0.outcome != .notShown }
    let rest = all.count - found.count
    let none = Row(
      question: question, answer: "**not shown**",
      numbers:
        "of \(rest) \(rest == all.count ? "" : "other ")feature spaces (recipe, level, map), by intervals that "
        + "are uncorrected: the section on features has them")
    return found.map { split($0.text, question) } + (rest > 0 ? [none] : [])
  }

  // MARK: - Causes

  private static func causes(_ data: RunData) throws -> [Row] {
    let table = ClaimsTable(verdict: try Findings(data).verdict)
    return table.rows.map { row in
      let beside =
        row.difference.isEmpty || row.difference[0].isEmpty
        ? ""
        : "\(row.isChange ? "; beyond its control " : "difference of recall ")\(table.differences(row))"
      return Row(
        question: "Does enforcing it cause composition? \(row.claim)", answer: row.judgement,
        numbers: (row.isChange ? "changes recall by \(table.effects(row))" : "") + beside
          + " (judge / background detector; N = \(row.effect.first?.counted ?? Markdown.nothing))")
    }
  }
}
