import Formats

/// Collects problems, each once however many instances of a matrix show it.
struct ProblemList {
  private(set) var problems: [PipelineProblem] = []
  private var seen: Set<PipelineProblem> = []
  /// Counts repetitions too.
  private(set) var additions = 0

  mutating func add(_ fault: PipelineFault, at position: SourcePosition, _ path: String) {
    let problem = PipelineProblem(position: position, path: path, fault: fault)
    additions += 1
    if seen.insert(problem).inserted { problems.append(problem) }
  }
}

/// Checks the parameters of a stage against their declarations and fills in the defaults.
///
/// The result is normalised: every declared parameter that has a value is present, but for late ones at
/// their default; numbers are `.number` where the declaration says number and `.integer` where it says
/// integer, so that `1`, `1.0` and a default that is left out give one key.
struct ParameterReader {
  var list = ProblemList()

  /// `owner` is where a missing parameter is reported: its object, or the stage.
  mutating func read(
    _ members: [JSONMember], as parameters: [Parameter], path: String, owner: SourcePosition
  ) -> [String: JSONValue] {
    var result: [String: JSONValue] = [:]
    let names = parameters.map(\.name)
    for member in members where !names.contains(member.key) {
      list.add(
        .unknownKey(member.key, accepted: names), at: member.keyPosition, join(path, member.key))
    }
    for parameter in parameters {
      let inner = join(path, parameter.name)
      if let member = members.first(where: { $0.key == parameter.name }) {
        if case .null = member.value.value, parameter.defaultValue == .null { continue }
        result[parameter.name] = read(member.value, as: parameter.type, path: inner)
      } else if let value = parameter.defaultValue {
        result[parameter.name] = normalised(value, of: parameter, at: owner, path: inner)
      } else {
        list.add(
          .missingParameter(accepted: accepted(parameter.type), help: parameter.help), at: owner,
          inner)
      }
      if parameter.isLate, let value = parameter.defaultValue,
        result[parameter.name] == normalised(value, of: parameter, at: owner, path: inner)
      {
        result[parameter.name] = nil
      }
    }
    return result
  }

  private mutating func normalised(
    _ value: JSONValue, of parameter: Parameter, at owner: SourcePosition, path: String
  ) -> JSONValue? {
    value == .null ? nil : read(node(value, at: owner), as: parameter.type, path: path)
  }

  /// The normalised value, `nil` after a problem was noted.
  mutating func read(_ node: JSONNode, as type: ParameterType, path: String) -> JSONValue? {
    switch (type, node.value) {
    case (.bool, .bool(let flag)): return .bool(flag)
    case (.text, .string(let text)): return .string(text)
    case (.choice(let words), .string(let text)) where words.contains(text): return .string(text)
    case (.choice(let words), .string(let text)):
      list.add(.noChoice(text, accepted: words), at: node.position, path)
      return nil
    case (.integer(let range), .number):
      if let value = integer(node), range.contains(value) { return .integer(value) }
    case (.number(let range), .number(let value, _)):
      if value.isFinite, range.contains(value) { return .number(value == 0 ? 0 : value) }
    case (.list(let element, let count), .array(let nodes)):
      guard count.contains(nodes.count) else {
        list.add(
          .wrongType(found: "a list of \(nodes.count)", accepted: accepted(type)),
          at: node.position, path)
        return nil
      }
      let values = nodes.enumerated().map { read($1, as: element, path: "\(path)[\($0)]") }
      return values.contains(nil) ? nil : .array(values.compactMap { $0 })
    case (.object(let parameters), .object(let members)):
      return .object(read(members, as: parameters, path: path, owner: node.position))
    case (.variant(let tag, let cases), .object(let members)):
      return variant(members, tag: tag, cases: cases, path: path, owner: node.position)
    default: break
    }
    list.add(
      .wrongType(found: description(of: node), accepted: accepted(type)), at: node.position, path)
    return nil
  }

  private mutating func variant(
    _ members: [JSONMember], tag: String, cases: [String: [Parameter]], path: String,
    owner: SourcePosition
  ) -> JSONValue? {
    let names = cases.keys.sorted()
    guard let member = members.first(where: { $0.key == tag }) else {
      list.add(.missingKey(accepted: accepted(.choice(names))), at: owner, join(path, tag))
      return nil
    }
    guard case .string(let name)? = read(member.value, as: .choice(names), path: join(path, tag)),
      let parameters = cases[name]
    else { return nil }
    var result = read(
      members.filter { $0.key != tag }, as: parameters, path: path, owner: owner)
    result[tag] = .string(name)
    return .object(result)
  }
}

extension PipelineFault {
  /// A word that is not among the choices.
  static func noChoice(_ word: String, accepted words: [String]) -> PipelineFault {
    let hint = closestMatch(word, in: words).map { " (did you mean \(Escape.message($0))?)" } ?? ""
    return .wrongType(
      found: Escape.message(word) + hint, accepted: Workflow.accepted(.choice(words)))
  }
}

func join(_ path: String, _ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

/// The integer that a number node stands for: `3`, `3.0` and `3e0` do, `3.5` and `1e99` do not.
func integer(_ node: JSONNode) -> Int? {
  guard case .number(let value, let text) = node.value, value.isFinite else { return nil }
  if let exact = Int(text) { return exact }
  // Beyond 2⁵³ a floating-point text no longer says which integer is meant.
  return value.magnitude <= 0x1p53 ? Int(exactly: value) : nil
}

/// What was found, in a few words: the value itself when it is short.
func description(of node: JSONNode) -> String {
  switch node.value {
  case .null: "null"
  case .bool(let flag): flag ? "true" : "false"
  case .number(_, let text): text
  case .string(let text): "the text \(Escape.message(text))"
  case .array(let nodes): nodes.isEmpty ? "an empty list" : "a list of \(nodes.count)"
  case .object: "an object"
  }
}

/// What a type accepts, in words.
package func accepted(_ type: ParameterType) -> String {
  switch type {
  case .bool: "true or false"
  case .text: "text"
  case .integer(let range):
    "an integer \(span(range.lowerBound == .min ? nil : "\(range.lowerBound)", range.upperBound == .max ? nil : "\(range.upperBound)"))"
  case .number(let range):
    "a number \(span(range.lowerBound <= -.greatestFiniteMagnitude ? nil : plain(range.lowerBound), range.upperBound >= .greatestFiniteMagnitude ? nil : plain(range.upperBound)))"
  case .choice(let words): words.map { "\"\($0)\"" }.joined(separator: ", ")
  case .list(let element, let count):
    count.lowerBound == count.upperBound
      ? "a list of \(count.lowerBound), each \(accepted(element))"
      : "a list (\(count.lowerBound) to \(count.upperBound) long), each \(accepted(element))"
  case .object(let parameters):
    "an object with " + parameters.map { "`\($0.name)`" }.joined(separator: ", ")
  case .variant(let tag, let cases):
    "an object whose `\(tag)` is one of " + accepted(.choice(cases.keys.sorted()))
  }
}

private func span(_ low: String?, _ high: String?) -> String {
  switch (low, high) {
  case (nil, nil): "of any size"
  case (let low?, nil): "of at least \(low)"
  case (nil, let high?): "of at most \(high)"
  case (let low?, let high?): "from \(low) to \(high)"
  }
}

/// `1` rather than `1.0`.
func plain(_ value: Double) -> String {
  if let whole = Int(exactly: value), whole.magnitude < 1 << 53 { return "\(whole)" }
  return "\(value)"
}

/// A value as if it stood in a file at `position`.
func node(_ value: JSONValue, at position: SourcePosition) -> JSONNode {
  let content: JSONNode.Value =
    switch value {
    case .null: .null
    case .bool(let flag): .bool(flag)
    case .integer(let number): .number(Double(number), text: "\(number)")
    case .number(let number): .number(number, text: plain(number))
    case .string(let text): .string(text)
    case .array(let values): .array(values.map { node($0, at: position) })
    case .object(let members):
      .object(
        members.sorted { $0.key < $1.key }.map {
          JSONMember(key: $0.key, keyPosition: position, value: node($0.value, at: position))
        })
    }
  return JSONNode(value: content, position: position)
}
