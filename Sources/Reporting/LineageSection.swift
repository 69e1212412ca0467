import Foundation
import Lineage

/// Stages and what flowed between them, as a Mermaid graph.
enum LineageSection {
  static func write(_ data: RunData, _ page: inout Page) throws {
    page.heading("Lineage")
    let sql =
      "SELECT DISTINCT a.name, b.name FROM stage a JOIN execution_output o "
      + "ON o.execution_id = a.execution_id JOIN execution_input i ON i.sha256 = o.sha256 "
      + "JOIN stage b ON b.execution_id = i.execution_id AND b.run_id = a.run_id "
      + "WHERE a.run_id = \(data.quotedRun) AND NOT (a.kind = 'intervene' AND b.kind = 'intervene')"
    let found = try data.store.query(sql)
    if found.rows.isEmpty {
      page.paragraph("No artifact has been used by another stage.")
      return
    }
    var lines = ["flowchart LR"]
    var numbers: [String: Int] = [:]
    for stage in data.run.stages {
      let number = numbers.count
      numbers[stage.name] = number
      let key = stage.key.map { String($0.prefix(8)) } ?? "no key"
      lines.append("  s\(number)[\"\(label(stage.name))<br/>\(stage.kind) · \(key)\"]")
    }
    for row in found.rows {
      guard let from = row[0].text.flatMap({ numbers[$0] }),
        let to = row[1].text.flatMap({ numbers[$0] }), from != to, isDirect(row, data)
      else { continue }
      lines.append("  s\(from) --> s\(to)")
    }
    page.code(lines.joined(separator: "\n"), language: "mermaid")
    page.query(sql)
  }

  /// Weights pass through `intervene` unchanged: what uses a masked denoiser does not use the trained
  /// one directly.
  private static func isDirect(_ row: [SQLValue], _ data: RunData) -> Bool {
    guard let from = data.run.stages.first(where: { $0.name == row[0].text }),
      let to = data.run.stages.first(where: { $0.name == row[1].text }),
      ["evaluate", "probe"].contains(to.kind), ["train", "intervene"].contains(from.kind)
    else { return true }
    let masked = data.evaluated.first { $0.executionID == to.executionID }?.intervention
    guard let masked else { return from.kind == "train" }
    return from.name == masked
  }

  /// Quotes and brackets would end a node.
  private static func label(_ text: String) -> String {
    text.replacingOccurrences(of: "\"", with: "#quot;").replacingOccurrences(of: "<", with: "#lt;")
      .replacingOccurrences(of: ">", with: "#gt;")
  }
}
