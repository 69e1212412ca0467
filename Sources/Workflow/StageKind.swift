import Formats
import Foundation
import Lineage

/// What a kind of stage is: its parameters, its inputs and the work itself.
///
/// Workflow knows nothing else of a kind. `Experiments` supplies one value a kind.
public struct StageKind: Sendable {
  /// The word after `kind:` in a pipeline file.
  public var name: String
  /// Raised by hand when the same parameters and inputs give other results.
  public var version: Int
  /// One sentence for `--help`.
  public var summary: String
  public var parameters: [Parameter]
  public var inputs: [InputDeclaration]
  /// Whether a seed has a part in its results; without one, equal parameters and inputs are enough.
  public var isSeeded: Bool
  /// Checks that span several parameters; runs before any work, on normalised parameters.
  public var check: @Sendable (JSONValue) -> [ParameterProblem]
  public var run: @Sendable (StageContext) throws -> StageOutput

  public init(
    name: String, version: Int, summary: String, parameters: [Parameter],
    inputs: [InputDeclaration], isSeeded: Bool = true,
    check: @escaping @Sendable (JSONValue) -> [ParameterProblem] = { _ in [] },
    run: @escaping @Sendable (StageContext) throws -> StageOutput
  ) {
    self.name = name
    self.version = version
    self.summary = summary
    self.parameters = parameters
    self.inputs = inputs
    self.isSeeded = isSeeded
    self.check = check
    self.run = run
  }
}

/// One parameter of a kind, with the range that is accepted.
public struct Parameter: Sendable {
  public var name: String
  public var type: ParameterType
  /// `nil`: the parameter is required.
  public var defaultValue: JSONValue?
  /// What it means and its unit, for `--help` and errors.
  public var help: String

  public init(_ name: String, _ type: ParameterType, default: JSONValue? = nil, help: String) {
    self.name = name
    self.type = type
    self.defaultValue = `default`
    self.help = help
  }
}

/// The values that a parameter accepts.
public indirect enum ParameterType: Sendable {
  case bool
  case text
  case integer(ClosedRange<Int>)
  /// Finite numbers only.
  case number(ClosedRange<Double>)
  case choice([String])
  /// A list of `count` elements of one type.
  case list(ParameterType, count: ClosedRange<Int>)
  case object([Parameter])
  /// An object whose member `tag` decides which further members it takes.
  case variant(tag: String, cases: [String: [Parameter]])
}

/// An input that a kind takes, as named under `inputs:`.
public struct InputDeclaration: Sendable {
  public enum Arity: Sendable {
    case one
    case optional
    /// A list that gathers every instance of the stages it names.
    case many
  }
  public var role: String
  /// The kinds of stage whose output is accepted.
  public var from: [String]
  public var arity: Arity
  public var help: String

  public init(_ role: String, from: [String], arity: Arity = .one, help: String) {
    self.role = role
    self.from = from
    self.arity = arity
    self.help = help
  }
}

/// A fault that a kind's own `check` found: the path of the parameter, and what is accepted.
public struct ParameterProblem: Sendable, Hashable {
  /// As in the pipeline file, for example `network.width`.
  public var path: String
  public var message: String

  public init(path: String, message: String) {
    self.path = path
    self.message = message
  }
}

/// Everything a stage may look at. Nothing else of the machine or the pipeline may influence
/// its output, or equal keys would not mean equal results.
public struct StageContext: Sendable {
  /// Normalised: every default filled in.
  public let parameters: JSONValue
  public let seed: UInt64
  /// Changes the time that a stage takes, never its result.
  public let threads: Int
  /// By role; one element for `.one`, none or one for `.optional`, any number for `.many`.
  public let inputs: [String: [StageInput]]
  /// An empty folder of this execution's own, removed afterwards.
  public let scratch: URL
  /// What an earlier process had done of this very execution, and where to keep what is done.
  public let checkpoint: Checkpoint
  public let progress: @Sendable (StageProgress) -> Void
  /// Throws `CancellationError` after SIGINT or SIGTERM; call it at least every second.
  public let checkCancellation: @Sendable () throws -> Void

  public init(
    parameters: JSONValue, seed: UInt64, threads: Int, inputs: [String: [StageInput]], scratch: URL,
    checkpoint: Checkpoint = Checkpoint(), progress: @escaping @Sendable (StageProgress) -> Void,
    checkCancellation: @escaping @Sendable () throws -> Void
  ) {
    self.parameters = parameters
    self.seed = seed
    self.threads = threads
    self.inputs = inputs
    self.scratch = scratch
    self.checkpoint = checkpoint
    self.progress = progress
    self.checkCancellation = checkCancellation
  }
}

/// The outputs of the stage that an input names.
public struct StageInput: Sendable {
  /// The kind of the stage that made it.
  public let kind: String
  /// The normalised parameters of the stage that made it.
  public let parameters: JSONValue
  /// By output role.
  public let files: [String: StageFile]

  public init(kind: String, parameters: JSONValue, files: [String: StageFile]) {
    self.kind = kind
    self.parameters = parameters
    self.files = files
  }
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
