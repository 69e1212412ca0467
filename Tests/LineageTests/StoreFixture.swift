import Formats
import Foundation
import Measures

@testable import Lineage

/// A store in a folder of its own, with stages published as a run would.
final class StoreFixture {
  let folder: URL
  let store: Store
  /// Gives the execution that a stage of this key may use again.
  private var reuse: ((String) throws -> SucceededExecution?)?

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(
      path: "locus-store-\(UUID().uuidString)")
    store = try Store.open(folder, .readWrite, .locus)
  }

  /// Another view of a store, which stays when this goes.
  init(_ store: Store) {
    folder = store.temporaryFolder.appending(path: "none")
    self.store = store
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  func removal(keeping rules: [Keep]) throws -> Removal {
    try Store.removal(from: folder, keeping: rules, .locus)
  }

  func begin(_ pipeline: String = "study", path: String = "study.json5") throws -> String {
    try store.beginRun(
      pipeline: pipeline, path: path, source: "{}", trigger: "test", seed: 1, host: "here",
      locusVersion: "0", gitCommit: nil)
  }

  /// Publishes a stage whose files hold the given texts.
  @discardableResult
  func stage(
    _ run: String, _ name: String, _ kind: String, parameters: JSONValue = .object([:]),
    inputs: [(String, String)] = [], files: [(String, String)],
    manifests: [(String, String)] = [], metrics: [MetricRow] = [], outcomes: [OutcomeRow] = [],
    places: [PlaceRow] = [], sensitivity: [SensitivityRow] = [], key: String? = nil
  ) throws -> ExecutionRecord {
    var execution = ExecutionRecord(
      key: key ?? SHA256.hash(Data(name.utf8)), kind: kind, parameters: parameters, seed: 1,
      inputs: inputs.map { ArtifactReference(role: $0.0, sha256: $0.1) })
    if let known = try reuse?(execution.key) {
      execution.id = known.id
      execution.outputs = known.outputs
      try record(run, name, execution, "reused")
      return execution
    }
    execution.wallSeconds = 2
    execution.metrics = metrics
    execution.tables = OutcomeRow.tables(outcomes).merging(PlaceRow.tables(places)) { $1 }
      .merging(SensitivityRow.tables(sensitivity)) { $1 }
    let published = try store.publish(
      execution,
      files: try files.map { try file($0.0, $0.1, "text/plain") }
        + manifests.map { try file($0.0, $0.1, ArtifactRecord.manifestMediaType) }, runID: run)
    try record(run, name, published, "executed")
    return published
  }

  func file(_ role: String, _ text: String, _ mediaType: String) throws
    -> StageFileToPublish
  {
    let url = store.temporaryFolder.appending(path: UUID().uuidString)
    try Data(text.utf8).write(to: url)
    return StageFileToPublish(role: role, url: url, kind: role, mediaType: mediaType)
  }

  func record(_ run: String, _ name: String, _ execution: ExecutionRecord, _ status: String)
    throws
  {
    try store.recordStage(
      StageRecord(
        runID: run, name: name, kind: execution.kind, key: execution.key, status: status,
        reason: "because", executionID: execution.id))
  }

  /// Every row of every table, so that databases can be compared.
  static func rows(_ database: Connection) throws -> [String: Set<[SQLValue]>] {
    let tables = try database.query("SELECT name FROM sqlite_schema WHERE type = 'table'")
    var result: [String: Set<[SQLValue]>] = [:]
    for name in tables.column("name").compactMap(\.text) {
      // Equal rows are counted.
      let columns = try database.query("SELECT name FROM pragma_table_info('\(name)')")
        .column("name").compactMap { $0.text.map { "\"\($0)\"" } }.joined(separator: ", ")
      let rows = try database.query(
        "SELECT \(columns), count(*) FROM \(name) GROUP BY \(columns)"
      ).rows
      result[name] = Set(rows)
    }
    return result
  }

  func hash(_ text: String) -> String { SHA256.hash(Data(text.utf8)) }

  /// The smallest whole story: scenes, a model, a mask, two evaluations, a comparison, a probe.
  @discardableResult
  func study(_ run: String, reuse: ((String) throws -> SucceededExecution?)? = nil) throws
    -> [ExecutionRecord]
  {
    self.reuse = reuse
    defer { self.reuse = nil }
    let scenes = try stage(run, "scenes", "generate", files: [("pixels", "p")])
    let train = try stage(
      run, "baseline[labelling=single]", "train",
      parameters: .object(["labelling": .string("single")]), inputs: [("scenes/pixels", hash("p"))],
      files: [("weights", "w")],
      metrics: [Measure.loss.row(0.5, .pictures(100)), Measure.loss.row(0.25, .pictures(200))])
    let mask = try stage(
      run, "masked", "intervene", parameters: .object(["mask": .string("conditioner")]),
      inputs: [("denoiser/weights", hash("w"))], files: [("weights", "w"), ("mask", "m")])
    let plain = try stage(
      run, "plain", "evaluate", inputs: [("denoiser/weights", hash("w"))],
      files: [("outcomes", "o1")],
      metrics: [
        Measure.recall.row(0.75, low: 0.7, high: 0.8, .k(5), .seed(1), n: 100),
        Measure.windowLoad.row(5, .k(5), .seed(1)),
      ],
      outcomes: [
        OutcomeRow(k: 5, layout: 0, seed: 1, requested: 5, found: 4, drawn: 6, exact: false)
      ],
      places: [
        PlaceRow(
          k: 5, layout: 0, seed: 1, place: 0, x: 3, y: 5, nearest: 4, found: true,
          foundBackground: false, opacity: 0.75)
      ],
      sensitivity: [
        SensitivityRow(
          inputs: .law, k: 5, sigma: 2, picture: 0, labels: 5, own: 1, swapped: 0.5, replaced: 2,
          remoteLabels: 4, remoteOwn: 0.5, removed: 0.25, moved: 0,
          single: 0.125)
      ])
    let masked = try stage(
      run, "masked_evaluated", "evaluate",
      inputs: [("denoiser/weights", hash("w")), ("denoiser/mask", hash("m"))],
      files: [("outcomes", "o2")], metrics: [Measure.recall.row(0.9, .k(5), .seed(1), n: 100)])
    let compare = try stage(
      run, "comparison", "compare",
      inputs: [("evaluations[0]/outcomes", hash("o1")), ("evaluations[1]/outcomes", hash("o2"))],
      files: [("comparison", "c")],
      metrics: [
        Measure.kMaxThreshold.row(0.9),
        Measure.kMax.row(3, low: 2, high: 4, .seed(1), .subject(hash("o1")), n: 24),
        Measure.effect(.recall).row(0.15, low: 0.1, high: 0.2, .subject(hash("o2")), n: 24),
        Measure.effect(.recall).row(0.2, .k(5), .subject(hash("o2"))),
        Measure.p(.recall).row(0.01, .subject(hash("o2"))),
        Measure.pHolm(.recall).row(0.02, .subject(hash("o2"))),
      ])
    let probe = try stage(
      run, "locality", "probe", inputs: [("denoiser/weights", hash("w"))], files: [("map", "x")],
      metrics: [Measure.locality(.pixel).row(0.8, .window(13), .sigma(2), .k(3), n: 12)])
    return [scenes, train, mask, plain, masked, compare, probe]
  }
}

extension Store {
  func receiptURL(execution id: String) -> URL { ExecutionRecord.receiptURL(id, in: folder) }
  func receiptURL(run id: String) -> URL { RunRecord.receiptURL(id, in: folder) }
}
