import Foundation

/// What a stage cost.
package struct ResourceUsage: Sendable, Hashable {
  package var wallSeconds: Double
  /// User and system time of all threads and of child processes that ended.
  package var cpuSeconds: Double
  package var peakRSSBytes: Int
}

/// Measures from its making to `stop()`.
///
/// The peak of the resident memory belongs to the process; Linux lets it be reset, so that a
/// stage does not answer for the one before it. Elsewhere it is the peak since the start.
package struct ResourceMeter: Sendable {
  private let start = ContinuousClock.now
  private let cpu = Self.cpuSeconds()

  package init() {
    #if os(Linux)
      let descriptor = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC)
      guard descriptor >= 0 else { return }
      defer { close(descriptor) }
      // "5" resets the high-water mark (proc(5)); where it is forbidden the older peak stays.
      _ = Foundation.write(descriptor, "5", 1)
    #endif
  }

  package func stop() -> ResourceUsage {
    let wall = ContinuousClock.now - start
    return ResourceUsage(
      wallSeconds: wall / .seconds(1), cpuSeconds: Self.cpuSeconds() - cpu,
      peakRSSBytes: Self.peakRSSBytes())
  }

  private static func cpuSeconds() -> Double {
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    let usages = [usage(of: Self.own), usage(of: Self.children)]
    return usages.map { seconds($0.ru_utime) + seconds($0.ru_stime) }.reduce(0, +)
  }

  private static func peakRSSBytes() -> Int {
    #if os(Linux)
      if let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
        let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
        let kibibytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({
          Int($0)
        })
      {
        return kibibytes << 10
      }
      return Int(usage(of: Self.own).ru_maxrss) << 10
    #else
      return Int(usage(of: Self.own).ru_maxrss)
    #endif
  }

  // RUSAGE_SELF and RUSAGE_CHILDREN, which the C libraries import with different types.
  private static let own: Int32 = 0
  private static let children: Int32 = -1

  private static func usage(of who: Int32) -> rusage {
    var usage = rusage()
    getrusage(who, &usage)
    return usage
  }
}
