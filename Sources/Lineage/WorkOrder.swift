import Formats

/// What a process needs to execute one stage, wherever it runs: it never opens the database.
package struct WorkOrder: Sendable, Codable, Hashable, ReceiptContent {
  /// 1 is the first; another one is refused, since nobody keeps an order longer than its work.
  package static let version = 1

  package var format = WorkOrder.version
  /// The instance, for messages.
  package var stage: String
  package var key: String
  package var attempt: Int
  package var kind: String
  package var kindVersion: Int
  /// Normalised, with the hashes of what lies outside in the place of its paths.
  package var parameters: JSONValue
  package var seed: UInt64
  /// By role, for each stage it names the hashes of its outputs by their role, in the order of the key.
  package var inputs: [String: [[String: String]]]
  /// What lies outside, by the parameter that names it.
  package var outside: [String: Outside]
  /// Where objects, checkpoints and orders lie, as every node of the cluster sees it.
  package var folder: String
  package var threads: Int
  /// By what the result is to be computed: a node that computes otherwise refuses.
  package var numerics: String?
  /// Seconds of work between two checkpoints.
  package var checkpointInterval: Double

  package struct Outside: Sendable, Codable, Hashable {
    package var path: String
    package var sha256: String
    /// Of a folder: the hash of each file by its name.
    package var files: [String: String]

    package init(path: String, sha256: String, files: [String: String]) {
      self.path = path
      self.sha256 = sha256
      self.files = files
    }
  }

  package init(
    stage: String, key: String, attempt: Int, kind: String, kindVersion: Int, parameters: JSONValue,
    seed: UInt64, inputs: [String: [[String: String]]], outside: [String: Outside], folder: String,
    threads: Int, numerics: String?, checkpointInterval: Double
  ) {
    self.stage = stage
    self.key = key
    self.attempt = attempt
    self.kind = kind
    self.kindVersion = kindVersion
    self.parameters = parameters
    self.seed = seed
    self.inputs = inputs
    self.outside = outside
    self.folder = folder
    self.threads = threads
    self.numerics = numerics
    self.checkpointInterval = checkpointInterval
  }
}

/// The receipt of one attempt at a work order, by the process that made it: what the store will hold of it once
/// its objects have been verified.
package struct Delivery: Sendable, Codable, Hashable, ReceiptContent {
  /// Without an id, which the store gives.
  package var record: ExecutionRecord
  /// The scheduler's name of the job, where there is one.
  package var job: String?
  package var host: String
  /// What a person should know of the work.
  package var notes: [String]
  /// What the process ends with: 0 for a success.
  package var exitCode: Int32

  package init(
    record: ExecutionRecord, job: String?, host: String, notes: [String], exitCode: Int32
  ) {
    self.record = record
    self.job = job
    self.host = host
    self.notes = notes
    self.exitCode = exitCode
  }

  package var isSuccess: Bool { record.status == "succeeded" }

  /// Why this is no receipt of that order; `nil` where it is.
  package func misfit(_ order: WorkOrder) -> String? {
    if record.key != order.key { return "it is of another stage" }
    if record.attempt != order.attempt { return "it is of another attempt" }
    if (record.kind, record.kindVersion) != (order.kind, order.kindVersion) {
      return "it is of another kind"
    }
    if (record.parameters, record.seed) != (order.parameters, order.seed) {
      return "it is of other settings"
    }
    if record.instructions != order.numerics { return "it was computed by other numerics" }
    return nil
  }
}

/// How far a process has come with an order, for the eyes alone.
package struct OrderProgress: Sendable, Codable, Hashable {
  package var host: String
  /// UTC, ISO 8601.
  package var at: String
  package var done: Int
  package var total: Int
  package var unit: String
  package var rate: Double?
  package var secondsLeft: Double?

  package init(
    host: String, at: String, done: Int, total: Int, unit: String, rate: Double?,
    secondsLeft: Double?
  ) {
    self.host = host
    self.at = at
    self.done = done
    self.total = total
    self.unit = unit
    self.rate = rate
    self.secondsLeft = secondsLeft
  }
}
