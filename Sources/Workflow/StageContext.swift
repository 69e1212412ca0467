import Formats
import Foundation
import Lineage

/// Everything a stage may look at: its parameters, its seed, and content whose hash is in its key or in
/// such content. Nothing else of the machine or the pipeline may influence its output, or equal keys
/// would not mean equal results.
package struct StageContext: Sendable {
  /// Normalised: every default filled in.
  package let parameters: JSONValue
  package let seed: UInt64
  /// Changes the time that a stage takes, never its result.
  package let threads: Int
  /// By role; one element for `.one`, none or one for `.optional`, any number for the lists.
  package let inputs: [String: [StageInput]]
  /// What lies outside of the store, by the parameter that names it; its hash is the parameter's value.
  package let outside: [String: OutsideContent]
  /// The file of this content, which an input names by its hash.
  package let object: @Sendable (_ sha256: String) -> StageFile
  /// An empty folder of this execution's own, removed afterwards.
  package let scratch: URL
  /// What an earlier process had done of this very execution, and where to keep what is done.
  package let checkpoint: Checkpoint
  package let progress: @Sendable (StageProgress) -> Void
  /// Tells what a person should know of the work: shown, and kept among the run's events. It follows the
  /// stage's name.
  package let note: @Sendable (String) -> Void
  /// Throws `CancellationError` after SIGINT or SIGTERM; call it at least every second.
  package let checkCancellation: @Sendable () throws -> Void

  package init(
    parameters: JSONValue, seed: UInt64, threads: Int, inputs: [String: [StageInput]],
    outside: [String: OutsideContent] = [:], object: @escaping @Sendable (String) -> StageFile,
    scratch: URL,
    checkpoint: Checkpoint = Checkpoint(), progress: @escaping @Sendable (StageProgress) -> Void,
    note: @escaping @Sendable (String) -> Void = { _ in },
    checkCancellation: @escaping @Sendable () throws -> Void
  ) {
    self.parameters = parameters
    self.seed = seed
    self.threads = threads
    self.inputs = inputs
    self.outside = outside
    self.object = object
    self.scratch = scratch
    self.checkpoint = checkpoint
    self.progress = progress
    self.note = note
    self.checkCancellation = checkCancellation
  }
}

/// The outputs of the stage that an input names: hashed content, and nothing of who made it.
package struct StageInput: Sendable {
  /// By output role.
  package let files: [String: StageFile]

  package init(files: [String: StageFile]) { self.files = files }
}

package struct StageFile: Sendable {
  package let url: URL
  package let sha256: String

  package init(url: URL, sha256: String) {
    self.url = url
    self.sha256 = sha256
  }
}

/// How far a stage has come, in units of its own (`pictures`, `layouts`, `probes`).
package struct StageProgress: Sendable {
  package var done: Int
  package var total: Int
  package var unit: String
  /// The latest values, for example the loss; shown, not kept.
  package var metrics: [MetricRow]

  package init(done: Int, total: Int, unit: String, metrics: [MetricRow] = []) {
    self.done = done
    self.total = total
    self.unit = unit
    self.metrics = metrics
  }
}

/// What a stage gives back: files in its scratch folder, metrics and rows of further tables.
package struct StageOutput: Sendable {
  package typealias File = StageFileToPublish
  package var files: [File]
  package var metrics: [MetricRow]
  /// Rows of the further tables that the store's vocabulary declares, by the name of the table.
  package var tables: [String: TableRows]

  package init(files: [File], metrics: [MetricRow] = [], tables: [String: TableRows] = [:]) {
    self.files = files
    self.metrics = metrics
    self.tables = tables
  }
}
