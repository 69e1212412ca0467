import Formats

/// Generated pictures with the requested cells outlined, or the requested colours beside them.
struct SampleSection: Section {
  static let kinds: Set = ["evaluate"]

  private let run: String
  private let isAny: Bool
  private let grids: [SectionPicture]
  /// Whether every grid tells found places from missed ones.
  private let tellsMissed: Bool
  private let requested: Requested

  private static let (kind, role) = ("evaluate", "grid")

  init(_ data: RunData) throws {
    run = data.run.id
    requested = data.requested
    isAny = try !data.ask(StageFileRow.question(run, kind: Self.kind, role: Self.role)).isEmpty
    tellsMissed = try data.ask(Self.version(run)).first.map { $0 >= 4 } ?? false
    grids = try SectionPicture.all(data, kind: Self.kind, role: Self.role)
  }

  /// The least version of an evaluation; 0 of one that did not say.
  private static func version(_ runID: String) -> Question<Int> {
    Question(
      """
      SELECT min(coalesce(e.kind_version, 0)) AS version
      FROM stage s JOIN execution e ON e.id = s.execution_id
      WHERE s.run_id = \(Escape.sql(runID)) AND s.kind = 'evaluate' HAVING count(*) > 0
      """
    ) { try $0.integer("version") }
  }

  private var marks: String {
    switch requested {
    case .places:
      "Outlined: the requested cells"
        + (tellsMissed ? "; crossed: those in which the judge found nothing." : ".")
    case .words:
      "Squares beside a picture: the requested colours"
        + (tellsMissed ? "; crossed: those of which the judge found no object." : ".")
    }
  }

  var blocks: [Block] {
    let heading = Block.heading("Samples")
    if !isAny { return [heading, .paragraph("No pictures were drawn.")] }
    var blocks: [Block] = [
      heading,
      .paragraph(
        "A row a K (the number at its left), a column a layout; the same layouts and the same starting "
          + "noise in every grid. \(marks)"
          + " Of several seeds the first is shown, and of more than \(SectionPicture.most) grids those of what the claims"
          + " are about."),
    ]
    for (index, grid) in grids.enumerated() {
      blocks += [
        .heading(Markdown.name(grid.stage), level: 4),
        grid.block(name: "samples-\(index + 1).png", alternative: "Samples of \(grid.stage)"),
      ]
    }
    return blocks + [StageFileRow.question(run, kind: Self.kind, role: Self.role).block]
  }
}
