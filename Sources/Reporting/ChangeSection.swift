/// What this run did anew, and why.
enum ChangeSection {
  static func write(_ data: RunData, _ page: inout Page) throws {
    page.heading("What changed since the last run")
    let previous = try data.store.query(
      """
      SELECT r.id FROM run r JOIN pipeline p ON p.id = r.pipeline_id
      WHERE p.name = ? AND r.started_at < ? ORDER BY r.started_at DESC LIMIT 1
      """, [.text(data.run.pipeline), .text(data.run.startedAt)])
    let sql =
      "SELECT name, status, reason FROM stage WHERE run_id = \(data.quotedRun) ORDER BY id"
    let anew = data.run.stages.filter { $0.status != "reused" }
    guard let last = previous.rows.first?.first?.text else {
      page.paragraph("This is the first run of this pipeline in this store.")
      page.query(sql)
      return
    }
    if anew.isEmpty {
      page.paragraph("Nothing: every stage was reused, as run \(Markdown.name(last)) left it.")
    } else {
      page.paragraph("Compared with run \(Markdown.name(last)):")
      page.table(
        ["stage", "status", "why"],
        anew.map { [Markdown.name($0.name), $0.status, Markdown.escape($0.reason)] })
    }
    page.query(sql)
    try kMaxChanges(data, since: last, &page)
  }

  private static func kMaxChanges(_ data: RunData, since last: String, _ page: inout Page) throws {
    let sql =
      "SELECT a.model, a.arm, b.k_max, a.k_max FROM run_k_max a JOIN run_k_max b "
      + "ON b.model = a.model AND b.arm = a.arm AND b.run_id = \(Markdown.sql(last)) "
      + "WHERE a.run_id = \(data.quotedRun) AND a.k_max <> b.k_max"
    let found = try data.store.query(sql)
    if found.rows.isEmpty { return }
    page.table(
      ["model", "mask", "K_max before", "K_max now"],
      found.rows.map { row in
        [
          Markdown.name(row[0].text ?? "?"), row[1].text ?? "", "\(row[2].integer ?? 0)",
          "\(row[3].integer ?? 0)",
        ]
      })
    page.query(sql)
  }
}
