import Formats

/// What a pipeline file says of where it runs: the object `executor`, and that of a stage over it. None of it
/// enters a key.
package struct ExecutorOptions: Sendable, Hashable {
  package enum Kind: String, Sendable, Hashable, CaseIterable {
    case local, slurm
  }

  package var type: Kind?
  package var partition: String?
  package var time: String?
  package var memory: String?
  package var cpus: Int?
  package var account: String?
  package var constraint: String?
  package var extra: [String]
  package var retries: Int

  package static let defaultRetries = 3

  package static let key = "executor"

  /// Of a stage's object.
  package static let ofStage: [Parameter] = [
    Parameter("partition", .text, default: .null, help: "the partition (sbatch --partition)"),
    Parameter(
      "time", .text, default: .null,
      help: "the limit of a job, as 30, 2:00:00 or 1-12 (sbatch --time)"),
    Parameter("memory", .text, default: .null, help: "memory of a job, as 4G (sbatch --mem)"),
    Parameter(
      "cpus", .integer(1...1024), default: .null,
      help: "processors, and so threads, of a job (sbatch --cpus-per-task)"),
    Parameter("account", .text, default: .null, help: "who pays (sbatch --account)"),
    Parameter(
      "constraint", .text, default: .null, help: "features of the nodes (sbatch --constraint)"),
    Parameter(
      "extra", .list(.text, count: 0...64), default: .null, help: "further words for sbatch"),
    Parameter(
      "retries", .integer(0...1000), default: .null,
      help: "how often a job that was lost is submitted again (default: \(defaultRetries))"),
  ]

  /// Of the pipeline's object.
  package static let ofPipeline =
    [
      Parameter(
        "type", .choice(Kind.allCases.map(\.rawValue)), default: .null, help: "where stages run")
    ] + ofStage

  /// - Parameter value: as the reader made it of the file; the members that it lacks are not set.
  init(_ value: JSONValue) {
    type = value["type"]?.string.flatMap(Kind.init)
    partition = value["partition"]?.string
    time = value["time"]?.string
    memory = value["memory"]?.string
    cpus = value["cpus"]?.integer
    account = value["account"]?.string
    constraint = value["constraint"]?.string
    extra = value["extra"]?.array?.compactMap(\.string) ?? []
    retries = value["retries"]?.integer ?? Self.defaultRetries
  }

  package init() { self.init(.object([:])) }

  /// A stage's members over the pipeline's.
  static func merged(_ pipeline: JSONValue, _ stage: JSONValue) -> JSONValue {
    guard case .object(let base) = pipeline else { return stage }
    guard case .object(let own) = stage else { return pipeline }
    return .object(base.merging(own) { $1 })
  }
}
