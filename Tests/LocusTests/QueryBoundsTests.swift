// Proves that a query ends in time and stays small, whatever it asks for.
import Foundation
import Testing

@Suite("Bounds of a query", .serialized, .timeLimit(.minutes(5)))
struct QueryBoundsTests {
  /// KiB of address space: what the program maps, and room for what a query may take.
  private static let memory = 500_000

  private static func endless(_ columns: String) -> String {
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT \(columns) FROM n"
  }

  private func withStore(_ body: (URL) throws -> Void) throws {
    try withFolder { folder in
      try Data(
        """
        { pipeline: "tiny", question: "q", seed: 1, stages: {
          scenes: { kind: "generate", size: 8, cells: 4, objects: [1, 1], count: 1 } } }
        """.utf8
      ).write(to: folder.appending(path: "p.json5"))
      #expect(try Executable.run(["run", "p.json5", "--quiet"], in: folder).code == 0)
      try body(folder)
    }
  }

  @Test("within one function of SQL too, the process ends just past its limit")
  func time() throws {
    try withStore { folder in
      let sql = "SELECT instr(hex(zeroblob(7900000)), hex(zeroblob(4000000)) || '1')"
      let start = ContinuousClock.now
      let found = try Executable.run(["query", sql, "--limit", "1"], in: folder)
      // It ends after 1.5 s; the rest is for a busy machine.
      #expect(ContinuousClock.now - start < .seconds(20))
      #expect(found.code == 64 && found.output.isEmpty)
      #expect(
        found.error
          == "locus: the query took longer than 1 s and was stopped; --limit allows more\n")
    }
  }

  @Test(
    "memory is bounded: what does not fit is refused or cut, and says so",
    arguments: [
      ("SELECT randomblob(16000000), randomblob(16000000)", ["json"], 64),
      (
        "SELECT " + Array(repeating: "hex(randomblob(8000000))", count: 60).joined(separator: ", "),
        [], 64
      ),
      (endless("randomblob(1000000)") + " LIMIT 300", [], 0),
      (endless("i, hex(randomblob(20000))") + " LIMIT 5000", [], 0),
      (endless("i, randomblob(300000)") + " LIMIT 100", ["csv"], 0),
      (endless("i, i") + " LIMIT 200000", ["csv"], 0),
      (endless("count(*), group_concat(i)") + " LIMIT 20000000", [], 64),
    ] as [(String, [String], Int32)])
  func memory(_ sql: String, _ format: [String], _ code: Int32) throws {
    try withStore { folder in
      let found = try Executable.run(
        ["query", sql, "--limit", "3"] + format.flatMap { ["--format", $0] }, in: folder,
        memory: Self.memory)
      #expect(found.code == code, "\(found.error)")
      if code != 0 { #expect(found.error.contains(" was stopped; "), "\(found.error)") }
      if code == 0, format.isEmpty {
        #expect(found.error.contains("--format csv has them"), "\(found.error)")
      }
    }
  }
}
