import Foundation
import Synchronization

/// Says that the run shall end. Stages look at it through `StageContext.checkCancellation`.
package final class Cancellation: Sendable {
  private let requested = Atomic<Int32>(0)
  private let followsSignals: Bool

  /// - Parameter followsSignals: whether what `SignalWatch` receives counts as a request.
  package init(followsSignals: Bool = false) {
    self.followsSignals = followsSignals
  }

  /// The signal that asked for the end, for example `SIGINT`; 0 while nobody did.
  package var signal: Int32 {
    let own = requested.load(ordering: .acquiring)
    return own == 0 && followsSignals ? received.load(ordering: .acquiring) : own
  }

  package var isRequested: Bool { signal != 0 }

  package func request(signal: Int32) {
    requested.store(signal, ordering: .releasing)
  }

  package func check() throws {
    if isRequested { throw CancellationError() }
  }
}

/// The first signal that came. A signal's handler reaches nothing but what lies at file scope.
private let received = Atomic<Int32>(0)

/// Receives SIGINT and SIGTERM as long as it lives. The first is a request to end; a second one
/// ends the process at once: what a stage was doing is lost, the store is not.
///
/// Plain handlers rather than dispatch sources: on Linux these see a signal only if every thread
/// of the process blocks it.
package final class SignalWatch {
  private static let signals: [Int32] = [SIGINT, SIGTERM]

  package init() {
    // Also makes the value before a handler can need it.
    received.store(0, ordering: .releasing)
    // A parent may have handed down blocked signals; threads made from here on inherit this.
    var mask = sigset_t()
    sigemptyset(&mask)
    for number in Self.signals { sigaddset(&mask, number) }
    pthread_sigmask(SIG_UNBLOCK, &mask, nil)
    for number in Self.signals {
      signal(number) { number in
        let isFirst = received.compareExchange(
          expected: 0, desired: number, ordering: .acquiringAndReleasing
        ).exchanged
        if !isFirst { _exit(128 + number) }
        // write(2) is one of the few calls that a handler may make.
        let notice: StaticString = "\nlocus: stopping; once more stops at once\n"
        _ = write(STDERR_FILENO, notice.utf8Start, notice.utf8CodeUnitCount)
      }
    }
  }

  deinit {
    for number in Self.signals { signal(number, SIG_DFL) }
    received.store(0, ordering: .releasing)
  }
}
