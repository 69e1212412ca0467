import Synchronization

/// How many units of work fit into about the time aimed at, learnt as they are done.
///
/// For work that is cut into portions only so that it can be stopped and kept between them.
package final class Portion: Sendable {
  private let aim: Duration
  private let most = Mutex(0)

  package init(aim: Duration) { self.aim = aim }

  /// Starts with one a thread.
  package func count(threads: Int) -> Int { max(most.withLock { $0 }, max(threads, 1)) }

  /// Does `done` units and adjusts their number for the next time.
  package func measure(_ done: Int, _ body: () throws -> Void) rethrows {
    let start = ContinuousClock.now
    try body()
    let share = (ContinuousClock.now - start) / aim
    // At most twice as many as were just seen to fit.
    let fitting = Int(Double(done) * min(2, 1 / max(share, 1e-6)))
    // A small remainder that was quick says nothing against more.
    most.withLock { $0 = share < 1 ? max($0, fitting) : fitting }
  }
}
