import Formats
import Lineage
import Measures
import Probing

/// A probe's remote index over all of its noise levels, as it was stored.
struct RemoteIndexRow: Replicated {
  var model: String
  /// The probe's own stage.
  var stage: String
  var inputs: ProbeInputs
  var k: Int
  var change: RemoteAverage.Change
  var index: Estimate
  var label = ""
  var thing: Labels.Thing { Labels.Thing(title: model, instances: [stage]) }

  struct Key: Hashable {
    var inputs: ProbeInputs
    var k: Int
    var change: RemoteAverage.Change
  }
  var key: Key { Key(inputs: inputs, k: k, change: change) }
  var estimate: Estimate {
    get { index }
    set { index = newValue }
  }

  /// - Parameter count: K and states of trajectories alone; `nil` for everything.
  static func question(_ runID: String, at count: Int? = nil) -> Question<RemoteIndexRow> {
    let measures = Measure.RemoteChange.allCases.map { ($0.rawValue, Measure.remoteIndex($0)) }
    let changes = measures.map { "WHEN \($1.sqlName) THEN '\($0)'" }.joined(separator: " ")
    let condition =
      count.map { " AND m.inputs = '\(ProbeInputs.trajectory.rawValue)' AND m.k = \($0)" } ?? ""
    return Question(
      """
      SELECT coalesce(v.intervention, v.model) AS model, v.name AS stage, m.inputs, m.k,
        CASE m.name \(changes) END AS change, m.value AS remote_index, m.ci_low, m.ci_high, m.n
      FROM run_model v JOIN metric m USING (execution_id)
      WHERE v.run_id = \(Escape.sql(runID)) AND v.kind = 'probe'
        AND m.name IN (\(measures.map(\.1).sqlNames))\(condition)
      ORDER BY v.position, m.k, m.inputs, m.name
      """
    ) { row in
      func value<Value: RawRepresentable<String>>(_ column: String) throws -> Value {
        let text = try row.text(column)
        guard let value = Value(rawValue: text) else {
          throw StoreError.column(column, problem: "\(text), which is not known")
        }
        return value
      }
      return RemoteIndexRow(
        model: try row.text("model"), stage: try row.text("stage"), inputs: try value("inputs"),
        k: try row.integer("k"), change: try value("change"),
        index: try row.estimate("remote_index"))
    }
  }
}

extension [RemoteIndexRow] {
  /// At states of the denoiser's own trajectory.
  func index(of stage: String, k: Int, _ change: RemoteAverage.Change) -> Estimate? {
    first {
      $0.stage == stage && $0.inputs == .trajectory && $0.k == k && $0.change == change
    }?.index
  }
}

/// One probe's remote index less another's, on the same layouts and noise, as `compare` stored it.
struct RemoteDifferenceRow {
  var k: Int
  /// The probes' own stages.
  var stage: String
  var other: String
  var difference: Estimate

  static func question(_ runID: String) -> Question<RemoteDifferenceRow> {
    Question(
      """
      \(MeasuredPair.named(runID))
      SELECT m.k, v.name AS stage, w.name AS other, m.value AS difference, m.ci_low, m.ci_high, m.n
      \(MeasuredPair.joined(runID, [.differenceRemote])) ORDER BY v.position, w.position, m.k, s.id
      """
    ) { row in
      RemoteDifferenceRow(
        k: try row.integer("k"), stage: try row.text("stage"), other: try row.text("other"),
        difference: try row.estimate("difference"))
    }
  }
}

/// What the index of one probe has beyond that of another, by K.
typealias RemoteDifferences = PairedEstimates<Int>

extension RemoteDifferences {
  init(_ rows: [RemoteDifferenceRow]) {
    self.init(rows.map { ($0.stage, $0.other, $0.k, $0.difference) })
  }

  func difference(_ stage: String, _ other: String, k: Int) -> Estimate? {
    difference(stage, other, of: k)
  }
}

/// The ratio of one change at one noise level.
struct RemoteLevelRow: Replicated {
  var model: String
  /// The probe's own stage.
  var stage: String
  var inputs: String
  var k: Int
  var sigma: Double
  var change: String
  var effect: Estimate
  var label = ""
  var thing: Labels.Thing { Labels.Thing(title: model, instances: [stage]) }

  struct Key: Hashable {
    var inputs: String
    var k: Int
    var sigma: Double
    var change: String
  }
  var key: Key { Key(inputs: inputs, k: k, sigma: sigma, change: change) }
  var estimate: Estimate {
    get { effect }
    set { effect = newValue }
  }

  static func question(_ runID: String) -> Question<RemoteLevelRow> {
    Question(
      """
      SELECT coalesce(intervention, model) AS model, name AS stage, inputs, k, sigma, change, effect, ci_low,
        ci_high, n
      FROM run_remote WHERE run_id = \(Escape.sql(runID)) ORDER BY position, k, inputs, sigma, change
      """
    ) { row in
      RemoteLevelRow(
        model: try row.text("model"), stage: try row.text("stage"), inputs: try row.text("inputs"),
        k: try row.integer("k"), sigma: try row.number("sigma"), change: try row.text("change"),
        effect: try row.estimate("effect"))
    }
  }
}
