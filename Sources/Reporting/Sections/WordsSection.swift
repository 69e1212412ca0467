import Evaluation
import Formats
import Measures
import Workflow

/// Models told of words: whether colours mix, whether combinations that training held out are drawn, and where in a
/// picture words act.
struct WordsSection: Section {
  static let kinds: Set = ["evaluate", "probe"]

  private let run: String
  private let rows: [WordRow]
  /// Where it was said that nothing is there.
  private let empty: [WordRow]
  private let asked: [AskedRow]
  private let probes: [WordProbeRow]
  /// Of what the judge sees in renders there is one opinion a judge: those of the first evaluation.
  private let rendered: [WordRow]

  init(_ data: RunData) throws {
    run = data.run.id
    let all = try data.ask(WordRow.question(run))
    // How many words are heeded by how much guidance, and combinations, are evaluated apart.
    let compared = Set(data.compared.map(\.evaluated.stage))
    rows = all.filter { compared.isEmpty || compared.contains($0.stage) }.labelled().overSeeds()
    empty = all.filter { $0.measure == Measure.emptyPictures.name }.labelled().overSeeds()
    rendered = all.filter { $0.stage == all.first?.stage }
    asked = try data.ask(AskedRow.question(run)).compactMap(\.self)
    probes = try data.ask(WordProbeRow.question(run)).labelled().overSeeds()
  }

  var blocks: [Block] {
    if rows.isEmpty && probes.isEmpty { return [] }
    return [.heading("Words")] + mixing + combinations + nothing + places + words + renders
      + (rows.isEmpty ? [] : [WordRow.question(run).block])
      + (probes.isEmpty ? [] : [WordProbeRow.question(run).block])
  }

  private func of(_ measure: Measure) -> [WordRow] { rows.filter { $0.measure == measure.name } }
  private func render(_ measure: Measure) -> [WordRow] {
    rendered.filter { $0.measure == measure.name }
  }

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
      render(measure).first.map { Markdown.interval($0.estimate) } ?? Markdown.nothing
    }
    return [
      .paragraph(
        "Colours that mix: the share of found objects whose colour is none of the eight, farther from each in "
          + "chromaticity than renders are. Of objects of held-out renders it is \(text(.renderedMixing)), of "
          + "half-and-half blends of two of the eight \(text(.blendMixing)):"), table(own),
    ]
  }

  private var combinations: [Block] {
    let models = Combination.all(asked)
    if models.isEmpty { return [] }
    return [
      .paragraph(
        "Combinations: recall beyond chance of words that training showed together, and of words among which is a "
          + "pair that it held out, as many of each. *Difference*: seen less held out, by seeds (of one network, by "
          + "its pictures):"),
      .table(
        columns: ["model", "K", "seen", "held out", "seen − held out", "N pictures each", ""],
        rows: models.map(\.cells)), AskedRow.question(run).block,
    ]
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
    ] + distinct(remote.map(\.label)).map { PixelVerdict($0, remote).block } + [
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

  // MARK: - What the judge is worth

  private var renders: [Block] {
    let colors = render(.renderedColor)
    if colors.isEmpty { return [] }
    let detectors = distinct(colors.compactMap(\.detector))
    let confusion = WordMatrix(
      render(.colorConfusion).filter { $0.detector == detectors.last }
        .map { ($0.pair ?? "", $0.estimate.value) }, isSymmetric: false)
    func told(_ rows: [WordRow], _ name: String, _ detector: String) -> [String] {
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
          [Markdown.name(name)] + detectors.flatMap { told(rows, name, $0) }
        })
    }
    return [
      .details(
        "What the judge tells on held-out renders",
        [
          .paragraph("Of renders of which a word is true, the share in which it is told:"),
          table("word", render(.renderedWords)),
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

/// Recall of one recipe at one K, of combinations seen and held out.
private struct Combination {
  var name: String
  var k: Int
  var sides: PairedReplicates

  static func all(_ rows: [AskedRow]) -> [Combination] {
    struct Key: Hashable {
      var name: String
      var stage: String
      var k: Int
    }
    func key(_ row: AskedRow) -> Key {
      Key(
        name: Labels.withoutSeed(row.title), stage: StageReference(row.stage)?.stage ?? row.stage,
        k: row.k)
    }
    return distinct(rows.map(key)).compactMap { wanted -> Combination? in
      func side(_ asked: AskedRow.AskedFor) -> Replicates {
        Replicates(
          rows.filter { key($0) == wanted && $0.asked == asked }.map {
            .init(seed: Labels.seed(of: $0.title, measuredBy: $0.stage), estimate: $0.recall)
          }, areShared: true)
      }
      let (heldOut, seen) = (side(.heldOut), side(.seen))
      if heldOut.isEmpty || seen.isEmpty { return nil }
      return Combination(
        name: wanted.name, k: wanted.k, sides: PairedReplicates(heldOut, seen))
    }
  }

  /// Of one network with the errors of both sides, as of other pictures.
  private var difference: Estimate? {
    if let difference = sides.difference { return difference }
    guard let low = sides.low.mean, let high = sides.high.mean else { return nil }
    let value = high.value - low.value
    let half = [low, high].map { (($0.high ?? $0.value) - ($0.low ?? $0.value)) / 2 }
      .reduce(0) { $0 + $1 * $1 }.squareRoot()
    return Estimate(value: value, low: value - half, high: value + half)
  }

  var cells: [String] {
    func text(_ side: Replicates) -> String {
      side.mean.map { Markdown.interval($0) } ?? Markdown.nothing
    }
    let verdict = difference.map { difference in
      (difference.low ?? 0) > 0
        ? "held out ones are drawn less"
        : (difference.high ?? 0) < 0 ? "seen ones are drawn less" : "not shown to differ"
    }
    return [
      Markdown.name(name), "\(k)", text(sides.high), text(sides.low),
      difference.map { Markdown.signed($0) } ?? Markdown.nothing, sides.low.counted,
      verdict ?? Markdown.nothing,
    ]
  }
}

/// Whether a model's score is shown not to be local in pixels.
struct PixelVerdict {
  private let label: String
  private let least: WordProbeRow?

  /// Of a word's own effect in its region: below, others hardly reach there.
  private static let limit = 0.1

  init(_ label: String, _ rows: [WordProbeRow]) {
    self.label = label
    least = rows.filter { $0.label == label }.min {
      ($0.estimate.low ?? $0.estimate.value) < ($1.estimate.low ?? $1.estimate.value)
    }
  }

  var block: Block {
    guard let least else { return .paragraph("") }
    let numbers =
      "\(Markdown.interval(least.estimate)) at K = \(least.k) and σ = \(Markdown.number(least.sigma)), the lowest of all K and "
      + "σ, uncorrected; N = \(Markdown.count(least.estimate.n)) pictures"
    return .paragraph(
      (least.estimate.low ?? least.estimate.value) > Self.limit
        ? "**Shown:** the score of \(Markdown.name(label)) is not local in pixels: where a word acts, others change "
          + "more than a tenth of what it does itself (\(numbers))."
        : "**Not shown** that the score of \(Markdown.name(label)) is not local in pixels: where a word acts, others may "
          + "change less than a tenth of what it does itself (\(numbers))."
    )
  }
}
