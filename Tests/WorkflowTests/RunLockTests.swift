// Proves that one run at a time works on a store, that the second says who holds it, and that neither
// a dead holder is an obstacle nor a child that shares a lock from its fork to its exec.
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
        try RunLock.acquire(url, as: .current(pipeline: "second")) { owner in
          if case .named(let holder) = owner { seen.append(holder.pipeline) }
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

  /// What a child has from its fork to its exec: the same open files by descriptors of its own.
  private func duplicates(of url: URL) -> [Int32] {
    var named = stat()
    guard stat(url.path, &named) == 0 else { return [] }
    let opened = (0..<Int32(1024)).filter { descriptor in
      var opened = stat()
      return fstat(descriptor, &opened) == 0 && opened.st_dev == named.st_dev
        && opened.st_ino == named.st_ino
    }
    return opened.map { fcntl($0, F_DUPFD_CLOEXEC, 0) }.filter { $0 >= 0 }
  }

  @Test("a released lock is free at once, even if a child shares it")
  func shared() throws {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "lock")
      var first: RunLock? = try RunLock.acquire(url, as: .current(pipeline: "first"))
      let copies = duplicates(of: url)
      defer { for copy in copies { close(copy) } }
      #expect(copies.count == 1)
      #expect(first?.previous == nil)
      first = nil
      #expect(!RunLock.isHeld(url))
      #expect(throws: Never.self) {
        _ = try RunLock.acquire(url, as: .current(pipeline: "second"), moment: .zero)
      }
    }
  }

  @Test("what is no ordinary file is no lock, and is not waited for", .timeLimit(.minutes(1)))
  func unlockable() throws {
    try withTemporaryFolder { folder in
      let pipe = folder.appending(path: "pipe")
      #expect(mkfifo(pipe.path, 0o644) == 0)
      for url in [pipe, URL(filePath: "/dev/null")] {
        let error = #expect(throws: WorkflowError.self) {
          try RunLock.acquire(url, as: .current(pipeline: "first"))
        }
        #expect(error?.exitCode == ExitCode.cannotCreate)
        #expect(!RunLock.isHeld(url))
      }
      #expect(duplicates(of: pipe).isEmpty)
    }
  }

  /// A process that has ended.
  private func ended() throws -> LockHolder {
    var holder = LockHolder.current(pipeline: "dead")
    var pid: pid_t = 0
    var words = [strdup("true"), nil]
    defer { free(words[0]) }
    try #require(posix_spawnp(&pid, "true", nil, nil, &words, nil) == 0)
    try #require(waitpid(pid, nil, 0) == pid)
    holder.pid = pid
    return holder
  }

  @Test("a holder that cannot be named is given a moment to let go", arguments: [false, true])
  func patience(isNamedByTheDead: Bool) throws {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "lock")
      let first = Mutex<RunLock?>(try RunLock.acquire(url, as: .current(pipeline: "first")))
      let text = isNamedByTheDead ? try JSONEncoder().encode(ended()) : Data()
      try text.write(to: url, options: [])
      DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(100)) {
        first.withLock { $0 = nil }
      }
      // Longer than a busy machine delays the other thread.
      let second = try RunLock.acquire(
        url, as: .current(pipeline: "second"), moment: .seconds(60))
      #expect(RunLock.holder(of: url)?.pipeline == "second")
      withExtendedLifetime(second) {}
    }
  }

  @Test("a holder that cannot be named and stays is told of by what is known")
  func nameless() throws {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "lock")
      let lock = try RunLock.acquire(url, as: .current(pipeline: "first"))
      func refusal(_ text: Data) throws -> WorkflowError? {
        try text.write(to: url, options: [])
        let start = ContinuousClock.now
        let error = #expect(throws: WorkflowError.self) {
          try RunLock.acquire(url, as: .current(pipeline: "second"))
        }
        #expect(ContinuousClock.now - start >= RunLock.moment)
        #expect(error?.exitCode == ExitCode.locked)
        return error
      }
      #expect(try refusal(Data()) == .locked(.unnamed, path: url.path))
      #expect(try refusal(Data("{\"host\"".utf8)) == .locked(.unnamed, path: url.path))
      let dead = try ended()
      #expect(
        try refusal(JSONEncoder().encode(dead)) == .locked(.successor(of: dead), path: url.path))
      withExtendedLifetime(lock) {}
    }
  }

  @Test("a process of this machine that has gone is known to have ended, no other is")
  func ending() throws {
    var holder = LockHolder.current(pipeline: "p")
    #expect(!holder.hasEnded)
    #expect(try ended().hasEnded)
    holder.host += "-another"
    holder.pid = try ended().pid
    #expect(!holder.hasEnded)
    guard LockHolder.current(pipeline: "p").processStart != nil else { return }
    var later = LockHolder.current(pipeline: "p")
    later.processStart = "1"
    #expect(later.hasEnded)
  }

  @Test("children that are started all the while are in no holder's way", .timeLimit(.minutes(2)))
  func forks() throws {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "lock")
      let end = Mutex(false)
      let started = Mutex(0)
      let threads = DispatchGroup()
      for _ in 0..<3 {
        threads.enter()
        Thread.detachNewThread {
          while !end.withLock({ $0 }) {
            if (try? ended()) != nil { started.withLock { $0 += 1 } }
          }
          threads.leave()
        }
      }
      let start = ContinuousClock.now
      var taken = 0
      while taken < 2000 || started.withLock({ $0 }) < 100,
        ContinuousClock.now - start < .seconds(60)
      {
        #expect(throws: Never.self) {
          _ = try RunLock.acquire(url, as: .current(pipeline: "p"), moment: .zero)
        }
        taken += 1
      }
      end.withLock { $0 = true }
      threads.wait()
      #expect(taken >= 2000)
      #expect(started.withLock { $0 } >= 100)
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
  /// Set in the process that receives the signal: in this one other tests have runs at work, which it
  /// would end too.
  private static let isAlone = "LOCUS_TESTS_ALONE"

  @Test("a signal is a request to end, and forgotten with its watch")
  func first() throws {
    if ProcessInfo.processInfo.environment[Self.isAlone] != nil { return receive() }
    let process = Process()
    process.executableURL = URL(filePath: CommandLine.arguments[0])
    process.arguments = [
      "--testing-library", "swift-testing", "--filter", "WorkflowTests.SignalWatchTests",
    ]
    process.environment = ProcessInfo.processInfo.environment.merging([Self.isAlone: "1"]) { $1 }
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationReason == .exit)
    #expect(process.terminationStatus == 0)
  }

  private func receive() {
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
