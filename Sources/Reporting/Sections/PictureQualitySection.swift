import Measures

/// What drawn pictures are like as pictures: whether they have the law of renders, and whether they are
/// copies of what was trained on.
struct PictureQualitySection: Section {
  static let kinds: Set = ["quality"]

  private let run: String
  private let numbers: ModelNumbers

  init(_ data: RunData) throws {
    run = data.run.id
    numbers = ModelNumbers(try data.ask(ModelNumber.quality(run)))
  }

  var blocks: [Block] {
    if numbers.models.isEmpty { return [] }
    return [.heading("As pictures"), frechet, pooled, training, near]
      + [
        .details(
          "Count by count",
          [
            .table(columns: Self.requestedColumns, rows: byRequest),
            .table(columns: Self.drawnColumns, rows: byDrawn),
          ])
      ]
      + [ModelNumber.quality(run).block]
  }

  // MARK: - Fréchet distance

  private typealias Model = ModelNumbers.Model
  private static let ranges: [Measure.QualityRange] = [.within, .beyond]

  private var frechet: Block {
    .paragraph(
      "Fréchet distance of drawn pictures from held-out renders of as many objects, laid out as requests are,"
        + " within the training range and beyond it: of the judge's own features (mean and deviation of each of its"
        + " channels over a picture) along the principal axes of renders, in their deviations. Few pictures alone"
        + " make a distance: *halves* is that of one half of the renders from the other, with as many pictures in"
        + " each, its mean and between which 95 % of the splits lie. A distance that is not above them shows no"
        + " difference; *above* counts seeds. Blank requests are left out.")
  }

  private var pooled: Block {
    .table(
      columns: ["model"]
        + Self.ranges.flatMap { ["\($0.rawValue)", "halves", "above", "N pictures"] },
      rows: numbers.models.map { model in
        [Markdown.name(model.label)] + Self.ranges.flatMap { cells(model, $0, nil) }
      })
  }

  private func cells(_ model: Model, _ range: Measure.QualityRange, _ k: Int?) -> [String] {
    let own = numbers.replicates(model, .frechet(range), k: k)
    let null = numbers.replicates(model, .frechetNull(range), k: k)
    let above = own.paired(with: null).count {
      $0.first.estimate.value > $0.second.estimate.high ?? .infinity
    }
    return [
      text(own.mean), text(Self.meanRange(null)),
      own.isEmpty ? Markdown.nothing : "\(above) of \(own.values.count)",
      Markdown.count(own.mean?.n),
    ]
  }

  /// Of ranges over splits the mean of their ends: they are no intervals of a mean.
  private static func meanRange(_ null: Replicates) -> Estimate? {
    let all = null.values.map(\.estimate)
    guard let first = all.first else { return nil }
    func mean(_ part: (Estimate) -> Double?) -> Double {
      all.reduce(0) { $0 + (part($1) ?? $1.value) } / Double(all.count)
    }
    return Estimate(value: mean(\.value), low: mean(\.low), high: mean(\.high), n: first.n)
  }

  private func text(_ estimate: Estimate?, digits: Int = 2) -> String {
    estimate.map { Markdown.interval($0, digits: digits) } ?? Markdown.nothing
  }

  // MARK: - Nearest training picture

  private var training: Block {
    .paragraph(
      "A model that copies draws pictures nearer to training pictures than new renders are. Share of drawn"
        + " pictures nearer to one of them (root mean square over all values) than the nearest renders with as many"
        + " objects as the judge finds in the picture, where at most 5 % of renders are; *within* and *beyond* go"
        + " by these objects, not by what was asked for. Without copying it is 5 % at most; blurred and faint"
        + " pictures are nearer to every other one.")
  }

  private var near: Block {
    .table(
      columns: ["model"] + Self.ranges.flatMap { ["near, \($0.rawValue)", "N pictures"] },
      rows: numbers.models.map { model in
        [Markdown.name(model.label)]
          + Self.ranges.flatMap { range -> [String] in
            let share = numbers.mean(model, .trainingNear(range))
            return [text(share), Markdown.count(share?.n)]
          }
      })
  }

  // MARK: - Each K

  private static let requestedColumns = [
    "model", "K requested", "Fréchet distance", "halves", "above", "N pictures",
  ]
  private static let drawnColumns = [
    "model", "objects found (12: or more)", "nearest training picture", "N pictures", "of renders",
    "N renders",
  ]

  private var byRequest: [[String]] {
    numbers.models.flatMap { model in
      numbers.counts(model, .frechet(.each)).map { k in
        [Markdown.name(model.label), "\(k)"] + cells(model, .each, k)
      }
    }
  }

  private var byDrawn: [[String]] {
    numbers.models.flatMap { model in
      numbers.counts(model, .trainingDistance).map { k in
        [Markdown.name(model.label), "\(k)"]
          + [Measure.trainingDistance, .trainingDistanceNull].flatMap { measure in
            let own = numbers.mean(model, measure, k: k)
            return [text(own, digits: 3), Markdown.count(own?.n)]
          }
      }
    }
  }
}
