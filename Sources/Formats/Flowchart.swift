/// Boxes and arrows as Mermaid reads them, made smaller until GitHub draws them.
///
/// https://mermaid.js.org/syntax/flowchart.html
package struct Flowchart: Sendable, Hashable {
  package struct Node: Sendable, Hashable {
    /// What the box is called; several names for what is the same.
    package var names: [String]
    /// Below the names.
    package var details: [String]
    /// What it has in common with the nodes that it may be drawn with as one: a stage's name without its
    /// matrix. `nil` for what stands alone.
    package var group: String?
    /// The kind of thing that it is, which all of a group share.
    package var kind: String
    /// How many things it stands for.
    package var count = 1

    package init(names: [String], details: [String] = [], group: String?, kind: String) {
      self.names = names
      self.details = details
      self.group = group
      self.kind = kind
      count = names.count
    }
  }

  package struct Arrow: Sendable, Hashable {
    /// Indices of nodes.
    package var from: Int
    package var to: Int
    package var labels: [String]

    package init(from: Int, to: Int, labels: [String] = []) {
      self.from = from
      self.to = to
      self.labels = labels
    }
  }

  /// In an identifier before the index.
  package var prefix: String
  package private(set) var nodes: [Node]
  package private(set) var arrows: [Arrow]

  package init(prefix: String, nodes: [Node], arrows: [Arrow]) {
    self.prefix = prefix
    self.nodes = nodes
    self.arrows = []
    for arrow in arrows { add(arrow) }
  }

  /// One arrow between two nodes, whatever goes along it.
  private mutating func add(_ arrow: Arrow) {
    let key = Ends(from: arrow.from, to: arrow.to)
    guard let known = places[key] else {
      places[key] = arrows.count
      arrows.append(arrow)
      return
    }
    arrows[known].labels += arrow.labels.filter { !arrows[known].labels.contains($0) }
  }

  private struct Ends: Hashable, Sendable {
    var from: Int
    var to: Int
  }
  private var places: [Ends: Int] = [:]

  // MARK: - What GitHub draws

  /// Mermaid's `maxEdges` and `maxTextSize`, which a page on GitHub cannot change.
  package static let mostArrows = 500
  package static let mostCharacters = 50_000

  package enum Drawing: Sendable {
    case whole(String)
    /// Each group is one box with its count.
    case collapsed(String)
    /// Even so it is too large.
    case table(Table)
  }

  package struct Table: Sendable, Hashable {
    package var columns: [String]
    package var rows: [[String]]
  }

  /// As much as GitHub draws.
  package var drawing: Drawing {
    if let text = drawable { return .whole(text) }
    let small = collapsed
    if let text = small.drawable { return .collapsed(text) }
    return .table(small.table)
  }

  private var drawable: String? {
    if arrows.count > Self.mostArrows { return nil }
    let text = mermaid
    // As JavaScript counts.
    return text.utf16.count > Self.mostCharacters ? nil : text
  }

  package var mermaid: String {
    var lines = ["flowchart LR"]
    for (index, node) in nodes.enumerated() {
      let words = (node.names + node.details).map(Escape.mermaid).joined(separator: "<br/>")
      // What stands alone is no box.
      lines.append(
        "  \(prefix)\(index)" + (node.group == nil ? "([\"\(words)\"])" : "[\"\(words)\"]"))
    }
    for arrow in arrows {
      let label = Escape.mermaid(arrow.labels.joined(separator: ", "))
      let shaft = arrow.labels.isEmpty ? "-->" : "-- \"\(label)\" -->"
      lines.append("  \(prefix)\(arrow.from) \(shaft) \(prefix)\(arrow.to)")
    }
    return lines.joined(separator: "\n")
  }

  /// Each group as one node with its count, in the order of their first members.
  package var collapsed: Flowchart {
    var groups: [Node] = []
    var members: [[Node]] = []
    var places: [String: Int] = [:]
    var place: [Int] = []
    for node in nodes {
      let key = node.group.map { "\($0)\n\(node.kind)" }
      if let key, let known = places[key] {
        place.append(known)
        members[known].append(node)
        continue
      }
      if let key { places[key] = groups.count }
      place.append(groups.count)
      groups.append(node)
      members.append([node])
    }
    for index in groups.indices where members[index].count > 1 {
      let count = members[index].reduce(0) { $0 + $1.count }
      groups[index].names = ["\(groups[index].group ?? "") × \(count)"]
      groups[index].details = [groups[index].kind]
      groups[index].count = count
    }
    return Flowchart(
      prefix: prefix, nodes: groups,
      arrows: arrows.compactMap { arrow in
        let (from, to) = (place[arrow.from], place[arrow.to])
        return from == to
          ? nil : Arrow(from: from, to: to, labels: arrow.labels.map(Self.withoutIndex))
      })
  }

  /// `evaluations[12]/manifest` is one of many.
  private static func withoutIndex(_ label: String) -> String {
    label.replacing(#/\[\d+\]/#, with: "[…]")
  }

  /// A row a box, with what its arrows come from.
  package var table: Table {
    let sources = Dictionary(grouping: arrows, by: \.to)
    return Table(
      columns: ["stage", "instances", "kind", "reads"],
      rows: nodes.enumerated().map { index, node in
        let read = sources[index, default: []].map { nodes[$0.from].names.joined(separator: ", ") }
        return [
          node.names.joined(separator: ", "), "\(node.count)", node.kind,
          read.joined(separator: ", "),
        ]
      })
  }
}
