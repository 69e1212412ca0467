import Foundation
import Testing

@testable import Workflow

@Suite("Jobs as processes")
struct LocalExecutorTests {
  @Test("a process whose result is in is reaped, though nobody asks how it ended")
  func reaped() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    var executor = LocalExecutor(program: "/bin/true")
    let order = PlacedOrder(
      key: "k", attempt: 1, stage: "s", url: folder.appending(path: "order.json"),
      log: folder.appending(path: "order.txt"), options: ExecutorOptions())
    guard case .submitted(let job)? = try executor.submit([order]).first,
      let pid = pid_t(job)
    else {
      Issue.record("was not started")
      return
    }
    let end = ContinuousClock.now + .seconds(20)
    // A zombie is there to be signalled until it is reaped.
    while kill(pid, 0) == 0, ContinuousClock.now < end {
      _ = try executor.poll([])
      usleep(10_000)
    }
    #expect(kill(pid, 0) == -1 && errno == ESRCH)
  }
}
