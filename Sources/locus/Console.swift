import Formats
import Foundation

/// What a command sees of the outside; tests give it another.
struct Console: Sendable {
  /// Standard output. Throws `ClosedPipe` when its reader has gone.
  var write: @Sendable (String) throws -> Void
  /// Standard error: progress and errors. A reader that has gone is ignored.
  var writeError: @Sendable (String) -> Void
  /// Whether standard error is a terminal.
  var isTerminal: Bool
  /// Columns of the terminal, at the moment.
  var width: @Sendable () -> Int
  var environment: [String: String]

  /// Whoever reads the output has got what it wanted.
  struct ClosedPipe: CategorizedError {
    var category: ErrorCategory { .inputOutput }
  }

  /// The process's own streams.
  static func standard() -> Console {
    Console(
      write: { text in
        switch send(text, to: STDOUT_FILENO) {
        case 0: return
        case EPIPE: throw ClosedPipe()
        case let code: throw POSIXError(POSIXErrorCode(rawValue: code) ?? .EIO)
        }
      },
      writeError: { _ = send($0, to: STDERR_FILENO) },
      isTerminal: isatty(STDERR_FILENO) == 1
        && ProcessInfo.processInfo.environment["TERM"] != "dumb",
      width: {
        var size = winsize()
        let found = ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        return found ? Int(size.ws_col) : 80
      },
      environment: ProcessInfo.processInfo.environment)
  }

  func printLine(_ text: String) throws { try write(text + "\n") }

  /// `FileHandle.write` stops the process when the pipe is closed; this gives back `errno` or 0.
  private static func send(_ text: String, to descriptor: Int32) -> Int32 {
    var text = text
    return text.withUTF8 { bytes in
      var rest = UnsafeRawBufferPointer(bytes)
      while !rest.isEmpty {
        let count = Foundation.write(descriptor, rest.baseAddress, rest.count)
        if count < 0 {
          if errno == EINTR { continue }
          guard errno == EAGAIN else { return errno }
          // Somebody made the stream non-blocking: wait until there is room.
          var state = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
          poll(&state, 1, -1)
          continue
        }
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      }
      return 0
    }
  }
}
