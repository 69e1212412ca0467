import Evaluation
import Formats
import Measures

/// Models told of words: whether colours mix, whether combinations that training held out are drawn, and where in a
/// picture words act.
struct WordsSection: Section {
  static let kinds: Set = ["evaluate", "probe"]

  private let run: String
  private let rows: [WordRow]
  /// Where it was said that nothing is there.
  private let empty: [WordRow]
  private let combined: [Combination]
  private let probes: [WordProbeRow]
  private let calibration: WordCalibrationBlocks
  private let answers: WordAnswers

  init(_ data: RunData) throws {
    run = data.run.id
    let all = try data.ask(WordRow.question(run))
    // How many words are heeded by how much guidance, and combinations, are evaluated apart.
    let compared = Set(data.compared.map(\.evaluated.stage))
    rows = all.filter { compared.isEmpty || compared.contains($0.stage) }.labelled().overSeeds()
    empty = all.filter { $0.measure == Measure.emptyPictures.name }.labelled().overSeeds()
    // Of renders the judge has one opinion an evaluation: that of the first which claims may rest on.
    let first = data.compared.first { one in all.contains { $0.stage == one.evaluated.stage } }
    let stage = first?.evaluated.stage ?? all.first?.stage
    calibration = WordCalibrationBlocks(all.filter { $0.stage == stage }, stage: stage)
    combined = try Combination.all(
      data.ask(AskedRow.question(run)).compactMap(\.self), seed: data.compared.first?.seed ?? 0
    ) { try data.ask(Outcome.question($0)) }
    probes = try data.ask(WordProbeRow.question(run)).labelled().overSeeds()
    answers = try WordAnswers(data, pixels: Self.pixels(probes))
  }

  var blocks: [Block] {
    if rows.isEmpty && probes.isEmpty { return [] }
    return [.heading("Words")] + answers.blocks + mixing + combinations + nothing + places + words
      + calibration.blocks
      + (rows.isEmpty ? [] : [WordRow.question(run).block])
      + (probes.isEmpty ? [] : [WordProbeRow.question(run).block])
  }

  private func of(_ measure: Measure) -> [WordRow] { rows.filter { $0.measure == measure.name } }

  /// Models by K.
  private func table(_ rows: [WordRow]) -> Block {
    let counts = Set(rows.compactMap(\.k)).sorted()
    return .table(
      columns: ["model"] + counts.map { "K = \($0)" },
      rows: distinct(rows.map(\.label)).map { label in
        [Markdown.name(label)]
          + counts.map { k in
            rows.first { $0.label == label && $0.k == k }.map { Markdown.interval($0.estimate) }
              ?? Markdown.nothing
          }
      })
  }

  // MARK: - What is drawn

  private var mixing: [Block] {
    let own = of(.mixing)
    if own.isEmpty { return [] }
    func text(_ measure: Measure) -> String {
      calibration.of(measure).first.map { Markdown.interval($0.estimate) } ?? Markdown.nothing
    }
    return [
      .paragraph(
        "Colours that mix: the share of found objects whose colour is none of the eight, farther from each in "
          + "chromaticity than renders are. Of objects of held-out renders it is \(text(.renderedMixing)), of "
          + "half-and-half blends of two of the eight \(text(.blendMixing)):"), table(own),
    ]
  }

  private var combinations: [Block] {
    if combined.isEmpty { return [] }
    return [
      .paragraph(
        "Combinations: recall beyond chance of words that training showed together, and of words among which is a "
          + "pair that it held out, as many of each. Before the stroke the judge's numbers, after it the background "
          + "detector's; of their difference intervals over seeds with what resampled pictures make of each side, which are "
          + "others' (of one network with its pictures alone):"),
      .table(columns: Combination.columns, rows: combined.map(\.cells)),
      AskedRow.question(run).block,
    ] + Question.blocks(distinct(combined.flatMap(\.executions)), Outcome.question)
  }

  private var nothing: [Block] {
    if empty.isEmpty { return [] }
    return [
      .paragraph(
        "Told that nothing is there, which is a word of its own beside ∅, of which a blank request is: pictures without an "
          + "object are "
          + empty.map {
            "\(Markdown.interval($0.estimate)) of \(Markdown.count($0.estimate.n)) of \(Markdown.name($0.label))"
          }.joined(separator: ", ") + ".")
    ]
  }

  private var words: [Block] {
    let own = of(.recallByWord)
    let names = distinct(own.compactMap(\.attribute))
    if names.isEmpty { return [] }
    func cell(_ label: String, _ k: Int, _ name: String) -> String {
      own.first { $0.label == label && $0.k == k && $0.attribute == name }
        .map { Markdown.number($0.estimate.value) } ?? Markdown.nothing
    }
    let cells = distinct(own.map(\.label)).flatMap { label -> [[String]] in
      distinct(own.filter { $0.label == label }.compactMap(\.k)).map { k -> [String] in
        [Markdown.name(label), "\(k)"] + names.map { cell(label, k, $0) }
      }
    }
    return [
      .details(
        "Recall word by word",
        [.table(columns: ["model", "K"] + names.map(Markdown.name), rows: cells)])
    ]
  }

  // MARK: - Where words act

  private var places: [Block] {
    let remote = probes.filter { $0.measure == Measure.wordRemote.name }
    if remote.isEmpty { return [] }
    func at(_ measure: Measure, _ row: WordProbeRow) -> String {
      probes.first {
        $0.label == row.label && $0.measure == measure.name && $0.k == row.k
          && $0.sigma == row.sigma
      }.map { Markdown.interval($0.estimate) } ?? Markdown.nothing
    }
    return [
      .paragraph(
        "Where words act in pixels. A word's *region* is where it acts when it alone is told no longer, in a picture that "
          + "the model drew itself: the fewest pixels with 75 % of it. *Inside* is its share there under other noise, "
          + "*area* what an effect spread evenly would have. *Remote*: what all other words change in that region, going "
          + "at once, over what its own changes; scores that are local in pixels give 0.")
    ] + Self.pixels(probes).map { .paragraph($0.text) } + [
      .table(
        columns: ["model", "K", "σ", "inside", "area", "remote", "N pictures"],
        rows: remote.map { row in
          [
            Markdown.name(row.label), "\(row.k)", Markdown.number(row.sigma),
            at(.wordInside, row), at(.wordArea, row), Markdown.interval(row.estimate),
            Markdown.count(row.estimate.n),
          ]
        })
    ]
  }

  /// Of each model that was probed.
  private static func pixels(_ probes: [WordProbeRow]) -> [PixelVerdict] {
    let remote = probes.filter { $0.measure == Measure.wordRemote.name }
    return distinct(remote.map(\.label)).map { PixelVerdict($0, remote) }
  }
}
