import Formats
import Foundation

/// A file that an execution read or made, in the role that it had.
package struct ArtifactReference: Sendable, Codable, Hashable {
  /// `scenes/pixels` or `evaluations[3]/outcomes` for inputs, `pixels` for outputs.
  package var role: String
  package var sha256: String

  package init(role: String, sha256: String) {
    self.role = role
    self.sha256 = sha256
  }
}

/// One row of the table `artifact`.
package struct ArtifactRecord: Sendable, Codable, Hashable {
  package var sha256: String
  package var kind: String
  package var mediaType: String
  package var bytes: Int
  package var createdAt: String
  /// What it says of itself, when it is a manifest.
  package var manifest: JSONValue?

  /// The media type of a manifest: one JSON object with a text `type`, as canonical text.
  package static let manifestMediaType = "application/vnd.locus.manifest+json"
}

/// What was really computed once: a row of `execution` with all that belongs to it.
package struct ExecutionRecord: Sendable, Codable, Hashable {
  /// Given by the store.
  package var id = ""
  package var key: String
  package var kind: String
  package var parameters: JSONValue
  package var seed: UInt64
  /// UTC, ISO 8601; given by the store.
  package var startedAt = ""
  package var finishedAt = ""
  /// `succeeded`, `failed`, `interrupted`, or `replaced` by a later success of the same key that made the
  /// same bytes.
  package var status = ""
  package var error: String?
  package var cpuSeconds = 0.0
  package var wallSeconds = 0.0
  package var peakRSSBytes = 0
  package var threads = 1
  /// Counts the executions of one key in one store from 1; given by the store.
  package var attempt = 1
  /// The version of the kind, and the instruction set of the numeric modules; `nil` where it was not
  /// recorded.
  package var kindVersion: Int?
  package var instructions: String?
  package var inputs: [ArtifactReference]
  package var outputs: [ArtifactReference] = []
  /// What `outputs` name.
  package var artifacts: [ArtifactRecord] = []
  package var metrics: [MetricRow] = []
  /// Rows of the further tables that the vocabulary declares, by the name of the table.
  package var tables: [String: TableRows] = [:]

  package init(
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
  package init(from decoder: any Decoder) throws {
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
package struct SucceededExecution: Sendable, Hashable {
  package var id: String
  package var key: String
  /// What computed it; `nil` where it was not recorded.
  package var instructions: String?
  /// By role.
  package var outputs: [ArtifactReference]
}

/// What a run needed of a stage, and why: a row of `stage`.
package struct StageRecord: Sendable, Codable, Hashable {
  package var runID: String
  /// The instance, for example `baseline[labelling=single]`.
  package var name: String
  package var kind: String
  package var key: String?
  /// `running`, `executed`, `reused`, `failed`, `skipped` or `interrupted`.
  package var status: String
  package var reason: String
  package var executionID: String?

  package init(
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
package struct EventRecord: Sendable, Codable, Hashable {
  package var executionID: String?
  package var at: String
  package var level: String
  package var message: String

  /// The level of what a person said of a run.
  package static let note = "note"
}

/// One run with its pipeline, its stages and its events.
package struct RunRecord: Sendable, Codable, Hashable {
  package var id: String
  package var pipeline: String
  package var path: String
  package var source: String
  package var startedAt: String
  /// Milliseconds since 1970 when it began, but more than any earlier run's: in this order they are told,
  /// whatever the clock said. `nil` in receipts before format 3.
  package var sequence: Int?
  package var finishedAt: String?
  /// `running`, `succeeded`, `failed` or `interrupted`.
  package var status: String
  package var trigger: String
  package var seed: UInt64
  package var host: String
  package var locusVersion: String
  package var gitCommit: String?
  /// What it was asked for beside its file, as words of the command line: `--set`, `seed=2`, `--only`, …
  /// `nil` in receipts before format 3, as `machine` is.
  package var options: [String]?
  /// The processor, the system and the versions of what it ran with, by name.
  package var machine: [String: String]?
  package var stages: [StageRecord] = []
  package var events: [EventRecord] = []

  /// What follows a commit whose checkout held what the commit does not.
  package static let dirtyMark = "-dirty"

  /// How the message begins by which a run says that it was asked for a part of its pipeline alone.
  package static let partial = "a part of the pipeline: "

  /// What the order of runs was before format 3.
  static func sequence(ofStart startedAt: String) -> Int {
    instant(startedAt).map { Int(($0.timeIntervalSince1970 * 1000).rounded()) } ?? 0
  }

  /// Whether it has all that its pipeline file asks for.
  var isWhole: Bool {
    status == "succeeded" && !events.contains { $0.message.hasPrefix(Self.partial) }
  }

  /// A later record of the same stage replaces an earlier one.
  mutating func add(_ stage: StageRecord) {
    if let place = stages.firstIndex(where: { $0.name == stage.name }) {
      stages[place] = stage
    } else {
      stages.append(stage)
    }
  }
}

/// A file in a stage's scratch folder that shall become an artifact.
package struct StageFileToPublish: Sendable {
  package var role: String
  package var url: URL
  package var kind: String
  package var mediaType: String

  package init(role: String, url: URL, kind: String, mediaType: String) {
    self.role = role
    self.url = url
    self.kind = kind
    self.mediaType = mediaType
  }
}

private let instants = Date.ISO8601FormatStyle(includingFractionalSeconds: true, timeZone: .gmt)

/// The present, or `date`, as UTC in ISO 8601 with milliseconds.
func timestamp(_ date: Date = Date()) -> String { date.formatted(instants) }

/// What `timestamp` made.
package func instant(_ timestamp: String) -> Date? { try? instants.parse(timestamp) }
