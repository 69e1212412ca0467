// Proves that standard streams which are closed, full or a chosen output harm nothing.
import Foundation
import Lineage
import Testing
import Workflow

@Suite("Standard streams", .serialized, .timeLimit(.minutes(5)))
struct StreamTests {
  /// `script` may say `locus`.
  private func shell(_ script: String, in folder: URL) throws -> Int32 {
    try Program.shell("locus() { '\(Program.executable.path)' \"$@\"; }\n\(script)", in: folder)
  }

  @Test("no progress gets into a file of the store when standard streams are closed")
  func closed() throws {
    let program = try Program()
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = [
      "-c", "exec '\(Program.executable.path)' run long.json5 <&- >&- 2>&-",
    ]
    process.currentDirectoryURL = program.folder
    try process.run()
    defer { process.terminate() }
    let lock = program.store.appending(path: "lock")
    let end = ContinuousClock.now + .seconds(30)
    var progress: RunProgress?
    while ContinuousClock.now < end, progress?.work == nil {
      progress = RunProgress.current(in: program.store)
      usleep(10_000)
    }
    #expect(progress?.work != nil)
    // Nothing but the holder's name, which ends in one line.
    let text = try String(contentsOf: lock, encoding: .utf8)
    #expect(text.hasPrefix("{") && text.hasSuffix("}\n") && text.filter { $0 == "\n" }.count == 1)
    #expect(Session.holder(of: program.store)?.pipeline == "long")
    process.terminate()
    process.waitUntilExit()
    #expect(process.terminationStatus == 143)
    #expect(try program.finish(["verify"]) == 0)
  }

  @Test("whoever removes the lock's file lets no second run in")
  func removedLock() throws {
    let program = try Program()
    let process = try program.startLongRun()
    defer { process.terminate() }
    let lock = program.store.appending(path: "lock")
    try FileManager.default.removeItem(at: lock)
    #expect(RunLock.isHeld(lock))
    for words in [["run", "long.json5", "--set", "model.pictures=16"], ["gc"], ["rebuild"]] {
      #expect(try program.finish(words) == 75, "\(words)")
    }
    #expect(process.isRunning)
    process.terminate()
    process.waitUntilExit()
    #expect(process.terminationStatus == 143)
    #expect(!RunLock.isHeld(lock))
    #expect(try program.finish(Program.short) == 0)
    #expect(try program.finish(["verify"]) == 0)
  }

  @Test(
    "a full standard output is 74 and says so",
    .enabled(if: FileManager.default.fileExists(atPath: "/dev/full"), "there is no /dev/full"),
    arguments: ["help", "help run", "man", "completions bash", "metrics", "--version"])
  func full(_ words: String) throws {
    try withFolder { folder in
      #expect(try shell("locus \(words) > /dev/full 2> said", in: folder) == 74)
      let said = try String(contentsOf: folder.appending(path: "said"), encoding: .utf8)
      #expect(said.hasPrefix("locus: standard output: cannot be written: "), "\(said)")
      #expect(said.split(separator: "\n").count == 1)
    }
  }

  @Test("an output that is standard output gets the picture alone, and a device is no file")
  func output() throws {
    let program = try Program()
    #expect(try program.finish(Program.short) == 0)
    let script = """
      ln -s /dev/full full && mkfifo fifo && touch kept && chmod 600 kept || exit 1
      sample() { locus sample model --count 1 --steps 2 "$@"; }
      sample --output plain.png > said || exit 2
      [ "$(cat said)" = plain.png ] || exit 3
      sample --output /dev/stdout > direct.png || exit 4
      cmp plain.png direct.png || exit 5
      sample --output /dev/stdout | cmp - plain.png || exit 6
      sample --output full; [ $? = 74 ] && [ -L full ] || exit 7
      cat fifo > copy.png & sample --output fifo || exit 8
      wait; [ -p fifo ] && cmp plain.png copy.png || exit 9
      sample --output kept && [ "$(stat -c %a kept)" = 600 ] || exit 10
      """
    #expect(try shell(script, in: program.folder) == 0)
  }
}
