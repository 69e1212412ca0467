/// How to get the same numbers again.
enum ReproductionSection {
  static func write(_ data: RunData, _ page: inout Page) throws {
    let run = data.run
    page.heading("How to reproduce")
    page.code("locus run \(run.path)", language: "sh")
    let sql =
      "SELECT r.*, p.source_sha256 FROM run r JOIN pipeline p ON p.id = r.pipeline_id "
      + "WHERE r.id = \(data.quotedRun)"
    let found = try data.store.query(sql)
    let hash = found.column("source_sha256").first?.text ?? "?"
    page.table(
      ["what", "value"],
      [
        ["pipeline file, SHA-256", Markdown.name(hash)], ["seed", "\(run.seed)"],
        ["Locus", Markdown.escape(run.locusVersion)],
        ["git commit", run.gitCommit.map(Markdown.name) ?? "not in a checkout"],
        ["host", Markdown.escape(run.host)], ["started by", Markdown.escape(run.trigger)],
      ])
    page.query(sql)
    let artifacts = try data.store.query(
      """
      SELECT s.name, o.role, o.sha256, a.bytes FROM stage s
      JOIN execution_output o USING (execution_id) JOIN artifact a USING (sha256)
      WHERE s.run_id = ? ORDER BY s.id, o.role
      """, [.text(run.id)])
    if artifacts.rows.isEmpty { return }
    page.details("Artifacts and their hashes") { page in
      page.table(
        ["stage", "role", "bytes", "SHA-256"],
        artifacts.rows.map { row in
          [
            Markdown.name(row[0].text ?? "?"), row[1].text ?? "", "\(row[3].integer ?? 0)",
            "`\(row[2].text ?? "")`",
          ]
        })
    }
    page.paragraph(
      "On the same machine the same pipeline and seed give the same bytes, for any number of threads; "
        + "another processor may differ in the last bits.")
  }
}
