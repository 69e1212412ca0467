/// What the instrument itself is worth.
struct JudgeSection: Section {
  private let run: String
  private let rows: [CalibrationRow]

  init(_ data: RunData) throws {
    run = data.run.id
    rows = try data.ask(CalibrationRow.question(run))
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
      .table(
        columns: [
          "K", "recall", "precision", "exact", "plain detector: recall", "precision", "renders",
        ], rows: Set(rows.map(\.k)).sorted().map(row)),
      CalibrationRow.question(run).block,
    ]
  }

  private func row(_ k: Int) -> [String] {
    func estimate(_ detector: String, _ name: String) -> Estimate? {
      rows.first { $0.k == k && $0.detector == detector && $0.name == name }?.estimate
    }
    func text(_ detector: String, _ name: String) -> String {
      estimate(detector, name).map { Markdown.interval($0) } ?? Markdown.nothing
    }
    return [
      "\(k)", text("trained", "judge_recall"), text("trained", "judge_precision"),
      text("trained", "judge_exact"), text("background", "judge_recall"),
      text("background", "judge_precision"), Markdown.count(estimate("trained", "judge_exact")?.n),
    ]
  }
}
