import Formats
import Measures

/// What the judge finds in real pictures: what renders, and verdicts that rest on a judge of renders, are worth.
struct RealismSection: Section {
  static let kinds: Set = ["realism"]

  private let run: String
  private let rows: [RealismRow]
  private let grids: [SectionPicture]

  init(_ data: RunData) throws {
    run = data.run.id
    rows = try data.ask(RealismRow.question(run))
    grids = try SectionPicture.all(data, kind: "realism", role: "grid")
  }

  /// The sentence that stands on top of a report that claims nothing of models; `nil` without real pictures.
  static func verdict(_ data: RunData) throws -> String? {
    let rows = try data.ask(RealismRow.question(data.run.id))
    return rows.first.flatMap { first in
      Look(rows: rows.filter { $0.stage == first.stage }).verdict
    }
  }

  var blocks: [Block] {
    let heading = Block.heading("Real pictures")
    if rows.isEmpty { return [heading, .paragraph("No real pictures were looked at.")] }
    let stages = distinct(rows.map(\.stage))
    return [
      heading,
      .paragraph(
        "The judge has seen nothing but renders. Here it looks at pictures of another maker, and at renders of the"
          + " very same scenes, by a camera where theirs stood: what it finds less in the real ones is what the"
          + " renderer lacks. *Difference*: recall in real pictures less that in renders, paired by scene. Objects"
          + " that others hide count as objects. The last row is over all scenes."),
    ]
      + stages.flatMap { stage -> [Block] in
        let look = Look(rows: rows.filter { $0.stage == stage })
        return (stages.count > 1 ? [.heading(Markdown.name(stage), level: 4)] : [])
          + [look.table, .paragraph(look.summary)]
      } + pictures + [RealismRow.question(run).block]
  }

  private var pictures: [Block] {
    if grids.isEmpty { return [] }
    return [
      .paragraph(
        "Pairs of a real picture and its render, a row a number of objects. Outlined: where the scene says that an"
          + " object is; crossed: where the judge found none.")
    ]
      + grids.enumerated().map { index, grid in
        grid.block(
          name: "realism-\(index + 1).png",
          alternative: "Real pictures beside renders of the same scenes")
      }
  }
}

/// The numbers of one stage.
private struct Look {
  let rows: [RealismRow]

  private typealias View = Measure.SceneView

  private func estimate(
    _ measure: Measure, k: Int? = nil, _ detector: Detector? = nil
  ) -> Estimate? {
    rows.first {
      $0.measure == measure.name && $0.k == k && $0.detector == detector?.rawValue
    }?.estimate
  }

  private func text(_ estimate: Estimate?) -> String {
    estimate.map { Markdown.interval($0) } ?? Markdown.nothing
  }

  var table: Block {
    let counts: [Int?] = Set(rows.compactMap(\.k)).sorted() + [nil]
    return .table(
      columns: [
        "objects", "scenes", "judge: recall, real", "rendered", "precision, real", "rendered",
        "every object and nothing else, real", "rendered", "plain detector: recall, real",
        "rendered",
      ],
      rows: counts.map { k in
        [
          k.map(String.init) ?? "all",
          Markdown.count(estimate(Measure.sceneExact(.real), k: k, .trained)?.n),
        ]
          + [Measure.sceneRecall, Measure.scenePrecision, Measure.sceneExact].flatMap { measure in
            View.allCases.map { text(estimate(measure($0), k: k, .trained)) }
          }
          + View.allCases.map { text(estimate(Measure.sceneRecall($0), k: k, .background)) }
      })
  }

  /// `nil` where no scene has an object.
  var verdict: String? {
    guard let difference = estimate(.realRecallDifference, .trained),
      let low = difference.low, let high = difference.high,
      let real = estimate(Measure.sceneRecall(.real), .trained),
      let rendered = estimate(Measure.sceneRecall(.rendered), .trained)
    else { return nil }
    let what =
      high < 0
      ? "The judge finds less in real pictures than in renders of the same scenes"
      : low > 0
        ? "The judge finds more in real pictures than in renders of the same scenes"
        : "Not shown: that the judge finds less, or more, in real pictures than in renders of the same scenes"
    let plain = estimate(.realRecallDifference, .background).map {
      "; the plain detector's difference is \(Markdown.signed($0))"
    }
    return
      "\(what): recall is \(Markdown.interval(real)) against \(Markdown.interval(rendered)), a difference of"
      + " \(Markdown.signed(difference))\(plain ?? "") (N = \(Markdown.count(difference.n)) objects)."
  }

  var summary: String {
    var sentences: [String] = []
    let differences = Detector.allCases.compactMap { detector in
      estimate(.realRecallDifference, k: nil, detector).map {
        "\(detector == .trained ? "the judge" : "the plain detector") \(Markdown.signed($0)) (N = "
          + "\(Markdown.count($0.n)) objects)"
      }
    }
    if !differences.isEmpty {
      sentences.append("Difference of recall: " + differences.joined(separator: ", ") + ".")
    }
    if let real = estimate(Measure.sceneFrechet(.real)),
      let rendered = estimate(Measure.sceneFrechet(.rendered)),
      let null = estimate(.sceneFrechetNull)
    {
      func stands(_ own: Estimate) -> String {
        own.value > null.high ?? .infinity ? "above" : "not above"
      }
      sentences.append(
        "Fréchet distance in the judge's features from renders of other scenes with as many objects:"
          + " \(Markdown.interval(real)) of the real pictures, \(stands(real)) what halves of renders have between"
          + " them (\(Markdown.interval(null))); \(Markdown.interval(rendered)) of the renders of the same scenes,"
          + " \(stands(rendered)) it (N = \(Markdown.count(real.n)) pictures).")
    }
    let attributes = View.allCases.map { view in
      rows.filter { $0.measure == Measure.sceneAttributes(view).name }.map {
        "\($0.attribute ?? "") \(Markdown.interval($0.estimate))"
      }.joined(separator: ", ")
    }
    if attributes.allSatisfy({ !$0.isEmpty }) {
      sentences.append(
        "Of the objects found it tells right, in real pictures: \(attributes[0]); in renders: \(attributes[1])."
      )
    }
    return sentences.joined(separator: " ")
  }
}
