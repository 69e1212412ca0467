// Proves that wherever in a small pipeline the disk refuses to be written to, the command ends with 73 or
// 74 and one line that names the file, nothing half-written is visible, and the next run goes on to the
// same objects.
import CSQLite
import Foundation
import Measures
import Testing

@testable import Lineage

@Suite("A disk that refuses", .serialized)
struct DiskTests {
  private static let stages = """
    scenes: { kind: "generate", count: 3 },
    model: { kind: "train", inputs: { scenes: "scenes" } },
    """

  /// Memory is quicker than a disk, and these tests wait for the disk some thousand times.
  private static let place =
    FileManager.default.isWritableFile(atPath: "/dev/shm")
    ? URL(filePath: "/dev/shm") : FileManager.default.temporaryDirectory

  private func objects(_ bench: Bench) -> Set<String> {
    let root = bench.folder.appending(path: "data/objects")
    let names = FileManager.default.enumerator(atPath: root.path)?.allObjects as? [String]
    return Set((names ?? []).filter { $0.contains("/") })
  }

  /// Everything that has a name has its content.
  private func checkWhole(_ bench: Bench, _ what: String) throws {
    let data = bench.folder.appending(path: "data")
    for name in objects(bench) {
      let hash = try SHA256.hash(fileAt: data.appending(path: "objects/\(name)"))
      #expect(hash == name.replacing("/", with: ""), "\(what)")
    }
    #expect(try Receipts(in: data, .locus).damaged.isEmpty, "\(what)")
    if let store = try? Store.open(data, .readOnly, .locus) {
      #expect(try store.query("PRAGMA integrity_check").rows == [[.text("ok")]], "\(what)")
    }
    let reports = bench.folder.appending(path: "reports")
    for name in FileManager.default.enumerator(atPath: reports.path)?.allObjects ?? [] {
      guard let name = name as? String else { continue }
      #expect(!name.contains(".write-"), "\(what)")
      if name.hasSuffix(".md") {
        let text = try String(contentsOf: reports.appending(path: name), encoding: .utf8)
        #expect(text.contains("How to reproduce"), "\(what)")
      }
    }
  }

  private func expect(
    _ code: Int32, from first: Int, to last: Int, gives expected: Set<String>
  ) throws -> Bool {
    let bench = try Bench(in: Self.place)
    let disk = FaultyDisk(below: bench.folder)
    let path = try bench.pipeline(Self.stages)
    let found = disk.withFault(code, from: first, to: last) { bench.locus("run", path, "--quiet") }
    guard disk.hasFailed else { return false }
    let what = "errno \(code) from step \(first) to \(last): \(found.code) \(found.error)"
    try checkWhole(bench, what)
    // SQLite puts off the copying of its log when that fails; nothing is lost by it.
    if found.code != 0 {
      #expect([73, 74].contains(found.code), "\(what)")
      let lines = found.error.split(separator: "\n")
      // One line says it; where a stage failed of it, another says how the run ended.
      let said = lines.filter { $0.contains(bench.folder.path) }
      #expect(said.count == 1 && lines.count <= 2, "\(what)")
      if code == ENOSPC { #expect(said.allSatisfy { $0.contains("needed: ") }, "\(what)") }
    }
    let next = bench.locus("run", path, "--quiet")
    #expect(next.code == 0, "\(what): then \(next.error)")
    #expect(objects(bench) == expected, "\(what)")
    let verified = bench.locus("verify")
    #expect(verified.code == 0, "\(what): then \(verified.output)")
    return true
  }

  private func undisturbed() throws -> (objects: Set<String>, steps: Int) {
    let bench = try Bench(in: Self.place)
    let disk = FaultyDisk(below: bench.folder)
    let path = try bench.pipeline(Self.stages)
    let found = disk.withFault(0) { bench.locus("run", path, "--quiet") }
    #expect(found.code == 0, "\(found.error)")
    return (objects(bench), disk.steps)
  }

  @Test("that is full from any step on")
  func full() throws {
    let (expected, steps) = try undisturbed()
    #expect(steps > 100)
    for step in 1...steps {
      #expect(try expect(ENOSPC, from: step, to: .max, gives: expected), "step \(step)")
    }
  }

  @Test("once, at any step", arguments: [ENOSPC, EDQUOT, EROFS, EACCES, EFBIG])
  func once(_ code: Int32) throws {
    let (expected, steps) = try undisturbed()
    for step in stride(from: 1 + Int(code) % 9, through: steps, by: 9) {
      #expect(try expect(code, from: step, to: step, gives: expected), "step \(step)")
    }
  }

  private static let canMount =
    (try? Program.shell("unshare -rm mount -t tmpfs -o size=64k none /mnt")) == 0

  @Test(
    "because it is full indeed: a small tmpfs, made larger afterwards",
    .enabled(if: canMount, "nobody may mount here: it takes a namespace of its own"),
    arguments: [40, 100, 150, 180, 220, 260])
  func smallDisk(_ kilobytes: Int) throws {
    let program = try Program()
    let words = "\(Program.executable.path) \(Program.short.joined(separator: " "))"
    let script = """
      mkdir -p data && mount -t tmpfs -o size=\(kilobytes)k none data || exit 99
      \(words) 2> message; code=$?
      echo $code >> message
      mount -o remount,size=64m data || exit 98
      \(words) && \(Program.executable.path) verify
      """
    try Data(script.utf8).write(to: program.folder.appending(path: "script"))
    let code = try Program.shell("unshare -rm sh script", in: program.folder)
    let message = try String(
      contentsOf: program.folder.appending(path: "message"), encoding: .utf8)
    #expect(code == 0, "\(message)")
    let lines = message.split(separator: "\n")
    #expect(["0", "73", "74"].contains(lines.last), "\(message)")
    #expect(kilobytes > 40 || lines.last != "0", "\(message)")
    #expect(lines.last == "0" || lines.first?.contains("needed: ") == true, "\(message)")
  }

  @Test(
    "because it is full: gc makes room without any, and without room for a second database",
    .enabled(if: canMount, "nobody may mount here: it takes a namespace of its own"),
    arguments: [4, 1024])
  func fullDisk(_ kilobytes: Int) throws {
    let program = try Program()
    let locus = Program.executable.path
    let words = "\(locus) \(Program.short.joined(separator: " "))"
    let script = """
      mkdir -p data && mount -t tmpfs -o size=64m none data || exit 99
      \(words) && \(words) --force scenes || exit 98
      mkdir data/objects/00
      dd if=/dev/urandom of=data/objects/00/$(printf '%062d' 0) bs=1k count=\(kilobytes) 2> /dev/null
      dd if=/dev/zero of=data/fill bs=64k 2> /dev/null
      dd if=/dev/zero of=data/fill2 bs=1 2> /dev/null
      df --output=avail data | tail -1 > message
      \(locus) gc --keep last=1 2>> message || exit 97
      rm data/fill data/fill2
      \(locus) verify >> message && \(locus) runs | tail -n +2 | wc -l > runs
      ls data/objects/00 data/receipts/* | grep -E '^0{62}|going' && exit 96
      true
      """
    try Data(script.utf8).write(to: program.folder.appending(path: "script"))
    let code = try Program.shell("unshare -rm sh script", in: program.folder)
    let message = try String(
      contentsOf: program.folder.appending(path: "message"), encoding: .utf8)
    #expect(code == 0, "\(message)")
    let free = message.split(separator: "\n").first
    #expect(free?.trimmingCharacters(in: .whitespaces) == "0", "\(message)")
  }

  @Test("to take files beyond a size: the process's own limit", arguments: [8, 150, 400])
  func limit(_ blocks: Int) throws {
    let program = try Program()
    let words = "\(Program.executable.path) \(Program.short.joined(separator: " "))"
    let code = try Program.shell("ulimit -f \(blocks); exec \(words)", in: program.folder)
    #expect([0, 73, 74].contains(code))
    #expect(blocks > 8 || code != 0)
    #expect(try program.finish(Program.short) == 0)
    #expect(try program.finish(["verify"]) == 0)
  }
}
