import Foundation
import Lineage
import Synchronization

/// What a run is doing at the moment, for `locus status`.
package struct RunProgress: Sendable, Codable, Hashable {
  package var pipeline: String
  /// The instance, the `number`th of `count`.
  package var stage: String
  package var number: Int
  package var count: Int
  /// When the stage began and when this was written; UTC, ISO 8601.
  package var startedAt: String
  package var at: String
  /// What is known as soon as the stage has reported its first progress.
  package var work: Work?
  /// What comes after the stage.
  package var ahead: TimeAhead?

  package struct Work: Sendable, Codable, Hashable {
    package var done: Int
    package var total: Int
    package var unit: String
    /// Units a second since this process began with the stage.
    package var rate: Double?
    package var secondsLeft: Double?
    /// The latest values by name.
    package var metrics: [String: Double]
  }
}

/// Keeps a small file beside the database up to date, replaced at once and at most every second.
///
/// It is for the eyes alone: a disk that cannot take it stops nothing.
final class LiveProgress: Sendable {
  private struct State {
    var current: RunProgress?
    var first: (time: Double, done: Int)?
    var written = -Double.infinity
  }

  private static let interval = 1.0
  private let store: URL
  private let url: URL
  private let pipeline: String
  private let elapsed: @Sendable () -> Double
  private let state = Mutex(State())

  init(
    store: Store, pipeline: String, elapsed: @escaping @Sendable () -> Double = monotonicSeconds
  ) {
    url = Self.url(in: store.folder)
    self.store = store.folder
    self.pipeline = pipeline
    self.elapsed = elapsed
  }

  private static func url(in folder: URL) -> URL { folder.appending(path: Places.progress) }

  /// What a run in this store wrote last. Whether it still runs, the lock says.
  static func read(in folder: URL) -> RunProgress? {
    guard let data = try? StoreFile.read(url(in: folder)) else { return nil }
    return try? JSONDecoder().decode(RunProgress.self, from: data)
  }

  func observe(_ event: RunEvent) {
    state.withLock { state in
      switch event {
      case .started(let step, _):
        let now = timestamp(Date())
        state.first = nil
        state.current = RunProgress(
          pipeline: pipeline, stage: step.name, number: step.number, count: step.count,
          startedAt: now, at: now)
        write(&state)
      case .foreseen(_, let ahead): state.current?.ahead = ahead
      case .progressed(_, let progress):
        let now = elapsed()
        let first = state.first ?? (now, progress.done)
        state.first = first
        let pace = Pace(progress, since: first.done, seconds: now - first.time)
        state.current?.work = RunProgress.Work(
          done: progress.done, total: progress.total, unit: progress.unit, rate: pace.rate,
          secondsLeft: pace.secondsLeft,
          metrics: Dictionary(
            progress.metrics.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 }))
        if now - state.written >= Self.interval { write(&state) }
      default: break
      }
    }
  }

  func remove() { unlink(url.path) }

  private func write(_ state: inout State) {
    state.current?.at = timestamp(Date())
    state.written = elapsed()
    guard let current = state.current, let data = try? JSONEncoder().encode(current) else { return }
    try? AtomicFile.write(data, to: url, in: store, isLasting: false)
  }
}

extension RunProgress {
  /// What the run that holds this store's lock is doing.
  package static func current(in folder: URL) -> RunProgress? { LiveProgress.read(in: folder) }
}

/// How fast work goes: from what was done since this process first reported, so that a resumed
/// stage does not count what an earlier process did.
struct Pace {
  /// Units a second; `nil` until there is something to tell.
  var rate: Double?
  var secondsLeft: Double?

  init(_ progress: StageProgress, since first: Int, seconds: Double) {
    guard seconds > 0, progress.done > first else { return }
    let rate = Double(progress.done - first) / seconds
    self.rate = rate
    secondsLeft = Double(max(0, progress.total - progress.done)) / rate
  }
}
