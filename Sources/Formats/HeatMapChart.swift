import Foundation

/// A matrix as squares of a colour each, with its numbers where there is room, as SVG.
///
/// What is below 0 has another colour than what is above; the paper shows through where a value is near 0, on
/// light and dark pages alike.
package struct HeatMapChart: Sendable, Hashable {
  package var title: String
  package var xLabel: String
  package var yLabel: String
  package var columns: [String]
  package var rows: [String]
  /// [row][column]; `nil` where there is none.
  package var values: [[Double?]]
  /// The size at which a colour is full.
  package var full: Double

  package init(
    title: String, xLabel: String, yLabel: String, columns: [String], rows: [String],
    values: [[Double?]], full: Double = 1
  ) {
    self.title = title
    self.xLabel = xLabel
    self.yLabel = yLabel
    self.columns = columns
    self.rows = rows
    self.values = values
    self.full = full
  }

  /// Above 0, and below.
  private static let colors = ("#2f7fc4", "#c8504a")
  /// A number on its square stays legible.
  private static let mostOpaque = 0.65
  private static let squares = 14.0...56.0
  private static let height = 0.6
  private static let right = 20.0
  /// A number of two decimals with its sign.
  private static let number = 5 * ChartStyle.letter

  package func svg() -> String {
    let longest = Double(rows.map(\.count).max() ?? 0)
    let left = 40 + min(longest * ChartStyle.letter, 180)
    let room = Double(ChartStyle.width) - left - Self.right
    let wide = room / Double(max(columns.count, 1))
    let width = min(max(wide, Self.squares.lowerBound), Self.squares.upperBound)
    let height = width > Self.number ? width * Self.height : width
    let (head, top) = ChartStyle.title(title, x: 20)
    // Names of columns are turned where they would run into each other.
    let longestColumn = Double(columns.map(\.count).max() ?? 0) * ChartStyle.letter
    let isTurned = longestColumn > width - 4
    let names = isTurned ? min(longestColumn, 180) : 16
    let first = top + 22 + names
    let bottom = first + height * Double(rows.count)
    var body =
      head
      + ChartStyle.text(
        xLabel, left + width * Double(columns.count) / 2, top + 10, anchor: "middle")
    for (index, name) in columns.enumerated() {
      let x = left + width * (Double(index) + 0.5)
      let fitted = ChartStyle.fitted(name, 23)
      body +=
        isTurned
        ? ChartStyle.text(
          fitted, 0, 0,
          attributes:
            " transform=\"translate(\(ChartStyle.number(x + 5)) \(ChartStyle.number(first - 6))) rotate(-90)\""
        ) : ChartStyle.text(fitted, x, first - 6, anchor: "middle")
    }
    for (index, name) in rows.enumerated() {
      let y = first + height * (Double(index) + 0.5)
      body += ChartStyle.text(ChartStyle.fitted(name, 23), left - 8, y + 5, anchor: "end")
      for (column, value) in zip(columns.indices, values[index]) {
        guard let value, value.isFinite else { continue }
        body += square(
          value, x: left + width * Double(column), y: first + height * Double(index), width, height)
      }
    }
    let middle = ChartStyle.number((first + bottom) / 2)
    body += ChartStyle.text(
      yLabel, 0, 0, anchor: "middle",
      attributes: " transform=\"translate(18 \(middle)) rotate(-90)\"")
    return ChartStyle.document(height: Int(bottom) + 20, title: title, body)
  }

  private func square(_ value: Double, x: Double, y: Double, _ width: Double, _ height: Double)
    -> String
  {
    let opacity = min(abs(value) / max(full, .leastNormalMagnitude), 1) * Self.mostOpaque
    let color = value < 0 ? Self.colors.1 : Self.colors.0
    let rectangle =
      "<rect x=\"\(ChartStyle.number(x + 1))\" y=\"\(ChartStyle.number(y + 1))\" "
      + "width=\"\(ChartStyle.number(width - 2))\" height=\"\(ChartStyle.number(height - 2))\" "
      + "fill=\"\(color)\" fill-opacity=\"\(ChartStyle.number(opacity))\"/>\n"
    if width <= Self.number { return rectangle }
    let rounded = (value * 100).rounded() / 100
    return rectangle
      + ChartStyle.text(
        ChartStyle.number(rounded), x + width / 2, y + height / 2 + 5, anchor: "middle")
  }
}
