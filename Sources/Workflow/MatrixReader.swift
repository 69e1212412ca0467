import Formats

extension PipelineReader {
  /// Reads `matrix: { axis: [values], exclude: [{ axis: value }] }`.
  mutating func readMatrix(_ node: JSONNode, kind: StageKind, into draft: inout StageDraft) {
    let path = "\(draft.path).matrix"
    guard case .object(let members) = node.value else {
      parameters.list.add(
        .wrongType(
          found: description(of: node), accepted: "an object of axes, each a list of values"),
        at: node.position, path)
      return
    }
    if members.isEmpty { parameters.list.add(.noAxes, at: node.position, path) }
    let known = paths(of: kind.parameters, prefix: "")
    var product = 1
    for member in members where member.key != "exclude" {
      let inner = "\(path).\(member.key)"
      guard member.key == "seed" && kind.isSeeded || known.contains(member.key) else {
        parameters.list.add(
          .axisIsNoParameter(member.key, accepted: known), at: member.keyPosition, inner)
        continue
      }
      if let other = draft.axes.first(where: { overlap($0.name, member.key) }) {
        parameters.list.add(
          .axisInsideAxis(member.key, other.name), at: member.keyPosition, inner)
        continue
      }
      guard let values = readAxis(member.value, path: inner) else { continue }
      product = product.multipliedReportingOverflow(by: values.count).partialValue
      guard product <= instanceLimit else {
        parameters.list.add(.tooManyInstances(limit: instanceLimit), at: member.keyPosition, inner)
        return
      }
      draft.axes.append(StageDraft.Axis(name: member.key, values: values))
    }
    if let exclude = members.first(where: { $0.key == "exclude" }) {
      draft.exclusions = readExclusions(exclude.value, path: "\(path).exclude")
    }
  }

  private mutating func readAxis(_ node: JSONNode, path: String) -> [StageDraft.Axis.Value]? {
    guard case .array(let nodes) = node.value else {
      parameters.list.add(
        .wrongType(found: description(of: node), accepted: "a list of values"), at: node.position,
        path)
      return nil
    }
    if nodes.isEmpty {
      parameters.list.add(.emptyAxis, at: node.position, path)
      return nil
    }
    // Bounded before anything is compared: a list may be as long as the file.
    guard nodes.count <= instanceLimit else {
      parameters.list.add(.tooManyInstances(limit: instanceLimit), at: node.position, path)
      return nil
    }
    var values: [StageDraft.Axis.Value] = []
    var labels: Set<String> = []
    for (index, element) in nodes.enumerated() {
      guard let label = label(of: element) else {
        parameters.list.add(
          .valueHasNoName(description(of: element)), at: element.position, "\(path)[\(index)]")
        continue
      }
      guard labels.insert(label).inserted else {
        parameters.list.add(.valueTwice(label), at: element.position, "\(path)[\(index)]")
        continue
      }
      values.append(StageDraft.Axis.Value(label: label, node: element))
    }
    return values.isEmpty ? nil : values
  }

  private mutating func readExclusions(
    _ node: JSONNode, path: String
  ) -> [StageDraft.Exclusion] {
    let accepted = "a list of objects such as { axis: value }"
    guard case .array(let nodes) = node.value else {
      parameters.list.add(
        .wrongType(found: description(of: node), accepted: accepted), at: node.position, path)
      return []
    }
    return nodes.enumerated().compactMap { index, element in
      let inner = "\(path)[\(index)]"
      guard case .object(let members) = element.value, !members.isEmpty else {
        parameters.list.add(
          .wrongType(found: description(of: element), accepted: accepted), at: element.position,
          inner)
        return nil
      }
      var bindings: [(binding: Binding, position: SourcePosition)] = []
      for member in members {
        guard let label = label(of: member.value) else {
          parameters.list.add(
            .valueHasNoName(description(of: member.value)), at: member.value.position,
            "\(inner).\(member.key)")
          return nil
        }
        bindings.append((Binding(axis: member.key, label: label), member.keyPosition))
      }
      return StageDraft.Exclusion(bindings: bindings, position: element.position, path: inner)
    }
  }

  private func overlap(_ first: String, _ second: String) -> Bool {
    first.hasPrefix("\(second).") || second.hasPrefix("\(first).")
  }
}

/// The dotted paths of all parameters, those inside objects and every case of a variant included.
func paths(of parameters: [Parameter], prefix: String) -> [String] {
  var result: [String] = []
  for parameter in parameters {
    let path = join(prefix, parameter.name)
    result.append(path)
    switch parameter.type {
    case .object(let inner): result += paths(of: inner, prefix: path)
    case .variant(let tag, let cases):
      result.append(join(path, tag))
      for name in cases.keys.sorted() {
        result += paths(of: cases[name] ?? [], prefix: path).filter { !result.contains($0) }
      }
    default: break
    }
  }
  return result
}

/// `network.dilations[2]` as its steps.
func components(_ path: String) -> [String] {
  path.split { $0 == "." || $0 == "[" || $0 == "]" }.map(String.init)
}

/// The node at exactly this path.
func find(path: String, in members: [JSONMember]) -> JSONNode? {
  walk(components(path), in: members, exact: true)
}

/// The place of the deepest node on the way to a path that exists.
func find(deepest path: String, in members: [JSONMember]) -> SourcePosition? {
  walk(components(path), in: members, exact: false)?.position
}

private func walk(_ steps: [String], in members: [JSONMember], exact: Bool) -> JSONNode? {
  guard let first = steps.first, var node = members.first(where: { $0.key == first })?.value
  else { return nil }
  for step in steps.dropFirst() {
    let next: JSONNode? =
      switch node.value {
      case .object(let inner): inner.first { $0.key == step }?.value
      case .array(let nodes): Int(step).flatMap { nodes.indices.contains($0) ? nodes[$0] : nil }
      default: nil
      }
    guard let next else { return exact ? nil : node }
    node = next
  }
  return node
}

/// The members with a value put in at a path; objects on the way are made where they are missing.
/// Where something else than an object is in the way, it stays, for the reader to refuse.
func setting(_ value: JSONNode, at path: [String], in members: [JSONMember]) -> [JSONMember] {
  guard let key = path.first else { return members }
  var members = members
  let index = members.firstIndex { $0.key == key }
  var replacement = value
  if path.count > 1 {
    var inner: [JSONMember] = []
    if let index {
      guard case .object(let present) = members[index].value.value else { return members }
      inner = present
    }
    replacement = JSONNode(
      value: .object(setting(value, at: Array(path.dropFirst()), in: inner)),
      position: index.map { members[$0].value.position } ?? value.position)
  }
  if let index {
    members[index].value = replacement
  } else {
    members.append(JSONMember(key: key, keyPosition: value.position, value: replacement))
  }
  return members
}
