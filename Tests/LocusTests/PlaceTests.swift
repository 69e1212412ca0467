// Proves that a store is made only where nothing is, that in a store nothing goes but what Locus makes, and
// that whatever lies in the place of one of its files is refused and never waited for.
import Foundation
import Measures
import Testing

@testable import Lineage

@Suite("What is a store, and what in it is Locus' own")
struct PlaceTests {
  private func put(_ text: String, _ path: String, in folder: URL) throws {
    let url = folder.appending(path: path)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
  }

  /// Every file with its content.
  private func contents(_ folder: URL) throws -> [String: Data] {
    var found: [String: Data] = [:]
    for path in try FileManager.default.subpathsOfDirectory(atPath: folder.path) {
      found[path] = (try? Data(contentsOf: folder.appending(path: path))) ?? Data()
    }
    return found
  }

  @Test(
    "a folder that holds something else is refused and left as it is",
    arguments: [
      ["tmp/ch1.txt", "objects/mine"], ["lock"], ["notes.txt"], ["receipts/executions/a.json"],
      ["objects/ab/c"], ["tmp/stage-1"],
    ])
  func foreign(_ paths: [String]) throws {
    for command in ["run", "gc", "rebuild"] {
      let bench = try Bench()
      let file = try bench.pipeline()
      let data = bench.folder.appending(path: "data")
      for path in paths { try put("mine", path, in: data) }
      let before = try contents(data)
      let found = bench.locus(words: [command] + (command == "run" ? [file] : []))
      #expect(found.code == 65, "\(command): \(found.error)")
      #expect(found.error.contains("neither a database nor receipts"), "\(found.error)")
      #expect(try contents(data) == before)
      // Whoever only looks finds no store, and leaves no note.
      #expect(bench.locus("verify").code == 66)
      #expect(try contents(data) == before)
    }
  }

  @Test("what a process leaves that was killed as it made a store becomes one")
  func begun() throws {
    let holder =
      #"{"host":"here","pid":1,"pipeline":"study","since":"2026-11-25T12:00:00Z"}"# + "\n"
    let cases: [[String: String]] = [
      [:], ["README.md": "for results", ".gitignore": "*"], ["lock": ""], ["lock": holder],
      ["lock": holder, "locus.sqlite": ""],
    ]
    for files in cases {
      let bench = try Bench()
      let data = bench.folder.appending(path: "data")
      try FileManager.default.createDirectory(
        at: data.appending(path: "tmp"), withIntermediateDirectories: true)
      for (name, text) in files { try put(text, name, in: data) }
      let found = bench.locus("run", try bench.pipeline())
      #expect(found.code == 0, "\(files): \(found.error)")
      for (name, text) in files where name.hasSuffix(".md") || name.hasPrefix(".") {
        #expect(try contents(data)[name] == Data(text.utf8))
      }
    }
  }

  @Test("a store without its database is one, by its receipts")
  func receipts() throws {
    let bench = try Bench()
    let path = try bench.pipeline()
    #expect(bench.locus("run", path).code == 0)
    for name in ["", "-wal", "-shm"] {
      try? FileManager.default.removeItem(
        at: bench.folder.appending(path: "data/locus.sqlite\(name)"))
    }
    let again = bench.locus("run", path)
    #expect(again.code == 0 && again.error.contains("reused"), "\(again.error)")
  }

  @Test("in a store, what others put there stays through runs, healing and gc")
  func others() throws {
    let bench = try Bench()
    #expect(bench.locus("run", try bench.pipeline()).code == 0)
    let data = bench.folder.appending(path: "data")
    let key = String(repeating: "a", count: 64)
    let mine = [
      "tmp/ch1.txt", "tmp/stage-mine/x", "tmp/.write-mine", "objects/mine", "objects/ab/mine",
      "checkpoints/mine/x", "checkpoints/\(key)/mine", "damaged/mine", "damaged/objects/mine",
      "receipts/runs/my notes.json", "notes",
    ]
    for path in mine { try put("mine", path, in: data) }
    try put("half", "checkpoints/\(key)/\(key)", in: data)
    try put("half", "tmp/stage-\(UUID().uuidString)/half", in: data)
    try put("stray", "objects/ab/\(String(repeating: "c", count: 62))", in: data)
    #expect(bench.locus("verify").code == 1)
    let other = bench.locus("run", try bench.pipeline(Bench.stages + "// again"))
    #expect(other.code == 0, "\(other.error)")
    let gc = bench.locus("gc", "--keep", "last=1")
    #expect(gc.code == 0, "\(gc.error)")
    #expect(bench.locus("rebuild").code == 0)
    for path in mine {
      let url = data.appending(path: path)
      #expect((try? String(contentsOf: url, encoding: .utf8)) == "mine", "\(path)")
    }
    #expect(try contents(data).values.allSatisfy { $0 != Data("half".utf8) })
    let verified = bench.locus("verify")
    #expect(verified.code == 0, "\(verified.output)")
  }

  private static let files = [
    "lock", "locus.sqlite", "locus.sqlite-wal", "faults.json", "removal.json", "stamps",
    "progress.json",
  ]
  private static let folders = [
    "checkpoints", "damaged", "objects", "receipts", "receipts/executions", "receipts/runs", "tmp",
  ]

  @Test(
    "a FIFO, a link or the other kind in the place of a file or a folder is named, never waited for",
    .timeLimit(.minutes(30)), arguments: files + folders)
  func kinds(_ place: String) throws {
    for kind in ["FIFO", "link", "other"] {
      let bench = try Bench()
      let path = try bench.pipeline()
      #expect(bench.locus("run", path).code == 0)
      let url = bench.folder.appending(path: "data/" + place)
      try? FileManager.default.removeItem(at: url)
      switch kind {
      case "FIFO": #expect(mkfifo(url.path, 0o644) == 0)
      case "link":
        try FileManager.default.createSymbolicLink(
          at: url, withDestinationURL: URL(filePath: "/dev/zero"))
      default:
        if Self.files.contains(place) {
          try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        } else {
          try Data("mine".utf8).write(to: url)
        }
      }
      for words in [["run", path], ["gc"], ["rebuild"], ["verify"], ["status"], ["report"]] {
        let found = bench.locus(words: words)
        #expect(found.code == 65, "\(kind) \(place), \(words[0]): \(found.code) \(found.error)")
        #expect(found.error.contains(place), "\(kind), \(words[0]): \(found.error)")
      }
    }
  }

  @Test(
    "a FIFO, a folder or a link in the place of a receipt or an object is set aside and made again",
    .timeLimit(.minutes(30)), arguments: ["receipts/executions", "receipts/runs", "objects"])
  func entries(_ place: String) throws {
    for kind in ["FIFO", "link", "folder"] {
      let bench = try Bench()
      let path = try bench.pipeline()
      #expect(bench.locus("run", path).code == 0)
      let folder = bench.folder.appending(path: "data/" + place)
      let names = try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted()
      let url = folder.appending(path: try #require(names.last))
      try FileManager.default.removeItem(at: url)
      switch kind {
      case "FIFO": #expect(mkfifo(url.path, 0o644) == 0)
      case "link":
        try FileManager.default.createSymbolicLink(
          at: url, withDestinationURL: URL(filePath: "/dev/zero"))
      default:
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
      }
      #expect(bench.locus("verify").code == 1, "\(kind)")
      let run = bench.locus("run", path)
      #expect(run.code == 0, "\(kind): \(run.error)")
      let verified = bench.locus("verify")
      #expect(verified.code == 0, "\(kind): \(verified.output)")
    }
  }

  @Test(
    "something else in the place of a checkpoint is named, never waited for",
    .timeLimit(.minutes(30)))
  func checkpoints() throws {
    let bench = try Bench()
    let stage = """
      scenes: { kind: "generate", count: 3 },
      model: { kind: "train", inputs: { scenes: "scenes" }, fails: true },
      """
    #expect(bench.locus("run", try bench.pipeline(stage)).code != 0)
    let store = try Store.open(bench.folder.appending(path: "data"), .readOnly, .locus)
    let key = try #require(try store.texts("SELECT key FROM stage WHERE name = 'model'").first)
    let place = bench.folder.appending(path: "data/checkpoints/\(key)")
    let outside = bench.folder.appending(path: "outside")
    try put("mine", "\(key)", in: outside)
    try FileManager.default.createDirectory(
      at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(at: place, withDestinationURL: outside)
    let linked = bench.locus("gc", "--keep", "pipeline=study")
    #expect(linked.code == 0 || linked.error.contains("checkpoints"), "\(linked.error)")
    #expect(try contents(outside).count == 1)
    try FileManager.default.removeItem(at: place)
    #expect(mkfifo(place.path, 0o644) == 0)
    #expect([0, 65].contains(bench.locus("gc").code))
  }

  @Test(
    "a list of what to remove is believed only for names that Locus makes",
    arguments: [
      "", ".", "..", "/", "objects", "objects/", "objects/ab", "../mine", "objects/../../mine",
      "tmp",
      "locus.sqlite", "receipts", "receipts/runs", "objects/ab/../../notes",
    ])
  func removalList(_ path: String) throws {
    let bench = try Bench()
    #expect(bench.locus("run", try bench.pipeline()).code == 0)
    let data = bench.folder.appending(path: "data")
    try put("mine", "mine", in: bench.folder)
    try put("mine", "notes", in: data)
    let count = try Store.strayObjects(in: data, known: []).count
    let names = #"["\#(path)"]"#
    try put(
      #"{"runs":\#(names),"executions":\#(names),"objects":\#(names),"leftovers":\#(names),"bytes":0}"#,
      "removal.json", in: data)
    let found = bench.locus("gc")
    #expect(found.code == 0, "\(found.error)")
    #expect(try Store.strayObjects(in: data, known: []).count == count && count > 0)
    #expect(FileManager.default.fileExists(atPath: bench.folder.appending(path: "mine").path))
    #expect(FileManager.default.fileExists(atPath: data.appending(path: "notes").path))
    let verified = bench.locus("verify")
    #expect(verified.code == 0, "\(verified.output)")
    #expect(!FileManager.default.fileExists(atPath: data.appending(path: "removal.json").path))
  }

  @Test("one thing alone opens a store to write: the session, which locks, refuses and heals first")
  func oneWay() throws {
    let sources = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Sources")
    var writers: [String] = []
    for path in try FileManager.default.subpathsOfDirectory(atPath: sources.path)
    where path.hasSuffix(".swift") && !path.hasPrefix("Lineage/") {
      let text = try String(contentsOf: sources.appending(path: path), encoding: .utf8)
      let ways = [".readWrite", "Store.heal", "Store.remove(", "Store.rebuild"]
      if ways.contains(where: text.contains) { writers.append(path) }
    }
    #expect(writers == ["Workflow/Session/Session.swift"])
  }
}
