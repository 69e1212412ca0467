import Foundation
import Lineage
import Measures
import Testing

@testable import Reporting

/// Each section of a small run against its page in `Golden`; `LOCUS_GOLDEN=write swift test --filter
/// GoldenTests` writes them anew.
@Suite("Golden pages")
struct GoldenTests {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Golden", directoryHint: .isDirectory)
  static let isWriting = ProcessInfo.processInfo.environment["LOCUS_GOLDEN"] == "write"

  @Test("every section says what it said")
  func sections() throws {
    let fixture = try ReportFixture.study()
    try fixture.theory()
    try fixture.machines()
    try fixture.scoreErrors()
    try fixture.pictures()
    try fixture.features()
    try fixture.fields()
    let data = try fixture.data
    try Self.compare(Report.sections, data, fixture, Self.folder)
  }

  @Test("a study of several seeds says what it said")
  func seeds() throws {
    let fixture = try ReportFixture.alongTraining()
    try Self.compare(
      [
        HeaderSection.self, LengthGeneralizationSection.self, TrainingSection.self,
        RemoteSection.self, CompositionSection.self, PredictionSection.self,
      ], fixture.data, fixture, Self.folder.appending(path: "Seeds"))
  }

  private static func compare(
    _ sections: [any Section.Type], _ data: RunData, _ fixture: ReportFixture, _ folder: URL
  ) throws {
    for section in sections {
      let page = MarkdownRenderer(try section.init(data).blocks, pictureFolder: "pictures").text
        .replacingOccurrences(of: fixture.run, with: "RUN")
        .replacing(#/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z/#, with: "TIME")
        // What marks an execution is made of its times, too.
        .replacing(#/'([0-9a-f]{16}-[0-9]+)-[0-9a-f]{12}'/#) { "'\($0.1)'" }
      let url = folder.appending(path: "\(section).md")
      if isWriting {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(page.utf8).write(to: url)
      }
      #expect(try page == String(contentsOf: url, encoding: .utf8), "\(section)")
    }
  }

  @Test("every shown query is one that can be run, and has rows")
  func questions() throws {
    let study = try ReportFixture.study()
    try study.theory()
    try study.machines()
    try study.scoreErrors()
    try study.pictures()
    try study.features()
    try study.fields()
    var shown = 0
    for fixture in [study, try ReportFixture.alongTraining()] {
      let data = try fixture.data
      let kinds = Set(data.run.stages.map(\.kind))
      for section in Report.sections
      where section.kinds.isEmpty || !section.kinds.isDisjoint(with: kinds) {
        for sql in Self.questions(try section.init(data).blocks) {
          shown += 1
          #expect(try !fixture.store.queryReadOnly(sql).result.rows.isEmpty, "\(section): \(sql)")
        }
      }
    }
    #expect(shown > 20)
  }

  private static func questions(_ blocks: [Block]) -> [String] {
    blocks.flatMap { block in
      switch block {
      case .question(let sql): [sql]
      case .details(_, let inner): questions(inner)
      default: [String]()
      }
    }
  }

  @Test("a run without anything is a page all the same")
  func empty() throws {
    let fixture = try ReportFixture()
    let folder = fixture.folder.appending(path: "reports")
    let url = try Report.write(store: fixture.store, runID: fixture.run, into: folder)
    let text = try String(contentsOf: url, encoding: .utf8)
    #expect(text.contains("**No verdict:** the run has no evaluation to judge by."))
    #expect(!text.contains("nil") && !text.contains("Optional"))
  }
}

@Suite("How to reproduce")
struct ReproductionTests {
  private func page(_ change: (ReportFixture) throws -> Void) throws -> String {
    let fixture = try ReportFixture.study()
    try change(fixture)
    return MarkdownRenderer(
      try ReproductionSection(fixture.data).blocks, pictureFolder: "pictures"
    ).text
  }

  @Test("a commit that the checkout was not as it is does not claim to reproduce the run")
  func dirty() throws {
    let (file, program) = (
      "The checkout held changes that are not in the pipeline's commit: the commit alone does not",
      "The checkout that the program lies in held changes to what it is built from: its commit alone"
    )
    let clean = try page {
      try $0.store.amendRun($0.run, gitCommit: "abc", machine: ["program_checkout": "def"])
    }
    #expect(clean.contains("| git commit | `abc` |"))
    #expect(!clean.contains(file) && !clean.contains(program))
    let dirty = try page {
      try $0.store.amendRun(
        $0.run, gitCommit: "abc-dirty", machine: ["program_checkout": "def-dirty"])
    }
    #expect(dirty.contains("| git commit | `abc-dirty` |"))
    #expect(dirty.contains("| program_checkout | def-dirty |"))
    #expect(dirty.contains(file) && dirty.contains(program))
  }
}

@Suite("What the report takes from a run")
struct RunTests {
  static func verdict(_ fixture: ReportFixture) throws -> [String] {
    try Findings(try fixture.data).verdict.sentences
  }

  @Test("a mask on another model is none on the failing one, however much it does")
  func otherModelsMask() throws {
    let fixture = try ReportFixture.otherModels(mask: 0.5, control: -0.3, own: 0.2, ownControl: nil)
    let sentences = try Self.verdict(fixture)
    #expect(!sentences.contains { $0.contains("masked_all") })
    // Nor does its control say anything of the failing model's own mask.
    #expect(sentences.contains { $0.contains("no control was evaluated") })
  }

  @Test(
    "with replicates the verdict is about the mask's mean over all seeds, each beside its own control"
  )
  func replicates() throws {
    let steady = try Self.verdict(
      ReportFixture.replicated([(0.2, 0), (0.21, 0.01), (0.22, -0.01)]))
    #expect(steady[0].hasPrefix("**Shown in part:** `baseline[labelling=single]` recalls less"))
    #expect(steady.contains { $0.hasPrefix("**Shown in part:** without any training") })
    #expect(
      steady.contains { $0.contains("(N = 48 layouts of 3 seeds, SD over seeds 0.01") }, "\(steady)"
    )
    #expect(steady.contains { $0.contains("It matters what the mask keeps: ") })
    // The best seed alone would show it.
    let unsteady = try Self.verdict(
      ReportFixture.replicated([(0.4, 0), (0.05, 0), (0.3, 0.3)]))
    #expect(unsteady.contains { $0.hasPrefix("**Not shown:** without any training") })
    // The third seed's control does as much as its mask.
    let objected = try Self.verdict(
      ReportFixture.replicated([(0.2, 0), (0.21, 0.01), (0.22, 0.22)]))
    #expect(
      objected.contains {
        $0.hasPrefix("**Shown in part:** without any training")
          && $0.contains("**Not shown** that it matters what the mask keeps: its control")
      })
  }

  @Test("a study that grows tells the intervals by which it does, and a run of few seeds goes on")
  func growing() throws {
    let source = """
      { question: 'q', replicate: { axis: 'seed', from: 2, to: 6,
        until: { metric: 'recall', k: 9, width: 0.3, stage: 'baseline_all_evaluated' } } }
      """
    func page(_ seeds: Int) throws -> String {
      let fixture = try ReportFixture.replicated(
        [(mask: Double, control: Double)](repeating: (0.2, 0), count: seeds), source: source)
      return MarkdownRenderer(
        try ReplicateSection(fixture.data).blocks, pictureFolder: "pictures"
      ).text
    }
    // Recall of the seeds is 0.6, 0.7, …: with three ± 4.30 · 0.1 / √3, with four ± 3.18 · 0.129 / 2.
    #expect(
      try page(3).contains(
        "| `baseline_all_evaluated` | 0.700 [0.452, 0.948] | 0.497 | – | 0.100 | 3 |"))
    #expect(try page(3).contains("4 at least: the next run adds one"))
    #expect(
      try page(4).contains(
        "| `baseline_all_evaluated` | 0.750 [0.545, 0.955] | 0.411 | – | 0.129 | 4 |"))
    #expect(try page(4).contains("wanted 0.3: the next run adds one"))
    #expect(
      try MarkdownRenderer(
        ReplicateSection(ReportFixture.study().data).blocks, pictureFolder: "p"
      ).text.isEmpty)
  }

  @Test(
    "a local network with a window as large as the picture is held against the published one that fails"
  )
  func wide() throws {
    let fixture = try ReportFixture()
    let (scenes, judge) = (try fixture.scenes(), try fixture.judge())
    var compared: [ReportFixture.Compared] = []
    for (name, window) in [("local", 13), ("wide", 65)] {
      let model = try fixture.model(
        name, labelling: "single", network: "local", scenes: scenes, window: window)
      let evaluation = try fixture.evaluation("\(name)_evaluated", of: model, judge: judge) { _ in
        0.9
      }
      compared.append(ReportFixture.Compared(evaluation: evaluation, kMax: 9, beyond: 0.9))
    }
    try fixture.comparison(compared)
    let section = try LengthGeneralizationSection(fixture.data)
    let page = MarkdownRenderer(section.blocks, pictureFolder: "pictures").text
    let rows = page.split(separator: "\n").filter { $0.contains("Exp 2L") }
    #expect(rows.count == 2 && rows[0].contains("| 9 (Exp 2L): not shown: "))
    #expect(rows.last?.contains("| fails again (Exp 2L, k = 8): not shown: ") == true)
  }

  @Test("an imported denoiser has the labelling and network of its file, and a part in the verdict")
  func imported() throws {
    let fixture = try ReportFixture()
    let scenes = try fixture.scenes()
    let judge = try fixture.judge()
    let own = try fixture.model("own", labelling: "single", scenes: scenes)
    let theirs = try fixture.model("theirs", labelling: "all", kind: "import", scenes: scenes)
    let evaluations = try [("own_evaluated", own), ("theirs_evaluated", theirs)].map {
      let recall = $0.0 == "own_evaluated" ? 0.5 : 0.9
      return try fixture.evaluation($0.0, of: $0.1, judge: judge) { _ in recall }
    }
    try fixture.comparison([
      ReportFixture.Compared(evaluation: evaluations[0], kMax: 3, beyond: 0.5),
      ReportFixture.Compared(evaluation: evaluations[1], kMax: 9, beyond: 0.9),
    ])
    let data = try fixture.data
    #expect(data.evaluated.map(\.labelling) == ["single", "all"])
    #expect(data.evaluated.map(\.network) == ["unet", "unet"])
    #expect(
      try Self.verdict(fixture)[0].hasPrefix(
        "**Shown in part:** `own` recalls less beyond the training range than `theirs`"))
  }

  @Test(
    "a mask without an effect is named, with the condition in which its plain evaluation differs")
  func unpaired() throws {
    let fixture = try ReportFixture()
    let scenes = try fixture.scenes()
    let judges = try [fixture.judge("judge"), fixture.judge("other_judge")]
    let model = try fixture.model("single", labelling: "single", scenes: scenes)
    let lonely = try fixture.model("lonely", labelling: "all", scenes: scenes)
    let plain = try fixture.evaluation("plain", of: model, judge: judges[0]) { _ in 0.5 }
    var entries = [ReportFixture.Compared(evaluation: plain, kMax: 3, beyond: 0.5)]
    for (name, base, judge, steps, radius) in [
      ("steps", model, judges[0], 12, 3.0), ("judge", model, judges[1], 18, 4),
      ("alone", lonely, judges[0], 18, 5),
    ] {
      let mask = try fixture.mask(
        "masked_\(name)", "conditioner", of: base, scenes: scenes, radius: radius)
      let evaluation = try fixture.evaluation(
        "evaluated_\(name)", of: mask, judge: judge, steps: steps
      ) { _ in 0.9 }
      entries.append(ReportFixture.Compared(evaluation: evaluation, kMax: 9, beyond: 0.9))
    }
    let guided = try fixture.evaluation(
      "evaluated_guided",
      of: try fixture.mask("masked_guided", "conditioner", of: model, scenes: scenes, radius: 6),
      judge: judges[0],
      conditions: ["guidance": .object(["scale": .number(2), "high": .number(5)])]
    ) { _ in 0.9 }
    entries.append(ReportFixture.Compared(evaluation: guided, kMax: 9, beyond: 0.9))
    try fixture.comparison(entries)
    let reasons = UnpairedMask.all(
      try fixture.data.ask(ConditionsRow.question(fixture.run)), effects: []
    ).map(\.reason)
    #expect(reasons.count == 4)
    #expect(
      reasons[0]
        == "the plain evaluation of `single` differs in its conditions: steps 12 against 18")
    #expect(reasons[1].contains("differs in its conditions: judge "))
    #expect(reasons[2] == "there is no plain evaluation of `lonely` to compare it with")
    #expect(reasons[3].hasSuffix("in its conditions: guidance 2 up to σ 5 against 1"))
    let section = MarkdownRenderer(
      try EffectSection(try fixture.data).blocks, pictureFolder: "pictures"
    ).text
    #expect(section.contains("`masked_steps`") && section.contains("steps 12 against 18"))
    #expect(
      try Self.verdict(fixture).contains {
        $0.contains("mask `masked_steps` has no effect that can be told: the plain evaluation")
      })
  }

  @Test("claims over K of their own are pooled from the outcomes, and replace what is derived")
  func statedClaims() throws {
    let fixture = try ReportFixture.study(
      source: """
        { question: 'q', claims: {
          fails: [{ model: 'baseline[labelling=single]', against: 'theirs', k: [6, 6] }],
          repairs: [{ mask: 'masked[mask=conditioner]', of: 'baseline[labelling=single]',
            control: 'masked[mask=sum]', k: [9, 12] }] } }
        """)
    let findings = try Findings(try fixture.data)
    #expect(findings.areStated && findings.verdict.sentences.count == 2)
    let sentences = findings.verdict.sentences
    // 35 and 44 of 6 places in each of 8 layouts.
    #expect(sentences[0].contains("at K = 6"))
    #expect(sentences[0].contains("0.73") && sentences[0].contains("0.92"))
    #expect(sentences[1].contains("at K from 9 to 12") && sentences[1].contains("N = 8 layouts"))
    #expect(sentences[1].contains("mask `masked[mask=conditioner]`"))
  }

  @Test("an arrow goes from the stage that made an input, not to what only passes its bytes on")
  func arrows() throws {
    let fixture = try ReportFixture()
    let made = try fixture.stage("made", "train", files: ["weights": "w"])
    let masked = try fixture.stage(
      "masked", "intervene", inputs: [("denoiser", made)], files: ["weights": "w", "mask": "m"])
    let other = try fixture.stage(
      "other", "intervene", inputs: [("denoiser", made)], files: ["weights": "w", "mask": "n"])
    let reference = try fixture.stage("reference", "train", files: ["weights": "r"])
    try fixture.stage(
      "plain_evaluated", "evaluate", inputs: [("denoiser", made)], files: ["o": "1"])
    try fixture.stage(
      "masked_evaluated", "evaluate", inputs: [("denoiser", masked)], files: ["o": "2"])
    try fixture.stage(
      "agreed", "agree", inputs: [("denoiser", other), ("reference", reference)], files: ["o": "3"])
    let arrows = try fixture.data.ask(ArrowRow.question(fixture.run)).map {
      "\($0.maker) → \($0.user)"
    }
    #expect(
      Set(arrows) == [
        "made → masked", "made → other", "made → plain_evaluated", "masked → masked_evaluated",
        "other → agreed", "reference → agreed",
      ])
    #expect(arrows.count == 6)
  }

  @Test("a column that is missing, and a NULL where a number is needed, are errors and no 0")
  func typedRows() throws {
    let fixture = try ReportFixture()
    func ask(_ sql: String) throws -> [Int] {
      try Question(sql) { try $0.integer("n") }.rows(fixture.store)
    }
    #expect(try ask("SELECT 0 AS n") == [0])
    #expect(throws: (any Error).self) { try ask("SELECT NULL AS n") }
    #expect(throws: (any Error).self) { try ask("SELECT 1 AS m") }
    #expect(throws: (any Error).self) { try ask("SELECT 'one' AS n") }
  }

  @Test("a page's answer is one sentence that can be told without Markdown")
  func verdict() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let found = try Report.verdict(of: root.appending(path: "reports/example/report.md"))
    #expect(
      found?.hasPrefix("Shown in part: without any training, mask label_masked[mask=conditioner]")
        == true)
    #expect(found?.hasSuffix("none is shown in full, 2 in part; these networks, one seed.") == true)
    #expect(try Report.verdict(of: root.appending(path: "README.md")) == nil)
    #expect(try Report.verdict(of: root.appending(path: "nowhere.md")) == nil)
    #expect(Markdown.plain("**a\\_b** `c*d` \\\\ &lt;e") == "a_b cd \\ <e")
  }
}
