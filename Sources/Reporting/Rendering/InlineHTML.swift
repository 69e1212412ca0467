import Formats

/// The inline Markdown that blocks are written in, as HTML: emphasis, code spans, what is escaped, and of
/// links their words. What is no markup stays as it reads, and every element that begins ends.
struct InlineHTML {
  static func render(_ words: String) -> String {
    var reader = InlineHTML(words)
    reader.read()
    return reader.result.joined()
  }

  private let scalars: [Unicode.Scalar]
  private var place = 0
  /// What was read, piece by piece: an element that never ends becomes its stars again.
  private var result: [String] = []
  private var text = String.UnicodeScalarView()
  private var open: [(element: Emphasis, piece: Int)] = []

  private enum Emphasis: String { case strong, em }

  private init(_ words: String) { scalars = Array(words.unicodeScalars) }

  private func scalar(_ offset: Int) -> Unicode.Scalar? {
    scalars.indices.contains(place + offset) ? scalars[place + offset] : nil
  }

  private mutating func read() {
    while let next = scalar(0) {
      switch next {
      case "\\" where scalar(1).map(Self.isPunctuation) ?? false:
        text.append(scalars[place + 1])
        place += 2
      case "`": readCode()
      case "*": readStars()
      case "&": readEntity()
      case "[": readLink()
      default: take(1)
      }
    }
    flush()
    for left in open { result[left.piece] = left.element == .strong ? "**" : "*" }
  }

  private mutating func take(_ count: Int) {
    text.append(contentsOf: scalars[place..<place + count])
    place += count
  }

  private mutating func flush() {
    if text.isEmpty { return }
    result.append(Escape.xml(String(text)))
    text.removeAll()
  }

  private static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
    (33..<127).contains(scalar.value) && !scalar.properties.isAlphabetic
      && !("0"..."9").contains(scalar)
  }

  private func length(of wanted: Unicode.Scalar, from start: Int) -> Int {
    scalars[start...].prefix { $0 == wanted }.count
  }

  /// To as many backticks as it began with; a blank at both ends is taken off.
  private mutating func readCode() {
    let fence = length(of: "`", from: place)
    var end = place + fence
    while end < scalars.count {
      let run = length(of: "`", from: end)
      if run == fence { break }
      end += max(run, 1)
    }
    if end >= scalars.count { return take(fence) }
    var content = scalars[place + fence..<end]
    if content.first == " ", content.last == " ", content.contains(where: { $0 != " " }) {
      content = content.dropFirst().dropLast()
    }
    flush()
    var code = String.UnicodeScalarView()
    code.append(contentsOf: content)
    let pieces = CodePieces.split(String(code)).map(Escape.xml)
    result.append("<code>\(pieces.joined(separator: "<wbr/>"))</code>")
    place = end + fence
  }

  /// What closes the innermost element closes it; otherwise, before a word, one begins.
  private mutating func readStars() {
    let run = length(of: "*", from: place)
    let follows = place > 0 && !scalars[place - 1].properties.isWhitespace
    let precedes = scalar(run).map { !$0.properties.isWhitespace } ?? false
    var left = run
    while left > 0 {
      let width = left >= 2 && open.last?.element != .em ? 2 : 1
      let element: Emphasis = width == 2 ? .strong : .em
      if follows, open.last?.element == element {
        flush()
        result.append("</\(element.rawValue)>")
        open.removeLast()
      } else if precedes, !open.contains(where: { $0.element == element }) {
        flush()
        open.append((element, result.count))
        result.append("<\(element.rawValue)>")
      } else {
        text.append(contentsOf: String(repeating: "*", count: width).unicodeScalars)
      }
      left -= width
    }
    place += run
  }

  private mutating func readEntity() {
    for (entity, meaning) in [("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")] {
      guard scalars[place...].starts(with: entity.unicodeScalars) else { continue }
      text.append(contentsOf: meaning.unicodeScalars)
      place += entity.unicodeScalars.count
      return
    }
    take(1)
  }

  /// A page that stands alone leads to no other one.
  private mutating func readLink() {
    guard let end = unescaped("]", from: place + 1), scalars.indices.contains(end + 1),
      scalars[end + 1] == "(", let close = unescaped(")", from: end + 2)
    else { return take(1) }
    var words = String.UnicodeScalarView()
    words.append(contentsOf: scalars[place + 1..<end])
    flush()
    result.append(Self.render(String(words)))
    place = close + 1
  }

  private func unescaped(_ wanted: Unicode.Scalar, from start: Int) -> Int? {
    var index = start
    while index < scalars.count {
      if scalars[index] == wanted { return index }
      index += scalars[index] == "\\" ? 2 : 1
    }
    return nil
  }
}
