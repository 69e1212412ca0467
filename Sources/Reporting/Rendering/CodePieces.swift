import Formats

/// Where a name may go on in the next line: a browser breaks no word by itself, and one long name makes a
/// table wider than its page.
enum CodePieces {
  /// Names of instances after `[` and `,`.
  static func split(_ code: String) -> [String] {
    var pieces: [String.UnicodeScalarView] = [String.UnicodeScalarView()]
    for scalar in code.unicodeScalars {
      pieces[pieces.count - 1].append(scalar)
      if scalar == "[" || scalar == "," { pieces.append(String.UnicodeScalarView()) }
    }
    return pieces.filter { !$0.isEmpty }.map(String.init)
  }
}

/// A table's rows as they fit GitHub's column, as far as breaking names can make them.
struct FittedRows {
  /// What is left of a window of 1280 px beside the list of files, in px.
  private static let column = 840
  /// Of a letter of code and of text, and of a cell's padding; at 16 px, as GitHub has them.
  private static let (code, letter, padding) = (8.2, 8.3, 27.0)

  let rows: [[String]]

  init(columns: [String], rows: [[String]]) {
    let widths = columns.indices.map { index in
      ([columns[index]] + rows.map { $0[index] }).map(Self.leastWidth).max() ?? 0
    }
    self.rows =
      widths.reduce(0) { $0 + $1 + Self.padding } <= Double(Self.column)
      ? rows : rows.map { $0.map(Self.breakable) }
  }

  /// Of a cell's longest word; code is one where it has no blank.
  private static func leastWidth(_ cell: String) -> Double {
    var isCode = false
    var longest = 0.0
    for part in cell.split(separator: "`", omittingEmptySubsequences: false) {
      let words = part.split(separator: " ").map { Double($0.count) }
      let width = (words.max() ?? 0) * (isCode ? code : letter) + (isCode ? 11 : 0)
      longest = max(longest, width)
      isCode.toggle()
    }
    return longest
  }

  /// Code that a browser may break is HTML: Markdown's own has no place for it.
  private static func breakable(_ cell: String) -> String {
    // A name with a backtick in it stands between several, and stays as it is.
    if cell.contains("``") { return cell }
    return cell.replacing(#/`([^`]+)`/#) { found in
      let pieces = CodePieces.split(String(found.1))
      if pieces.count == 1 { return String(found.0) }
      return "<code>" + pieces.map(Markdown.escape).joined(separator: "<wbr>") + "</code>"
    }
  }
}
