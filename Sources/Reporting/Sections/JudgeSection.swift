import Measures

/// What the instrument itself is worth.
struct JudgeSection: Section {
  static let kinds: Set = ["judge"]

  private let run: String
  private let rows: [CalibrationRow]
  private let looks: [LookRow]

  init(_ data: RunData) throws {
    run = data.run.id
    rows = try data.ask(CalibrationRow.question(run))
    looks = try data.ask(LookRow.question(run))
  }

  var blocks: [Block] {
    let heading = Block.heading("The judge")
    if rows.isEmpty { return [heading, .paragraph("No judge was trained.")] }
    return [
      heading,
      .paragraph(
        "The judge is a small detector trained on renders of 0 to 12 objects, never on generated "
          + "pictures. Below, its recall and precision on held-out renders, beside those of a plain "
          + "background-difference detector that checks it."),
    ] + judges.flatMap(table) + [CalibrationRow.question(run).block] + judges.flatMap(faint)
      + (looks.isEmpty ? [] : [LookRow.question(run).block])
  }

  /// What it makes of faint objects, and what its finds are told for.
  private func faint(_ judge: String) -> [Block] {
    func text(_ measure: Measure, _ what: String? = nil) -> String? {
      looks.first { $0.judge == judge && $0.measure == measure.name && $0.what == what }.map {
        Markdown.interval($0.estimate)
      }
    }
    guard let solid = text(.solidShare), let told = text(.faintShare),
      let own = text(.faintRecall, Detector.trained.rawValue),
      let plain = text(.faintRecall, Detector.background.rawValue)
    else { return [] }
    let attributes = looks.filter {
      $0.judge == judge && $0.measure == Measure.attributeAccuracy.name
    }
    return [
      .paragraph(
        "Objects of held-out renders that are blended at opacity ¼ with the empty ground: the judge finds"
          + " \(own), the background detector \(plain); \(told) of them are told for solid (opacity ½ or"
          + " more), of the same objects as they are \(solid). Told right: "
          + attributes.map { "\($0.what ?? "") \(Markdown.interval($0.estimate))" }
          .joined(separator: ", ")
          + "; N = \(Markdown.count(attributes.first?.estimate.n)) objects.")
    ]
  }

  private var judges: [String] { distinct(rows.map(\.judge)) }

  private func table(_ judge: String) -> [Block] {
    let own = rows.filter { $0.judge == judge }
    let table = Block.table(
      columns: [
        "K", "recall", "precision", "exact", "plain detector: recall", "precision", "renders",
      ], rows: Set(own.map(\.k)).sorted().map { row($0, own) })
    return judges.count > 1 ? [.heading(Markdown.name(judge), level: 4), table] : [table]
  }

  private func row(_ k: Int, _ own: [CalibrationRow]) -> [String] {
    func estimate(_ detector: Detector, _ measure: Measure) -> Estimate? {
      own.first { $0.k == k && $0.detector == detector.rawValue && $0.measure == measure.name }?
        .estimate
    }
    func text(_ detector: Detector, _ measure: Measure) -> String {
      estimate(detector, measure).map { Markdown.interval($0) } ?? Markdown.nothing
    }
    return [
      "\(k)", text(.trained, .judgeRecall), text(.trained, .judgePrecision),
      text(.trained, .judgeExact), text(.background, .judgeRecall),
      text(.background, .judgePrecision), Markdown.count(estimate(.trained, .judgeExact)?.n),
    ]
  }
}
