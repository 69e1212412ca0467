import Foundation

/// The pieces that all charts share: their paper, text, lines, numbers.
enum ChartStyle {
  /// GitHub's column on a telephone is about 370 px: 14 px of 640 stay legible there.
  static let width = 640
  /// About so wide is a letter of the text, and of the title.
  static let letter = 7.7
  static let titleLetter = 8.8

  /// What is written, and what it is written on. A page's own colours are not known: an SVG in a page on
  /// GitHub learns what the system prefers, whatever the page looks like. So each chart brings its paper.
  struct Page {
    var paper: String
    var edge: String
    var text: String
  }
  static let light = Page(paper: "#ffffff", edge: "#d0d7de", text: "#24292f")
  static let dark = Page(paper: "#0d1117", edge: "#30363d", text: "#d0d7de")

  private static let style = """
    <style>
    text { font: 14px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: \(light.text); }
    .title { font-size: 16px; font-weight: 600; }
    .note { paint-order: stroke; stroke: \(light.paper); stroke-width: 4px; stroke-linejoin: round; }
    .grid { stroke: \(ChartLook.gray); stroke-opacity: 0.25; }
    .axis { stroke: \(ChartLook.gray); }
    @media (prefers-color-scheme: dark) {
    text { fill: \(dark.text); }
    .note { stroke: \(dark.paper); }
    .paper { fill: \(dark.paper); stroke: \(dark.edge); }
    }
    </style>
    """

  static func document(height: Int, title: String, _ body: String) -> String {
    """
    <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(height)" \
    viewBox="0 0 \(width) \(height)" role="img" aria-label="\(Escape.xml(title))">
    \(style)
    <rect class="paper" x="0.5" y="0.5" width="\(width - 1)" height="\(height - 1)" rx="6" \
    fill="\(light.paper)" stroke="\(light.edge)"/>
    \(body)</svg>

    """
  }

  /// A title in as many lines as it needs, and the height that they take.
  static func title(_ text: String, x: Double) -> (svg: String, height: Double) {
    let most = Int((Double(width) - 2 * x) / titleLetter)
    var lines: [String] = []
    for word in text.split(separator: " ").map(String.init) {
      if let last = lines.last, last.count + 1 + word.count <= most {
        lines[lines.count - 1] += " " + word
      } else {
        lines.append(word)
      }
    }
    let svg = lines.enumerated().map { index, line in
      Self.text(
        fitted(line, most), x, 26 + 20 * Double(index), attributes: " class=\"title\"")
    }.joined()
    return (svg, 40 + 20 * Double(max(lines.count - 1, 0)))
  }

  /// A text of at most so many letters: of a longer one its beginning and its end, which names differ in.
  static func fitted(_ text: String, _ most: Int) -> String {
    if text.count <= most { return text }
    let kept = max(most - 1, 2)
    return text.prefix(kept / 2) + "…" + text.suffix(kept - kept / 2)
  }

  /// Texts of at most so many letters that are told from each other: where some would look the same, the names of
  /// instances among them say less of what binds them, and a binding once.
  static func fitted(_ texts: [String], _ most: Int) -> [String] {
    let alike = Dictionary(grouping: Set(texts)) { fitted($0, most) }.filter { $1.count > 1 }
    if alike.isEmpty { return texts.map { fitted($0, most) } }
    let short = [true, false].lazy.map { names in
      texts.map { alike[fitted($0, most)] == nil ? $0 : shortened($0, hasAxes: names) }
    }
    let told = short.first { Set($0.map { fitted($0, most) }).count == Set(texts).count }
    return (told ?? texts).map { fitted($0, most) }
  }

  /// `a[network.width=8,x=1], b[network.width=8,y=2]` as `a[width=8,x=1], b[y=2]`, or `a[8,1], b[2]` without axes.
  private static func shortened(_ text: String, hasAxes: Bool) -> String {
    var known: Set<Substring> = []
    return text.components(separatedBy: ", ").map { name in
      guard let open = name.firstIndex(of: "["), name.hasSuffix("]") else { return name }
      let bindings = name[name.index(after: open)...].dropLast().split(separator: ",")
        .filter { known.insert($0).inserted }
      if bindings.isEmpty { return String(name[..<open]) }
      let said = bindings.map { binding -> Substring in
        let sides = binding.split(separator: "=", maxSplits: 1)
        guard sides.count == 2 else { return binding }
        if !hasAxes { return sides[1] }
        return (sides[0].split(separator: ".").last ?? sides[0]) + "=" + sides[1]
      }
      return name[...open] + said.joined(separator: ",") + "]"
    }.joined(separator: ", ")
  }

  static func text(
    _ string: String, _ x: Double, _ y: Double, anchor: String = "start", attributes: String = ""
  ) -> String {
    "<text x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\"\(attributes)>"
      + "\(Escape.xml(string))</text>\n"
  }

  /// A text within the plot, which keeps lines off its letters.
  static func note(_ string: String, _ x: Double, _ y: Double, anchor: String = "start") -> String {
    text(string, x, y, anchor: anchor, attributes: " class=\"note\"")
  }

  static func line(
    _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ attributes: String
  ) -> String {
    "<line x1=\"\(number(x1))\" y1=\"\(number(y1))\" x2=\"\(number(x2))\" y2=\"\(number(y2))\" "
      + "\(attributes)/>\n"
  }

  static func circle(_ x: Double, _ y: Double, _ radius: Double, _ attributes: String) -> String {
    "<circle cx=\"\(number(x))\" cy=\"\(number(y))\" r=\"\(number(radius))\" \(attributes)/>\n"
  }

  static func path(_ points: [(Double, Double)]) -> String {
    points.map { "\(number($0.0)),\(number($0.1))" }.joined(separator: " ")
  }

  /// Two decimals at most, the same on every machine.
  static func number(_ value: Double) -> String {
    let rounded = (value * 100).rounded() / 100
    return rounded == rounded.rounded() && abs(rounded) < 1e9 ? "\(Int(rounded))" : "\(rounded)"
  }

  /// A tick's label.
  static func label(_ value: Double) -> String {
    if value == 0 { return "0" }
    let magnitude = abs(value)
    if magnitude >= 1e5 || magnitude < 1e-3 {
      let exponent = Int(floor(log10(magnitude) + 1e-9))
      let mantissa = value / pow(10, Double(exponent))
      let rounded = (mantissa * 10).rounded() / 10
      return "\(rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)")e\(exponent)"
    }
    let rounded = (value * 1000).rounded() / 1000
    return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
  }
}
