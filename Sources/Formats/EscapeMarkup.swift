// What browsers, GitHub, Mermaid, Graphviz and man read.

extension Escape {
  /// Text or an attribute's value in HTML, SVG and other XML. XML has no control characters and no
  /// noncharacters, escaped or not: they are shown.
  package static func xml(_ text: String) -> String {
    replacing(text) { scalar in
      switch scalar {
      case "&": "&amp;"
      case "<": "&lt;"
      case ">": "&gt;"
      case "\"": "&quot;"
      case "'": "&#39;"
      case "\n", "\r", "\t": "&#\(scalar.value);"
      case "\u{FFFE}", "\u{FFFF}": shown(scalar)
      default: isUnseen(scalar) ? shown(scalar) : nil
      }
    }
  }

  /// As `xml`, in preformatted text: its lines stay lines.
  package static func xmlLines(_ text: String) -> String {
    text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
      .map { xml(String($0)) }.joined(separator: "\n")
  }

  /// Text in GitHub-flavoured Markdown, in a paragraph or a table's cell: no part of it is markup.
  package static func markdown(_ text: String) -> String {
    let scalars = Array(line(text).unicodeScalars)
    var result = String.UnicodeScalarView()
    for (index, scalar) in scalars.enumerated() {
      switch scalar {
      // Between letters an underscore emphasises nothing.
      case "_"
      where index > 0 && isWord(scalars[index - 1]) && index + 1 < scalars.count
        && isWord(scalars[index + 1]):
        result.append(scalar)
      case "|", "*", "_", "[", "]", "`", "\\", "#", "~":
        result.append("\\")
        result.append(scalar)
      case "<": result.append(contentsOf: "&lt;".unicodeScalars)
      case ">": result.append(contentsOf: "&gt;".unicodeScalars)
      case "&": result.append(contentsOf: "&amp;".unicodeScalars)
      default: result.append(scalar)
      }
    }
    return String(result)
  }

  private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
    scalar.isASCII && scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
  }

  /// Text as inline code, between more backticks than follow each other in it.
  package static func markdownCode(_ text: String) -> String {
    let content = line(text)
    let fence = String(repeating: "`", count: longestRun(of: "`", in: content) + 1)
    // A blank at either end is taken off, and keeps backticks apart from the fence.
    let bytes = content.utf8
    let needsBlanks =
      bytes.first == UInt8(ascii: "`") || bytes.last == UInt8(ascii: "`") || bytes.isEmpty
      || bytes.first == UInt8(ascii: " ") && bytes.last == UInt8(ascii: " ")
    return needsBlanks ? "\(fence) \(content) \(fence)" : fence + content + fence
  }

  /// As `markdownCode`, in a table: the bar would end its cell, in code too.
  package static func markdownCodeCell(_ text: String) -> String {
    markdownCode(replacing(text) { $0 == "|" ? "¦" : nil })
  }

  /// A block of code in a fence longer than any run of backticks within.
  package static func markdownBlock(_ content: String, language: String) -> String {
    let fence = String(repeating: "`", count: max(3, longestRun(of: "`", in: content) + 1))
    return "\(fence)\(language)\n\(terminal(content))\n\(fence)"
  }

  private static func longestRun(of wanted: Unicode.Scalar, in text: String) -> Int {
    var longest = 0
    var run = 0
    for scalar in text.unicodeScalars {
      run = scalar == wanted ? run + 1 : 0
      longest = max(longest, run)
    }
    return longest
  }

  /// The text of a Mermaid node or arrow, to stand in quotation marks: its entities begin with `#`.
  package static func mermaid(_ text: String) -> String {
    replacing(line(text)) { scalar in
      switch scalar {
      case "\"": "#quot;"
      case "<": "#lt;"
      case ">": "#gt;"
      case "&": "#amp;"
      case "#", "`", "\\": "#\(scalar.value);"
      default: nil
      }
    }
  }

  /// A label of Graphviz's dot with its quotation marks; it reads HTML's entities in it.
  package static func dot(lines: [String]) -> String {
    let lines = lines.map { text in
      replacing(line(text)) { scalar in
        switch scalar {
        case "\"", "\\": "\\\(scalar)"
        case "&": "&amp;"
        default: nil
        }
      }
    }
    return "\"\(lines.joined(separator: "\\n"))\""
  }

  /// Text of man(7): a dash in an option must stay one when it is copied.
  package static func roff(_ text: String) -> String {
    replacing(text) { scalar in
      switch scalar {
      case "\\": "\\e"
      case "-": "\\-"
      // Where a terminal shows ASCII alone, groff drops it.
      case "…": "..."
      default: isUnseen(scalar) && scalar != "\n" ? "\\e" + shown(scalar).dropFirst() : nil
      }
    }
  }

  /// An argument of a macro of man(7), in quotation marks.
  package static func roffArgument(_ text: String) -> String {
    "\"" + replacing(roff(text)) { $0 == "\"" ? "\\(dq" : nil } + "\""
  }

  /// A line of man(7) that is escaped already: one that begins like a request is kept from being one.
  package static func roffLine(_ line: String) -> String {
    let first = line.unicodeScalars.first
    return (first == "." || first == "'" ? "\\&" : "") + line
  }
}
