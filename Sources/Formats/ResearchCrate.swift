/// The metadata of an RO-Crate 1.1 (https://w3id.org/ro/crate/1.1): JSON-LD, one flat list of things that name each
/// other.
package struct ResearchCrate: Sendable {
  private var order: [String] = []
  private var things: [String: [String: JSONValue]] = [:]
  private var files: [String] = []

  package static let fileName = "ro-crate-metadata.json"
  private static let root = "./"

  /// - Parameters:
  ///   - profiles: beside RO-Crate itself, what the root says it conforms to: addresses.
  ///   - described: the profiles that the file of metadata itself has to name.
  package init(profiles: [(id: String, name: String, version: String)], described: [String]) {
    let crate = "https://w3id.org/ro/crate/1.1"
    add(
      Self.fileName, "CreativeWork",
      [
        "about": Self.link(Self.root),
        "conformsTo": .array(([crate] + described).map { Self.link($0) }),
      ])
    add(Self.root, "Dataset", ["conformsTo": .array(profiles.map { Self.link($0.id) })])
    for profile in profiles {
      add(
        profile.id, "CreativeWork",
        ["name": .string(profile.name), "version": .string(profile.version)])
    }
  }

  /// Adds a thing; one that is there gets the further members.
  package mutating func add(_ id: String, _ types: String..., members: [String: JSONValue]) {
    add(id, types, members)
  }

  private mutating func add(_ id: String, _ type: String, _ members: [String: JSONValue]) {
    add(id, [type], members)
  }

  private mutating func add(_ id: String, _ types: [String], _ members: [String: JSONValue]) {
    if things[id] == nil { order.append(id) }
    let type: JSONValue =
      types.count == 1 ? .string(types[0]) : .array(types.map(JSONValue.string))
    things[id, default: ["@type": type]].merge(members) { $1 }
  }

  /// Adds a file of the crate, or one that lies elsewhere and has an address.
  package mutating func addFile(
    _ id: String, _ types: [String] = [], members: [String: JSONValue]
  ) {
    if things[id] == nil { files.append(id) }
    add(id, ["File"] + types, members)
  }

  /// What the whole crate is.
  package mutating func describe(_ members: [String: JSONValue]) { add(Self.root, [], members) }

  package static func link(_ id: String) -> JSONValue { .object(["@id": .string(id)]) }

  package static func links(_ ids: [String]) -> JSONValue { .array(ids.map { link($0) }) }

  package var json: JSONValue {
    let graph = order.compactMap { id -> JSONValue? in
      guard var members = things[id] else { return nil }
      members["@id"] = .string(id)
      if id == Self.root { members["hasPart"] = Self.links(files) }
      return .object(members)
    }
    return .object([
      "@context": .array([
        .string("https://w3id.org/ro/crate/1.1/context"),
        .string("https://w3id.org/ro/terms/workflow-run/context"),
      ]), "@graph": .array(graph),
    ])
  }
}
