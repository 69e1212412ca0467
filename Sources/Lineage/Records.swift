import Formats
import Foundation

/// A file that an execution read or made, in the role that it had.
public struct ArtifactReference: Sendable, Codable, Hashable {
  /// `scenes/pixels` or `evaluations[3]/outcomes` for inputs, `pixels` for outputs.
  public var role: String
  public var sha256: String

  public init(role: String, sha256: String) {
    self.role = role
    self.sha256 = sha256
  }
}

/// One row of the table `artifact`.
public struct ArtifactRecord: Sendable, Codable, Hashable {
  public var sha256: String
  public var kind: String
  public var mediaType: String
  public var bytes: Int
  public var createdAt: String
  /// What it says of itself, when it is a manifest.
  public var manifest: JSONValue?

  /// The media type of a manifest: one JSON object with a text `type`, as canonical text.
  public static let manifestMediaType = "application/vnd.locus.manifest+json"
}

/// What was really computed once: a row of `execution` with all that belongs to it.
public struct ExecutionRecord: Sendable, Codable, Hashable {
  /// Given by the store.
  public var id = ""
  public var key: String
  public var kind: String
  public var parameters: JSONValue
  public var seed: UInt64
  /// UTC, ISO 8601; given by the store.
  public var startedAt = ""
  public var finishedAt = ""
  /// `succeeded`, `failed`, `interrupted`, or `replaced` by a later success of the same key.
  public var status = ""
  public var error: String?
  public var cpuSeconds = 0.0
  public var wallSeconds = 0.0
  public var peakRSSBytes = 0
  public var threads = 1
  /// Counts the executions of one key from 1; given by the store.
  public var attempt = 1
  /// The version of the kind, and the instruction set of the numeric modules; `nil` where it was not
  /// recorded.
  public var kindVersion: Int?
  public var instructions: String?
  public var inputs: [ArtifactReference]
  public var outputs: [ArtifactReference] = []
  /// What `outputs` name.
  public var artifacts: [ArtifactRecord] = []
  public var metrics: [MetricRow] = []
  /// Rows of the further tables that the vocabulary declares, by the name of the table.
  public var tables: [String: TableRows] = [:]

  public init(
    key: String, kind: String, parameters: JSONValue, seed: UInt64, inputs: [ArtifactReference]
  ) {
    self.key = key
    self.kind = kind
    self.parameters = parameters
    self.seed = seed
    self.inputs = inputs
  }
}

extension ExecutionRecord {
  private enum CodingKeys: String, CodingKey {
    case id, key, kind, parameters, seed, startedAt, finishedAt, status, error, cpuSeconds,
      wallSeconds, peakRSSBytes, threads, attempt, kindVersion, instructions, inputs, outputs,
      artifacts, metrics, tables
  }

  /// Format 1 of receipts has no `tables`.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      key: try container.decode(String.self, forKey: .key),
      kind: try container.decode(String.self, forKey: .kind),
      parameters: try container.decode(JSONValue.self, forKey: .parameters),
      seed: try container.decode(UInt64.self, forKey: .seed),
      inputs: try container.decode([ArtifactReference].self, forKey: .inputs))
    id = try container.decode(String.self, forKey: .id)
    startedAt = try container.decode(String.self, forKey: .startedAt)
    finishedAt = try container.decode(String.self, forKey: .finishedAt)
    status = try container.decode(String.self, forKey: .status)
    error = try container.decodeIfPresent(String.self, forKey: .error)
    cpuSeconds = try container.decode(Double.self, forKey: .cpuSeconds)
    wallSeconds = try container.decode(Double.self, forKey: .wallSeconds)
    peakRSSBytes = try container.decode(Int.self, forKey: .peakRSSBytes)
    threads = try container.decode(Int.self, forKey: .threads)
    attempt = try container.decode(Int.self, forKey: .attempt)
    kindVersion = try container.decodeIfPresent(Int.self, forKey: .kindVersion)
    instructions = try container.decodeIfPresent(String.self, forKey: .instructions)
    outputs = try container.decode([ArtifactReference].self, forKey: .outputs)
    artifacts = try container.decode([ArtifactRecord].self, forKey: .artifacts)
    metrics = try container.decode([MetricRow].self, forKey: .metrics)
    tables = try container.decodeIfPresent([String: TableRows].self, forKey: .tables) ?? [:]
  }
}

/// What a later run has to know of a success to reuse it.
public struct SucceededExecution: Sendable, Hashable {
  public var id: String
  public var key: String
  /// By role.
  public var outputs: [ArtifactReference]
}

/// What a run needed of a stage, and why: a row of `stage`.
public struct StageRecord: Sendable, Codable, Hashable {
  public var runID: String
  /// The instance, for example `baseline[labelling=single]`.
  public var name: String
  public var kind: String
  public var key: String?
  /// `running`, `executed`, `reused`, `failed`, `skipped` or `interrupted`.
  public var status: String
  public var reason: String
  public var executionID: String?

  public init(
    runID: String, name: String, kind: String, key: String?, status: String, reason: String,
    executionID: String?
  ) {
    self.runID = runID
    self.name = name
    self.kind = kind
    self.key = key
    self.status = status
    self.reason = reason
    self.executionID = executionID
  }
}

/// One row of the table `event`.
public struct EventRecord: Sendable, Codable, Hashable {
  public var executionID: String?
  public var at: String
  public var level: String
  public var message: String
}

/// One run with its pipeline, its stages and its events.
public struct RunRecord: Sendable, Codable, Hashable {
  public var id: String
  public var pipeline: String
  public var path: String
  public var source: String
  public var startedAt: String
  public var finishedAt: String?
  /// `running`, `succeeded`, `failed` or `interrupted`.
  public var status: String
  public var trigger: String
  public var seed: UInt64
  public var host: String
  public var locusVersion: String
  public var gitCommit: String?
  public var stages: [StageRecord] = []
  public var events: [EventRecord] = []
}

/// A file in a stage's scratch folder that shall become an artifact.
public struct StageFileToPublish: Sendable {
  public var role: String
  public var url: URL
  public var kind: String
  public var mediaType: String

  public init(role: String, url: URL, kind: String, mediaType: String) {
    self.role = role
    self.url = url
    self.kind = kind
    self.mediaType = mediaType
  }
}

/// The present, or `date`, as UTC in ISO 8601 with milliseconds.
func timestamp(_ date: Date = Date()) -> String {
  date.formatted(
    Date.ISO8601FormatStyle(includingFractionalSeconds: true, timeZone: .gmt))
}
