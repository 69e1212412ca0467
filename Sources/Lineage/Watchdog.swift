import Foundation
import Streams
import Synchronization

/// A thread that says when work does not end in time, and cannot be asked to.
final class Watchdog: Sendable {
  /// How far past its end work may go: whoever can end it by itself does so first.
  private static let grace = Duration.milliseconds(500)
  private static let pause: UInt32 = 20_000

  private final class State: Sendable {
    let end = Mutex<ContinuousClock.Instant?>(nil)
    let isOver = Atomic(false)
    let overrun: @Sendable () -> Void
    init(_ overrun: @escaping @Sendable () -> Void) { self.overrun = overrun }
  }

  private let state: State

  /// - Throws: `StoreError.noThread`.
  init(_ overrun: @escaping @Sendable () -> Void) throws(StoreError) {
    state = State(overrun)
    let code = SystemThread.start { [state] in Self.watch(state) }
    if code != 0 { throw .noThread(reason: String(cString: strerror(code))) }
  }

  deinit { state.isOver.store(true, ordering: .releasing) }

  private static func watch(_ state: State) {
    while !state.isOver.load(ordering: .acquiring) {
      usleep(pause)
      let end = state.end.withLock { $0 }
      if let end, ContinuousClock.now > end + grace {
        state.overrun()
        return
      }
    }
  }

  func watch(until end: ContinuousClock.Instant) { state.end.withLock { $0 = end } }
  func rest() { state.end.withLock { $0 = nil } }
}
