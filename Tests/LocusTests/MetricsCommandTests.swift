// Proves that `locus metrics` lists the catalogue, and that README has its table.
import Formats
import Foundation
import Measures
import Testing

@testable import locus

@Suite("locus metrics")
struct MetricsCommandTests {
  @Test("lists every measure, for people and for programs")
  func list() throws {
    let bench = try Bench()
    let table = bench.locus("metrics")
    #expect(table.code == 0)
    #expect(table.output.split(separator: "\n").count == Measure.all.count + 2)
    let found = try JSONValue.parse(Data(bench.locus("metrics", "--json").output.utf8))
    #expect(found.array?.compactMap { $0["metric"]?.string } == Measure.all.map(\.name))
  }

  @Test("README's table of metrics is what the command prints")
  func readme() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let readme = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
    let printed = try Bench().locus("metrics", "--format", "markdown").output
    #expect(
      readme.contains("\n\n" + printed + "\n"),
      "put the output of `locus metrics --format markdown` into README")
  }
}
