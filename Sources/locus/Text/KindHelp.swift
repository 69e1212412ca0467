import Formats
import Workflow

/// The text of `locus help KIND`: all that a stage of a kind may be given, from the declarations that read it.
enum KindHelp {
  static func text(of kind: StageKind, among kinds: [StageKind]) -> String {
    "\(kind.name): \(kind.summary)\n\n" + details(of: kind, among: kinds)
  }

  /// All but its sentence.
  static func details(of kind: StageKind, among kinds: [StageKind]) -> String {
    var sections = [
      "In a pipeline file:\n  NAME: { kind: \"\(kind.name)\", \(sketch(kind)) }"
    ]
    if !kind.inputs.isEmpty {
      sections.append(
        "Inputs:\n"
          + kind.inputs.map { line($0.role, input($0, among: kinds)) }.joined())
    }
    if !kind.parameters.isEmpty {
      sections.append("Parameters:\n" + kind.parameters.map { lines($0, indent: 2) }.joined())
    }
    let users = kinds.filter { user in
      user.inputs.contains { $0.accepts.contains(kind.produces) }
    }
    sections.append(
      "Makes: \(kind.produces)"
        + (users.isEmpty
          ? "; no kind takes it as an input."
          : "; taken by \(users.map(\.name).joined(separator: ", "))."))
    return sections.map { $0.hasSuffix("\n") ? String($0.dropLast()) : $0 }
      .joined(separator: "\n\n") + "\n"
  }

  /// Every kind with its sentence.
  static func list(_ kinds: [StageKind]) -> String {
    kinds.map { line($0.name, $0.summary) }.joined()
  }

  private static func sketch(_ kind: StageKind) -> String {
    let required = kind.inputs.filter(\.arity.isRequired).map { input in
      "\(input.role): " + (input.arity.gathers ? "[\"STAGE\", …]" : "\"STAGE\"")
    }
    let inputs = required.isEmpty ? [] : ["inputs: { \(required.joined(separator: ", ")) }"]
    let parameters = kind.parameters.filter { $0.defaultValue == nil }.map { "\($0.name): …" }
    return (inputs + parameters + ["…"]).joined(separator: ", ")
  }

  private static func input(_ input: InputDeclaration, among kinds: [StageKind]) -> String {
    let makers = kinds.filter { input.accepts.contains($0.produces) }.map(\.name)
    let arity =
      switch input.arity {
      case .one: ""
      case .optional: "optional; "
      case .many: "a list of stages, all their instances; "
      case .optionalMany: "optional; a list of stages, all their instances; "
      }
    return "\(input.help) (\(arity)made by \(makers.joined(separator: ", ")))"
  }

  private static func lines(_ parameter: Parameter, indent: Int) -> String {
    let value =
      switch parameter.defaultValue {
      case nil: "required"
      case .null?: "default: none"
      case let value?: "default: \(value.canonicalText())"
      }
    let unit = parameter.unit.map { " (\($0))" } ?? ""
    let margin = String(repeating: " ", count: indent)
    var text =
      "\(margin)\(parameter.name)  \(parameter.help)\n"
      + "\(margin)    \(accepted(parameter.type))\(unit); \(value)\n"
    switch parameter.type {
    case .object(let members): text += members.map { lines($0, indent: indent + 4) }.joined()
    case .variant(let tag, let cases):
      for (word, members) in cases.sorted(by: { $0.key < $1.key }) {
        text += "\(margin)    with \(tag): \"\(word)\"\n"
        text += members.map { lines($0, indent: indent + 6) }.joined()
      }
    case .bool, .text, .integer, .number, .choice, .list: break
    }
    return text
  }

  private static func line(_ name: String, _ text: String) -> String {
    "  \(name)\(String(repeating: " ", count: max(2, 13 - name.count)))\(text)\n"
  }
}
