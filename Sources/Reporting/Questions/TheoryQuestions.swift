/// The `theory` stages of a run, from their metric rows.
struct TheoryWorld {
  struct Key: Hashable {
    var name: String
    var coupling: Double?
    var sigma: Double?
    var k: Int?
    var arm: String?
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
  var arms: [String?] {
    Set(values.keys.filter { $0.name == "theory.kl.block" && $0.sigma != 0 }.map(\.arm))
      .sorted { ($0 ?? "") < ($1 ?? "") }
  }
  /// Whether it was integrated rather than sampled.
  var isQuadrature: Bool {
    values.contains { $0.key.name == "theory.gap" && $0.value.n == nil }
  }

  func estimate(
    _ name: String, _ coupling: Double, sigma: Double? = nil, k: Int? = nil, arm: String? = nil
  ) -> Estimate? {
    values[Key(name: "theory." + name, coupling: coupling, sigma: sigma, k: k, arm: arm)]
  }

  /// KL of what is composed, nats, without noise: enumerated, so that it decides whether CPC holds.
  func enumerated(_ form: String, _ coupling: Double) -> Double? {
    estimate("kl.\(form)", coupling, sigma: 0)?.value
  }

  static func question(_ runID: String) -> Question<Row> {
    Question(
      """
      SELECT s.name AS world, json_extract(e.params, '$.family') AS family,
        json_extract(e.params, '$.transform') AS transform, m.name, m.step AS coupling, m.sigma, m.k,
        m.arm, m.value, m.ci_low, m.ci_high, m.n
      FROM stage s JOIN execution e ON e.id = s.execution_id JOIN metric m ON m.execution_id = e.id
      WHERE s.run_id = \(quoted(runID)) AND s.kind = 'theory' ORDER BY s.id
      """
    ) { row in
      Row(
        world: try row.text("world"), family: try row.text("family"),
        transform: try row.text("transform"),
        key: Key(
          name: try row.text("name"), coupling: try row.numberIfAny("coupling"),
          sigma: try row.numberIfAny("sigma"), k: try row.integerIfAny("k"),
          arm: try row.textIfAny("arm")), estimate: try row.estimate("value"))
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
      let last = worlds.count - 1
      if row.key.name == "theory.control" {
        worlds[last].isControl = row.estimate.value == 1
      } else {
        worlds[last].values[row.key] = row.estimate
      }
    }
    return worlds
  }

  /// One number of a world.
  struct Row {
    var world: String
    var family: String
    var transform: String
    var key: Key
    var estimate: Estimate
  }
}
