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
    let typed = "--only 'baseline[width=16]' --force scenes --set 'scenes.count=5'"
    let runs = try JSONValue.parse(Data(bench.locus("runs", "--json").output.utf8))
    #expect(runs.array?.map { $0["options"] } == [.array(words.map(JSONValue.string)), .null])
    #expect(bench.locus("show", "latest").output.contains(typed))
    let first = try #require(runs.array?.last?["run"]?.string)
    #expect(bench.locus("diff", first, "latest").output.contains(typed))
    let report = try String(
      contentsOf: bench.folder.appending(path: "reports/study/\(newest(bench)).md"), encoding: .utf8
    )
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

  @Test("the report of the latest whole run stays the latest, and names what is newer")
  func latest() throws {
    let bench = try Bench()
    let path = try bench.pipeline()
    let page = bench.folder.appending(path: "reports/study/latest.md")
    func text() throws -> String { try String(contentsOf: page, encoding: .utf8) }
    #expect(bench.locus("run", path).code == 0)
    let whole = try newest(bench)
    #expect(try text().contains(whole))
    let cases: [([String], Int, String?)] = [
      (["--only", "scenes", "--force", "scenes"], 0, "did a part of the pipeline alone"),
      (["--only", "scenes"], 0, nil), (["--only", "scenes"], 0, nil),
      (["--set", "baseline.fails=true"], 70, "failed"),
    ]
    for (words, code, said) in cases {
      #expect(bench.locus(words: ["run", path] + words).code == Int32(code))
      let next = try newest(bench)
      #expect(next != whole)
      let latest = try text()
      guard let said else {
        // It had nothing to do: the pages stay.
        #expect(latest.contains("Run `\(whole)`"))
        continue
      }
      #expect(latest.contains("Run `\(whole)`"))
      #expect(latest.contains("A later run \(said): [\(next)](\(next).md)."), "\(latest)")
      // It has a page of its own, and status is about it.
      let own = bench.folder.appending(path: "reports/study/\(next).md")
      #expect(FileManager.default.fileExists(atPath: own.path))
      #expect(bench.locus("status").output.contains(next))
    }
    #expect(bench.locus("run", path, "--force", "scenes").code == 0)
    let last = try newest(bench)
    #expect(try text().contains("Run `\(last)`"))
    #expect(try !text().contains("A later run"))
  }

  @Test("what a receipt from elsewhere says it was asked for is no command")
  func hostile() {
    #expect(Escape.shellWord("--set") == "--set")
    for word in ["; touch /tmp/PWNED #", "--set;id", "--", "--$(id)", "-rf", "--SET"] {
      #expect(Escape.shellWord(word) == "'\(word)'")
    }
  }

  private func newest(_ bench: Bench) throws -> String {
    let found = bench.locus("query", "SELECT id FROM newest_run", "--json").output
    return try JSONValue.parse(Data(found.utf8)).array?.first?["id"]?.string ?? ""
  }
}
