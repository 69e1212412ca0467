import Formats
import Foundation

/// Swift ends a process that gets no memory, with the trace of a fault that is none. This says what it is,
/// and ends it as a full disk does; the store is as after a kill.
enum OutOfMemory {
  /// How allocation that failed ends: `abort`, and the trap of the runtime.
  private static let signals = [SIGABRT, SIGILL, SIGTRAP]

  static func watch() {
    // Also makes the value before a handler can need it.
    for (number, _) in zip(signals, earlier) {
      signal(number) { number in
        // Of this thread, and of its last failure.
        if errno == ENOMEM {
          let notice: StaticString =
            "locus: there is not enough memory: raise the limit (ulimit -v), or ask for less (--threads)\n"
          _ = write(STDERR_FILENO, notice.utf8Start, notice.utf8CodeUnitCount)
          _exit(ExitCode.inputOutput)
        }
        // Anything else is a fault, and shown as one.
        OutOfMemory.restore(number)
        raise(number)
      }
    }
  }

  /// What the runtime does with these signals. Read once, before they are watched.
  private static let earlier: [sigaction] = signals.map { number in
    var action = sigaction()
    sigaction(number, nil, &action)
    return action
  }

  private static func restore(_ number: Int32) {
    guard let place = signals.firstIndex(of: number) else { return }
    var action = earlier[place]
    sigaction(number, &action, nil)
  }
}
