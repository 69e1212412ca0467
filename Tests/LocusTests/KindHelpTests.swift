// Proves that what is told of the kinds of stages is what is declared: to people, and to editors.
import Experiments
import Formats
import Foundation
import Testing
import Workflow

@testable import locus

@Suite("kinds are explained")
struct KindHelpTests {
  @Test("help names every input and parameter of a kind with what is accepted")
  func help() throws {
    for kind in Experiments.stageKinds {
      let found = try Executable.run(
        ["help", kind.name], in: FileManager.default.temporaryDirectory)
      #expect(found.code == 0)
      #expect(found.output.contains(kind.summary))
      for input in kind.inputs { #expect(found.output.contains("  \(input.role)  ")) }
      for parameter in kind.parameters {
        #expect(found.output.contains("  \(parameter.name)  \(parameter.help)\n"))
        #expect(found.output.contains("    \(accepted(parameter.type))"))
      }
    }
    let page = ManCommand.page([], Experiments.stageKinds)
    for kind in Experiments.stageKinds {
      #expect(page.contains("\n.SS \"\(kind.name.replacing("-", with: "\\-"))\"\n"))
      for parameter in kind.parameters { #expect(page.contains("  \(parameter.name)  ")) }
    }
    let overview = try Executable.run(["help"], in: FileManager.default.temporaryDirectory).output
    for kind in Experiments.stageKinds { #expect(overview.contains("  \(kind.name)  ")) }
    let wrong = try Executable.run(["help", "evaluat"], in: FileManager.default.temporaryDirectory)
    #expect(wrong.code == 64 && wrong.error.contains("did you mean `evaluate`?"), "\(wrong.error)")
    #expect(wrong.error.contains("; kinds: generate, "), "\(wrong.error)")
  }

  @Test("the schema takes the committed pipelines, and not what the reader refuses")
  func schema() throws {
    let schema = SchemaCommand.schema(Experiments.stageKinds)
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Pipelines")
    let files = try FileManager.default.contentsOfDirectory(
      at: folder, includingPropertiesForKeys: nil
    ).filter { $0.pathExtension == "json5" }
    #expect(files.count >= 4)
    for file in files {
      let faults = Self.faults(try JSONValue.parse(Data(contentsOf: file)), schema)
      #expect(faults.isEmpty, "\(file.lastPathComponent): \(faults)")
    }
    for (stage, said) in [
      (#"{ kind: "generate", size: 16, cells: 8, objects: [1, 2], count: 0 }"#, "no one of"),
      (#"{ kind: "generate", sizes: 16 }"#, "no one of"), (#"{ kind: "nothing" }"#, "no one of"),
      (#"{ kind: "evaluate" }"#, "no one of"),
    ] {
      let text = "{ pipeline: \"p\", question: \"q\", seed: 1, stages: { a: \(stage) } }"
      let faults = Self.faults(try JSONValue.parse(Data(text.utf8)), schema)
      #expect(faults.contains { $0.contains(said) }, "\(stage): \(faults)")
    }
    #expect(Self.faults(try JSONValue.parse(Data("{ pipeline: 3 }".utf8)), schema).count >= 4)
  }

  /// As the specification of JSON Schema, 2020-12, has the words that are used.
  static func faults(
    _ value: JSONValue, _ schema: JSONValue, at path: String = "$"
  ) -> [String] {
    var faults: [String] = []
    func add(_ fault: String) { faults.append("\(path): \(fault)") }
    func fits(_ other: JSONValue) -> Bool { Self.faults(value, other).isEmpty }
    if let constant = schema["const"], constant != value { add("is not \(constant)") }
    if let words = schema["enum"]?.array, !words.contains(value) { add("is none of \(words)") }
    if let choices = schema["oneOf"]?.array, choices.filter(fits).count != 1 { add("is no one of") }
    if let choices = schema["anyOf"]?.array, !choices.contains(where: fits) { add("is none of") }
    if let type = schema["type"]?.string, !isA(value, type) {
      return faults + ["\(path): no \(type)"]
    }
    if let number = value.number {
      if let least = schema["minimum"]?.number, number < least { add("is below \(least)") }
      if let most = schema["maximum"]?.number, number > most { add("is above \(most)") }
    }
    if let elements = value.array {
      if let least = schema["minItems"]?.integer, elements.count < least { add("is short") }
      if let most = schema["maxItems"]?.integer, elements.count > most { add("is long") }
      if let items = schema["items"] {
        for (place, element) in elements.enumerated() {
          faults += Self.faults(element, items, at: "\(path)[\(place)]")
        }
      }
    }
    if case .object(let members) = value {
      for name in schema["required"]?.array?.compactMap(\.string) ?? [] where members[name] == nil {
        add("lacks \(name)")
      }
      for (name, member) in members {
        if let known = schema["properties"]?[name] {
          faults += Self.faults(member, known, at: "\(path).\(name)")
        } else if let rest = schema["additionalProperties"] {
          if rest == .bool(false) {
            add("has \(name)")
          } else if rest != .bool(true) {
            faults += Self.faults(member, rest, at: "\(path).\(name)")
          }
        }
      }
    }
    return faults
  }

  private static func isA(_ value: JSONValue, _ type: String) -> Bool {
    switch (type, value) {
    case ("object", .object), ("array", .array), ("string", .string), ("boolean", .bool),
      ("null", .null), ("integer", .integer), ("number", .integer), ("number", .number):
      true
    default: false
    }
  }

  @Test(
    "a process that may use one core works with one thread; two columns of a name are both there")
  func affinity() throws {
    #expect(Resources.processors >= 1)
    #expect(TextTable.jsonNames(["a", "b", "a", "a_2"]) == ["a", "b", "a_2", "a_2_2"])
    guard FileManager.default.isExecutableFile(atPath: "/usr/bin/taskset") else {
      print("no taskset here: how it limits threads is not shown")
      return
    }
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/taskset")
    process.arguments = ["-c", "0", "cat", "/proc/self/status"]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let status = String(
      decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(Resources.processors(allowed: status) == 1)
    #expect(Resources.processors(allowed: "Cpus_allowed:\tff,ffffffff\n") == 40)
    #expect(Resources.processors(allowed: "") == nil)
  }
}
