// Proves that one run at a time works on a store, that the second says who holds it, and that a
// dead holder is no obstacle.
import Dispatch
import Formats
import Foundation
import Synchronization
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

  @Test("asking who holds the lock is in nobody's way: not even for a moment is it taken")
  func asking() throws {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "lock")
      do { _ = try RunLock.acquire(url, as: .current(pipeline: "first")) }
      let end = Mutex(false)
      let asked = Mutex(0)
      DispatchQueue.concurrentPerform(iterations: 2) { place in
        if place == 0 {
          while !end.withLock({ $0 }) {
            _ = RunLock.holder(of: url)
            asked.withLock { $0 += 1 }
          }
        } else {
          for _ in 0..<300 {
            #expect(throws: Never.self) {
              _ = try RunLock.acquire(url, as: .current(pipeline: "second"))
            }
          }
          end.withLock { $0 = true }
        }
      }
      #expect(asked.withLock { $0 } > 0)
    }
  }

  @Test("whoever waits gets the lock when it is free, and can give up before")
  func waiting() throws {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "lock")
      struct GivenUp: Error {}
      var first: RunLock? = try RunLock.acquire(url, as: .current(pipeline: "first"))
      var seen: [String] = []
      #expect(throws: GivenUp.self) {
        try RunLock.acquire(url, as: .current(pipeline: "second")) { holder in
          seen.append(holder.pipeline)
          if seen.count == 3 { throw GivenUp() }
        }
      }
      #expect(seen == ["first", "first", "first"])
      let second = try RunLock.acquire(url, as: .current(pipeline: "second")) { _ in first = nil }
      #expect(first == nil)
      #expect(second.previous == nil)
      #expect(RunLock.holder(of: url)?.pipeline == "second")
    }
  }

  @Test("a holder from before the machine was started anew is told apart")
  func reboot() throws {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "lock")
      var dead = LockHolder.current(pipeline: "dead")
      #expect(!dead.isOfEarlierBoot)
      // The same number as a living process: only the kernel's lock counts, and that has gone.
      dead.pid = getppid()
      dead.bootID = "00000000-0000-0000-0000-000000000000"
      try JSONEncoder().encode(dead).write(to: url)
      let lock = try RunLock.acquire(url, as: .current(pipeline: "new"))
      #expect(lock.previous == dead)
      #expect(lock.previous?.isOfEarlierBoot == true)
    }
  }

  @Test("a lock file that was replaced gives no second lock by its old name")
  func replaced() throws {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "lock")
      do { _ = try RunLock.acquire(url, as: .current(pipeline: "first")) }
      try FileManager.default.removeItem(at: url)
      let lock = try RunLock.acquire(url, as: .current(pipeline: "second"))
      #expect(throws: WorkflowError.self) {
        try RunLock.acquire(url, as: .current(pipeline: "third"))
      }
      withExtendedLifetime(lock) {}
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
