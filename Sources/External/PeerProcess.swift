import Foundation
import Streams

/// A program that computes for Locus, with the pipes to and from it and the last of what it said.
///
/// It gets no shell and no descriptor but these three, leads a process group of its own, and ends with this
/// object at the latest: with all that it started. Should Locus be killed, a guard kills the group.
///
/// Not safe for two callers at once: `Peer` holds it under a lock.
final class PeerProcess: @unchecked Sendable {
  let pid: pid_t
  private let input: Int32
  private let output: Int32
  private let errors: Int32
  private let guardian: PeerGuard
  private let token: String
  private var isInputOpen = true
  private var isErrorOpen = true
  private var hasEnded = false
  /// What it said, the last of it.
  private(set) var words = LastWords()

  enum Event {
    /// Something was read or written, or nothing happened for a while.
    case went
    /// It closed its output, or does not read any more.
    case closed
  }

  /// - Parameters:
  ///   - folder: where it starts.
  ///   - environment: what it gets beside Locus' own.
  /// - Throws: a text that says why it cannot be.
  init(_ command: [String], in folder: String?, environment: [String: String]) throws(SpawnFault) {
    var pipes: [(read: Int32, write: Int32)] = []
    func closeAll() {
      for pipe in pipes {
        close(pipe.read)
        close(pipe.write)
      }
    }
    for _ in 0..<3 {
      guard let pipe = Spawning.pipe() else {
        let reason = Spawning.reason(errno)
        closeAll()
        throw SpawnFault(reason)
      }
      pipes.append(pipe)
    }
    let token = UUID().uuidString
    var variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    variables[Descendants.variable] = token
    let (pid, code) = Spawning.start(
      command, [pipes[0].read, pipes[1].write, pipes[2].write], in: folder, variables)
    guard code == 0 else {
      closeAll()
      throw SpawnFault(Spawning.reason(code))
    }
    close(pipes[0].read)
    close(pipes[1].write)
    close(pipes[2].write)
    (input, output, errors) = (pipes[0].write, pipes[1].read, pipes[2].read)
    self.pid = pid
    self.token = token
    guard let guardian = PeerGuard(of: pid) else {
      let reason = Spawning.reason(errno)
      kill(-pid, SIGKILL)
      Spawning.reap(pid)
      for end in [input, output, errors] { close(end) }
      throw SpawnFault("its guard: " + reason)
    }
    self.guardian = guardian
    for end in [input, output, errors] {
      _ = fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK)
      Spawning.widen(end)
    }
  }

  deinit { end() }

  /// Waits until something can be read or written, so long at most, and does it: whoever waits for one
  /// direction alone waits for ever once the other is full.
  ///
  /// - Parameters:
  ///   - outgoing: writes a piece and says how many bytes went; not called when there is nothing to write.
  ///   - incoming: reads a piece and says how many bytes came.
  func step(
    _ patience: Duration, hasOutgoing: Bool, outgoing: (Int32) -> Int, incoming: (Int32) -> Int
  ) -> Event {
    var states = [pollfd(fd: output, events: Int16(POLLIN), revents: 0)]
    states.append(pollfd(fd: isErrorOpen ? errors : -1, events: Int16(POLLIN), revents: 0))
    let writes = hasOutgoing && isInputOpen
    states.append(pollfd(fd: writes ? input : -1, events: Int16(POLLOUT), revents: 0))
    let milliseconds = max(0, (patience / .milliseconds(1)).rounded(.up))
    let ready = poll(&states, nfds_t(states.count), Int32(min(milliseconds, 1000)))
    if ready <= 0 { return .went }
    if states[1].revents != 0 { hear() }
    if states[2].revents != 0 {
      let count = outgoing(input)
      if count < 0 && !Spawning.isPassing(errno) { return .closed }
    }
    if states[0].revents != 0 {
      let count = incoming(output)
      if count == 0 || (count < 0 && !Spawning.isPassing(errno)) { return .closed }
    }
    return .went
  }

  /// Whether it has written something that nobody read.
  var hasOutput: Bool {
    var state = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
    return poll(&state, 1, 0) > 0 && state.revents & Int16(POLLIN) != 0
  }

  /// One piece of what it says; a flood does not keep anybody from the clock.
  private func hear() {
    let count = words.read(errors)
    if count == 0 || (count < 0 && !Spawning.isPassing(errno)) { isErrorOpen = false }
  }

  /// Ends one that went away, and says how it did, in words that follow its name.
  func ending() -> String {
    hear(until: ContinuousClock.now + .milliseconds(300))
    let isLeft = !Spawning.hasExited(pid)
    let status = end()
    if isLeft { return "closed its standard input or output" }
    let signal = status & 0x7F
    return signal == 0
      ? "ended with status \(status >> 8 & 0xFF)" : "was ended by signal \(signal)"
  }

  /// Ends it and all that it started; an orderly one ends by itself once its input does.
  ///
  /// - Parameter grace: how long it may take for that.
  /// - Returns: its status, as `waitpid` has it.
  @discardableResult
  func end(grace: Duration = .zero) -> Int32 {
    if hasEnded { return 0 }
    hasEnded = true
    close(input)
    hear(until: ContinuousClock.now + grace)
    // It is not reaped yet: its number, which is its group's, belongs to nobody else.
    kill(-pid, SIGKILL)
    guardian.dismiss()
    let status = Spawning.reap(pid)
    Descendants.end(token)
    // What is left in the pipe is bounded, and so is whoever still writes to it.
    for _ in 0..<32 where isErrorOpen {
      var state = pollfd(fd: errors, events: Int16(POLLIN), revents: 0)
      if poll(&state, 1, 0) <= 0 { break }
      hear()
    }
    close(output)
    close(errors)
    return status
  }

  /// Waits for its end and listens meanwhile.
  private func hear(until limit: ContinuousClock.Instant) {
    while !Spawning.hasExited(pid), ContinuousClock.now < limit {
      var state = pollfd(fd: isErrorOpen ? errors : -1, events: Int16(POLLIN), revents: 0)
      if poll(&state, 1, 5) > 0 { hear() }
    }
  }
}

/// The end of a long text.
struct LastWords {
  private static let most = 16 << 10
  private var bytes: [UInt8] = []
  /// Bytes that were said, kept or not.
  private(set) var said = 0

  var text: String {
    let kept = bytes.suffix(Self.most)
    let text = String(decoding: kept, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    return said > kept.count ? "… " + text : text
  }

  /// - Returns: as `read` does.
  mutating func read(_ descriptor: Int32) -> Int {
    var piece = [UInt8](repeating: 0, count: 64 << 10)
    let count = Foundation.read(descriptor, &piece, piece.count)
    if count > 0 {
      said += count
      bytes += piece[..<count]
      if bytes.count > 2 * Self.most { bytes.removeFirst(bytes.count - Self.most) }
    }
    return count
  }
}
