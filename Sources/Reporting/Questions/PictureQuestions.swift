import Formats
import Lineage
import Measures
import Workflow

/// A number of a model that a stage of its own measured, on the model or on what was drawn of it.
struct ModelNumber: Hashable {
  var title: String
  /// The measuring stage.
  var stage: String
  var measure: String
  var detector: String?
  var k: Int?
  var estimate: Estimate

  private init(_ row: Row, detector: String?) throws {
    title = try row.text("title")
    stage = try row.text("stage")
    measure = try row.text("name")
    self.detector = detector
    k = try row.optionalInteger("k")
    estimate = try row.estimate("value")
  }

  /// What an evaluation's pictures are like.
  static func quality(_ runID: String) -> Question<ModelNumber> {
    Question(
      """
      SELECT coalesce(v.intervention, v.model) AS title, s.name AS stage, m.name, m.k, m.value,
        m.ci_low, m.ci_high, m.n
      FROM stage s JOIN execution_input w ON w.execution_id = s.execution_id
        AND w.role = 'outcomes/manifest'
      JOIN execution_output o ON o.sha256 = w.sha256 AND o.role = 'manifest'
      JOIN run_model v ON v.run_id = s.run_id AND v.execution_id = o.execution_id
      JOIN metric m ON m.execution_id = s.execution_id
      WHERE s.run_id = \(Escape.sql(runID)) AND s.kind = 'quality'
        AND s.id = (SELECT min(z.id) FROM stage z
          WHERE z.execution_id = s.execution_id AND z.run_id = s.run_id)
      ORDER BY s.id, m.name, m.k
      """
    ) { try ModelNumber($0, detector: nil) }
  }

  /// What layouts and initial noises do to the count.
  static func variance(_ runID: String) -> Question<ModelNumber> {
    Question(
      """
      SELECT coalesce(v.intervention, v.model) AS title, v.name AS stage, m.name, m.detector, m.k,
        m.value, m.ci_low, m.ci_high, m.n
      FROM run_model v JOIN metric m USING (execution_id)
      WHERE v.run_id = \(Escape.sql(runID)) AND v.kind = 'variance'
      ORDER BY v.position, m.detector DESC, m.k, m.name
      """
    ) { try ModelNumber($0, detector: try $0.optionalText("detector")) }
  }
}

/// Numbers by model without its seed, in the order of the pipeline.
struct ModelNumbers {
  struct Model: Hashable {
    /// What the page calls it.
    var label: String
    fileprivate var title: String
    fileprivate var stage: String
  }

  private(set) var models: [Model] = []
  private let rows: [Model: [ModelNumber]]

  init(_ numbers: [ModelNumber]) {
    var rows: [Model: [ModelNumber]] = [:]
    let named = numbers.map { number in
      (
        title: Findings.withoutSeed(number.title), stage: Findings.withoutSeed(number.stage),
        number: number
      )
    }
    let stages = Dictionary(grouping: named, by: \.title).mapValues { Set($0.map(\.stage)).count }
    for (title, stage, number) in named {
      let model = Model(
        label: stages[title] == 1 ? title : "\(title), \(stage)", title: title, stage: stage)
      if rows[model] == nil { models.append(model) }
      rows[model, default: []].append(number)
    }
    self.rows = rows
  }

  /// The K of a measure.
  func counts(_ model: Model, _ measure: Measure) -> [Int] {
    Set(rows[model, default: []].filter { $0.measure == measure.name }.compactMap(\.k)).sorted()
  }

  /// A value a seed.
  func replicates(
    _ model: Model, _ measure: Measure, k: Int? = nil, _ detector: Detector? = nil
  ) -> Replicates {
    var values: [Replicates.Value] = []
    for row in rows[model, default: []]
    where row.measure == measure.name && row.k == k && row.detector == detector?.rawValue {
      let seed = Labels.seed(of: row.title, measuredBy: row.stage)
      if values.contains(where: { $0.seed == seed }) { continue }
      values.append(.init(seed: seed, estimate: row.estimate))
    }
    return Replicates(values)
  }

  /// The mean over seeds with its interval, or what the one seed has.
  func mean(_ model: Model, _ measure: Measure, k: Int? = nil, _ detector: Detector? = nil)
    -> Estimate?
  {
    replicates(model, measure, k: k, detector).mean
  }
}
