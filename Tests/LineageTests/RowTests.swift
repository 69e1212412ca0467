// Proves that a row is read by the names of its columns, and that what is missing is no number.
import Foundation
import Testing

@testable import Lineage

@Suite("Rows")
struct RowTests {
  private func row(_ sql: String) throws -> Row {
    let fixture = try StoreFixture()
    return try #require(fixture.store.rows(sql).first)
  }

  @Test("values have the type that is asked for")
  func values() throws {
    let row = try row("SELECT 1 AS a, 2.5 AS b, 'x' AS c, NULL AS d")
    #expect(try row.integer("a") == 1 && row.number("a") == 1 && row.flag("a"))
    #expect(try row.number("b") == 2.5 && row.text("c") == "x")
    #expect(try row.optionalText("d") == nil && row.optionalNumber("d") == nil)
  }

  @Test("a missing column, an ambiguous one, NULL and another type are errors")
  func errors() throws {
    let row = try row("SELECT NULL AS a, 'x' AS b, 1.5 AS c, 1 AS twice, 2 AS twice")
    for (read, word): (() throws -> Any?, String) in [
      ({ try row.optionalNumber("z") }, "column z: not in the result"),
      ({ try row.number("a") }, "column a: NULL"), ({ try row.number("b") }, "not a number"),
      ({ try row.integer("c") }, "not an integer"), ({ try row.integer("twice") }, "twice"),
    ] {
      let error = #expect(throws: StoreError.self) { _ = try read() }
      #expect(error?.description.contains(word) == true, "\(String(describing: error))")
    }
  }

  @Test("values of dimensions survive a receipt, seeds of all bits too")
  func coding() throws {
    let row = MetricRow(
      name: "x", value: 0.5,
      dimensions: [
        "k": .integer(5), "seed": .integer(.max), "sigma": .number(0.1), "whole": .number(80),
        "low": .integer(.min), "word": .text("a|b"),
      ], subject: "s", n: 3)
    let data = try JSONEncoder().encode(row)
    #expect(try JSONDecoder().decode(MetricRow.self, from: data) == row)
    #expect(row.dimensions["whole"] == .integer(80))
  }
}
