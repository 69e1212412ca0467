import Foundation
import Streams
import Synchronization

/// A question to git that any output answers with yes, and a success without output with no. It is asked
/// at once and answered in git's own time.
///
/// git takes no lock for it, starts no hook, no monitor and no filter of the repository, and fetches
/// nothing: whose repository it is does not matter.
final class GitQuestion: Sendable {
  enum Answer: Hashable {
    case yes, no
    /// Why there is none.
    case unknown(String)
  }

  private enum State {
    case asked(pid: pid_t, output: Int32)
    case answered(Answer)
  }

  private let state: Mutex<State>

  /// - Parameters:
  ///   - words: what git is asked, without its settings.
  ///   - folder: where it is asked.
  ///   - filters: those that the repository names.
  init(_ words: [String], in folder: URL, filters: [String], environment: [String: String]) {
    let settings =
      ["core.fsmonitor=false", "core.hooksPath=/dev/null"]
      + filters.flatMap { name in
        ["clean=", "process=", "required=false"].map { "filter.\(name).\($0)" }
      }
    state = Mutex(
      Self.start(
        ["git", "-C", folder.path] + settings.flatMap { ["-c", $0] } + words,
        Self.environment(environment)))
  }

  deinit {
    state.withLock { state in
      guard case .asked(let pid, let output) = state else { return }
      Self.end(pid, output)
    }
  }

  /// Waits for the answer, so long at most; `nil`: there is none yet.
  func answer(within time: Duration) -> Answer? {
    state.withLock { state in
      switch state {
      case .answered(let answer): return answer
      case .asked(let pid, let output):
        guard let isYes = Self.hasOutput(output, within: time) else { return nil }
        let answer: Answer
        if isYes {
          // The first byte says it all.
          Self.end(pid, output)
          answer = .yes
        } else {
          close(output)
          let status = Spawning.reap(pid)
          answer =
            status == 0 ? .no : .unknown("git cannot tell (it ended with \(status >> 8 & 0xFF))")
        }
        state = .answered(answer)
        return answer
      }
    }
  }

  // MARK: - The process

  private static func start(_ words: [String], _ environment: [String: String]) -> State {
    guard let (output, input) = Spawning.pipe() else { return .answered(.unknown(reason(errno))) }
    defer { close(input) }
    let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
    if nothing < 0 {
      close(output)
      return .answered(.unknown(reason(errno)))
    }
    defer { close(nothing) }
    let (pid, code) = Spawning.start(words, [nothing, input, nothing], in: nil, environment)
    if code == 0 { return .asked(pid: pid, output: output) }
    close(output)
    return .answered(.unknown(code == ENOENT ? "git is not installed" : reason(code)))
  }

  /// Settings of the environment that belong to another repository, as a hook of git has them, are left
  /// out.
  private static func environment(_ given: [String: String]) -> [String: String] {
    var environment = given.filter { !$0.key.hasPrefix("GIT_") }
    environment["GIT_OPTIONAL_LOCKS"] = "0"
    environment["GIT_LITERAL_PATHSPECS"] = "1"
    environment["GIT_NO_LAZY_FETCH"] = "1"
    environment["GIT_ALLOW_PROTOCOL"] = "none"
    return environment
  }

  /// `nil` when neither output nor an end came in time.
  private static func hasOutput(_ output: Int32, within time: Duration) -> Bool? {
    let end = ContinuousClock.now + time
    while true {
      let left = (end - .now) / .milliseconds(1)
      var state = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
      let ready = poll(&state, 1, Int32(max(0, left.rounded(.up))))
      if ready == 0 { return nil }
      if ready < 0 && errno == EINTR { continue }
      var byte: UInt8 = 0
      let count = read(output, &byte, 1)
      if count < 0 && errno == EINTR { continue }
      return count > 0
    }
  }

  private static func end(_ pid: pid_t, _ output: Int32) {
    kill(pid, SIGKILL)
    close(output)
    Spawning.reap(pid)
  }

  private static func reason(_ code: Int32) -> String {
    "git cannot be started: \(String(cString: strerror(code)))"
  }
}
