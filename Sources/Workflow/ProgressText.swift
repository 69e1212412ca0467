import Foundation

/// A line on a stage's progress. Where there is no room for all of it, the time left stays.
struct ProgressText {
  var number: Int
  var count: Int
  var name: String
  var work: Work?
  var ahead: TimeAhead?

  /// In units of the stage's own.
  struct Work {
    var done: Int
    var total: Int
    var unit: String
    var rate: Double?
    var secondsLeft: Double?
    var metrics: [(name: String, value: Double)]
  }

  /// Parts that can be left out, the first to go first.
  private enum Part: CaseIterable { case metrics, rate, counts, percent, total }

  var text: String { text(Part.allCases, name: name) }

  /// At most `width` characters.
  func text(width: Int) -> String {
    var parts = Part.allCases
    while text(parts, name: name).count > width, parts.first != .total {
      parts.removeFirst()
    }
    for parts in [parts, []] {
      let line = text(parts, name: name)
      if line.count <= width { return line }
      // A name is still told from others by its beginning.
      let room = name.count - (line.count - width) - 1
      if room >= 4 { return text(parts, name: String(name.prefix(room)) + "…") }
    }
    return String(text([], name: name).prefix(max(width - 1, 0))) + "…"
  }

  private func text(_ parts: [Part], name: String) -> String {
    let place = "[\(number)/\(count)] \(name)"
    guard let work else { return place }
    var words: [String] = []
    if parts.contains(.counts) { words.append("\(work.done)/\(work.total) \(work.unit)") }
    if parts.contains(.percent), work.total > 0 {
      words.append("\(100 * min(work.done, work.total) / work.total) %")
    }
    if let rate = work.rate, parts.contains(.rate) {
      words.append("\(String(format: rate < 10 ? "%.1f" : "%.0f", rate))/s")
    }
    if let left = work.secondsLeft {
      words.append("\(duration(left)) left")
      // Where nothing is known of what follows, as in a first run, a least time would be this stage's.
      if let ahead, parts.contains(.total), ahead.seconds > 0 {
        words.append("\(ahead.unknown > 0 ? "≥ " : "")\(duration(left + ahead.seconds)) in all")
      }
    }
    if parts.contains(.metrics) {
      words += work.metrics.map { "\($0.name) \(String(format: "%.4g", $0.value))" }
    }
    return words.isEmpty ? place : place + " " + words.joined(separator: ", ")
  }
}

extension ProgressText {
  init(_ step: RunStep, _ progress: StageProgress, _ pace: Pace, ahead: TimeAhead?) {
    self.init(
      number: step.number, count: step.count, name: step.name,
      work: Work(
        done: progress.done, total: progress.total, unit: progress.unit, rate: pace.rate,
        secondsLeft: pace.secondsLeft,
        metrics: progress.metrics.map { ($0.name, $0.value) }), ahead: ahead)
  }

  init(_ progress: RunProgress) {
    self.init(
      number: progress.number, count: progress.count, name: progress.stage,
      work: progress.work.map { work in
        Work(
          done: work.done, total: work.total, unit: work.unit, rate: work.rate,
          secondsLeft: work.secondsLeft,
          metrics: work.metrics.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
      }, ahead: progress.ahead)
  }
}
