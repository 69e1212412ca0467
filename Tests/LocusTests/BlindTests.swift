// A sheet for a person: what goes out says nothing, what comes back is held against what the store has.
import Artifacts
import Evaluation
import Foundation
import Lineage
import Measures
import Testing

@Suite("Blind sheets")
struct BlindTests {
  /// Of one evaluation: so many places of each standing.
  private func places(_ counts: [PlaceStanding: Int]) -> [JudgedPlace] {
    PlaceStanding.allCases.flatMap { standing in
      (0..<(counts[standing] ?? 0)).map { JudgedPlace(picture: $0, place: 0, standing: standing) }
    }
  }

  @Test("each standing has an equal share of the tiles, and rare ones are all there")
  func quotas() {
    let arms = [places([.agreed: 500, .faint: 5, .missed: 100]), places([.agreed: 30])]
    let sheet = BlindSheet(arms: arms, count: 100, seed: 1)
    let first = sheet.tiles.filter { $0.arm == 0 }.map(\.place.standing)
    #expect(first.count == 50 && sheet.tiles.count == 80)
    #expect(first.count { $0 == .faint } == 5)
    #expect(abs(first.count { $0 == .agreed } - first.count { $0 == .missed }) <= 1)
    #expect(Set(sheet.tiles).count == sheet.tiles.count)
    // Shuffled over arms and standings, the same every time.
    #expect(sheet.tiles.prefix(60).contains { $0.arm == 1 })
    #expect(BlindSheet(arms: arms, count: 100, seed: 1).tiles == sheet.tiles)
    #expect(BlindSheet(arms: arms, count: 100, seed: 2).tiles != sheet.tiles)
  }

  @Test("recall as a person sees it counts each place as often as there are such places")
  func recall() throws {
    // 800 agreed of which all are objects, 100 faint of which none is, 100 missed of which half are.
    let sheet = BlindSheet(
      arms: [places([.agreed: 800, .faint: 100, .missed: 100])], count: 300, seed: 3)
    var seen = 0
    let answers = sheet.tiles.map { tile -> Bool? in
      switch tile.place.standing {
      case .agreed: return true
      case .faint: return false
      default:
        seen += 1
        return seen % 2 == 0
      }
    }
    let result = try #require(sheet.result(arm: 0, answers: answers, seed: 1))
    #expect(abs(result.recall.value - 0.85) < 1e-9 && abs(result.judgeRecall - 0.9) < 1e-9)
    #expect(result.recall.low < 0.83 && result.recall.low > 0.75 && result.recall.high > 0.86)
    // Agreement .8 + .05; by chance .9 · .85 + .1 · .15.
    let kappa = try #require(result.kappa)
    #expect(abs(kappa.value - (0.85 - 0.78) / (1 - 0.78)) < 1e-9)
    #expect(kappa.low < kappa.value && kappa.high > kappa.value)
    // Nothing said of a standing says nothing of all.
    let silent = zip(sheet.tiles, answers).map { $0.place.standing == .faint ? nil : $1 }
    #expect(sheet.result(arm: 0, answers: silent, seed: 1) == nil)
    // One who sees objects everywhere agrees by chance alone.
    let all = sheet.result(arm: 0, answers: sheet.tiles.map { _ in true }, seed: 1)
    #expect(all?.recall.value == 1 && (all?.recall.low ?? 1) < 0.99)
    #expect(abs(all?.kappa?.value ?? 1) < 1e-9)
  }

  @Test("in 95 % of sheets the interval holds what the person would find over all places")
  func coverage() {
    let counts: [PlaceStanding: Int] = [.agreed: 600, .faint: 80, .merged: 120, .missed: 200]
    let all = places(counts)
    var held = 0
    for trial in 0..<200 {
      // A person who is right of most, differently by standing; the truth is over all places.
      func isObject(_ place: JudgedPlace) -> Bool {
        let hash = (place.picture &* 2_654_435_761 &+ trial &* 97) % 1000
        let share: Int =
          switch place.standing {
          case .agreed: 970
          case .faint: 350
          case .merged: 880
          case .missed: 60
          }
        return abs(hash) < share
      }
      let truth = Double(all.count(where: isObject)) / Double(all.count)
      let sheet = BlindSheet(arms: [all], count: 120, seed: UInt64(trial))
      let result = sheet.result(arm: 0, answers: sheet.tiles.map { isObject($0.place) }, seed: 1)
      if let result, result.recall.low <= truth, truth <= result.recall.high { held += 1 }
    }
    #expect(held >= 186, "\(held) of 200")
  }

  @Test("a table survives a spreadsheet; what is none is refused with its line")
  func table() throws {
    let hash = String(repeating: "a", count: 64)
    let sheet = BlindAnswers.Sheet(outcomes: [hash], count: 3, seed: 7)
    let out = BlindAnswers(sheet: sheet, answers: [true, nil, false])
    #expect(try BlindAnswers(csv: out.csv) == out)
    #expect(out.csv == "sheet,tile,object\n7:3:\(hash),1,1\n7:3:\(hash),2,\n7:3:\(hash),3,0\n")
    let foreign =
      "\u{FEFF}\"sheet\";\"tile\";\"object\"\r\n\"7:3:\(hash)\";1;Yes\r\n7:3:\(hash);3;no;;\r\n;;\r\n"
    #expect(try BlindAnswers(csv: foreign) == out)
    for (csv, line) in [
      ("sheet,tile,object\n7:3:\(hash),1,maybe\n", 2), ("sheet,tile,object\n7:3:abc,1,1\n", 2),
      ("sheet,tile,object\n7:3:\(hash),x,1\n", 2), ("sheet,tile,object\n7:0:\(hash),1,1\n", 2),
    ] {
      #expect { try BlindAnswers(csv: csv) } throws: {
        if case .row(line, _)? = $0 as? BlindSheetError { true } else { false }
      }
    }
    for csv in [
      "sheet,tile,object\n7:3:\(hash),1,1\n7:3:\(hash),1,0\n",
      "sheet,tile,object\n7:3:\(hash),1,1\n8:3:\(hash),2,0\n",
      "sheet,tile,object\n7:3:\(hash),4,1\n",
    ] {
      #expect { try BlindAnswers(csv: csv) } throws: {
        if case .otherSheet? = $0 as? BlindSheetError { true } else { false }
      }
    }
    for csv in ["", "a,b,c\n", "sheet,tile,object\n"] {
      #expect { try BlindAnswers(csv: csv) } throws: {
        if case .header? = $0 as? BlindSheetError { true } else { false }
      }
    }
  }

  private static let pipeline = """
    {
      pipeline: "blind", question: "?", seed: 1,
      stages: {
        scenes: { kind: "generate", size: 16, cells: 8, objects: [1, 2], count: 60 },
        judge: { kind: "judge", size: 16, cells: 8, renders: 200, pictures: 640, held_out: 5 },
        model: {
          kind: "train", inputs: { scenes: "scenes" }, network: { type: "unet", width: 4 },
          pictures: 64, batch: 16,
        },
        model_evaluated: {
          kind: "evaluate", inputs: { denoiser: "model", judge: "judge" }, counts: [1, 4],
          layouts: 8, steps: 4,
        },
      },
    }
    """

  @Test("a sheet of a run goes out without answers and comes back as metrics of its evaluation")
  func process() throws {
    try withFolder(sheets)
  }

  private func sheets(_ folder: URL) throws {
    func file(_ name: String) -> String { folder.appending(path: name).path }
    func locus(_ words: String...) throws -> Executable.Result {
      try Executable.run(words, in: folder)
    }
    let path = file("p.json5")
    try Data(Self.pipeline.utf8).write(to: URL(filePath: path))
    #expect(try locus("run", path, "--quiet").code == 0)
    let (sheet, table) = (file("sheet.png"), file("sheet.csv"))
    let drawn = try locus("blind", "latest", "--count", "20", "--output", sheet)
    #expect(drawn.code == 0 && drawn.output == "\(sheet)\n\(table)\n", "\(drawn)")
    let csv = try String(contentsOfFile: table, encoding: .utf8)
    let rows = csv.split(separator: "\n").dropFirst()
    #expect(rows.count == 20 && rows.allSatisfy { $0.hasSuffix(",") })
    for word in PlaceStanding.allCases { #expect(!csv.contains(word.rawValue)) }
    let png = try Data(contentsOf: URL(filePath: sheet))
    #expect(png.prefix(4) == Data([0x89, 0x50, 0x4E, 0x47]))
    // Empty, it says nothing.
    let empty = try locus("import", "counts", table)
    #expect(empty.code == 65 && empty.error.contains("answer"), "\(empty)")
    let filled = "sheet,tile,object\n" + rows.map { $0 + "1" }.joined(separator: "\n")
    let answers = file("filled.csv")
    try Data(filled.utf8).write(to: URL(filePath: answers))
    let back = try locus("import", "counts", answers, "--name", "mine")
    #expect(back.code == 0 && back.output.contains("model_evaluated: recall 1.0 ["), "\(back)")
    let asked = try locus(
      "query",
      "SELECT m.name, round(m.value, 3) FROM metric m JOIN stage s USING (execution_id)"
        + " WHERE s.name = 'mine' ORDER BY m.name", "--format", "csv")
    #expect(asked.output.contains("person_recall,1\n"), "\(asked)")
    // From the store alone, in a pipeline.
    let hash = try #require(back.output.split(separator: " ").last).trimmingCharacters(
      in: .whitespacesAndNewlines)
    let counted = file("counted.json5")
    try Data(
      """
      {
        pipeline: "counted", question: "?", seed: 1,
        stages: { person: { kind: "count", counts: "\(hash)" } },
      }
      """.utf8
    ).write(to: URL(filePath: counted))
    let used = try locus("run", counted, "--quiet")
    #expect(used.code == 0, "\(used)")
    #expect(try locus("verify").code == 0)
    // Wrong words.
    for arguments in [
      ["blind", "latest", "--arm", "nothing"], ["import", "counts", path],
      ["import", "counts", answers, "--width", "8"],
    ] {
      let wrong = try Executable.run(arguments, in: folder)
      #expect([64, 65].contains(wrong.code), "\(arguments) \(wrong)")
    }
  }
}
