import Formats
import Lineage

/// Since when the claims of a pipeline are stated, and since when there are the results that they are about: a claim
/// that comes after its results was not put to a test by them.
struct ClaimsHistory {
  /// Runs of the pipeline, the earliest first.
  private let stated: [(at: String, claims: Claims)]
  /// When executions ended.
  private let finished: [String: String]

  private struct StatedRow {
    var startedAt: String
    var source: String

    static func question(_ runID: String) -> Question<StatedRow> {
      Question(
        """
        SELECT r.started_at, p.source FROM run r JOIN pipeline p ON p.id = r.pipeline_id
        WHERE p.name = (SELECT q.name FROM run s JOIN pipeline q ON q.id = s.pipeline_id
          WHERE s.id = \(Escape.sql(runID)))
        ORDER BY r.started_at, r.id
        """
      ) { row in
        StatedRow(startedAt: try row.text("started_at"), source: try row.text("source"))
      }
    }
  }

  private struct FinishedRow {
    var id: String
    var at: String

    static func question(_ runID: String) -> Question<FinishedRow> {
      Question(
        """
        SELECT DISTINCT e.id, e.finished_at FROM stage s JOIN execution e ON e.id = s.execution_id
        WHERE s.run_id = \(Escape.sql(runID)) AND e.finished_at IS NOT NULL ORDER BY e.id
        """
      ) { row in FinishedRow(id: try row.text("id"), at: try row.text("finished_at")) }
    }
  }

  init(_ data: RunData) throws {
    // A pipeline is stored once for all runs of the same text.
    var known: [String: Claims] = [:]
    stated = try data.ask(StatedRow.question(data.run.id)).compactMap { row in
      guard let claims = known[row.source] ?? Claims(source: row.source) else { return nil }
      known[row.source] = claims
      return (row.startedAt, claims)
    }
    finished = Dictionary(
      try data.ask(FinishedRow.question(data.run.id)).map { ($0.id, $0.at) },
      uniquingKeysWith: { first, _ in first })
  }

  static func questions(_ runID: String) -> [Block] {
    [StatedRow.question(runID).block, FinishedRow.question(runID).block]
  }

  func afterthought(_ results: [String], _ isStated: (Claims) -> Bool) -> Afterthought? {
    guard let first = stated.first(where: { isStated($0.claims) }) else { return nil }
    let ends = Set(results).compactMap { finished[$0] }
    return Afterthought(known: ends.count { $0 < first.at }, all: ends.count)
  }

  /// A statement or a family is as old as the run that first had it with the same claims.
  private func grouping(
    _ claims: Claims, _ verdict: Verdict, _ isMember: (any StatedClaim) -> Bool
  ) -> Afterthought? {
    let results =
      verdict.recalls.filter { isMember($0.claim) }.flatMap(\.pooled)
      + verdict.remotes.filter { isMember($0.claim) }.flatMap(\.probes)
      + verdict.repairs.filter { isMember($0.claim) }.flatMap(\.pooled)
    return afterthought(results) { $0.members(isMember) == claims.members(isMember) }
  }

  /// What a claim is stated for, and with what it is corrected, may be said later: a statement says so for itself.
  func complete(_ verdict: inout Verdict, _ claims: Claims) {
    for text in claims.statements {
      verdict.groupings[text] = grouping(claims, verdict) { $0.statement?.text == text }
    }
    for family in claims.families {
      verdict.lateFamilies[family] = grouping(claims, verdict) { $0.family == family }
    }
    for i in verdict.recalls.indices {
      let finding = verdict.recalls[i]
      verdict.recalls[i].afterthought = afterthought(finding.pooled) {
        $0.recalls.contains { $0.bare == finding.claim.bare }
      }
    }
    for i in verdict.remotes.indices {
      let finding = verdict.remotes[i]
      verdict.remotes[i].afterthought = afterthought(finding.probes) {
        $0.remotes.contains { $0.bare == finding.claim.bare }
      }
    }
    for i in verdict.repairs.indices {
      let finding = verdict.repairs[i]
      verdict.repairs[i].afterthought = afterthought(finding.pooled) {
        $0.repairs.contains { $0.bare == finding.claim.bare }
      }
    }
  }
}

extension Claims {
  /// What a statement or a family rests on.
  fileprivate func members(_ isMember: (any StatedClaim) -> Bool) -> Set<AnyHashable> {
    Set(
      recalls.filter(isMember).map { AnyHashable($0) }
        + remotes.filter(isMember).map { AnyHashable($0) }
        + repairs.filter(isMember).map { AnyHashable($0) })
  }

  fileprivate var families: [String] {
    distinct(
      (recalls.map(\.family) + remotes.map(\.family) + repairs.map(\.family)).compactMap { $0 })
  }
}

private protocol StatedClaim {
  var family: String? { get set }
  var statement: Claims.Statement? { get set }
}

extension StatedClaim {
  fileprivate var bare: Self {
    var claim = self
    (claim.family, claim.statement) = (nil, nil)
    return claim
  }
}

extension Claims.Recall: StatedClaim {}
extension Claims.Remote: StatedClaim {}
extension Claims.Repair: StatedClaim {}
