/// What the pipeline's claims come to together: a sentence that they support, or that falls with them, and each of
/// them with its numbers.
struct StatementTable {
  let claims: ClaimsTable
  /// In the order of the pipeline file.
  let order: [String]

  private struct Statement {
    var text: String
    var rows: [ClaimsTable.Row]

    /// In words, from what was found of each claim.
    var outcome: String {
      func standings(_ side: Claims.Statement.Side) -> [ClaimsTable.Standing] {
        rows.filter { $0.statement?.side == side }.map(\.standing)
      }
      let (own, other) = (standings(.supports), standings(.refutes))
      let (fallen, held) = (
        other.count { $0 == .whole || $0 == .part }, other.count { $0 == .against }
      )
      let borne = own.count { $0 == .whole || $0 == .part } + held
      let against = own.count { $0 == .against } + fallen
      let all = rows.count
      return switch (borne, against) {
      case (0, 0): "not shown"
      case (0, _): "**contradicted** by \(against) of \(all)"
      case (_, 0) where own.allSatisfy { $0 == .whole } && held == other.count: "**confirmed**"
      case (_, 0): "**confirmed in part**, by \(borne) of \(all)"
      default: "**contested**: \(borne) of \(all) for it, \(against) against"
      }
    }
  }

  private func late(_ text: String) -> String {
    claims.verdict.groupings[text]?.share.map {
      "; *put together after \($0) of their results*"
    } ?? ""
  }

  private var statements: [Statement] {
    let rows = claims.rows
    return order.map { text in
      Statement(text: text, rows: rows.filter { $0.statement?.text == text })
    }
  }

  var blocks: [Block] {
    let statements = statements
    if statements.isEmpty { return [] }
    return [
      .paragraph(
        "What is said of such models, and what the claims that the pipeline file states for or against it come to: "
          + "*confirmed* where all that support it are shown in full, *in part* where some are shown or are shown in "
          + "part, *contradicted* where the opposite of one of them is shown, or one that refutes it; otherwise *not shown*. "
          + "The opposite is that of the difference: that a level is below the threshold is said in the row. *Put together "
          + "after*: no run of this pipeline had the statement with these claims when so many of their results were made."
      ),
      .table(
        columns: [
          "statement", "outcome", "claim", "difference (judge / background)", "N", "verdict",
        ],
        rows: statements.flatMap { statement in
          statement.rows.enumerated().map { place, row in
            [
              place == 0 ? Markdown.escape(statement.text) : "",
              place == 0 ? statement.outcome + late(statement.text) : "",
              (row.statement?.side == .refutes ? "*against it:* " : "") + row.claim,
              row.isChange ? claims.effects(row) : claims.differences(row),
              row.effect.first?.counted ?? Markdown.nothing,
              row.verdict,
            ]
          }
        }),
    ]
  }
}
