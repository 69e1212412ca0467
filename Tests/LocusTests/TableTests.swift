// Proves that tables fit the terminal that they are printed to without losing what tells rows apart and without
// leaving anything out unsaid, and that whatever is no terminal gets them whole.
import Formats
import Foundation
import Lineage
import Testing

@testable import locus

@Suite("Tables on a terminal")
struct TableTests {
  private static let now = Date(timeIntervalSince1970: 1_800_000_000)
  private static let commit = String(repeating: "a1b2c3d4", count: 5)

  private func fitted(
    _ table: TextTable, _ width: Int, dispensable: [String] = []
  ) -> [String] {
    FittedTable(
      table, width: width, now: Self.now, dispensable: dispensable, whole: "--json has all"
    ).text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  /// Evaluations whose names differ in their ends alone.
  private let wide = TextTable(
    columns: ["name", "recall", "ci_low", "ci_high", "n", "seed", "model", "reason", "newer"],
    rows: (1...9).map { k in
      [
        .string("masked_evaluated[mask=conditioner,steps=18,k=\(k)]"), .number(Double(k) / 7),
        .number(Double(k) / 8), .number(Double(k) / 6), .integer(1000 + k), .integer(1),
        .string("baseline[labelling=\(k)]"), .string("input `scenes` has other content: \(k)"),
        .null,
      ]
    })

  @Test("a table that has room is as it is")
  func roomy() {
    let table = TextTable(columns: ["a", "b"], rows: [[.string("x"), .integer(12)]])
    #expect(fitted(table, 80).joined(separator: "\n") == table.text(.table))
  }

  @Test("at every width no line is wider, no row's name is lost, and what is left out is named")
  func everyWidth() {
    for width in 24...240 {
      let lines = fitted(wide, width)
      #expect(lines.allSatisfy { $0.count <= width }, "\(width)")
      let text = lines.joined(separator: "\n")
      // The first column's lines, put together again.
      let names = lines.map { $0.prefix { $0 != " " } }.joined()
      for k in 1...9 { #expect(names.contains("steps=18,k=\(k)]"), "\(width): \(text)") }
      let told = lines.drop { !$0.hasPrefix("in every row") && !$0.hasPrefix("left out") }
        .joined(separator: " ")
      let head = lines.prefix { !$0.hasPrefix("---") }.joined(separator: " ")
      for column in wide.columns where column != "newer" {
        let parts = FittedTable.parts(of: column)
        #expect(
          parts.allSatisfy(head.contains) || told.contains(column), "\(width) \(column): \(text)")
      }
      #expect(told.contains("ci_low") == told.contains("ci_high"), "\(width)")
    }
  }

  @Test("what is the same in every row stands once below, what can be done without goes first")
  func steps() {
    let lines = fitted(wide, 80, dispensable: ["model", "reason"])
    #expect(
      lines[0].split(separator: " ").map(String.init) == [
        "name", "recall", "ci_low", "ci_high", "n",
      ])
    #expect(lines[2].hasPrefix("masked_evaluated[mask=conditioner,steps=18,k=1]   0.143   0.125"))
    #expect(lines.count == 2 + 9 + 2 + 1)
    #expect(lines[11] == "in every row: seed 1")
    #expect(lines[12] == "left out: model, reason (--json has all)")
    // Without that word texts are broken into lines first, and then the last columns go.
    let broken = fitted(wide, 80)
    #expect(broken.contains { $0.hasPrefix("left out: reason") } && broken.count > 2 + 18)
  }

  @Test("one row alone that is too wide is a line a column")
  func record() {
    let table = TextTable(
      columns: ["run", "git_commit", "newer", "started_at"],
      rows: [
        [
          .string(String(repeating: "r", count: 32)), .string(Self.commit), .null,
          .string("2027-01-15T05:00:00.000Z"),
        ]
      ])
    #expect(
      fitted(table, 50) == [
        "run         " + String(repeating: "r", count: 32), "git_commit  a1b2c3d4",
        "started_at  3 h ago", "",
      ])
  }

  @Test("a text of many lines is cut, with a word on it")
  func cut() {
    let table = TextTable(
      columns: ["id", "text"],
      rows: (1...2).map { [.integer($0), .string(String(repeating: "word ", count: 100 + $0))] })
    let lines = fitted(table, 40)
    #expect(lines.allSatisfy { $0.count <= 40 } && lines.count < 20)
    #expect(lines.contains("texts that are cut: 2 (--json has all)"))
  }

  @Test(
    "numbers have three or four digits, whole ones all",
    arguments: [
      (0.123456, "0.123"), (12.3456, "12.35"), (0.00012345, "0.000123"), (1.5e-9, "1.5e-09"),
      (-0.98765, "-0.988"), (1234.56, "1235"), (3, "3"), (0, "0"), (0.333333, "0.333"),
    ] as [(Double, String)])
  func digits(_ value: Double, _ text: String) {
    #expect(Shown.digits(value) == text)
  }

  @Test(
    "a time of the store is an age",
    arguments: [
      (0, "0 s ago"), (59, "59 s ago"), (60, "1 min ago"), (3599, "59 min ago"),
      (10_800, "3 h ago"), (169_200, "47 h ago"), (172_800, "2 d ago"),
      (7_776_000, "3 months ago"), (94_608_000, "3 years ago"),
    ] as [(Int, String)])
  func ages(_ seconds: Int, _ text: String) throws {
    let time = Self.now.addingTimeInterval(-Double(seconds)).formatted(
      Date.ISO8601FormatStyle(includingFractionalSeconds: true, timeZone: .gmt))
    let shown = Shown(now: Self.now)
    #expect(shown.age(time) == text)
    #expect(shown.cell(.string(time)) == text)
    #expect(shown.field("started_at", .string(time)) == "\(time) (\(text))")
  }

  @Test("what is no time, still to come, or no hash is left as it is")
  func untouched() {
    let shown = Shown(now: Self.now)
    for text in [
      "2099-01-01T00:00:00.000Z", "2027-01-15", "2027-01-15T05:00:00.000Q", "deadbeef",
      String(repeating: "g", count: 40), "20270115T050000Z-study-1a1c",
    ] {
      #expect(shown.cell(.string(text)) == text)
    }
    #expect(shown.cell(.string(Self.commit)) == "a1b2c3d4")
    #expect(shown.cell(.string(String(repeating: "0", count: 64))) == "000000000000")
    #expect(shown.field("git_commit", .string(Self.commit)) == "a1b2c3d4")
    // What is asked for by its hash is copied from its sheet.
    #expect(shown.field("artifact", .string(Self.commit)) == Self.commit)
  }

  // MARK: - Commands

  /// Two runs from a checkout, with names that are wide.
  private func bench() throws -> Bench {
    let bench = try Bench()
    let git = bench.folder.appending(path: ".git")
    try FileManager.default.createDirectory(at: git, withIntermediateDirectories: true)
    try Data("\(Self.commit)\n".utf8).write(to: git.appending(path: "HEAD"))
    for count in [3, 4] {
      let path = try bench.pipeline(
        """
        scenes_with_a_name_that_needs_room: { kind: "generate", count: \(count) },
        baseline_with_a_name_that_needs_room: {
          kind: "train", inputs: { scenes: "scenes_with_a_name_that_needs_room" },
          matrix: { width: [8, 16, 32] },
        },
        """)
      #expect(bench.locus("run", path).code == 0)
    }
    return bench
  }

  private static let trained = "baseline_with_a_name_that_needs_room[width=8]"
  private static let listings = [
    ["runs"], ["status"], ["show", "latest"], ["show", trained], ["show", trained, "--all"],
    ["query"],
    ["query", "stages"], ["query", "costs"], ["query", "run"], ["query", "artifact"],
    ["query", "training_curve"], ["metrics"], ["diff", "2", "latest", "--all"],
  ]

  @Test("every listing fits the terminal, with ages and short commits", arguments: [80, 100])
  func terminal(_ width: Int) throws {
    let bench = try bench()
    for words in try Self.listings.map({ try Self.resolved($0, bench) }) {
      let found = bench.locus(words: words, screen: width)
      #expect(found.code == 0, "\(words): \(found.error)")
      for line in found.output.split(separator: "\n") {
        #expect(line.count <= width, "\(words): \(line)")
      }
      #expect(!found.output.contains(Self.commit), "\(words)")
    }
    for words in [["runs"], ["status"], ["show", "latest"], ["query", "run"]] {
      #expect(bench.locus(words: words, screen: width).output.contains(" s ago"), "\(words)")
    }
    #expect(bench.locus(words: ["runs"], screen: width).output.contains("a1b2c3d4"))
  }

  @Test("into a pipe a table is whole: every column, every digit, times and hashes as they are")
  func pipe() throws {
    let bench = try bench()
    let runs = bench.locus("runs").output
    #expect(runs.contains(Self.commit) && !runs.contains(" ago"))
    #expect(runs.hasPrefix("run ") && runs.split(separator: "\n")[0].hasSuffix("git_commit"))
    let curve = "SELECT name, pictures, loss FROM training_curve"
    #expect(bench.locus("query", curve).output.contains("0.3333333333333333"))
    #expect(bench.locus(words: ["query", curve], screen: 80).output.contains("  0.333\n"))
    for format in ["csv", "json", "markdown"] {
      let words = ["query", curve, "--format", format]
      #expect(bench.locus(words: words, screen: 80).output == bench.locus(words: words).output)
      #expect(bench.locus(words: words, screen: 80).output.contains("0.3333333333333333"))
    }
    #expect(
      bench.locus(words: ["runs", "--json"], screen: 80).output
        == bench.locus("runs", "--json").output)
  }

  @Test(
    "a terminal is asked for its width; one that does not say has 80 columns",
    .enabled(if: ScheduleTests.isInstalled("script"), "script is not installed"),
    arguments: [("", 80), ("stty cols 64; ", 64)])
  func asked(_ setting: String, _ width: Int) throws {
    try withFolder { folder in
      let process = Process()
      process.executableURL = URL(filePath: "/usr/bin/script")
      process.arguments = [
        "-qec", "\(setting)exec \(Escape.shell(Executable.url.path)) metrics", "/dev/null",
      ]
      process.currentDirectoryURL = folder
      let said = Pipe()
      process.standardInput = FileHandle.nullDevice
      process.standardOutput = said
      try process.run()
      let text = String(decoding: said.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      process.waitUntilExit()
      let widths = text.split(whereSeparator: \.isNewline).map(\.count)
      #expect(widths.count > 60 && widths.max().map { (width - 8...width).contains($0) } == true)
      let piped = try Executable.run(["metrics"], in: folder).output
      #expect(piped.split(separator: "\n").map(\.count).max() ?? 0 > 200)
    }
  }

  @Test("show tells a curve by its ends, its least and its number of points; --all has each")
  func curves() throws {
    let bench = try bench()
    let text = bench.locus("show", Self.trained).output
    let lines = text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    #expect(lines.contains(["name", "along", "from", "to", "points", "first", "last", "least"]))
    #expect(
      lines.contains(["loss", "pictures", "0", "256", "5", "0.5", "0.3333333333333333", "0.25"]))
    #expect(lines.contains { $0.first == "accuracy" } && !text.contains("0.75"))
    #expect(lines.count { $0.first == "loss" } == 1)
    let all = bench.locus("show", Self.trained, "--all").output
    #expect(all.split(separator: "\n").count { $0.hasPrefix("loss ") } == 5)
    let json = try JSONValue.parse(Data(bench.locus("show", Self.trained, "--json").output.utf8))
    #expect(json["metrics"]?.array?.count == 6)
  }

  @Test("curves are told apart by all that is not along them, and few points stand as they are")
  func series() {
    func row(_ name: String, _ value: Double, _ sigma: Double?, _ window: Int?) -> [JSONValue] {
      [
        .string(name), .number(value), sigma.map(JSONValue.number) ?? .null,
        window.map(JSONValue.integer) ?? .null, .null, .null,
      ]
    }
    let table = TextTable(
      columns: ["name", "value", "sigma", "window", "subject", "unit"],
      rows: [0.5, 2].flatMap { sigma in (1...4).map { row("share", Double($0), sigma, 9 - $0) } }
        + (1...3).map { row("few", Double($0), nil, $0) } + [row("alone", 1, nil, nil)])
    let series = MetricSeries(
      table,
      dimensions: [
        MetricDimension("sigma", .real, .condition, ""),
        MetricDimension("window", .integer, .axis, ""),
      ])
    #expect(series.values.rows.map(\.[0].string) == ["few", "few", "few", "alone"])
    #expect(
      series.curves.columns
        == ["name", "sigma", "along", "from", "to", "points", "first", "last", "least"])
    #expect(
      series.curves.rows
        == [0.5, 2].map { sigma in
          [
            .string("share"), .number(sigma), .string("window"), .integer(5), .integer(8),
            .integer(4), .number(4), .number(1), .number(1),
          ]
        })
  }

  @Test("--help says what a terminal and a pipe get")
  func help() throws {
    let bench = try Bench()
    for command in ["runs", "status", "show", "query", "diff"] {
      let text = bench.locus("help", command).output
      #expect(text.contains("On a terminal a table is as wide as it is"), "\(command)")
      #expect(text.contains("Into a pipe or a file"), "\(command)")
    }
  }

  /// `2` stands for the first run.
  private static func resolved(_ words: [String], _ bench: Bench) throws -> [String] {
    guard words.first == "diff" else { return words }
    let runs = try JSONValue.parse(Data(bench.locus("runs", "--json").output.utf8))
    return try words.map { word in
      word == "2" ? try #require(runs.array?.last?["run"]?.string) : word
    }
  }
}
