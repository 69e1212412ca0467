import Foundation
import Testing
import Workflow

@testable import Experiments

/// Queries read what executions recorded by the names of settings and kinds. A renamed one would empty a
/// table without a word; here it fails.
@Suite("Names that queries read back")
struct RecordedNamesTests {
  /// Every text between quotes that `pattern` takes from the sources of the layers that query.
  private func names(_ pattern: String) throws -> Set<String> {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let expression = try NSRegularExpression(pattern: pattern)
    var found: Set<String> = []
    for layer in ["Reporting", "Measures", "Lineage", "locus"] {
      let files = FileManager.default.enumerator(
        at: root.appending(path: "Sources/\(layer)"), includingPropertiesForKeys: nil)
      for case let file as URL in files ?? .init() where file.pathExtension == "swift" {
        let text = try String(contentsOf: file, encoding: .utf8)
        for match in expression.matches(
          in: text, range: NSRange(text.startIndex..., in: text))
        {
          if let range = Range(match.range(at: 1), in: text) { found.insert(String(text[range])) }
        }
      }
    }
    return found
  }

  private func paths(_ parameters: [Parameter]) -> [String] {
    parameters.flatMap { parameter in
      [parameter.name] + members(parameter.type).map { "\(parameter.name).\($0)" }
    }
  }

  private func members(_ type: ParameterType) -> [String] {
    switch type {
    case .object(let parameters): paths(parameters)
    case .variant(let tag, let cases): [tag] + cases.values.flatMap(paths)
    case .list(let element, _): members(element)
    case .bool, .text, .integer, .number, .choice: []
    }
  }

  @Test("each recorded setting is declared by a kind")
  func settings() throws {
    let read = try names(#"params, '\$\.([a-z_.]+)'"#)
    let declared = Set(Experiments.stageKinds.flatMap { paths($0.parameters) })
    #expect(read.count > 10)
    #expect(read.subtracting(declared).isEmpty)
  }

  @Test("each kind is there")
  func kinds() throws {
    let read = try names(#"\bkind (?:=|<>) '([a-z-]+)'"#)
    #expect(read.count > 3)
    #expect(read.subtracting(Experiments.stageKinds.map(\.name)).isEmpty)
  }
}
