/// How each name looks in every chart of a page: one colour, one dash pattern and one mark.
///
/// Sixteen names differ in colour and dashes, and the mark tells four times as many apart: whoever sees
/// few colours, or prints in grey, has two more signs to go by.
package struct ChartLooks: Sendable {
  private var places: [String: Int] = [:]

  /// - Parameter names: in the order in which they get their looks; what stands again keeps its own.
  package init(_ names: some Sequence<String> = []) { add(names) }

  package mutating func add(_ names: some Sequence<String>) {
    for name in names where places[name] == nil { places[name] = places.count }
  }

  /// A name that was never added looks as the next one would.
  func look(of name: String) -> ChartLook { ChartLook(places[name] ?? places.count) }
}

/// Of one of the names in a chart.
struct ChartLook: Hashable {
  private let place: Int

  init(_ place: Int) { self.place = place }

  /// After Okabe and Ito, in a lightness that white and black pages bear.
  static let colors = [
    "#2f7fc4", "#cf7a1f", "#24966f", "#bd5a9c", "#86791f", "#7a6fd0", "#c8504a", "#3b979d",
  ]
  /// Of what is no name's: references, levels, marks.
  static let gray = "#868686"
  private static let dashes = ["", "8 4", "2 3", "10 3 2 3"]

  var color: String { Self.colors[place % Self.colors.count] }
  var dash: String { Self.dashes[place / 4 % Self.dashes.count] }

  /// Circle, square, triangle or diamond.
  func mark(_ x: Double, _ y: Double, isFull: Bool = true) -> String {
    // An empty one is filled with paper, which what lies under it does not show through.
    let fill =
      isFull
      ? "fill=\"\(color)\""
      : "class=\"paper\" fill=\"\(ChartStyle.light.paper)\" "
        + "style=\"stroke: \(color); stroke-width: 2\""
    func polygon(_ points: [(Double, Double)]) -> String {
      "<polygon points=\"\(ChartStyle.path(points.map { (x + $0.0, y + $0.1) }))\" \(fill)/>\n"
    }
    // Shifted every sixteen names, in which colour and dashes come round.
    switch (place + place / 16) % 4 {
    case 0: return ChartStyle.circle(x, y, 3.5, fill)
    case 1: return polygon([(-3.2, -3.2), (3.2, -3.2), (3.2, 3.2), (-3.2, 3.2)])
    case 2: return polygon([(0, -4.2), (4, 3.2), (-4, 3.2)])
    default: return polygon([(0, -4.4), (4.4, 0), (0, 4.4), (-4.4, 0)])
    }
  }

  var line: String {
    "stroke=\"\(color)\" stroke-width=\"2\""
      + (dash.isEmpty ? "" : " stroke-dasharray=\"\(dash)\"")
  }
}
