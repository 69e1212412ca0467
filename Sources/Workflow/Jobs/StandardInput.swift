import Foundation
import Streams

/// What ends with the process that started this one.
package enum StandardInput {
  /// Calls `body` once nobody can write to standard input any more, or at once where it cannot be watched.
  package static func whenClosed(_ body: @escaping @Sendable () -> Void) {
    let code = SystemThread.start {
      var byte: UInt8 = 0
      while true {
        let count = read(STDIN_FILENO, &byte, 1)
        if count > 0 || (count < 0 && errno == EINTR) { continue }
        return body()
      }
    }
    if code != 0 { body() }
  }
}
