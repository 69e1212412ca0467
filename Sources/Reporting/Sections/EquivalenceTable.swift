import Formats
import Statistics

/// Whether a mask and the control that keeps something else do the same: that no difference was seen does
/// not say so.
struct EquivalenceTable {
  let verdict: Verdict

  /// Less is taken for nothing.
  static let bound = 0.05

  private struct Row {
    var finding: RepairFinding
    /// Of the less sure detector.
    var p: Double
  }

  private var rows: [Row] {
    verdict.repairs.compactMap { finding in
      let judge = finding.contrast.equivalenceP(within: Self.bound)
      let background = finding.contrastBackground.equivalenceP(within: Self.bound)
      return judge.map { Row(finding: finding, p: max($0, background ?? 0)) }
    }
  }

  var blocks: [Block] {
    let rows = rows
    if rows.isEmpty { return [] }
    let corrected = holm(rows.map(\.p))
    return [
      .paragraph(
        "Do masks and what objects to them do the same? Two one-sided tests of the difference of recall against "
          + "± \(Markdown.number(Self.bound)), the larger p of both detectors, Holm-corrected over the rows:"
      ),
      .table(
        columns: ["mask", "control", "difference (judge)", "(background)", "Holm p", "verdict"],
        rows: zip(rows, corrected).map { row, p in
          let finding = row.finding
          return [
            Markdown.name(finding.claim.mask), Markdown.name(finding.claim.control ?? ""),
            text(finding.contrast), text(finding.contrastBackground),
            Markdown.number(p, digits: 4),
            finding.premise.map { "not shown: \($0.few)" }
              ?? (p < 0.05 ? "**the same** within ± \(Markdown.number(Self.bound))" : "not shown"),
          ]
        }),
    ]
  }

  private func text(_ replicates: Replicates) -> String {
    replicates.mean.map { Markdown.unbroken(Markdown.signed($0)) } ?? Markdown.nothing
  }
}
