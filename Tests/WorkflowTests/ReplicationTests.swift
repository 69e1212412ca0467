// Proves that a study grows by one replicate a run until its interval is narrow enough, and says
// how far it is.
import Formats
import Foundation
import Lineage
import Measures
import Testing

@testable import Workflow

/// Proves that a study with `replicate` grows by one real repetition a run, each with a seed of its own,
/// until the interval is narrow enough or all are made, and that it says how far it is.
@Suite("replicates")
struct ReplicationTests {
  /// Measures a number that its seed alone decides: 0, 1, 0, 1, …, so that the interval narrows slowly.
  static let kinds = [
    Fake.generate(),
    StageKind(
      name: "measure", version: 1, summary: "Measures.",
      parameters: [
        Parameter("scale", .number(0...10), default: .integer(1), help: "scale"),
        Parameter("uncertainty", .number(0...10), default: .number(0.1), help: "of its interval"),
        Parameter("fails", .integer(0...100), default: .integer(0), help: "a seed that fails"),
      ],
      inputs: [InputDeclaration("scenes", accepts: [.pixels, .values], help: "scenes")],
      produces: .values,
      run: { context in
        struct Failure: Error {}
        if context.parameters["fails"]?.integer == Int(context.seed) { throw Failure() }
        let value = Double(context.seed % 2) * (context.parameters["scale"]?.number ?? 1)
        let width = context.parameters["uncertainty"]?.number ?? 0
        let url = context.scratch.appending(path: "value")
        try Data("\(context.seed) \(value)".utf8).write(to: url)
        return StageOutput(
          files: [.init(role: "value", url: url, kind: "value", mediaType: "text/plain")],
          metrics: [
            MetricRow(
              name: "score", value: value, dimensions: ["k": .integer(9)], ciLow: value - width,
              ciHigh: value + width, n: 7),
            MetricRow(name: "loss", value: value, dimensions: ["pictures": .integer(1)]),
          ])
      }),
    StageKind(
      name: "gather", version: 1, summary: "Gathers.", parameters: [],
      inputs: [InputDeclaration("values", accepts: [.values], arity: .many, help: "all")],
      produces: .comparison,
      run: { context in
        let values = context.inputs["values"] ?? []
        let url = context.scratch.appending(path: "all")
        try Data("\(values.count)".utf8).write(to: url)
        return StageOutput(
          files: [.init(role: "all", url: url, kind: "all", mediaType: "text/plain")],
          metrics: [
            MetricRow(
              name: "pooled", value: 0.5, ciLow: 0, ciHigh: 1 / Double(values.count),
              n: values.count)
          ]
            + values.compactMap { $0.files["value"] }.map {
              MetricRow(
                name: "each", value: Double($0.sha256.utf8.count), subject: $0.sha256)
            })
      }),
  ]

  static func study(
    until: String, to: Int = 5, stages: String? = nil, seed: String = ""
  ) -> String {
    """
    { pipeline: "p", question: "q", seed: 10,
      replicate: { axis: "seed", from: 2, to: \(to), until: \(until) },
      stages: {
        scenes: { kind: "generate", count: 1\(seed) },
        \(stages ?? "score: { kind: 'measure', inputs: { scenes: 'scenes' } },")
        all: { kind: "gather", inputs: { values: ["score"] } },
      } }
    """
  }

  private func growing(_ text: String, _ folder: URL, store: Store?) throws -> Pipeline {
    try Pipeline.growing(store: store) {
      try Pipeline.parse(
        bytes: Array(text.utf8), path: "p.json5", kinds: Self.kinds, replicates: $0)
    }
  }

  /// One run as the command makes it; the number of replicates, and how far it is then.
  private func run(_ text: String, _ folder: URL, expecting executed: Int? = nil) throws -> (
    count: Int, standing: ReplicateStanding?
  ) {
    let store = try Store.open(folder, .readWrite, .locus)
    let pipeline = try growing(text, folder, store: store)
    let lock = try RunLock.acquire(folder.appending(path: "lock"), as: .current(pipeline: "p"))
    let summary = try Runner.run(
      try Plan(pipeline, store: store), store: store, lock: lock,
      settings: RunSettings(threads: 1, locusVersion: "0"))
    if let executed { #expect(summary.executed == executed) }
    return (pipeline.replication?.count ?? 0, try pipeline.standing(store: store))
  }

  @Test("each run adds one until the interval is narrow enough, then none")
  func grows() throws {
    try withTemporaryFolder { folder in
      // Two of 0, 1: 2 · 12.7 · 0.71 / √2 = 12.7; three: 2.87; four: 1.84; five: 1.36.
      let text = Self.study(until: "{ metric: 'score', k: 9, width: 2 }")
      let widths = [12.706, 2.868, 1.837]
      for (index, width) in widths.enumerated() {
        let (count, standing) = try run(text, folder, expecting: index == 0 ? 5 : 3)
        #expect(count == index + 2)
        let spread = try #require(standing?.spreads.first)
        #expect(spread.name == "score" && spread.n == count)
        #expect(abs(spread.width - width) < 2e-3)
        #expect(standing?.isNarrowEnough == (index == 2))
      }
      let (count, standing) = try run(text, folder, expecting: 0)
      #expect(count == 4 && standing?.grows == false)
      #expect(
        standing?.text
          == "4 of at most 5 replicates; score at k = 9: the widest 95 % interval is 1.8374 wide"
          + " (`score`, n = 4), wanted 2: narrow enough")
      // The repetitions differ in their seeds, and the gathering stage has all of them.
      let store = try Store.open(folder, .readOnly, .locus)
      let seeds = try store.query(
        "SELECT DISTINCT seed FROM execution WHERE kind = 'measure' ORDER BY seed")
      #expect(seeds.column("seed").compactMap(\.integer) == [10, 11, 12, 13])
      #expect(
        try store.query("SELECT max(n) AS n FROM metric WHERE name = 'pooled'").rows
          == [[.integer(4)]])
    }
  }

  @Test("replicates that agree are as uncertain as each of them, and two or three are never enough")
  func equal() throws {
    try withTemporaryFolder { folder in
      func stages(_ uncertainty: String) -> String {
        """
        score: { kind: 'measure', inputs: { scenes: 'scenes' }, scale: 0, uncertainty: \(uncertainty) },
        """
      }
      // Every replicate measures 0, ± 0.98 each: an error of 0.5, of the mean of four 0.25, by t ± 0.8.
      let text = Self.study(
        until: "{ metric: 'score', k: 9, width: 1.5 }", stages: stages("0.98"))
      for expected in [2, 3, 4] {
        let standing = try #require(try run(text, folder).standing)
        #expect(standing.replication.count == expected && standing.grows)
        #expect(standing.spreads[0].deviation == 0)
        if expected == 4 { #expect(abs(standing.spreads[0].width - 2 * 0.7956) < 1e-3) }
      }
      #expect(try run(text, folder).standing?.isNarrowEnough == true)
      // Narrow at once, and yet four are made.
      let narrow = Self.study(
        until: "{ metric: 'score', k: 9, width: 1.5 }", stages: stages("0.001"))
      let two = try #require(try run(narrow, folder).standing)
      #expect(two.spreads[0].width < 0.1 && two.grows)
      #expect(two.text.hasSuffix("wanted 1.5: 4 at least: the next run adds one"))
      #expect(try run(narrow, folder).standing?.grows == true)
      #expect(try run(narrow, folder).standing?.isNarrowEnough == true)
      // Without any interval of their own nothing is known of the spread.
      let bare = Self.study(until: "{ metric: 'score', k: 9, width: 1.5 }", stages: stages("0"))
      #expect(try run(bare, folder).standing?.spreads[0].width == .infinity)
    }
  }

  @Test("a run's record tells the same of its replicates as its plan")
  func recorded() throws {
    try withTemporaryFolder { folder in
      let text = Self.study(until: "{ metric: 'score', k: 9, width: 2 }")
      let standing = try #require(try run(text, folder).standing)
      let store = try Store.open(folder, .readOnly, .locus)
      let id = try #require(try store.texts("SELECT id FROM run").first)
      let recorded = try #require(try ReplicateStanding(of: store.run(id), store: store))
      #expect(recorded.spreads == standing.spreads && recorded.text == standing.text)
    }
  }

  @Test("at most `to` are made, and it says that this was not enough")
  func limit() throws {
    try withTemporaryFolder { folder in
      let text = Self.study(until: "{ metric: 'score', k: 9, width: 0.001 }", to: 4)
      for expected in [2, 3, 4, 4] {
        let (count, standing) = try run(text, folder)
        #expect(count == expected)
        #expect(standing?.text.hasSuffix("all are made") == (expected == 4))
      }
    }
  }

  @Test("an unfinished replicate is finished before another is added")
  func unfinished() throws {
    try withTemporaryFolder { folder in
      func text(_ fails: Int) -> String {
        Self.study(
          until: "{ metric: 'score', k: 9, width: 2 }",
          stages: "score: { kind: 'measure', inputs: { scenes: 'scenes' }, fails: \(fails) },")
      }
      // Seed 11 fails, the second replicate.
      #expect(try run(text(11), folder).standing == nil)
      #expect(try run(text(11), folder).count == 2)
      // Another parameter: begun anew with its own first two.
      #expect(try run(text(0), folder).count == 2)
      #expect(try run(text(0), folder).count == 3)
      // What was lost is made again without a further replicate.
      let store = try Store.open(folder, .readOnly, .locus)
      let hash = try #require(
        try store.query(
          """
          SELECT o.sha256 FROM execution_output o JOIN execution e ON e.id = o.execution_id
          WHERE e.kind = 'gather' AND e.status = 'succeeded' ORDER BY e.finished_at DESC LIMIT 1
          """
        ).rows.first?.first?.text)
      try FileManager.default.removeItem(at: store.objectURL(hash))
      #expect(try run(text(0), folder, expecting: 1).count == 3)
      #expect(try run(text(0), folder).count == 4)
    }
  }

  @Test(
    "a stage with a seed of its own is shared, by name one stage alone counts, pooled rows count")
  func shared() throws {
    try withTemporaryFolder { folder in
      let stages = """
        score: { kind: 'measure', inputs: { scenes: 'scenes' } },
        wild: { kind: 'measure', inputs: { scenes: 'scenes' }, scale: 9 },
        """
      let own = Self.study(
        until: "{ metric: 'score', k: 9, width: 2.9, stage: 'score' }", stages: stages,
        seed: ", seed: 3")
      let first = try growing(own, folder, store: nil)
      #expect(
        first.instances.map(\.name) == [
          "scenes", "score[seed=10]", "score[seed=11]", "wild[seed=10]", "wild[seed=11]", "all",
        ])
      #expect(first.instances.map(\.seed) == [3, 10, 11, 10, 11, 10])
      for _ in 0..<2 { _ = try run(own, folder) }
      #expect(try run(own, folder).standing?.isNarrowEnough == true)
      let all = Self.study(
        until: "{ metric: 'score', k: 9, width: 2.9 }", stages: stages, seed: ", seed: 3")
      let standing = try #require(
        try growing(own, folder, store: Store.open(folder, .readOnly, .locus))
          .standing(store: Store.open(folder, .readOnly, .locus)))
      #expect(standing.spreads.map(\.name) == ["score"])
      #expect(try run(all, folder).standing?.spreads.map(\.name) == ["wild", "score"])
      // A gathering stage's own interval, and its values for each replicate.
      let pooled = Self.study(until: "{ metric: 'pooled', width: 0.3 }", seed: ", seed: 3")
      #expect(try run(pooled, folder).standing?.spreads.first?.n == 5)
      let each = Self.study(until: "{ metric: 'each', width: 0.3 }", seed: ", seed: 3")
      let spread = try #require(try run(each, folder).standing?.spreads.first)
      #expect(spread.name == "all of score" && spread.n == 5 && spread.width == .infinity)
    }
  }

  @Test(
    "what cannot be meant is refused with its place",
    arguments: [
      ("{ metric: 'score', width: 0 }", "replicate.until.width: found 0"),
      ("{ metric: 'score' }", "replicate.until.width: missing parameter"),
      ("{ metric: 'score', width: 1, stage: 'scor' }", "did you mean `score`?"),
      ("{ metric: 'score', width: 1, kk: 3 }", "unknown key `kk`"),
      ("3", "replicate.until: found 3"),
    ])
  func refused(_ until: String, _ words: String) throws {
    let error = #expect(throws: WorkflowError.self) {
      try growing(Self.study(until: until), URL(filePath: "/"), store: nil)
    }
    #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    #expect(error?.description.hasPrefix("p.json5:2:") == true)
  }

  @Test("a stage that names its seeds has these, however many the others have")
  func ownSeeds() throws {
    let own =
      "dear: { kind: 'measure', inputs: { scenes: 'scenes' }, matrix: { seed: [10, 11] } },"
      + "score: { kind: 'measure', inputs: { scenes: 'scenes' } },"
      + "after: { kind: 'measure', inputs: { scenes: 'dear' } },"
    for replicates in [2, 3, 5] {
      let pipeline = try Pipeline.parse(
        bytes: Array(Self.study(until: "{ metric: 'score', width: 1 }", stages: own).utf8),
        path: "p.json5", kinds: Self.kinds, replicates: replicates)
      func seeds(_ stage: String) -> [String] {
        pipeline.instances.compactMap { StageReference($0.name) }.filter { $0.stage == stage }
          .compactMap(\.seed)
      }
      #expect(seeds("dear") == ["10", "11"] && seeds("after") == ["10", "11"])
      #expect(seeds("score") == (0..<replicates).map { "\(10 + $0)" })
    }
  }

  @Test("`to` below `from`, seeds that join with none and too many instances are refused")
  func conflicts() throws {
    func message(_ text: String) -> String {
      do {
        _ = try growing(text, URL(filePath: "/"), store: nil)
        return ""
      } catch { return "\(error)" }
    }
    let until = "{ metric: 'score', width: 1 }"
    #expect(message(Self.study(until: until, to: 4)) == "")
    #expect(message(Self.study(until: until, to: 3)).contains("replicate.to: found 3"))
    #expect(
      message(Self.study(until: until).replacingOccurrences(of: "from: 2", with: "from: 6"))
        .contains("replicate.to: found 5, accepted: at least `from`, 6"))
    let axis = "score: { kind: 'measure', inputs: { scenes: 'scenes' }, matrix: { seed: [1, 2] } },"
    #expect(
      message(Self.study(until: until, stages: axis)).contains(
        "inputs join on axes of the same name"))
    let wide =
      "score: { kind: 'measure', inputs: { scenes: 'scenes' }, matrix: { fails: ["
      + (0..<50).map(String.init).joined(separator: ",") + "] } },"
    #expect(
      message(Self.study(until: until, to: 1000, stages: wide)).contains(
        "more than \(instanceLimit)"))
  }

  @Test("a metric that no stage has is named before any further work, with what there is")
  func unknownMetric() throws {
    try withTemporaryFolder { folder in
      let text = Self.study(until: "{ metric: 'scoer', k: 9, width: 1 }")
      #expect(throws: WorkflowError.self) { try run(text, folder) }
      let error = #expect(throws: WorkflowError.self) {
        try growing(text, folder, store: Store.open(folder, .readOnly, .locus))
      }
      #expect(error?.exitCode == ExitCode.badData)
      #expect(error?.description.contains("did you mean `score`?") == true)
    }
  }
}
