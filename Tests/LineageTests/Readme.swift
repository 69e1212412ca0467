import Foundation

/// What README promises of the store.
enum Readme {
  static let text = text(of: "README.md")

  private static func text(of path: String) -> String {
    let root = URL(filePath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    return (try? String(contentsOf: root.appending(path: path), encoding: .utf8)) ?? ""
  }

  /// The columns of each table and view, from the lists under `| table |` and `| view |`.
  static func relations(_ what: String) -> [String: [String]] {
    var result: [String: [String]] = [:]
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard let start = lines.firstIndex(of: "| \(what) | columns |") else { return [:] }
    for line in lines[(start + 2)...].prefix(while: { $0.hasPrefix("|") }) {
      let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      // What stands in brackets explains.
      let plain = cells[1].replacing(#/ \([^)]*\)/#, with: "")
      let columns = plain.split(separator: ", ").map(String.init)
      for name in cells[0].matches(of: #/`([a-z_]+)`/#) { result[String(name.1)] = columns }
    }
    return result
  }

  /// The ready queries: each with the comment before it.
  static var queries: [String] {
    text.matches(of: #/```sql\n((?:.|\n)*?)```/#).flatMap { block in
      block.1.split(separator: ";\n").map {
        $0.split(separator: "\n").filter { !$0.hasPrefix("--") }.joined(separator: "\n")
      }
    }.filter { !$0.isEmpty }
  }

  /// The queries that a report it leads to names below its numbers.
  static func queries(ofReport path: String) -> [String] {
    text(of: path).matches(of: #/\nQuery: `([^`\n]*)`/#).map { String($0.1) }
  }

  /// The queries of lines such as `sqlite3 data/locus.sqlite 'select …'`.
  static var shellQueries: [String] {
    text.matches(of: #/sqlite3 data/locus\.sqlite (?:'([^'\n]*)'|"([^"\n]*)")/#).map {
      String($0.1 ?? $0.2 ?? "")
    }
  }
}
