import Formats
import Lineage
import Measures

/// What an evaluation for words measured: of one of them, of a colour, or by K.
struct WordRow: Replicated {
  var title: String
  /// The evaluation's own stage.
  var stage: String
  var measure: String
  var k: Int?
  /// A word, or a size and a colour.
  var attribute: String?
  /// A colour and what it was told for.
  var pair: String?
  var detector: String?
  var estimate: Estimate
  var label = ""
  var thing: Labels.Thing { Labels.Thing(title: title, instances: [stage]) }

  struct Key: Hashable {
    var measure: String
    var k: Int?
    var attribute: String?
    var pair: String?
    var detector: String?
  }
  var key: Key {
    Key(measure: measure, k: k, attribute: attribute, pair: pair, detector: detector)
  }

  private static let measures: [Measure] = [
    .recallByWord, .mixing, .emptyPictures, .renderedMixing, .blendMixing, .renderedWords,
    .renderedColor, .colorConfusion,
  ]

  static func question(_ runID: String) -> Question<WordRow> {
    Question(
      """
      SELECT coalesce(v.intervention, v.model) AS title, v.name AS stage, m.name AS measure, m.k, m.attribute,
        m.pair, m.detector, m.value, m.ci_low, m.ci_high, m.n
      FROM run_model v JOIN metric m USING (execution_id)
      WHERE v.run_id = \(Escape.sql(runID)) AND v.kind = 'evaluate'
        AND m.name IN (\(measures.sqlNames))
      ORDER BY v.position, m.name, m.k, m.detector, m.attribute, m.pair
      """
    ) { row in
      WordRow(
        title: try row.text("title"), stage: try row.text("stage"),
        measure: try row.text("measure"), k: try row.optionalInteger("k"),
        attribute: try row.optionalText("attribute"), pair: try row.optionalText("pair"),
        detector: try row.optionalText("detector"), estimate: try row.estimate("value"))
    }
  }
}

/// Recall of words by whether they are a combination that training showed or held out.
struct AskedRow {
  var title: String
  var stage: String
  var executionID: String
  var asked: AskedFor
  var k: Int
  /// Beyond chance, with the interval of the recall itself.
  var recall: Estimate

  enum AskedFor: String {
    case seen
    case heldOut = "held-out"
  }

  static func question(_ runID: String) -> Question<AskedRow?> {
    Question(
      """
      SELECT coalesce(v.intervention, v.model) AS title, v.name AS stage, v.execution_id, coalesce(json_extract(e.params, '$.asked'), 'seen') AS asked,
        m.k, (m.value - c.value) / (1 - c.value) AS recall, (m.ci_low - c.value) / (1 - c.value) AS ci_low,
        (m.ci_high - c.value) / (1 - c.value) AS ci_high, m.n
      FROM run_model v JOIN execution e ON e.id = v.execution_id
      JOIN metric m ON m.execution_id = v.execution_id AND m.name = \(Measure.recall.sqlName)
      JOIN metric c ON c.execution_id = v.execution_id AND c.name = \(Measure.recallChance.sqlName) AND c.k = m.k
      WHERE v.run_id = \(Escape.sql(runID)) AND v.kind = 'evaluate' AND c.value < 1
      ORDER BY v.position, m.k
      """
    ) { row in
      guard let asked = try row.optionalText("asked").flatMap(AskedFor.init) else { return nil }
      return AskedRow(
        title: try row.text("title"), stage: try row.text("stage"),
        executionID: try row.text("execution_id"), asked: asked,
        k: try row.integer("k"), recall: try row.estimate("recall"))
    }
  }
}

/// Where words act in a denoiser's own pictures.
struct WordProbeRow: Replicated {
  var title: String
  var stage: String
  var measure: String
  var k: Int
  var sigma: Double
  var attribute: String?
  var estimate: Estimate
  var label = ""
  var thing: Labels.Thing { Labels.Thing(title: title, instances: [stage]) }

  struct Key: Hashable {
    var measure: String
    var k: Int
    var sigma: Double
    var attribute: String?
  }
  var key: Key { Key(measure: measure, k: k, sigma: sigma, attribute: attribute) }

  static func question(_ runID: String) -> Question<WordProbeRow> {
    Question(
      """
      SELECT coalesce(v.intervention, v.model) AS title, v.name AS stage, m.name AS measure, m.k, m.sigma,
        m.attribute, m.value, m.ci_low, m.ci_high, m.n
      FROM run_model v JOIN metric m USING (execution_id)
      WHERE v.run_id = \(Escape.sql(runID)) AND v.kind = 'probe' AND m.name GLOB 'word.*'
      ORDER BY v.position, m.k, m.sigma DESC, m.name, m.attribute
      """
    ) { row in
      WordProbeRow(
        title: try row.text("title"), stage: try row.text("stage"),
        measure: try row.text("measure"), k: try row.integer("k"),
        sigma: try row.number("sigma"), attribute: try row.optionalText("attribute"),
        estimate: try row.estimate("value"))
    }
  }
}
