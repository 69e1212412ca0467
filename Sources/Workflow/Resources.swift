import Foundation
import Lineage
import Synchronization

/// What the system lets this process have, looked at before work: in the middle of it there is nothing to
/// be done but to end.
package enum Resources {
  /// The cores that this process may use: fewer than the machine has where somebody said so (`taskset`),
  /// and one where more threads cannot be watched over.
  package static let processors =
    hasProcesses
    ? processors(allowed: text("/proc/self/status"))
      ?? ProcessInfo.processInfo.activeProcessorCount
    : 1

  /// On Linux libdispatch looks at its threads once a second, and ends a process in which it cannot.
  private static let hasProcesses: Bool = {
    #if os(Linux)
      return access("/proc/self/task", F_OK) == 0
    #else
      return true
    #endif
  }()

  /// - Parameter status: of a process as Linux tells it: `Cpus_allowed:` and hexadecimal digits, with a
  ///   comma after every eight.
  package static func processors(allowed status: String) -> Int? {
    let line = status.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed:") }
    let mask = line?.drop { $0 != ":" } ?? ""
    let count = mask.reduce(0) { $0 + ($1.hexDigitValue?.nonzeroBitCount ?? 0) }
    return count > 0 ? count : nil
  }

  /// Makes as many threads at once as work on `count` threads will need, and lets them go.
  package static func check(threads count: Int) throws(WorkflowError) {
    if count > 1, !hasProcesses { throw .noProcesses(threads: count) }
    // More than the machine has cores are never at work at once, and one is there already.
    let wanted = min(count, processors) - 1
    if wanted < 1 { return }
    let gate = Gate()
    let (made, code) = gate.closed.withLock { _ -> (Int, Int32) in
      for made in 0..<wanted {
        let code = SystemThread.start { gate.closed.withLock { _ in } }
        if code != 0 { return (made, code) }
      }
      return (wanted, 0)
    }
    if code != 0 {
      throw .noThreads(
        wanted: wanted + 1, made: made + 1, reason: String(cString: strerror(code)))
    }
  }

  private final class Gate: Sendable { let closed = Mutex(()) }

  /// Throws when this many bytes more are not to be had.
  package static func check(memory needed: Int) throws(WorkflowError) {
    guard let least = limits().min(by: { $0.free < $1.free }), needed > least.free else { return }
    throw .noMemory(needed: needed, free: max(least.free, 0), limit: least.name)
  }

  /// What is left of each limit that there is.
  private static func limits() -> [(name: String, free: Int)] {
    var found: [(name: String, free: Int)] = []
    #if os(Linux)
      var space = rlimit()
      if getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &space) == 0,
        space.rlim_cur < .max >> 1,
        let pages = text("/proc/self/statm").split(separator: " ").first.flatMap({ Int($0) })
      {
        let used = pages * Int(sysconf(Int32(_SC_PAGESIZE)))
        found.append(("ulimit -v", Int(space.rlim_cur) - used))
      }
      let memory = fields("/proc/meminfo")
      if let available = memory["MemAvailable"] {
        found.append(("the machine", (available + (memory["SwapFree"] ?? 0)) << 10))
      }
      found += groups()
    #endif
    return found
  }

  /// Control groups (version 2) around this process that have a limit.
  private static func groups() -> [(name: String, free: Int)] {
    let line = text("/proc/self/cgroup").split(separator: "\n").first { $0.hasPrefix("0::") }
    var path = line.map { "/sys/fs/cgroup" + $0.dropFirst(3) } ?? ""
    var found: [(name: String, free: Int)] = []
    while path.hasPrefix("/sys/fs/cgroup") {
      let most = text(path + "/memory.max").split(separator: "\n").first.flatMap { Int($0) }
      // What is only a copy of files is given back when it is needed.
      if let most, let held = fields(path + "/memory.stat")["anon"] {
        found.append(("the control group", most - held))
      }
      path = (path as NSString).deletingLastPathComponent
    }
    return found
  }

  private static func text(_ path: String) -> String {
    (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
  }

  /// Lines such as `MemAvailable: 123 kB` or `anon 123`.
  private static func fields(_ path: String) -> [String: Int] {
    var result: [String: Int] = [:]
    for line in text(path).split(separator: "\n") {
      let words = line.split(whereSeparator: { $0 == " " || $0 == ":" })
      if words.count > 1 { result[String(words[0])] = Int(words[1]) }
    }
    return result
  }
}

extension StageContext {
  /// Says how much memory the work will hold at least, before it begins.
  package func requireMemory(_ bytes: Int) throws { try Resources.check(memory: bytes) }
}
