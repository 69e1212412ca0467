// Proves that a graph is drawn as GitHub draws it, made smaller where it would not be, and never left out.
import Testing

@testable import Formats

@Suite("A flowchart")
struct FlowchartTests {
  /// Each of `makers` stages with `instances` read by each of `readers` stages with as many, one instance by one.
  private func chart(makers: Int, readers: Int, instances: Int) -> Flowchart {
    func nodes(_ kind: String, _ stages: Int) -> [Flowchart.Node] {
      (0..<stages).flatMap { stage in
        (0..<instances).map { instance in
          Flowchart.Node(
            names: ["\(kind)\(stage)[seed=\(instance)]"], group: "\(kind)\(stage)", kind: kind)
        }
      }
    }
    return Flowchart(
      prefix: "s", nodes: nodes("train", makers) + nodes("evaluate", readers),
      arrows: (0..<makers).flatMap { maker in
        (0..<readers).flatMap { reader in
          (0..<instances).map {
            Flowchart.Arrow(
              from: maker * instances + $0, to: (makers + reader) * instances + $0,
              labels: ["denoisers[\($0)]/manifest"])
          }
        }
      })
  }

  private func isDrawable(_ text: String) -> Bool {
    text.components(separatedBy: " --> ").count - 1 <= 500 && text.utf16.count <= 50_000
  }

  @Test("up to 500 arrows each instance is a box")
  func whole() {
    guard case .whole(let text) = chart(makers: 10, readers: 5, instances: 10).drawing else {
      Issue.record("not whole")
      return
    }
    #expect(isDrawable(text) && text.hasPrefix("flowchart LR\n  s0[\"train0[seed=0]\"]\n"))
    #expect(text.components(separatedBy: " --> ").count == 501)
    #expect(text.contains("  s0 -- \"denoisers[0]/manifest\" --> s100"))
  }

  @Test("beyond, the instances of a stage are one box with their number, and one arrow a pair")
  func collapsed() {
    guard case .collapsed(let text) = chart(makers: 10, readers: 5, instances: 11).drawing else {
      Issue.record("not collapsed")
      return
    }
    #expect(isDrawable(text) && text.contains("  s0[\"train0 × 11<br/>train\"]\n"))
    #expect(text.components(separatedBy: " --> ").count == 51)
    #expect(text.contains("  s0 -- \"denoisers[…]/manifest\" --> s10"))
    #expect(!text.contains("seed="))
  }

  @Test("long names count too: 50,000 characters are the limit, whatever the arrows")
  func characters() {
    let name = String(repeating: "n", count: 60)
    func chart(_ count: Int) -> Flowchart {
      Flowchart(
        prefix: "s",
        nodes: (0..<count).map {
          Flowchart.Node(names: ["\(name)[seed=\($0)]"], group: name, kind: "train")
        }, arrows: [])
    }
    if case .whole = chart(500).drawing {} else { Issue.record("500 are drawn whole") }
    guard case .collapsed(let text) = chart(700).drawing else {
      Issue.record("700 are too many characters")
      return
    }
    #expect(text == "flowchart LR\n  s0[\"\(name) × 700<br/>train\"]")
  }

  @Test("where that is too large as well, a table has a row a stage with all that it reads")
  func table() {
    let large = chart(makers: 30, readers: 20, instances: 2)
    guard case .table(let table) = large.drawing else {
      Issue.record("not a table")
      return
    }
    let rows = table.rows
    #expect(table.columns == ["stage", "instances", "kind", "reads"] && rows.count == 50)
    #expect(rows[0] == ["train0 × 2", "2", "train", ""])
    #expect(rows[30][3].split(separator: ",").count == 30)
    #expect(rows[30][3].hasPrefix("train0 × 2, train1 × 2"))
  }

  @Test("equal arrows are one, what stands alone is no box, and a group of one keeps its name")
  func small() {
    let chart = Flowchart(
      prefix: "e",
      nodes: [
        Flowchart.Node(names: ["a[x=1]", "b"], details: ["train"], group: "a, b", kind: "train"),
        Flowchart.Node(names: ["asked \"for\""], group: nil, kind: ""),
      ],
      arrows: ["manifest", "weights", "manifest"].map {
        Flowchart.Arrow(from: 0, to: 1, labels: [$0])
      })
    let text = """
      flowchart LR
        e0["a[x=1]<br/>b<br/>train"]
        e1(["asked #quot;for#quot;"])
        e0 -- "manifest, weights" --> e1
      """
    #expect(chart.mermaid == text && chart.collapsed.mermaid == text)
  }
}
