/// A W3C PROV document in PROV-JSON (W3C Member Submission, 24 April 2013).
package struct ProvenanceDocument: Sendable {
  /// What is described, and how things go together: the members of a document.
  package enum Record: String, Sendable {
    case entity, activity, agent
    case used, wasGeneratedBy, wasAssociatedWith, wasInformedBy, actedOnBehalfOf
  }

  private var prefixes: [String: JSONValue] = [:]
  private var records: [Record: [String: JSONValue]] = [:]

  /// - Parameter prefixes: of the names that are used, each with its namespace.
  package init(prefixes: [String: String]) { self.prefixes = prefixes.mapValues(JSONValue.string) }

  /// Describes a thing. One that is described again gets the further attributes.
  package mutating func add(_ kind: Record, _ name: String, _ attributes: [String: JSONValue]) {
    let before = records[kind]?[name]?.object ?? [:]
    records[kind, default: [:]][name] = .object(before.merging(attributes) { $1 })
  }

  /// Says how things go together; relations have no names of their own.
  package mutating func relate(_ kind: Record, _ attributes: [String: JSONValue]) {
    let count = records[kind]?.count ?? 0
    records[kind, default: [:]]["_:\(kind.rawValue)\(count + 1)"] = .object(attributes)
  }

  /// A value of a type of XML Schema: `long`, `double`, `dateTime`.
  package static func literal(_ text: String, _ type: String) -> JSONValue {
    .object(["$": .string(text), "type": .string("xsd:" + type)])
  }

  /// A name as a value, such as that of a type.
  package static func name(_ name: String) -> JSONValue {
    .object(["$": .string(name), "type": .string("prov:QUALIFIED_NAME")])
  }

  package var json: JSONValue {
    var members = ["prefix": JSONValue.object(prefixes)]
    for (kind, found) in records { members[kind.rawValue] = .object(found) }
    return .object(members)
  }
}
