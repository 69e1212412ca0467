import Foundation
import Testing

@testable import Workflow

@Suite("lock")
struct RunLockTests {
  @Test("the second holder is refused and told who the first is")
  func second() throws {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "lock")
      let lock = try RunLock.acquire(url, as: .current(pipeline: "first"))
      let error = #expect(throws: WorkflowError.self) {
        try RunLock.acquire(url, as: .current(pipeline: "second"))
      }
      #expect(error?.exitCode == ExitCode.locked)
      #expect(error?.description.contains("pipeline `first`, process \(getpid())") == true)
      #expect(RunLock.holder(of: url)?.pipeline == "first")
      withExtendedLifetime(lock) {}
    }
  }

  @Test("a released lock is free and leaves no name behind")
  func released() throws {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "lock")
      do { _ = try RunLock.acquire(url, as: .current(pipeline: "first")) }
      #expect(RunLock.holder(of: url) == nil)
      let lock = try RunLock.acquire(url, as: .current(pipeline: "second"))
      #expect(lock.previous == nil)
    }
  }

  @Test("a dead holder's lock is taken over, and the new holder knows of it")
  func takeover() throws {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "lock")
      // What a killed process leaves: its name in the file, and no lock.
      let dead = LockHolder(host: "h", pid: 1, pipeline: "dead", since: "2026-01-01T00:00:00Z")
      try JSONEncoder().encode(dead).write(to: url)
      #expect(RunLock.holder(of: url) == nil)
      let lock = try RunLock.acquire(url, as: .current(pipeline: "new"))
      #expect(lock.previous == dead)
      #expect(RunLock.holder(of: url)?.pipeline == "new")
    }
  }

  @Test("a folder that cannot be written is an error of its own")
  func unwritable() {
    let url = URL(filePath: "/proc/locus-none/lock")
    let error = #expect(throws: WorkflowError.self) {
      try RunLock.acquire(url, as: .current(pipeline: "p"))
    }
    #expect(error?.exitCode == ExitCode.cannotCreate)
  }
}

@Suite("cancellation")
struct CancellationTests {
  @Test("a request is seen by every check")
  func request() {
    let cancellation = Cancellation()
    #expect(throws: Never.self) { try cancellation.check() }
    cancellation.request(signal: SIGTERM)
    #expect(cancellation.signal == SIGTERM)
    #expect(throws: CancellationError.self) { try cancellation.check() }
  }
}

@Suite("resource usage")
struct ResourceUsageTests {
  @Test("time and memory of the work between start and stop are seen")
  func measured() {
    let meter = ResourceMeter()
    var memory = [UInt8](repeating: 1, count: 64 << 20)
    var sum = 0
    let end = ContinuousClock.now + .milliseconds(50)
    while ContinuousClock.now < end { sum &+= Int(memory[sum & 0xFFFF]) }
    memory[0] = UInt8(truncatingIfNeeded: sum)
    let usage = meter.stop()
    #expect(usage.wallSeconds >= 0.05)
    #expect(usage.cpuSeconds > 0.01)
    #expect(usage.peakRSSBytes > 64 << 20)
  }
}

@Suite("signals")
struct SignalWatchTests {
  @Test("a signal is a request to end, and forgotten with its watch")
  func first() {
    let cancellation = Cancellation(followsSignals: true)
    let other = Cancellation()
    do {
      let watch = SignalWatch()
      kill(getpid(), SIGTERM)
      let end = ContinuousClock.now + .seconds(5)
      while !cancellation.isRequested, ContinuousClock.now < end { usleep(1000) }
      #expect(cancellation.signal == SIGTERM)
      #expect(!other.isRequested)
      withExtendedLifetime(watch) {}
    }
    #expect(!cancellation.isRequested)
  }
}
