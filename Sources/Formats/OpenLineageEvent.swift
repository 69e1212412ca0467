/// One event of OpenLineage (https://openlineage.io/spec/2-0-2/OpenLineage.json): a run of a job began or ended.
package struct OpenLineageEvent: Sendable {
  /// A run has one START and exactly one of the others.
  package enum State: String, Sendable {
    case start = "START"
    case complete = "COMPLETE"
    case abort = "ABORT"
    case fail = "FAIL"
  }

  package struct Dataset: Sendable {
    package var name: String
    package var facets: [String: JSONValue]

    package init(name: String, facets: [String: JSONValue]) {
      self.name = name
      self.facets = facets
    }
  }

  /// What makes facets: each names its maker and its schema.
  package struct Facets: Sendable {
    package let producer: String

    package init(producer: String) { self.producer = producer }

    /// - Parameters:
    ///   - schema: its name, such as `ParentRunFacet`.
    ///   - version: of the schema, `1-0-1`.
    package func facet(
      _ schema: String, _ version: String, _ members: [String: JSONValue]
    ) -> JSONValue {
      let place = "https://openlineage.io/spec/facets/\(version)/\(schema).json#/$defs/\(schema)"
      return .object(
        members.merging(["_producer": .string(producer), "_schemaURL": .string(place)]) { $1 })
    }

    /// The fields of a dataset.
    package func schema(_ fields: [DataField]) -> JSONValue {
      let values = fields.enumerated().map { place, field in
        JSONValue.object([
          "name": .string(field.name), "type": .string(field.type),
          "description": .string(field.sentence), "ordinal_position": .integer(place + 1),
        ])
      }
      return facet("SchemaDatasetFacet", "1-2-0", ["fields": .array(values)])
    }
  }

  package var state: State
  /// ISO 8601 with its zone.
  package var time: String
  /// A UUID.
  package var run: String
  package var runFacets: [String: JSONValue]
  package var job: String
  package var jobFacets: [String: JSONValue]
  package var inputs: [Dataset]
  package var outputs: [Dataset]

  package init(
    _ state: State, at time: String, run: String, runFacets: [String: JSONValue], job: String,
    jobFacets: [String: JSONValue], inputs: [Dataset] = [], outputs: [Dataset] = []
  ) {
    self.state = state
    self.time = time
    self.run = run
    self.runFacets = runFacets
    self.job = job
    self.jobFacets = jobFacets
    self.inputs = inputs
    self.outputs = outputs
  }

  /// - Parameter namespace: of jobs and datasets.
  package func json(namespace: String, producer: String) -> JSONValue {
    func datasets(_ list: [Dataset]) -> JSONValue {
      .array(
        list.map {
          .object([
            "namespace": .string(namespace), "name": .string($0.name), "facets": .object($0.facets),
          ])
        })
    }
    return .object([
      "eventType": .string(state.rawValue), "eventTime": .string(time),
      "producer": .string(producer),
      "schemaURL": .string("https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"),
      "run": .object(["runId": .string(run), "facets": .object(runFacets)]),
      "job": .object([
        "namespace": .string(namespace), "name": .string(job), "facets": .object(jobFacets),
      ]),
      "inputs": datasets(inputs), "outputs": datasets(outputs),
    ])
  }

  /// A UUID that follows from a hash (RFC 9562, version 8): the same thing is the same run in every export.
  ///
  /// - Parameter hash: 32 hexadecimal digits at least; others give `nil`.
  package static func uuid(_ hash: String) -> String? {
    var digits = Array(hash.lowercased().prefix(32))
    guard digits.count == 32, digits.allSatisfy(\.isHexDigit) else { return nil }
    digits[12] = "8"
    digits[16] = "a"
    let ends = [8, 12, 16, 20, 32]
    return zip([0] + ends, ends).map { String(digits[$0..<$1]) }.joined(separator: "-")
  }
}
