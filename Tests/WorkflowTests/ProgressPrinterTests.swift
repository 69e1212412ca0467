import Foundation
import Lineage
import Measures
import Synchronization
import Testing

@testable import Workflow

@Suite("progress")
struct ProgressPrinterTests {
  /// A clock that is set by hand and a page that is written on.
  final class Desk: Sendable {
    let time = Mutex(0.0)
    /// What somebody set the clock of the day forward by.
    let jump = Mutex(0.0)
    let page = Mutex("")

    func printer(_ style: ProgressPrinter.Style, width: Int = 80) -> ProgressPrinter {
      ProgressPrinter(
        style: style, width: { width },
        now: { Date(timeIntervalSince1970: self.time.withLock { $0 } + self.jump.withLock { $0 }) },
        elapsed: { self.time.withLock { $0 } },
        output: { text in self.page.withLock { $0 += text } })
    }
    func at(_ seconds: Double) { time.withLock { $0 = seconds } }
    var text: String { page.withLock { $0 } }
  }

  let step = RunStep(name: "baseline[labelling=all]", number: 2, count: 5)
  let usage = ResourceUsage(wallSeconds: 75, cpuSeconds: 80, peakRSSBytes: 1)

  func progress(_ done: Int) -> RunEvent {
    .progressed(
      step,
      StageProgress(
        done: done, total: 1000, unit: "pictures", metrics: [MetricRow(name: "loss", value: 0.132)])
    )
  }

  @Test("plain lines carry a time stamp, a rate and what is left, one every ten seconds")
  func lines() {
    let desk = Desk()
    let printer = desk.printer(.lines)
    printer.observe(.started(step, reason: "never run"))
    for second in 0...20 {
      desk.at(Double(second))
      printer.observe(progress(second * 10))
    }
    desk.at(75)
    printer.observe(.finished(step, usage))
    #expect(
      desk.text == """
        1970-01-01T00:00:00Z [2/5] baseline[labelling=all] runs: never run
        1970-01-01T00:00:00Z [2/5] baseline[labelling=all] 0/1000 pictures, 0 %, loss 0.132
        1970-01-01T00:00:10Z [2/5] baseline[labelling=all] 100/1000 pictures, 10 %, 10/s, 1 min 30 s left, loss 0.132
        1970-01-01T00:00:20Z [2/5] baseline[labelling=all] 200/1000 pictures, 20 %, 10/s, 1 min 20 s left, loss 0.132
        1970-01-01T00:01:15Z [2/5] baseline[labelling=all] done in 1 min 15 s

        """)
  }

  @Test(
    "nothing that a stage says reaches the terminal as a command",
    arguments: [
      ProgressPrinter.Style.lines, .terminal, .quiet,
    ])
  func hostile(_ style: ProgressPrinter.Style) {
    let desk = Desk()
    let printer = desk.printer(style)
    let bad = "\u{1B}]0;title\u{7}\u{9B}2J\u{202E}\r"
    let step = RunStep(name: bad, number: 1, count: 1)
    printer.observe(.started(step, reason: bad))
    printer.observe(
      .progressed(
        step, StageProgress(done: 1, total: 2, unit: bad, metrics: [MetricRow(name: bad, value: 1)])
      ))
    printer.observe(.noted(step, bad))
    printer.observe(.failed(step, message: bad))
    printer.observe(
      .ended(
        RunSummary(
          runID: "r", status: .failed, executed: 0, reused: 0, failed: 1, skipped: 0, exitCode: 65))
    )
    // What the printer draws with, and nothing else.
    let rest = desk.text.replacing("\r", with: "").replacing("\u{1B}[K", with: "")
    #expect(
      !rest.unicodeScalars.contains {
        $0.value < 32 && $0 != "\n" || (127..<160).contains($0.value)
      })
    #expect(!rest.unicodeScalars.contains("\u{202E}"))
  }

  @Test("rates and times left do not follow a clock that is set while a run goes on")
  func clock() throws {
    let desk = Desk()
    let printer = desk.printer(.lines)
    for second in 0...40 {
      desk.at(Double(second))
      desk.jump.withLock { $0 = second == 20 ? 1e7 : second > 20 ? -1e5 : 0 }
      printer.observe(progress(second * 10))
    }
    let lines = desk.text.split(separator: "\n")
    #expect(lines.count == 5)
    for line in lines.dropFirst() { #expect(line.contains(" 10/s, "), "\(line)") }

    let folder = FileManager.default.temporaryDirectory.appending(
      path: "locus-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    desk.at(0)
    let store = try Store.open(folder, .readWrite, .locus)
    let live = LiveProgress(store: store, pipeline: "p", elapsed: { desk.time.withLock { $0 } })
    live.observe(.started(step, reason: ""))
    for second in 0...3 {
      desk.at(Double(second))
      live.observe(progress(second * 10))
    }
    let work = try #require(RunProgress.current(in: folder)?.work)
    #expect(work.rate == 10 && work.secondsLeft == 97)
  }

  @Test("a terminal's line is drawn over, never wider than the terminal")
  func terminal() {
    let desk = Desk()
    let printer = desk.printer(.terminal, width: 40)
    printer.observe(progress(0))
    desk.at(0.05)
    printer.observe(progress(10))
    desk.at(1)
    printer.observe(progress(100))
    printer.observe(.finished(step, usage))
    let drawn = desk.text.split(separator: "\r").map { String($0) }
    #expect(drawn.count == 3)
    #expect(drawn[0] == "[2/5] baseline[labelling=all] 0 %\u{1B}[K")
    #expect(drawn[1] == "[2/5] baseline[labelling=al… 9.0 s left\u{1B}[K")
    #expect(drawn[2] == "\u{1B}[K[2/5] baseline[labelling=all] done in 1 min 15 s\n")
  }

  private func summary(_ status: RunSummary.Status, failed: Int = 0, skipped: Int = 0) -> RunEvent {
    .ended(
      RunSummary(
        runID: "r", status: status, executed: 3, reused: 0, failed: failed, skipped: skipped,
        exitCode: 0))
  }

  @Test("quiet shows nothing of a success, and one line of a failure at its end")
  func quiet() {
    let desk = Desk()
    let printer = desk.printer(.quiet)
    printer.observe(.started(step, reason: "forced"))
    printer.observe(progress(0))
    printer.observe(.finished(step, usage))
    printer.observe(summary(.succeeded))
    #expect(desk.text.isEmpty)
    printer.observe(.failed(step, message: "no space\nleft"))
    printer.observe(.failed(step, message: "another"))
    #expect(desk.text.isEmpty)
    printer.observe(summary(.failed, failed: 2, skipped: 1))
    #expect(
      desk.text
        == "1970-01-01T00:00:00Z run r failed: 3 executed, 2 failed, 1 skipped;"
        + " [2/5] baseline[labelling=all] failed: no space left\n")
    let other = Desk()
    let interrupted = other.printer(.quiet)
    interrupted.observe(.interrupted(signal: SIGTERM))
    interrupted.observe(summary(.interrupted, skipped: 1))
    #expect(
      other.text
        == "1970-01-01T00:00:00Z run r interrupted: 3 executed, 1 skipped;"
        + " the same command goes on with the rest\n")
  }

  @Test("a resumed stage's rate counts its own work only")
  func resumed() {
    let text = text(StageProgress(done: 600, total: 1000, unit: "pictures"), 500, 10)
    #expect(text == "[2/5] baseline[labelling=all] 600/1000 pictures, 60 %, 10/s, 40 s left")
  }

  @Test("a stage without a total shows no share")
  func noTotal() {
    let text = text(StageProgress(done: 0, total: 0, unit: "layouts"), 0, 0)
    #expect(text == "[2/5] baseline[labelling=all] 0/0 layouts")
  }

  private func text(_ progress: StageProgress, _ first: Int, _ seconds: Double) -> String {
    ProgressText(step, progress, Pace(progress, since: first, seconds: seconds), ahead: nil).text
  }

  @Test("what has no room goes by its worth: the time left stays")
  func narrow() {
    let progress = StageProgress(
      done: 100, total: 1000, unit: "pictures", metrics: [MetricRow(name: "loss", value: 0.5)])
    var text = ProgressText(
      step, progress, Pace(progress, since: 0, seconds: 10),
      ahead: TimeAhead(seconds: 600, unknown: 0))
    let name = "[2/5] baseline[labelling=all]"
    #expect(
      text.text == name
        + " 100/1000 pictures, 10 %, 10/s, 1 min 30 s left, 11 min 30 s in all, loss 0.5")
    for (width, expected) in [
      (99, name + " 100/1000 pictures, 10 %, 10/s, 1 min 30 s left, 11 min 30 s in all"),
      (90, name + " 100/1000 pictures, 10 %, 1 min 30 s left, 11 min 30 s in all"),
      (71, name + " 10 %, 1 min 30 s left, 11 min 30 s in all"),
      (66, name + " 1 min 30 s left, 11 min 30 s in all"),
      (60, "[2/5] baseline[labellin… 1 min 30 s left, 11 min 30 s in all"),
      (40, "[2/5] baseline[labellin… 1 min 30 s left"), (10, "[2/5] bas…"),
    ] {
      let line = text.text(width: width)
      #expect(line.count <= width)
      #expect(line == expected, "\(width): \(line)")
    }
    text.ahead = TimeAhead(seconds: 600, unknown: 2)
    #expect(text.text.contains("≥ 11 min 30 s in all"))
    for unknown in [0, 2] {
      text.ahead = TimeAhead(seconds: 0, unknown: unknown)
      #expect(!text.text.contains("in all"))
    }
  }

  @Test(
    "durations read easily",
    arguments: [
      (0.44, "0.4 s"), (12.3, "12 s"), (200, "3 min 20 s"), (3900, "1 h 05 min"), (.infinity, "∞"),
    ])
  func durations(_ seconds: Double, _ text: String) { #expect(duration(seconds) == text) }
}
