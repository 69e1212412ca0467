// Proves that there is one way to write to a store, and that it heals before it adds.
import Formats
import Foundation
import Measures
import Testing

@testable import Lineage
@testable import locus

@Suite("one way to write to a store")
struct SessionTests {
  @Test("a gc that was cut off half way does not take what was imported after it")
  func importAfterGC() throws {
    try withFolder { folder in
      let words = ["import", "weights", ImportTests.checkpoint, "--name", "theirs"]
      let first = try Executable.run(words + ImportTests.stated, in: folder)
      let hash = try #require(first.output.split(whereSeparator: \.isWhitespace).last)

      // What `gc` would write before it removes this run, killed after the first file.
      let data = folder.appending(path: "data")
      let removal = try {
        let store = try Store.open(data, .readOnly, .locus)
        var removal = Removal()
        removal.runs = try store.texts("SELECT id FROM run")
        removal.executions = try store.texts("SELECT id FROM execution")
        removal.objects = try Store.strayObjects(in: data, known: [])
        return removal
      }()
      #expect(removal.runs.count == 1 && removal.objects.count >= 1)
      try JSONEncoder().encode(removal).write(to: Removal.url(in: data))
      try FileManager.default.removeItem(
        at: data.appending(path: "\(Receipt.runs)/\(removal.runs[0]).json"))

      let second = try Executable.run(words + ImportTests.stated, in: folder)
      #expect(second.code == 0 && second.output.contains(hash), "\(second.error)")
      #expect(second.error.contains("healed: "))
      try Data(
        """
        { pipeline: "p", question: "q", seed: 5, stages: {
          theirs: { kind: "import", weights: "\(hash)" } } }
        """.utf8
      ).write(to: folder.appending(path: "p.json5"))
      let run = try Executable.run(["run", "p.json5"], in: folder)
      #expect(run.code == 0, "\(run.error)")
      #expect(run.error.contains("theirs unchanged, reused"))
      #expect(try Executable.run(["verify"], in: folder).code == 0)
    }
  }

  @Test("whatever writes completes what a gc left half done", arguments: ["gc", "rebuild"])
  func heals(_ command: String) throws {
    let bench = try Bench()
    #expect(bench.locus("run", try bench.pipeline()).code == 0)
    let data = bench.folder.appending(path: "data")
    try JSONEncoder().encode(Removal()).write(to: Removal.url(in: data))
    let found = bench.locus(command)
    #expect(found.code == 0 && found.error.contains("healed: "), "\(found.error)")
    #expect(try !Store.needsHealing(data))
    #expect(bench.locus("verify").code == 0)
  }

  @Test("links are refused before anything is healed", arguments: ["run", "gc", "rebuild"])
  func links(_ command: String) throws {
    let bench = try Bench()
    let path = try bench.pipeline()
    #expect(bench.locus("run", path).code == 0)
    let data = bench.folder.appending(path: "data")
    let outside = bench.folder.appending(path: "outside")
    try FileManager.default.moveItem(at: data.appending(path: "objects"), to: outside)
    try FileManager.default.createSymbolicLink(
      at: data.appending(path: "objects"), withDestinationURL: outside)
    var removal = Removal()
    removal.objects = try FileManager.default.subpathsOfDirectory(atPath: outside.path)
      .filter { $0.contains("/") }.map { "objects/" + $0 }
    try JSONEncoder().encode(removal).write(to: Removal.url(in: data))
    let found = bench.locus(words: [command] + (command == "run" ? [path] : []))
    #expect(found.code == 65 && found.error.contains("a symbolic link"), "\(found.error)")
    for object in removal.objects {
      let url = outside.appending(path: object.dropFirst("objects/".count))
      #expect(FileManager.default.fileExists(atPath: url.path))
    }
  }

  @Test(
    "a receipt that the schema refuses is bad data, by its name", arguments: ["rebuild", "verify"])
  func refusedReceipt(_ command: String) throws {
    let bench = try Bench()
    #expect(bench.locus("run", try bench.pipeline()).code == 0)
    let place = bench.folder.appending(path: "data/\(Receipt.runs)")
    let name = try #require(try FileManager.default.contentsOfDirectory(atPath: place.path).first)
    let url = place.appending(path: name)
    let text = try String(contentsOf: url, encoding: .utf8)
    let start = try #require(text.range(of: "\"content\":")).upperBound
    let content = String(text[start...].dropLast(2))
    let other = content.replacingOccurrences(of: "\"executed\"", with: "\"exhumed\"")
    #expect(other != content)
    // Sealed anew: its hash is right.
    let sealed = text.replacingOccurrences(of: content, with: other).replacingOccurrences(
      of: SHA256.hash(Data(content.utf8)), with: SHA256.hash(Data(other.utf8)))
    try Data(sealed.utf8).write(to: url)
    let found = bench.locus(command)
    #expect(found.code == 65 && found.error.contains(name), "\(found)")
  }

  @Test("no command goes past it")
  func noOtherWay() throws {
    let sources = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../Sources/locus").standardizedFileURL
    let files = FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil)
    var count = 0
    while let url = files?.nextObject() as? URL {
      guard url.pathExtension == "swift" else { continue }
      count += 1
      let text = try String(contentsOf: url, encoding: .utf8)
      for way in [
        "RunLock", ".readWrite", "Store.heal", "Store.rebuild", "Store.remove", "Store.verify",
        "Runner.run", "AtomicFile",
      ] {
        #expect(!text.contains(way), "\(url.lastPathComponent) has \(way)")
      }
    }
    #expect(count > 20)
  }

  @Test("a kill between a run's report and latest.md is mended by the next run")
  func latest() throws {
    let bench = try Bench()
    let path = try bench.pipeline()
    let latest = bench.folder.appending(path: "reports/study/latest.md")
    #expect(bench.locus("run", path).code == 0)
    let older = try Data(contentsOf: latest)
    #expect(bench.locus("run", path, "--force", "baseline").code == 0)
    let newer = try Data(contentsOf: latest)
    #expect(newer != older)
    for left in [older, nil] {
      try FileManager.default.removeItem(at: latest)
      try left?.write(to: latest)
      #expect(bench.locus("run", path).code == 0)
      #expect(try Data(contentsOf: latest) == newer)
    }
  }

  @Test("drafts of killed processes go; held ones, and what only looks like one, stay")
  func drafts() throws {
    let bench = try Bench()
    let path = try bench.pipeline()
    #expect(bench.locus("run", path).code == 0)
    let places = ["data", "data/tmp", "reports/study"].map { bench.folder.appending(path: $0) }
    let held = UUID().uuidString
    var descriptors: [Int32] = []
    for place in places {
      for name in [UUID().uuidString, "mine", held] {
        try Data("half".utf8).write(to: place.appending(path: ".write-" + name))
      }
      let descriptor = open(place.appending(path: ".write-" + held).path, O_RDWR | O_CLOEXEC)
      #expect(descriptor >= 0 && flock(descriptor, LOCK_EX) == 0)
      descriptors.append(descriptor)
    }
    func left() throws -> [Set<String>] {
      try places.map { place in
        Set(try FileManager.default.contentsOfDirectory(atPath: place.path))
          .filter { $0.hasPrefix(".write-") }
      }
    }
    #expect(bench.locus("run", path).code == 0)
    #expect(try left().allSatisfy { $0 == [".write-mine", ".write-" + held] })
    for descriptor in descriptors { close(descriptor) }
    #expect(bench.locus("run", path).code == 0)
    #expect(try left().allSatisfy { $0 == [".write-mine"] })
  }

  @Test("gc --dry-run says which runs would go; a partial run does not count")
  func dryRun() throws {
    let bench = try Bench()
    let path = try bench.pipeline()
    #expect(bench.locus("run", path).code == 0)
    #expect(bench.locus("run", path, "--force", "baseline").code == 0)
    #expect(bench.locus("run", path, "--only", "scenes").code == 0)
    let runs = try Store.open(bench.folder.appending(path: "data"), .readOnly, .locus).texts(
      "SELECT id FROM run ORDER BY started_at")
    #expect(runs.count == 3)
    let found = bench.locus("gc", "--keep", "last=1", "--dry-run")
    #expect(found.output.hasPrefix("run \(runs[0])\nwould remove 1 runs"), "\(found.output)")
    #expect(bench.locus("gc", "--keep", "last=1").code == 0)
    #expect(bench.locus("show", runs[1]).code == 0)
    #expect(bench.locus("verify").code == 0)
  }
}
