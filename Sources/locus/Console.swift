import Formats
import Foundation

/// What a command sees of the outside; tests give it another.
struct Console: Sendable {
  /// Standard output. Throws `ClosedPipe` when its reader has gone, `Failed` when it takes no more.
  var write: @Sendable (String) throws -> Void
  /// Standard error: progress and errors. A reader that has gone is ignored.
  var writeError: @Sendable (String) -> Void
  /// Whether standard error is a terminal.
  var isTerminal: Bool
  /// Columns of the terminal, at the moment.
  var width: @Sendable () -> Int
  /// Columns of the terminal that standard output is; `nil` when it is none.
  var outputWidth: @Sendable () -> Int? = { nil }
  var environment: [String: String]
  /// The program's own file, where it is known.
  var program: URL?

  /// Whoever reads the output has got what it wanted.
  struct ClosedPipe: CategorizedError {
    var category: ErrorCategory { .inputOutput }
  }

  /// The output did not get where it should.
  struct Failed: CategorizedError, CustomStringConvertible {
    var code: Int32
    var category: ErrorCategory { .inputOutput }
    var description: String {
      "standard output: cannot be written: \(String(cString: strerror(code)))"
    }
  }

  /// The process's own streams.
  static func standard(_ arguments: ProgramArguments? = nil) -> Console {
    let isShown = isatty(STDOUT_FILENO) == 1
    return Console(
      write: { text in
        // What is for programs is looked at too.
        switch send(isShown ? Escape.terminal(text) : text, to: STDOUT_FILENO) {
        case 0: return
        case EPIPE: throw ClosedPipe()
        case let code: throw Failed(code: code)
        }
      },
      writeError: { _ = send($0, to: STDERR_FILENO) },
      isTerminal: isatty(STDERR_FILENO) == 1
        && ProcessInfo.processInfo.environment["TERM"] != "dumb",
      width: { columns(of: STDERR_FILENO) },
      outputWidth: { isShown ? columns(of: STDOUT_FILENO) : nil },
      environment: ProcessInfo.processInfo.environment,
      program: arguments?.executable(ProcessInfo.processInfo.environment))
  }

  /// 80 when the terminal does not say.
  private static func columns(of descriptor: Int32) -> Int {
    var size = winsize()
    let found = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    return found ? Int(size.ws_col) : 80
  }

  /// For programs: as it is.
  func printLine(_ text: String) throws { try write(text + "\n") }

  /// For people: nothing in it reaches the terminal as a command.
  func show(_ text: String) throws { try write(Escape.terminal(text)) }

  func showLine(_ text: String) throws { try write(Escape.line(text) + "\n") }

  /// Errors and notes, for people.
  func tell(_ line: String) { writeError(Escape.terminal(line) + "\n") }

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
