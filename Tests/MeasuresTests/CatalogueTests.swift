// Proves that the catalogue says each name once, and that nothing else says any.
import Foundation
import Lineage
import Testing

@testable import Measures

@Suite("The catalogue of measures")
struct CatalogueTests {
  @Test("every measure has a name of its own, a sentence and a kind")
  func names() {
    #expect(Set(Measure.all.map(\.name)).count == Measure.all.count)
    for measure in Measure.all {
      #expect(measure.sentence.hasSuffix(".") && !measure.kinds.isEmpty, "\(measure.name)")
      #expect(Set(measure.dimensions).count == measure.dimensions.count, "\(measure.name)")
    }
  }

  @Test("a row has its measure's name and unit, and stands where it was measured")
  func rows() {
    let row = Measure.windowLoad.row(2.5, .k(5), .seed(.max), nil, n: 3)
    #expect(row.name == Measure.windowLoad.name && row.unit == "labels" && row.n == 3)
    #expect(row.dimensions == ["k": .integer(5), "seed": .integer(.max)])
    #expect(row.k == 5 && row.sigma == nil && row.subject == nil)
    let about = Measure.effect(.recall).row(0.5, low: 0, high: 1, .k(5), .subject("abc"))
    #expect(about.subject == "abc" && about.dimensions == ["k": .integer(5)])
    #expect(about.ciLow == 0 && about.ciHigh == 1)
  }

  /// What the code of a file says, without its comments.
  private static func code(_ file: URL) throws -> [(number: Int, text: Substring)] {
    try String(contentsOf: file, encoding: .utf8)
      .split(separator: "\n", omittingEmptySubsequences: false).enumerated()
      .map { ($0.offset + 1, $0.element) }
      .filter { !$0.text.drop { $0 == " " }.hasPrefix("//") }
  }

  @Test("no name of a metric, and no part of one, is a literal outside the catalogue")
  func literals() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    // Columns of the views have words of their own; some are a metric's name.
    let columns = Set(
      Vocabulary.locus.views.flatMap { $0.sql.matches(of: #/AS "?(\w+)/#).map { String($0.1) } }
    )
    .union(Vocabulary.locus.views.map(\.name))
    var forbidden = Measure.all.map { "'\($0.name)'" }
    // Other names are words for other things too: `pictures`, `loss`.
    forbidden += Measure.all.map(\.name)
      .filter { $0.contains { "_.".contains($0) } && !columns.contains($0) }.map { "\"\($0)\"" }
    for part in ["effect_", "p_holm_", "judge_", "theory.", "locality.", "side.", "agreement."] {
      forbidden += ["\"\(part)", "'\(part)", "\(part)%"]
    }
    let sources = root.appending(path: "Sources").path
    let files = FileManager.default.enumerator(atPath: sources)
    while let path = files?.nextObject() as? String {
      if !path.hasSuffix(".swift") || path.hasPrefix("Measures/") { continue }
      for line in try Self.code(URL(filePath: "\(sources)/\(path)")) {
        for literal in forbidden where line.text.contains(literal) {
          Issue.record("\(path):\(line.number): \(literal)")
        }
      }
    }
  }
}
