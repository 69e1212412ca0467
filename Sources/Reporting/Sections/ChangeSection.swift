import Lineage

/// What this run did anew, and why.
struct ChangeSection: Section {
  private let run: String
  private let anew: [StageRow]
  private let previous: String?
  private let kMax: [KMaxChangeRow]

  init(_ data: RunData) throws {
    run = data.run.id
    anew = try data.ask(StageRow.question(run)).filter { $0.status != "reused" }
    previous = try data.ask(
      KMaxChangeRow.previous(data.run.id)
    ).first
    kMax =
      try previous.map { try data.ask(KMaxChangeRow.question(data.run.id, since: $0)).labelled() }
      ?? []
  }

  var blocks: [Block] {
    let query = StageRow.question(run).block
    let heading = Block.heading("What changed since the last run")
    guard let previous else {
      return [
        heading, .paragraph("This is the first run of this pipeline in this store."), query,
      ]
    }
    var blocks = [heading]
    if anew.isEmpty {
      blocks.append(
        .paragraph("Nothing: every stage was reused, as run \(Markdown.name(previous)) left it."))
    } else {
      blocks += [
        .paragraph("Compared with run \(Markdown.name(previous)):"),
        .table(
          columns: ["stage", "status", "why"],
          rows: anew.map {
            [Markdown.name($0.name), Markdown.escape($0.status), Markdown.escape($0.reason)]
          }),
      ]
    }
    blocks.append(query)
    if kMax.isEmpty { return blocks }
    return blocks + [
      .table(
        columns: ["model", "mask", "K_max before", "K_max now"],
        rows: kMax.map { [Markdown.name($0.label), $0.arm, "\($0.before)", "\($0.now)"] }),
      KMaxChangeRow.question(run, since: previous).block,
    ]
  }
}
