import Formats
import Statistics
import Workflow

/// How far a study with `replicate` is: the intervals by which it grows.
struct ReplicateSection: Section {
  private let standing: ReplicateStanding?

  init(_ data: RunData) throws {
    standing = try ReplicateStanding(of: data.run, store: data.store)
  }

  var blocks: [Block] {
    guard let standing else { return [] }
    let target = standing.replication.until
    let what =
      Markdown.name(target.metric) + (target.k.map { " at K = \($0)" } ?? "")
    return [
      .heading("Replicates"),
      .paragraph(
        "\(Markdown.escape(standing.text)). The study grows until every interval below of \(what) is at most "
          + "\(ChartNumber.text(target.width)) wide, with at least \(Replication.fewest) replicates, whatever the "
          + "intervals say. They are Student's of the mean over replicates, and never narrower than the "
          + "replicates' own intervals make them: replicates that happen to agree are not known exactly. *By layouts* "
          + "is what they cannot fall below by replicates alone where all replicates have the same layouts, or a bound of "
          + "it: more layouts narrow that part."
      ),
      .table(
        columns: ["what", "mean [95 %]", "width", "by layouts", "SD over seeds", "n"],
        rows: standing.spreads.map(row)),
    ]
  }

  private func row(_ spread: ReplicateStanding.Spread) -> [String] {
    [
      Markdown.name(spread.name),
      spread.interval.map { Markdown.interval($0.value, $0.low, $0.high, digits: 3) }
        ?? Markdown.nothing,
      spread.interval.map { Markdown.number($0.high - $0.low, digits: 3) } ?? "not known",
      spread.widthByLayouts.map { Markdown.number($0, digits: 3) } ?? Markdown.nothing,
      spread.deviation.map { Markdown.number($0, digits: 3) } ?? Markdown.nothing,
      Markdown.count(spread.n),
    ]
  }
}
