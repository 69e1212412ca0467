import Formats
import Foundation
import Testing

@testable import locus

@Suite("what a run was asked for")
struct RunOptionsTests {
  @Test("--set, --only and --force are with the run wherever it is told of, and reproduce it")
  func recorded() throws {
    let bench = try Bench()
    let path = try bench.pipeline()
    #expect(bench.locus("run", path).code == 0)
    let words = [
      "--only", "baseline[width=16]", "--force", "scenes", "--set", "scenes.count=5",
    ]
    #expect(bench.locus(words: ["run", path] + words).code == 0)
    let typed = words.joined(separator: " ")
    let runs = try JSONValue.parse(Data(bench.locus("runs", "--json").output.utf8))
    #expect(runs.array?.map { $0["options"] } == [.string(typed), .null])
    #expect(bench.locus("show", "latest").output.contains(typed))
    let first = try #require(runs.array?.last?["run"]?.string)
    #expect(bench.locus("diff", first, "latest").output.contains(typed))
    let report = try String(
      contentsOf: bench.folder.appending(path: "reports/study/latest.md"), encoding: .utf8)
    #expect(
      report.contains(
        "locus run \(path) --only 'baseline[width=16]' --force scenes --set 'scenes.count=5'\n"))
    // Known again from the receipt alone.
    #expect(bench.locus("rebuild").code == 0)
    #expect(bench.locus("show", "latest").output.contains(typed))
    let machine = try JSONValue.parse(
      Data(bench.locus("query", "SELECT machine FROM run LIMIT 1", "--json").output.utf8))
    #expect(machine.array?.first?["machine"]?.string?.contains("\"sqlite\":\"3.") == true)
  }
}
