import Experiments
import Foundation
import Synchronization
import Testing
import Workflow

@testable import locus

/// What people get wrong, against the real kinds: each refused before any work, with a documented exit
/// code and words that help; the store's folder is not even made.
@Suite("Bad input is refused before any work")
struct BadInputTests {
  private func run(_ folder: URL, _ path: String, store: String? = nil) -> (
    code: Int32, error: String
  ) {
    let error = Mutex("")
    let console = Console(
      write: { _ in }, writeError: { text in error.withLock { $0 += text } }, isTerminal: false,
      width: { 80 }, environment: [:])
    let code = CommandLineTool.run(
      [
        "run", path, "--store", store ?? folder.appending(path: "data").path, "--reports",
        folder.appending(path: "reports").path,
      ], console: console, kinds: Experiments.stageKinds)
    return (code, error.withLock { $0 })
  }

  private func inFolder<T>(_ body: (URL) throws -> T) throws -> T {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "locus-bad-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
  }

  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var source: String
    /// Every one of these stands in the message.
    var words: [String]
    var testDescription: String { name }
  }

  static func study(_ stages: String) -> String {
    "{ pipeline: \"p\", question: \"q\", seed: 1, stages: { \(stages) } }"
  }

  static let scenes = "scenes: { kind: \"generate\", objects: [1, 3], count: 5 }"

  static let cases: [Case] = [
    Case(name: "empty file", source: "", words: ["1:1"]),
    Case(name: "truncated file", source: "{ pipeline: \"p\", stages: { a: {", words: ["closed"]),
    Case(name: "not an object", source: "[1, 2]", words: ["object"]),
    Case(name: "unknown kind", source: study("a: { kind: \"generat\" }"), words: ["generate"]),
    Case(
      name: "unknown key",
      source: study("a: { kind: \"generate\", objects: [1, 3], count: 5, sise: 32 }"),
      words: ["sise", "size"]),
    Case(
      name: "wrong type", source: study("a: { kind: \"generate\", objects: [1, 3], count: \"5\" }"),
      words: ["a.count"]),
    Case(
      name: "negative count",
      source: study("a: { kind: \"generate\", objects: [1, 3], count: -5 }"),
      words: ["a.count", "-5"]),
    Case(
      name: "1e99", source: study("a: { kind: \"generate\", objects: [1, 3], count: 1e99 }"),
      words: ["a.count"]),
    Case(
      name: "NaN",
      source: study("a: { kind: \"generate\", objects: [1, 3], count: 5, gap: NaN }"),
      words: ["a.gap"]),
    Case(
      name: "cells that do not divide the size",
      source: study("a: { kind: \"generate\", objects: [1, 3], count: 5, size: 32, cells: 5 }"),
      words: ["a.cells", "divisor"]),
    Case(
      name: "objects in the wrong order",
      source: study("a: { kind: \"generate\", objects: [3, 1], count: 5 }"), words: ["a.objects"]),
    Case(
      name: "a cycle",
      source: study(
        """
        a: { kind: "intervene", mask: "pixel", inputs: { denoiser: "b", scenes: "scenes" } },
        b: { kind: "intervene", mask: "pixel", inputs: { denoiser: "a", scenes: "scenes" } }, \(scenes)
        """), words: ["p.json5"]),
    Case(
      name: "a dangling input",
      source: study(
        scenes
          + ", m: { kind: \"train\", network: { type: \"unet\" }, pictures: 9, inputs: { scenes: \"scene\" } }"
      ), words: ["scene", "scenes"]),
    Case(name: "the same stage twice", source: study("\(scenes), \(scenes)"), words: ["twice"]),
    Case(
      name: "a name with ..",
      source: "{ pipeline: \"../up\", question: \"q\", seed: 1, stages: { \(scenes) } }",
      words: ["pipeline"]),
    Case(
      name: "a name with /",
      source: "{ pipeline: \"a/b\", question: \"q\", seed: 1, stages: { \(scenes) } }",
      words: ["pipeline"]),
    Case(
      name: "100,000 nested brackets", source: String(repeating: "[", count: 100_000),
      words: ["nested"]),
    Case(
      name: "a width that four groups do not divide",
      source: study(
        scenes
          + ", m: { kind: \"train\", network: { type: \"unet\", width: 10 }, pictures: 9, inputs: { scenes: \"scenes\" } }"
      ), words: ["network.width", "multiple of 4"]),
  ]

  @Test("faults of the file exit with 65", arguments: cases)
  func refused(_ one: Case) throws {
    try inFolder { folder in
      let url = folder.appending(path: "p.json5")
      try Data(one.source.utf8).write(to: url)
      let result = run(folder, url.path)
      #expect(result.code == 65)
      for word in one.words + ["p.json5"] {
        #expect(result.error.contains(word), "\(result.error)")
      }
      #expect(!FileManager.default.fileExists(atPath: folder.appending(path: "data").path))
    }
  }

  @Test("a file of 100 MB and one that is not UTF-8 exit with 65")
  func bytes() throws {
    try inFolder { folder in
      let url = folder.appending(path: "p.json5")
      try Data(count: 100 << 20).write(to: url)
      #expect(run(folder, url.path).code == 65)
      try Data([0x7B, 0xFF, 0xFE, 0x7D]).write(to: url)
      let result = run(folder, url.path)
      #expect(result.code == 65 && result.error.contains("UTF-8"))
    }
  }

  @Test("a missing file and a folder in place of one exit with 66")
  func missing() throws {
    try inFolder { folder in
      #expect(run(folder, folder.appending(path: "none.json5").path).code == 66)
      #expect(run(folder, folder.path).code == 66)
    }
  }

  @Test("reports that cannot be written are refused before the work, and leave no store")
  func reports() throws {
    try inFolder { folder in
      let url = folder.appending(path: "p.json5")
      try Data(Self.study(Self.scenes).utf8).write(to: url)
      try Data().write(to: folder.appending(path: "reports"))
      let result = run(folder, url.path)
      #expect(result.code == 73)
      #expect(result.error.hasSuffix("reports: cannot be written: Not a directory\n"))
      #expect(!FileManager.default.fileExists(atPath: folder.appending(path: "data").path))
    }
  }

  @Test("foreign and newer databases and read-only stores are left as they are")
  func stores() throws {
    try inFolder { folder in
      let url = folder.appending(path: "p.json5")
      try Data(Self.study(Self.scenes).utf8).write(to: url)
      let store = folder.appending(path: "store")
      try FileManager.default.createDirectory(at: store, withIntermediateDirectories: true)
      let database = store.appending(path: "locus.sqlite")

      try Data("not a database, but long enough to be read as one".utf8).write(to: database)
      let before = try Data(contentsOf: database)
      let foreign = run(folder, url.path, store: store.path)
      #expect(foreign.code == 65 && foreign.error.contains("locus.sqlite"))
      #expect(try Data(contentsOf: database) == before)

      // A file where the store's folder should be.
      let file = run(folder, url.path, store: url.path)
      #expect([65, 73].contains(file.code))
      // A place where nothing can be written, whoever runs this.
      #expect([73, 74].contains(run(folder, url.path, store: "/proc/locus-store").code))
    }
  }
}
