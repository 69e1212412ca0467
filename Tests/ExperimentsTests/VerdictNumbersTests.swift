import Foundation
import Lineage
import Measures
import Testing
import Workflow

@testable import Experiments
@testable import Reporting

/// Proves that the verdict's numbers are those of the pictures: recomputed from the table `outcome` by SQL
/// that shares nothing with the program, and found by the queries that the page prints.
@Suite("Numbers of the verdict", .serialized)
struct VerdictNumbersTests {
  /// Two models, a mask and its control, evaluated and compared for real.
  private static func run(_ body: (Store, String, String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "locus-verdict-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let pipeline = try Pipeline.parse(
      bytes: Array(
        """
        { pipeline: 'p', question: 'q', seed: 1,
          claims: {
            fails: [{ model: 'model[labelling=single]', against: 'model[labelling=all]' }],
            remote: [{ model: 'model[labelling=single]', against: 'model[labelling=all]', objects: 2 }],
            repairs: [{ mask: 'masked[mask=conditioner]', of: 'model[labelling=single]',
              control: 'masked[mask=sum]' }],
          },
          stages: {
            scenes: { kind: 'generate', size: 16, cells: 8, objects: [1, 2], count: 200 },
            judge: { kind: 'judge', size: 16, cells: 8, renders: 200, pictures: 640, held_out: 5 },
            model: { kind: 'train', inputs: { scenes: 'scenes' }, matrix: { labelling: ['all', 'single'] },
              network: { type: 'unet', width: 8 }, pictures: 640, batch: 16 },
            masked: { kind: 'intervene', inputs: { denoiser: 'model[labelling=single]', scenes: 'scenes' },
              matrix: { mask: ['identity', 'conditioner', 'sum'] }, radius: 4 },
            probed: { kind: 'probe', inputs: { denoiser: 'model', scenes: 'scenes' },
              sigmas: [0.5], counts: [2], pictures: 3, pixels: 2, layouts: 3, remote_sigmas: [10, 0.5],
              window: 5, steps: 4 },
            plain: { kind: 'evaluate', inputs: { denoiser: 'model', judge: 'judge' },
              counts: [1, 2, 3, 5], layouts: 6, steps: 4 },
            // One K and some layouts fewer: what is paired is what both have.
            behind: { kind: 'evaluate', inputs: { denoiser: 'masked', judge: 'judge' },
              counts: [1, 3, 5], layouts: 4, steps: 4 },
            told: { kind: 'compare', inputs: { evaluations: ['plain', 'behind'], probes: ['probed'] }, counts: [1, 3, 5] },
          } }
        """.utf8), path: "p.json5", kinds: Experiments.stageKinds,
      extensions: [.claims])
    let (store, run) = try runWhole(pipeline, in: folder)
    let page = try Report.write(
      store: store, runID: run, into: folder.appending(path: "reports"))
    try body(store, run, try String(contentsOf: page, encoding: .utf8))
  }

  private static func number(_ sql: String, _ store: Store) throws -> Double {
    try #require(try store.query(sql).rows.first?.first?.number)
  }

  /// The cells of the first row of the page that begins so.
  private static func cells(_ page: String, _ beginning: String) throws -> [String] {
    var text = page
    // Names that may break, and intervals that may not.
    for (from, to) in [
      ("<code>", "`"), ("</code>", "`"), ("<wbr>", ""), ("\\[", "["), ("\\]", "]"), ("\u{A0}", " "),
    ] { text = text.replacing(from, with: to) }
    let row = try #require(text.split(separator: "\n").first { $0.hasPrefix("| \(beginning)") })
    return row.split(separator: " | ").map(String.init)
  }

  /// Of the first of the two detectors, and of the second.
  private static func text(_ value: Double, isSigned: Bool = false) -> String {
    let text = String(format: "%.2f", value)
    if !text.contains(where: { ("1"..."9").contains($0) }) {
      return isSigned && value > 0 ? "+0.00" : "0.00"
    }
    return (isSigned && value > 0 ? "+" : "") + text
  }

  @Test(
    "recall beyond chance, and a mask's effect and contrast in it, follow from `outcome` by plain SQL"
  )
  func recomputed() throws {
    try Self.run { store, _, page in
      // K = 2 was tested without the mask alone: the comparison is about the others.
      let recall = """
        SELECT avg(share) FROM (
          SELECT sum(o.FOUND - o.CHANCE) / sum(o.requested - o.CHANCE) AS share
          FROM outcome o JOIN stage s USING (execution_id)
          WHERE s.name = 'plain[labelling=single]' AND o.k IN (3, 5) GROUP BY o.k)
        """
      func paired(_ a: String, _ b: String, _ found: String, _ chance: String) -> String {
        """
        SELECT avg(own - other) FROM (
          SELECT sum(a.\(found) - a.\(chance)) / sum(a.requested - a.\(chance)) AS own,
            sum(b.\(found) - b.\(chance)) / sum(b.requested - b.\(chance)) AS other
          FROM outcome a JOIN outcome b USING (seed, k, layout)
          JOIN stage s ON s.execution_id = a.execution_id
          JOIN stage t ON t.execution_id = b.execution_id
          WHERE s.name = '\(a)' AND t.name = '\(b)' AND k IN (3, 5) GROUP BY k)
        """
      }
      let detectors = [("found", "chance"), ("found_background", "chance_background")]
      let model = try Self.cells(page, "`model[labelling=single]` | ")
      #expect(model.count == 5)
      for (cell, (found, chance)) in zip([2, 3], detectors) {
        let sql = recall.replacing("FOUND", with: found).replacing("CHANCE", with: chance)
        let value = Self.text(try Self.number(sql, store))
        #expect(model[cell].hasPrefix(value + " ["), "\(model[cell]) is not \(value)")
      }
      // Not all layouts were drawn behind the mask.
      let layouts =
        "SELECT 1.0 * count(*) FROM outcome o JOIN stage s USING (execution_id) WHERE k > 2"
      #expect(
        try Self.number(layouts + " AND s.name = 'plain[labelling=single]'", store)
          > Self.number(layouts + " AND s.name = 'behind[mask=sum]'", store))
      let claim = try Self.cells(page, "`masked[mask=conditioner]` repairs")
      let (plain, mask, control) = (
        "plain[labelling=single]", "behind[mask=conditioner]", "behind[mask=sum]"
      )
      for (cell, (a, b)) in zip([2, 3, 4], [(mask, plain), (control, plain), (mask, control)]) {
        let numbers = claim[cell].split(separator: " / ")
        #expect(numbers.count == 2, "\(claim[cell])")
        for (told, (found, chance)) in zip(numbers, detectors) {
          let value = Self.text(try Self.number(paired(a, b, found, chance), store), isSigned: true)
          #expect(told.hasPrefix(value + " ["), "\(a), \(b): \(told) is not \(value)")
        }
      }
    }
  }

  @Test("the identity has no effect at all, also where fewer layouts are drawn behind it")
  func identity() throws {
    try Self.run { store, _, _ in
      let rows = try store.query(
        """
        SELECT m.value, m.ci_low, m.ci_high FROM metric m
        JOIN execution_output o ON o.sha256 = m.subject AND o.role = 'manifest'
        JOIN stage s ON s.execution_id = o.execution_id
        WHERE s.name = 'behind[mask=identity]'
          AND m.name IN ('effect_recall', 'effect_background', 'effect_precision')
        """
      ).rows
      #expect(rows.count == 12)
      #expect(rows.joined().allSatisfy { $0.number == 0 })
      // What chance would find is the same, picture by picture.
      let unlike = try Self.number(
        """
        SELECT count(*) FROM outcome a JOIN stage s ON s.execution_id = a.execution_id
        JOIN outcome b ON b.k = a.k AND b.layout = a.layout
        JOIN stage t ON t.execution_id = b.execution_id
        WHERE s.name = 'behind[mask=identity]' AND t.name = 'plain[labelling=single]'
          AND a.chance <> b.chance
        """, store)
      #expect(unlike == 0)
    }
  }

  /// What is no name, and the numbers in it.
  private static func numerals(_ sentence: String) -> [(text: String, isShare: Bool)] {
    let words = sentence.replacing(#/`[^`]*`/#, with: "").replacing("K_max", with: "")
    return words.matches(of: #/[0-9]+(\.[0-9]+)?( %)?/#).map { match in
      (
        String(match.0.prefix { $0.isNumber || $0 == "." }), match.0.hasSuffix("%")
      )
    }
  }

  /// The numerals of a sentence that no row of the queries has.
  private static func lost(_ sentence: String, _ queries: [String], _ store: Store) throws
    -> [String]
  {
    var values: [Double] = []
    for query in queries {
      values += try store.queryReadOnly(query).result.rows.joined().compactMap(\.number)
    }
    return numerals(sentence).filter { numeral in
      let digits = numeral.text.split(separator: ".").dropFirst().first?.count ?? 0
      return !values.contains { value in
        String(format: "%.\(digits)f", abs(value) * (numeral.isShare ? 100 : 1)) == numeral.text
      }
    }.map(\.text)
  }

  @Test("every number of the answer and of the claims' sentences is in the rows of a printed query")
  func printed() throws {
    try Self.run { store, run, page in
      let queries = page.components(separatedBy: "Query: `").dropFirst().compactMap {
        $0.components(separatedBy: "`").first
      }
      let own = try Findings(RunData(store: store, runID: run))
      let answer = try #require(Answer(verdict: own.verdict).bold)
      #expect(page.contains(answer))
      let shown = page.components(separatedBy: "Queries that yield the verdict")
      #expect(shown.count == 2)
      let verdicts = shown[1].components(separatedBy: "</details>")[0]
      let printed = queries.filter { verdicts.contains($0) }
      #expect(printed.count >= 8)
      // "one seed" and what K are tested are said in words.
      for sentence in [answer] + own.verdict.sentences {
        #expect(page.contains(sentence) && Self.numerals(sentence).count > 5)
        #expect(try Self.lost(sentence, printed, store) == [], "\(sentence)")
        // One query alone does not have them.
        #expect(try !Self.lost(sentence, Array(printed.prefix(1)), store).isEmpty)
      }
      // The indices of the scatter stand in rows of their own, with their intervals.
      let index = try #require(printed.first { $0.contains("m.k = 2") })
      let result = try store.queryReadOnly(index).result
      let places = try ["model", "change", "remote_index", "ci_low", "ci_high"].map {
        try #require(result.columns.firstIndex(of: $0))
      }
      let rows = result.rows.filter { $0[places[1]].text == "removed" }
      #expect(rows.count == 2)
      for row in rows {
        let name = try #require(row[places[0]].text)
        let numbers = try places[2...].map {
          String(format: "%.3f", try #require(row[$0].number))
        }
        #expect(
          try Self.cells(page, "`\(name)` | ")[1] == "\(numbers[0]) [\(numbers[1]), \(numbers[2])]")
      }
    }
  }

  @Test(
    "the difference of two remote indices is recomputed from the table `sensitivity` by plain SQL")
  func remote() throws {
    try Self.run { store, run, page in
      let index = """
        (SELECT avg(ratio) FROM (
          SELECT sqrt(sum(removed) / sum(remote_own)) AS ratio FROM sensitivity JOIN stage s USING (execution_id)
          WHERE s.name = 'probed[labelling=LABELLING]' AND inputs = 'trajectory' AND k = 2 GROUP BY sigma))
        """
      let both = ["single", "all"].map { index.replacing("LABELLING", with: $0) }
      let value = try Self.number("SELECT \(both[0]) - \(both[1])", store)
      let stored = try #require(
        RemoteDifferences(try RemoteDifferenceRow.question(run).rows(store))
          .difference("probed[labelling=single]", "probed[labelling=all]", k: 2))
      #expect(abs(stored.value - value) < 1e-12 && abs(value) > 1e-4)
      let claim = try Self.cells(page, "remote labels count for `model[labelling=single]`")
      #expect(claim.contains { $0.contains(Markdown.signed(stored, digits: 3)) })
    }
  }
}
