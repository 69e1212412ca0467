import Formats
import Foundation
import Lineage
import Synchronization

/// Shows a run to a person: one line that is drawn anew on a terminal, plain lines with UTC time
/// stamps elsewhere. When asked to be quiet, nothing of a success and one line at the end of a failure:
/// what cron mails.
package final class ProgressPrinter: Sendable {
  package enum Style: Sendable, Hashable {
    case terminal
    case lines
    case quiet
  }

  /// Seconds between two plain lines of one stage, and between two drawings on a terminal.
  static let lineInterval = 10.0
  static let drawInterval = 0.1

  private struct State {
    var first: [String: (time: Double, done: Int)] = [:]
    var last: [String: Double] = [:]
    /// What comes after the stage that runs.
    var ahead: TimeAhead?
    /// The first failure, from which others may follow; for the one line of `quiet`.
    var failure: String?
    /// Whether the terminal's last line is a progress line, to be drawn over.
    var isDrawn = false
  }

  private let style: Style
  private let width: @Sendable () -> Int
  private let now: @Sendable () -> Date
  private let elapsed: @Sendable () -> Double
  private let output: @Sendable (String) -> Void
  private let state = Mutex(State())

  /// - Parameters:
  ///   - width: columns of the terminal, asked for at each drawing.
  ///   - now: for the time stamps alone; somebody may set that clock while a run goes on.
  ///   - elapsed: seconds since some moment, for rates.
  ///   - output: receives text as it shall appear, line ends included.
  package init(
    style: Style, width: @escaping @Sendable () -> Int = { 80 },
    now: @escaping @Sendable () -> Date = { Date() },
    elapsed: @escaping @Sendable () -> Double = monotonicSeconds,
    output: @escaping @Sendable (String) -> Void
  ) {
    self.style = style
    self.width = width
    self.now = now
    self.elapsed = elapsed
    self.output = output
  }

  package func observe(_ event: RunEvent) {
    state.withLock { state in
      switch event {
      case .reused(let step):
        if style == .lines { line("\(place(step)) unchanged, reused", &state) }
      case .started(let step, let reason):
        line("\(place(step)) runs: \(reason)", &state)
      case .foreseen(_, let ahead): state.ahead = ahead
      case .progressed(let step, let progress):
        progressed(step, progress, &state)
      case .noted(let step, let note):
        line("\(place(step)) \(note)", &state)
      case .finished(let step, let usage):
        line("\(place(step)) done in \(duration(usage.wallSeconds))", &state)
      case .failed(let step, let message):
        let text = "\(place(step)) failed: \(message)"
        if style == .quiet, state.failure == nil { state.failure = text }
        line(text, &state)
      case .skipped(let step, let reason):
        line("\(place(step)) skipped: \(reason)", &state)
      case .interrupted(let signal):
        line("interrupted by \(signal == SIGINT ? "SIGINT" : "SIGTERM")", &state)
      case .leftRunning(let count, let noun):
        line(
          "\(count) \(noun)\(count == 1 ? " goes" : "s go") on: the same command takes \(count == 1 ? "it" : "them")"
            + " up again, `locus status` shows \(count == 1 ? "it" : "them"), `locus cancel` ends"
            + " \(count == 1 ? "it" : "them")", &state)
      case .ended(let summary):
        let failure = state.failure.map { "; \($0)" } ?? ""
        line(
          (text(of: summary) + failure).split(whereSeparator: \.isNewline).joined(separator: " "),
          &state, always: summary.status != .succeeded)
      }
    }
  }

  private func progressed(_ step: RunStep, _ progress: StageProgress, _ state: inout State) {
    let time = elapsed()
    let first = state.first[step.name] ?? (time, progress.done)
    state.first[step.name] = first
    guard style != .quiet else { return }
    let interval = style == .terminal ? Self.drawInterval : Self.lineInterval
    if let last = state.last[step.name], time - last < interval { return }
    state.last[step.name] = time
    let text = ProgressText(
      step, progress, Pace(progress, since: first.done, seconds: time - first.time),
      ahead: state.ahead)
    if style == .terminal {
      let width = max(width() - 1, 1)
      output("\r\(shortened(Escape.line(text.text(width: width)), to: width))\u{1B}[K")
      state.isDrawn = true
    } else {
      line(text.text, &state)
    }
  }

  private func line(_ text: String, _ state: inout State, always: Bool = false) {
    if style == .quiet && !always { return }
    let text = Escape.terminal(text)
    switch style {
    case .terminal:
      output("\(state.isDrawn ? "\r\u{1B}[K" : "")\(text)\n")
      state.isDrawn = false
    case .lines, .quiet: output("\(timestamp(now())) \(text)\n")
    }
  }

  private func place(_ step: RunStep) -> String { "[\(step.number)/\(step.count)] \(step.name)" }

  /// `[3/17] baseline 1200/2000 pictures, 60 %, 350/s, 12 s left, 4 min in all, loss 0.13`.
  package static func text(of progress: RunProgress) -> String { ProgressText(progress).text }

  private func text(of summary: RunSummary) -> String {
    let counts = [
      (summary.executed, "executed"), (summary.reused, "reused"), (summary.failed, "failed"),
      (summary.skipped, "skipped"),
    ]
    let shown = counts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
    return "run \(summary.runID) \(summary.status.rawValue): \(shown)"
      + (summary.status == .interrupted ? "; the same command goes on with the rest" : "")
      + (summary.isDatabaseBehind
        ? "; another program holds the database, the next run brings its rows in" : "")
  }

  private func shortened(_ text: String, to width: Int) -> String {
    text.count <= max(width, 1) ? text : String(text.prefix(max(width - 1, 0))) + "…"
  }
}

/// Seconds that nobody sets, unlike those of the day.
package func monotonicSeconds() -> Double {
  ProcessInfo.processInfo.systemUptime
}

/// `0.4 s`, `12 s`, `3 min 20 s`, `1 h 05 min`.
package func duration(_ seconds: Double) -> String {
  guard seconds.isFinite, seconds < 1e9 else { return "∞" }
  if seconds < 10 { return String(format: "%.1f s", max(0, seconds)) }
  let whole = Int(seconds.rounded())
  if whole < 60 { return "\(whole) s" }
  if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
  return String(format: "%d h %02d min", whole / 3600, whole % 3600 / 60)
}
