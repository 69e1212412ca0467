import Formats
import Foundation
import Lineage

/// Everything a stage may look at: its parameters, its seed, and content whose hash is in its key or in
/// such content. Nothing else of the machine or the pipeline may influence its output, or equal keys
/// would not mean equal results.
public struct StageContext: Sendable {
  /// Normalised: every default filled in.
  public let parameters: JSONValue
  public let seed: UInt64
  /// Changes the time that a stage takes, never its result.
  public let threads: Int
  /// By role; one element for `.one`, none or one for `.optional`, any number for `.many`.
  public let inputs: [String: [StageInput]]
  /// The file of this content, which an input names by its hash.
  public let object: @Sendable (_ sha256: String) -> StageFile
  /// An empty folder of this execution's own, removed afterwards.
  public let scratch: URL
  /// What an earlier process had done of this very execution, and where to keep what is done.
  public let checkpoint: Checkpoint
  public let progress: @Sendable (StageProgress) -> Void
  /// Throws `CancellationError` after SIGINT or SIGTERM; call it at least every second.
  public let checkCancellation: @Sendable () throws -> Void

  public init(
    parameters: JSONValue, seed: UInt64, threads: Int, inputs: [String: [StageInput]],
    object: @escaping @Sendable (String) -> StageFile, scratch: URL,
    checkpoint: Checkpoint = Checkpoint(), progress: @escaping @Sendable (StageProgress) -> Void,
    checkCancellation: @escaping @Sendable () throws -> Void
  ) {
    self.parameters = parameters
    self.seed = seed
    self.threads = threads
    self.inputs = inputs
    self.object = object
    self.scratch = scratch
    self.checkpoint = checkpoint
    self.progress = progress
    self.checkCancellation = checkCancellation
  }
}

/// The outputs of the stage that an input names: hashed content, and nothing of who made it.
public struct StageInput: Sendable {
  /// By output role.
  public let files: [String: StageFile]

  public init(files: [String: StageFile]) { self.files = files }
}

public struct StageFile: Sendable {
  public let url: URL
  public let sha256: String

  public init(url: URL, sha256: String) {
    self.url = url
    self.sha256 = sha256
  }
}

/// How far a stage has come, in units of its own (`pictures`, `layouts`, `probes`).
public struct StageProgress: Sendable {
  public var done: Int
  public var total: Int
  public var unit: String
  /// The latest values, for example the loss; shown, not kept.
  public var metrics: [MetricRow]

  public init(done: Int, total: Int, unit: String, metrics: [MetricRow] = []) {
    self.done = done
    self.total = total
    self.unit = unit
    self.metrics = metrics
  }
}

/// What a stage gives back: files in its scratch folder, metrics and rows of further tables.
public struct StageOutput: Sendable {
  public typealias File = StageFileToPublish
  public var files: [File]
  public var metrics: [MetricRow]
  /// Rows of the further tables that the store's vocabulary declares, by the name of the table.
  public var tables: [String: TableRows]

  public init(files: [File], metrics: [MetricRow] = [], tables: [String: TableRows] = [:]) {
    self.files = files
    self.metrics = metrics
    self.tables = tables
  }
}
