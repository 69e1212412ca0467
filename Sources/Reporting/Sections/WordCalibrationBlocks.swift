import Formats
import Measures

/// What the judge of an evaluation for words tells on held-out renders.
struct WordCalibrationBlocks {
  private let rows: [WordRow]
  /// The evaluation that looked at them.
  private let stage: String?

  /// Of objects of a colour a judge that words are counted by should tell so many.
  private static let enough = 0.98
  /// Below, a detector's own word for a colour counts for little.
  private static let weak = 0.9

  init(_ rows: [WordRow], stage: String?) {
    self.rows = rows
    self.stage = stage
  }

  func of(_ measure: Measure) -> [WordRow] { rows.filter { $0.measure == measure.name } }

  private var colors: [WordRow] { of(.renderedColor) }
  private var detectors: [String] { distinct(colors.compactMap(\.detector)) }
  /// The judge's own, which is what recall is by.
  private static let judge = "trained"

  private func told(_ size: String, by detector: (String) -> Bool) -> [WordRow] {
    colors.filter { row in
      row.attribute?.hasPrefix(size + " ") == true && row.detector.map(detector) ?? false
    }
  }

  private static func text(_ row: WordRow) -> String {
    "\(Markdown.escape(row.attribute ?? "")) \(Markdown.interval(row.estimate)) (N = \(Markdown.count(row.estimate.n)))"
  }

  /// Whether the judge tells every large colour, in words.
  private var verdict: [Block] {
    let large = told("large") { $0 == Self.judge }
    let small = told("small") { $0 == Self.judge }
    guard let most = large.map(\.estimate.value).max(), let worst = large.min(by: Self.isLess)
    else { return [] }
    let missing = large.filter { $0.estimate.value < Self.enough }
    let others = large.filter { $0.estimate.value >= Self.enough }.map(\.estimate.value).min()
    let limit = Markdown.number(Self.enough)
    var text =
      missing.isEmpty
      ? "**Shown:** of held-out renders the judge finds and tells every large colour in \(limit) or more: "
        + "from \(Self.text(worst)) up to \(Markdown.number(most))."
      : "**Not every** large colour is found and told by the judge in \(limit) of held-out renders: "
        + missing.map(Self.text).joined(separator: ", ") + "; "
        + (others.map { "the others in \(Markdown.number($0, digits: 3)) or more." }
          ?? "no other does.")
    if let least = small.min(by: Self.isLess), let best = small.max(by: Self.isLess) {
      text += " Of small ones: from \(Self.text(least)) to \(Self.text(best))."
    }
    let weak = colors.filter { $0.detector != Self.judge && $0.estimate.value < Self.weak }
    if !weak.isEmpty {
      text +=
        " The background detector tells fewer: " + weak.map(Self.text).joined(separator: ", ")
        + ". Of these colours what *both detectors* show rests on the judge, for the second one misses some that "
        + "are there."
    }
    return [.paragraph(text + (stage.map { " By \(Markdown.name($0))." } ?? ""))]
  }

  private static func isLess(_ a: WordRow, _ b: WordRow) -> Bool {
    a.estimate.value < b.estimate.value
  }

  var blocks: [Block] {
    if colors.isEmpty { return [] }
    let detectors = detectors
    let confusion = WordMatrix(
      of(.colorConfusion).filter { $0.detector == detectors.last }
        .map { ($0.pair ?? "", $0.estimate.value) }, isSymmetric: false)
    func cells(_ rows: [WordRow], _ name: String, _ detector: String) -> [String] {
      let own = rows.first { $0.attribute == name && $0.detector == detector }
      return [
        own.map { Markdown.interval($0.estimate) } ?? Markdown.nothing,
        Markdown.count(own?.estimate.n),
      ]
    }
    func table(_ what: String, _ rows: [WordRow]) -> Block {
      .table(
        columns: [what] + detectors.flatMap { [$0, "N"] },
        rows: distinct(rows.compactMap(\.attribute)).map { name in
          [Markdown.name(name)] + detectors.flatMap { cells(rows, name, $0) }
        })
    }
    return verdict + [
      .details(
        "What the judge tells on held-out renders",
        [
          .paragraph("Of renders of which a word is true, the share in which it is told:"),
          table("word", of(.renderedWords)),
          .paragraph("Of objects, the share that is found and told for its colour:"),
          table("object", colors),
          .paragraph(
            "What objects of a colour (rows) are told for (columns), by the \(detectors.last ?? "") detector:"
          ),
          confusion.table,
        ])
    ]
  }
}
