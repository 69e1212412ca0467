import Formats
import Foundation
import Measures

/// How far outputs depend on pixels and labels.
struct LocalitySection: Section {
  static let kinds: Set = ["probe"]

  private let run: String
  private let rows: [LocalityRow]
  private let sides: [SidesRow]
  private let maps: [SectionPicture]
  /// All that was probed are models of shapes of their own, which have a section of theirs.
  private let isElsewhere: Bool

  init(_ data: RunData) throws {
    run = data.run.id
    rows = try data.ask(LocalityRow.question(run)).labelled().overSeeds()
    var shown: Set<SidesRow.Key> = []
    // Of several seeds the first, as of the maps: a side is no mean.
    sides = try data.ask(SidesRow.question(run)).labelled().filter { shown.insert($0.key).inserted }
    maps = try SectionPicture.all(data, kind: "probe", role: "map")
    // Of fields, or of words, which have sections of their own.
    isElsewhere =
      try rows.isEmpty
      && !(data.ask(FieldRow.question(run)).isEmpty
        && data.ask(WordProbeRow.question(run)).isEmpty)
  }

  private var counts: [Int] { Set(rows.map(\.k)).sorted() }
  private var sigmas: [Double] { Set(rows.map(\.sigma)).sorted() }

  var blocks: [Block] {
    if isElsewhere { return [] }
    let heading = Block.heading("Locality")
    let nearest = sigmas.min { abs($0 - Claims.sigma) < abs($1 - Claims.sigma) }
    guard let sigma = nearest else { return [heading, .paragraph("No locality was probed.")] }
    var blocks: [Block] = [
      heading,
      .paragraph(
        "Share of the squared sensitivity of an output pixel that lies within a square window around it, "
          + "by exact Jacobians for pixels and by removing labels one at a time for conditioners. "
          + "Charts show the rest, which lies outside. *Even* is what it would be if sensitivity were spread evenly over the picture. "
          + "Bands are 95 % bootstrap intervals over pictures."),
    ]
    for space in [Measure.Space.pixel, .conditioner] {
      blocks += counts.flatMap { charts(space: space, k: $0, sigma: sigma) }
    }
    blocks.append(sidesTable)
    for (index, map) in maps.enumerated() {
      blocks += [
        .heading("Sensitivity maps of \(Markdown.name(map.stage))", level: 4),
        .paragraph(
          "Mean squared sensitivity around the output pixel (middle), on a logarithmic scale of six "
            + "decades; rows K = \(counts.map(String.init).joined(separator: ", ")), columns σ = "
            + "\(sigmas.map { Markdown.number($0, digits: 1) }.joined(separator: ", "))."),
        map.block(
          name: "locality-\(index + 1).png", alternative: "Sensitivity maps of \(map.stage)"),
      ]
    }
    return blocks + [LocalityRow.question(run).block]
  }

  private func charts(space: Measure.Space, k: Int, sigma: Double) -> [Block] {
    let here = rows.filter { $0.k == k && $0.sigma == sigma }
    let own = here.filter { $0.space == space }
    if own.isEmpty { return [] }
    var references: [LineChart.Series] = []
    let even = Dictionary(grouping: here.filter { $0.space == .isotropic }, by: \.window)
    if !even.isEmpty {
      let points = even.keys.sorted().map { window in
        let shares = even[window, default: []].map(\.share.value)
        return outside(window, Estimate(value: shares.reduce(0, +) / Double(shares.count)))
      }
      references.append(LineChart.Series(name: "even", points: points, isReference: true))
    }
    let subject = space == .pixel ? "pixels" : "conditioners"
    return grouped(own).parts.enumerated().map { index, part in
      let series = part + references
      let chart = LineChart(
        title: "Locality in \(subject), K = \(k), σ = \(ChartNumber.text(sigma))",
        xLabel: "side of the window, px", yLabel: "share outside the window",
        series: series, yScale: .logarithmic, yRange: leastDecade(series)...1, showsLess: true)
      return .chart(
        name: "locality-\(space.rawValue)-\(k)\(index == 0 ? "" : "-\(index + 1)").svg",
        .lines(chart),
        alternative:
          "Share of squared sensitivity to \(subject) outside the window against its side, K = \(k)"
      )
    }
  }

  /// Local models are told apart by what little lies outside: by decades, not beside the most.
  private func outside(_ window: Int, _ share: Estimate) -> LineChart.Point {
    func rest(_ share: Double) -> Double { max(0, 1 - share) }
    return LineChart.Point(
      x: Double(window), y: rest(share.value), low: share.high.map(rest), high: share.low.map(rest))
  }

  /// Of the charts, as of the maps.
  private static let decades = 6.0

  private func leastDecade(_ series: [LineChart.Series]) -> Double {
    let values = series.flatMap(\.points).map(\.y).filter { $0 >= pow(10, -Self.decades) }
    return pow(10, min(-1, floor(log10(values.min() ?? 1))))
  }

  private func grouped(_ rows: [LocalityRow]) -> [LineChart.Series] {
    var series: [LineChart.Series] = []
    for row in rows {
      let point = outside(row.window, row.share)
      if let place = series.firstIndex(where: { $0.name == row.label }) {
        series[place].points.append(point)
      } else {
        series.append(LineChart.Series(name: row.label, points: [point]))
      }
    }
    return series
  }

  private var sidesTable: Block {
    func three(_ sides: [Double?]) -> String {
      sides.map { $0.map { "\(Int($0))" } ?? Markdown.nothing }.joined(separator: " / ")
    }
    return .details(
      "Side of the square that holds 50, 75 and 95 %, in px",
      [
        .table(
          columns: [
            "model", "K", "σ", "pixels 50 / 75 / 95 %", "conditioners 50 / 75 / 95 %",
          ],
          rows: sides.map {
            [
              Markdown.name($0.label), "\($0.k)", ChartNumber.text($0.sigma),
              three($0.pixels), three($0.conditioners),
            ]
          }), SidesRow.question(run).block,
      ])
  }
}
