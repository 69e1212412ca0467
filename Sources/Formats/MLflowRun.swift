import Foundation

/// One run of MLflow's file store (`mlruns/EXPERIMENT/RUN`): YAML of facts, a file a parameter, a tag and a metric.
package struct MLflowRun: Sendable {
  /// As the store numbers them.
  package enum Status: Int, Sendable {
    case running = 1
    case finished = 3
    case failed = 4
    case killed = 5
  }

  package struct Point: Sendable {
    package var time: Int
    package var value: Double
    package var step: Int

    /// - Parameter time: milliseconds since 1970.
    package init(time: Int, value: Double, step: Int) {
      self.time = time
      self.value = value
      self.step = step
    }
  }

  /// 32 hexadecimal digits.
  package var id: String
  package var name: String
  package var status: Status
  /// Milliseconds since 1970.
  package var start: Int
  package var end: Int?
  package var user: String
  package var parameters: [String: String] = [:]
  package var tags: [String: String] = [:]
  package var metrics: [String: [Point]] = [:]

  package init(
    id: String, name: String, status: Status, start: Int, end: Int?, user: String
  ) {
    self.id = id
    self.name = name
    self.status = status
    self.start = start
    self.end = end
    self.user = user
  }

  /// The text of each file, by its place below the run's folder.
  ///
  /// - Parameters:
  ///   - experiment: its id, a whole number.
  ///   - artifacts: the address of the run's artifacts.
  package func files(experiment: String, artifacts: String) -> [(name: String, text: String)] {
    let facts: [(String, String)] = [
      ("artifact_uri", Self.quoted(artifacts)), ("end_time", end.map(String.init) ?? "null"),
      ("entry_point_name", "''"), ("experiment_id", Self.quoted(experiment)),
      ("lifecycle_stage", "active"), ("run_id", Self.quoted(id)), ("run_name", Self.quoted(name)),
      ("run_uuid", Self.quoted(id)), ("source_name", "''"), ("source_type", "4"),
      ("source_version", "''"), ("start_time", "\(start)"), ("status", "\(status.rawValue)"),
      ("tags", "[]"), ("user_id", Self.quoted(user)),
    ]
    var files = [("meta.yaml", Self.yaml(facts))]
    let ownTags = ["mlflow.runName": name, "mlflow.user": user].merging(tags) { $1 }
    for (folder, values) in [("params", parameters), ("tags", ownTags)] {
      files += values.sorted { $0.key < $1.key }.map {
        // A line end would end the value.
        ("\(folder)/\(Self.key($0.key))", Escape.line($0.value))
      }
    }
    for (name, points) in metrics.sorted(by: { $0.key < $1.key }) {
      let lines = points.map { "\($0.time) \($0.value) \($0.step)\n" }
      files.append(("metrics/\(Self.key(name))", lines.joined()))
    }
    return files
  }

  /// The facts of an experiment.
  package static func experiment(id: String, name: String, artifacts: String, time: Int) -> String {
    yaml([
      ("artifact_location", quoted(artifacts)), ("creation_time", "\(time)"),
      ("experiment_id", quoted(id)), ("last_update_time", "\(time)"),
      ("lifecycle_stage", "active"), ("name", quoted(name)),
    ])
  }

  /// What MLflow accepts in a name, with `_` for the rest. It is a file's name: none leads elsewhere.
  package static func key(_ name: String) -> String {
    let plain = name.unicodeScalars.map { scalar -> Character in
      let isPlain =
        scalar.isASCII
        && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || scalar == "_"
          || scalar == "-" || scalar == "." || scalar == " ")
      return isPlain ? Character(scalar) : "_"
    }
    let text = String(plain.prefix(250))
    return text.allSatisfy { $0 == "." } ? "_" : text
  }

  private static func yaml(_ facts: [(String, String)]) -> String {
    facts.map { "\($0.0): \($0.1)\n" }.joined()
  }

  /// JSON's strings are YAML's.
  private static func quoted(_ text: String) -> String {
    JSONValue.string(text).canonicalText()
  }
}
