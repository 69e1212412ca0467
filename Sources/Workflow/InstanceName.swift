import Formats
import Lineage

/// One coordinate of an instance: `labelling=single`.
package struct Binding: Sendable, Hashable {
  package var axis: String
  /// The value as it stands in names: `single`, `0.1`, `1-3`.
  package var label: String

  package init(axis: String, label: String) {
    self.axis = axis
    self.label = label
  }
}

/// `baseline` or `baseline[labelling=single,mask=pixel]`.
package struct StageReference: Sendable, Hashable {
  package var stage: String
  package var bindings: [Binding]

  package init(stage: String, bindings: [Binding] = []) {
    self.stage = stage
    self.bindings = bindings
  }

  /// `nil` for anything else than `stage` or `stage[axis=value,…]`.
  package init?(_ text: String) {
    guard let open = text.firstIndex(of: "[") else {
      guard isName(text) else { return nil }
      self.init(stage: text)
      return
    }
    let stage = String(text[..<open])
    guard isName(stage), text.last == "]" else { return nil }
    var bindings: [Binding] = []
    let inside = text[text.index(after: open)...].dropLast()
    for part in inside.split(separator: ",", omittingEmptySubsequences: false) {
      let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        .map { trimmed($0) }
      guard sides.count == 2, !sides[0].isEmpty, !sides[1].isEmpty,
        !bindings.contains(where: { $0.axis == sides[0] })
      else { return nil }
      bindings.append(Binding(axis: sides[0], label: sides[1]))
    }
    self.init(stage: stage, bindings: bindings)
  }

  package var name: String {
    if bindings.isEmpty { return stage }
    return "\(stage)[\(bindings.map { "\($0.axis)=\($0.label)" }.joined(separator: ","))]"
  }
}

private func trimmed(_ text: Substring) -> String {
  var text = text
  while text.first == " " { text.removeFirst() }
  while text.last == " " { text.removeLast() }
  return String(text)
}

/// Names of pipelines and stages become names of folders and files: 1 to 64 of `A-Z a-z 0-9 _ -`.
func isName(_ text: String) -> Bool {
  isPlainName(text)
}

/// How an axis value stands in an instance's name; `nil` when it cannot.
func label(of node: JSONNode) -> String? {
  switch node.value {
  case .bool(let flag): return flag ? "true" : "false"
  case .number(let value, _):
    if let whole = integer(node) { return "\(whole)" }
    return value.isFinite ? plain(value) : nil
  case .string(let text):
    let plain = text.utf8.allSatisfy {
      isPlainByte($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "+")
    }
    return plain && (1...64).contains(text.utf8.count) && !text.contains("..") ? text : nil
  case .array(let nodes):
    let labels = nodes.compactMap { node -> String? in
      if case .array = node.value { return nil }
      return label(of: node)
    }
    return labels.count == nodes.count && !labels.isEmpty ? labels.joined(separator: "-") : nil
  case .null, .object: return nil
  }
}
