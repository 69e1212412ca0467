// Proves that any number of runs stand beside each other: what differs of parameters, and every metric.
import Formats
import Foundation
import Testing

@testable import locus

@Suite("locus compare")
struct CompareCommandTests {
  private func runs() throws -> (Bench, [String]) {
    let bench = try Bench()
    let path = try bench.pipeline()
    #expect(bench.locus("run", path).code == 0)
    #expect(bench.locus("run", path, "--set", "scenes.count=5").code == 0)
    #expect(bench.locus("run", path, "--set", "scenes.count=7", "--only", "scenes").code == 0)
    let found = try JSONValue.parse(Data(bench.locus("runs", "--json").output.utf8))
    return (bench, (found.array ?? []).compactMap { $0["run"]?.string }.reversed())
  }

  @Test("a column a run, a row a parameter that is not the same in all of them")
  func parameters() throws {
    let (bench, ids) = try runs()
    let found = bench.locus(words: ["compare"] + ids)
    #expect(found.code == 0, "\(found.error)")
    let lines = found.output.split(separator: "\n").map { line in
      line.split(separator: " ").map(String.init)
    }
    let rows = lines.filter { $0.first == "scenes" && $0.dropFirst().first == "count" }
    let first = try #require(rows.first)
    #expect(rows.count == 1 && Array(first.suffix(2)) == ["5", "7"], "\(found.output)")
    // What one of them has not is no difference of parameters.
    #expect(!lines.contains { $0.first == "baseline[width=8]" && $0.contains("width") })
    for (number, id) in ids.enumerated() {
      #expect(lines.contains { $0.first == "\(number + 1)" && $0.contains(id) })
    }
  }

  @Test("metrics are a row a run in JSON, with what names them")
  func metrics() throws {
    let (bench, ids) = try runs()
    let found = bench.locus(words: ["compare", "--all", "--json"] + ids)
    let metrics = try JSONValue.parse(Data(found.output.utf8))["metrics"]?.array ?? []
    // The third run did one stage alone.
    let counts = ids.map { id in metrics.count { $0["run"]?.string == id } }
    #expect(counts[0] > 0 && counts[0] == counts[1] && counts[2] < counts[0], "\(counts)")
    #expect(metrics.allSatisfy { $0["stage"]?.string != nil && $0["value"]?.number != nil })
    let same = bench.locus(words: ["compare", "--json"] + ids.prefix(2))
    let differing = try JSONValue.parse(Data(same.output.utf8))["metrics"]?.array ?? []
    #expect(differing.count < metrics.count)
  }

  @Test("one run, or one twice, is nothing to compare")
  func refused() throws {
    let (bench, ids) = try runs()
    #expect(bench.locus("compare").code == 64)
    #expect(bench.locus("compare", "latest").code == 64)
    #expect(bench.locus("compare", ids[2], "latest").code == 64)
    #expect(bench.locus("compare", ids[0], "baseline[width=8]").code == 64)
  }
}
