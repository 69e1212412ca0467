import Formats
import Foundation
import Lineage
import Workflow

/// A run with all that it used, ready to be told to other programs.
struct ExportedRun {
  let run: RunRecord
  let history: History
  let store: Store
  /// The run that made an execution, and what it called it there, by the execution's id.
  let makers: [String: (run: RunRecord, stage: String)]
  private let executions: [String: ExecutionRecord]

  /// - Throws: for a run that has not ended: what is told of it would not be true for long.
  init(_ word: String, in store: Store) throws {
    let id = try StoreReference.run(word, in: store)
    self.store = store
    run = try store.run(id)
    if run.status == "running" {
      throw UsageError.badValue(
        id, option: "RUN", accepted: "a run that has ended; `locus status` says how far this one is"
      )
    }
    history = try History(of: run.stages.compactMap(\.executionID), in: store)
    makers = try Self.makers(of: history, in: store)
    executions = Dictionary(history.executions.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
  }

  /// The execution that a stage was or used.
  func execution(of stage: StageRecord) -> ExecutionRecord? {
    stage.executionID.flatMap { executions[$0] }
  }

  static func makers(of history: History, in store: Store) throws -> [String: (
    run: RunRecord, stage: String
  )] {
    var runs: [String: RunRecord] = [:]
    var result: [String: (run: RunRecord, stage: String)] = [:]
    for execution in history.executions {
      let found = try store.rows(
        """
        SELECT s.run_id, s.name FROM stage s JOIN run r ON r.id = s.run_id
        WHERE s.execution_id = ? ORDER BY s.status IN ('reused', 'skipped'), r.sequence, s.id LIMIT 1
        """, [.text(execution.id)])
      guard let row = found.first else { continue }
      let id = try row.text("run_id")
      let run = try runs[id] ?? store.run(id)
      runs[id] = run
      result[execution.id] = (run, try row.text("name"))
    }
    return result
  }
}

extension ArtifactRecord {
  /// What its name ends in, where it becomes a file of its own.
  var fileExtension: String {
    switch mediaType {
    case "application/x-npy": "npy"
    case "application/x-safetensors": "safetensors"
    case "text/csv": "csv"
    case "image/png": "png"
    case _ where mediaType.hasSuffix("json"): "json"
    default: "bin"
    }
  }
}

/// What says how a run or an execution ended.
enum Outcome {
  case success, failure, interruption

  init(_ status: String) {
    switch status {
    case "succeeded", "replaced": self = .success
    case "failed": self = .failure
    default: self = .interruption
    }
  }
}

/// Milliseconds since 1970; 0 for a text that is no time.
func milliseconds(_ time: String) -> Int {
  instant(time).map { Int(($0.timeIntervalSince1970 * 1000).rounded()) } ?? 0
}

/// The leaves of parameters by their paths, `network.width`, as text.
func flattened(_ value: JSONValue, _ path: String = "") -> [(name: String, value: JSONValue)] {
  guard let members = value.object else { return [(path, value)] }
  return members.sorted { $0.key < $1.key }.flatMap { key, value in
    flattened(value, path.isEmpty ? key : "\(path).\(key)")
  }
}

extension JSONValue {
  /// A text as it is, anything else as JSON.
  var plainText: String { string ?? canonicalText() }
}
