import Formats

/// What is told of pairs of words.
struct WordMatrix {
  let words: [String]
  private var values: [[String]: Double] = [:]

  /// - Parameter rows: of a pair, `red-cyan`, its value.
  init(_ rows: [(pair: String, value: Double)], isSymmetric: Bool) {
    let pairs = rows.map { $0.pair.split(separator: "-").map(String.init) }
    words = Set(pairs.joined()).sorted()
    for (pair, row) in zip(pairs, rows) {
      values[pair] = row.value
      if isSymmetric { values[pair.reversed()] = row.value }
    }
  }

  var table: Block {
    .table(
      columns: [""] + words.map(Markdown.name),
      rows: words.map { row in
        [Markdown.name(row)]
          + words.map { column in
            values[[row, column]].map { Markdown.number($0, digits: 2) } ?? Markdown.nothing
          }
      })
  }

  func chart(name: String, title: String, x: String, y: String) -> Block {
    .chart(
      name: name,
      .heatMap(
        HeatMapChart(
          title: title, xLabel: x, yLabel: y, columns: words, rows: words,
          values: words.map { row in words.map { values[[row, $0]] } })),
      alternative: title + "; the numbers stand below")
  }
}
