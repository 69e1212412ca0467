/// What the instrument itself is worth.
enum JudgeSection {
  static func write(_ data: RunData, _ page: inout Page) throws {
    page.heading("The judge")
    let sql =
      "SELECT m.k, m.detector, m.name, m.value, m.ci_low, m.ci_high, m.n FROM stage s "
      + "JOIN metric m USING (execution_id) WHERE s.run_id = \(data.quotedRun) "
      + "AND s.kind = 'judge' AND m.k IS NOT NULL ORDER BY m.k, m.detector, m.name"
    let found = try data.store.query(sql)
    if found.rows.isEmpty {
      page.paragraph("No judge was trained.")
      return
    }
    page.paragraph(
      "The judge is a small detector trained on renders of 0 to 12 objects, never on generated pictures. "
        + "Below, its recall and precision on held-out renders, beside those of a plain "
        + "background-difference detector that checks it.")
    var cells: [Int: [String: String]] = [:]
    for row in found.rows {
      guard let k = row[0].integer, let arm = row[1].text, let name = row[2].text,
        let value = row[3].number
      else { continue }
      cells[k, default: [:]][arm + name] = Markdown.interval(value, row[4].number, row[5].number)
      if name == "judge_exact" { cells[k, default: [:]]["n"] = "\(row[6].integer ?? 0)" }
    }
    page.table(
      [
        "K", "recall", "precision", "exact", "plain detector: recall", "precision", "renders",
      ],
      cells.keys.sorted().map { k in
        let row = cells[k] ?? [:]
        return ["\(k)"]
          + [
            "trainedjudge_recall", "trainedjudge_precision", "trainedjudge_exact",
            "backgroundjudge_recall", "backgroundjudge_precision", "n",
          ].map { row[$0] ?? "–" }
      })
    page.query(sql)
  }
}
