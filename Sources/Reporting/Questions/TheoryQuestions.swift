import Formats
import Measures

/// A violation of composition or of locality in a world.
enum Violation: CaseIterable {
  case kl, pixel, label

  func measure(_ windows: Measure.Windows) -> Measure {
    switch self {
    case .kl: .theoryKL(windows)
    case .pixel: .theoryPixel(windows)
    case .label: .theoryLabel(windows)
    }
  }
}

/// The `theory` stages of a run, from their metric rows.
struct TheoryWorld {
  struct Key: Hashable {
    var measure: Measure
    var coupling: Double?
    var sigma: Double?
    var k: Int?
    /// Where windows are taken and noise is added, under a transform.
    var view: String?
    var pair: String?
    var score: SampledScore?
  }
  /// The instance, for example `line[family=exclusion]`.
  var name: String
  var family: String
  /// `none`, `orthogonal` or `general`.
  var transform: String
  var isControl: Bool
  var values: [Key: Estimate]

  /// The name without its matrix.
  var group: String { String(name.prefix { $0 != "[" }) }
  var couplings: [Double] { Set(values.keys.compactMap(\.coupling)).sorted() }
  /// Noise levels above 0.
  var sigmas: [Double] { Set(values.keys.compactMap(\.sigma)).filter { $0 > 0 }.sorted() }
  var views: [String?] {
    Set(values.keys.filter { $0.measure == .theoryKL(.block) && $0.sigma != 0 }.map(\.view))
      .sorted { ($0 ?? "") < ($1 ?? "") }
  }
  /// Whether it was integrated rather than sampled.
  var isQuadrature: Bool {
    values.contains { $0.key.measure == .theoryGap && $0.value.n == nil }
  }

  func estimate(
    _ measure: Measure, _ coupling: Double, sigma: Double? = nil, k: Int? = nil,
    view: String? = nil, pair: String? = nil, score: SampledScore? = nil
  ) -> Estimate? {
    values[
      Key(
        measure: measure, coupling: coupling, sigma: sigma, k: k, view: view, pair: pair,
        score: score)]
  }

  /// KL of what is composed, nats, without noise: enumerated, so that it decides whether CPC holds.
  func enumerated(_ windows: Measure.Windows, _ coupling: Double) -> Double? {
    estimate(.theoryKL(windows), coupling, sigma: 0)?.value
  }

  static func question(_ runID: String) -> Question<Row> {
    Question(
      """
      SELECT s.name AS world, json_extract(e.params, '$.family') AS family,
        json_extract(e.params, '$.transform') AS transform, m.name, m.coupling, m.sigma, m.k, m.view,
        m.pair, m.score, m.value, m.ci_low, m.ci_high, m.n
      FROM stage s JOIN execution e ON e.id = s.execution_id JOIN metric m ON m.execution_id = e.id
      WHERE s.run_id = \(Escape.sql(runID)) AND s.kind = 'theory' ORDER BY s.id
      """
    ) { row in
      Row(
        world: try row.text("world"), family: try row.text("family"),
        transform: try row.text("transform"), measure: Measure.named(try row.text("name")),
        coupling: try row.optionalNumber("coupling"), sigma: try row.optionalNumber("sigma"),
        k: try row.optionalInteger("k"), view: try row.optionalText("view"),
        pair: try row.optionalText("pair"),
        score: try row.optionalText("score").flatMap(SampledScore.init),
        estimate: try row.estimate("value"))
    }
  }

  /// In the order of the pipeline.
  static func all(_ data: RunData) throws -> [TheoryWorld] {
    var worlds: [TheoryWorld] = []
    for row in try data.ask(question(data.run.id)) {
      if worlds.last?.name != row.world {
        worlds.append(
          TheoryWorld(
            name: row.world, family: row.family, transform: row.transform, isControl: false,
            values: [:]))
      }
      guard let measure = row.measure else { continue }
      let last = worlds.count - 1
      if measure == .theoryControl {
        worlds[last].isControl = row.estimate.value == 1
      } else {
        let key = Key(
          measure: measure, coupling: row.coupling, sigma: row.sigma, k: row.k, view: row.view,
          pair: row.pair, score: row.score)
        worlds[last].values[key] = row.estimate
      }
    }
    return worlds
  }

  /// One number of a world.
  struct Row {
    var world: String
    var family: String
    var transform: String
    /// `nil` when a newer Locus stored it.
    var measure: Measure?
    var coupling: Double?
    var sigma: Double?
    var k: Int?
    var view: String?
    var pair: String?
    var score: SampledScore?
    var estimate: Estimate
  }
}
