import Formats
import Reporting
import Workflow

/// `locus schema`: what editors need to check and complete a pipeline file while it is written.
enum SchemaCommand: Command {
  typealias Options = NoOptions

  static let about = CommandSummary(
    name: "schema", summary: "Print a JSON Schema of pipeline files, for editors.",
    discussion: """
      Made from the declarations that `locus run` reads with, which check more: names of stages,
      matrices, and what one stage needs of another.
      """,
    examples: [
      .init(
        command: "locus schema > pipeline.schema.json",
        effect: "for an editor's setting that gives *.json5 in Pipelines this schema")
    ])

  static func run(_ context: CommandContext<Options>) throws -> Int32 {
    try context.console.write(schema(context.kinds).prettyText() + "\n")
    return 0
  }

  static func schema(_ kinds: [StageKind]) -> JSONValue {
    object(
      [
        ("pipeline", string("a name: letters, digits, _ and -")),
        ("question", string("what the report is to answer")),
        ("seed", .object(["type": .string("integer"), "minimum": .integer(0)])),
        ("replicate", .object(["type": .string("object")])),
        (ExecutorOptions.key, value(.object(ExecutorOptions.ofPipeline))),
        (
          PipelineExtension.claims.key,
          value(.object(PipelineExtension.claims.parameters))
        ),
        (
          "stages",
          .object([
            "type": .string("object"),
            "additionalProperties": .object(["oneOf": .array(kinds.map(stage))]),
          ])
        ),
      ], required: ["pipeline", "question", "seed", "stages"],
      also: [
        "$schema": .string("https://json-schema.org/draft/2020-12/schema"),
        "title": .string("A pipeline of Locus \(locusVersion)"),
      ])
  }

  private static func stage(_ kind: StageKind) -> JSONValue {
    let inputs = kind.inputs.map { input in
      (
        input.role,
        described(
          input.arity.gathers
            ? .object([
              "type": .array([.string("array"), .string("string")]),
              "items": .object(["type": .string("string")]),
            ])
            : .object(["type": .string("string")]), input.help)
      )
    }
    let required = kind.inputs.filter(\.arity.isRequired).map(\.role)
    return object(
      [
        ("kind", .object(["const": .string(kind.name)])),
        ("inputs", object(inputs, required: required)),
        (
          "matrix",
          .object([
            "type": .string("object"),
            "description": .string(
              "lists of values by parameter; every combination is an instance"),
          ])
        ),
        ("seed", .object(["type": .string("integer"), "minimum": .integer(0)])),
        (ExecutorOptions.key, value(.object(ExecutorOptions.ofStage))),
      ] + kind.parameters.map { ($0.name, member($0)) },
      // A parameter may stand in the matrix instead.
      required: ["kind"] + (required.isEmpty ? [] : ["inputs"]),
      also: ["description": .string(kind.summary)])
  }

  private static func member(_ parameter: Parameter) -> JSONValue {
    var schema = value(parameter.type)
    if case .object(var members) = schema {
      members["description"] = .string(
        parameter.help + (parameter.unit.map { " (\($0))" } ?? ""))
      if let value = parameter.defaultValue { members["default"] = value }
      schema = .object(members)
    }
    // What has no value by default may be given none.
    return parameter.defaultValue == .null
      ? .object(["anyOf": .array([schema, .object(["type": .string("null")])])]) : schema
  }

  private static func value(_ type: ParameterType) -> JSONValue {
    switch type {
    case .bool: .object(["type": .string("boolean")])
    case .text: .object(["type": .string("string")])
    case .integer(let range):
      .object([
        "type": .string("integer"), "minimum": .integer(range.lowerBound),
        "maximum": .integer(range.upperBound),
      ])
    case .number(let range):
      .object([
        "type": .string("number"), "minimum": .number(range.lowerBound),
        "maximum": .number(range.upperBound),
      ])
    case .choice(let words): .object(["enum": .array(words.map(JSONValue.string))])
    case .list(let element, let count):
      .object([
        "type": .string("array"), "items": value(element),
        "minItems": .integer(count.lowerBound), "maxItems": .integer(count.upperBound),
      ])
    case .object(let members): members.schema(tag: nil)
    case .variant(let tag, let cases):
      .object([
        // Its tag may stand in the matrix.
        "anyOf": .array(
          cases.sorted { $0.key < $1.key }.map { word, members in members.schema(tag: (tag, word)) }
        )
      ])
    }
  }

  fileprivate static func object(
    _ members: [(String, JSONValue)], required: [String], also: [String: JSONValue] = [:]
  ) -> JSONValue {
    var schema = also
    schema["type"] = .string("object")
    schema["properties"] = .object(Dictionary(members, uniquingKeysWith: { first, _ in first }))
    schema["required"] = .array(required.map(JSONValue.string))
    schema["additionalProperties"] = .bool(false)
    return .object(schema)
  }

  fileprivate static func described(_ schema: JSONValue, _ help: String) -> JSONValue {
    guard case .object(var members) = schema else { return schema }
    members["description"] = .string(help)
    return .object(members)
  }

  fileprivate static func declared(_ parameter: Parameter) -> JSONValue { member(parameter) }

  private static func string(_ help: String) -> JSONValue {
    described(.object(["type": .string("string")]), help)
  }
}

extension [Parameter] {
  /// Of an object; with a tag, of one of several.
  fileprivate func schema(tag: (name: String, word: String)?) -> JSONValue {
    let tagged = tag.map { [($0.name, JSONValue.object(["const": .string($0.word)]))] } ?? []
    return SchemaCommand.object(
      tagged + map { ($0.name, SchemaCommand.declared($0)) },
      required: tag == nil ? filter { $0.defaultValue == nil }.map(\.name) : [])
  }
}
