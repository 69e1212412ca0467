/// Generated pictures with the requested cells outlined.
struct SampleSection: Section {
  static let kinds: Set = ["evaluate"]

  private let run: String
  private let isAny: Bool
  private let grids: [SectionPicture]

  private static let (kind, role) = ("evaluate", "grid")

  init(_ data: RunData) throws {
    run = data.run.id
    isAny = try !data.ask(StageFileRow.question(run, kind: Self.kind, role: Self.role)).isEmpty
    grids = try SectionPicture.all(data, kind: Self.kind, role: Self.role)
  }

  var blocks: [Block] {
    let heading = Block.heading("Samples")
    if !isAny { return [heading, .paragraph("No pictures were drawn.")] }
    var blocks: [Block] = [
      heading,
      .paragraph(
        "A row a K (the number at its left), a column a layout; the same layouts and the same starting "
          + "noise in every grid. Outlined: the requested cells."),
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
