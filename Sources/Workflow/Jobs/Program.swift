import Foundation
import Streams

/// A program of the system that is asked something and answers soon.
struct Program {
  struct Answer {
    /// 128 + the signal's number for one that a signal ended.
    var code: Int32
    var output: String
    var error: String
  }

  /// - Parameters:
  ///   - output: where its standard output goes; the answer has it where none is given.
  ///   - limit: after so long it is killed.
  /// - Returns: `nil` where it cannot be started.
  static func run(
    _ words: [String], environment: [String: String], output file: Int32? = nil,
    limit: Duration = .seconds(120)
  ) -> Answer? {
    guard let nothing = Descriptor(open("/dev/null", O_RDWR | O_CLOEXEC)),
      let errors = PipeEnds(), let outputs = PipeEnds()
    else { return nil }
    let (pid, code) = Spawning.start(
      words, [nothing.number, file ?? outputs.write.number, errors.write.number], in: nil,
      environment)
    guard code == 0 else { return nil }
    outputs.write.close()
    errors.write.close()
    let end = ContinuousClock.now + limit
    var texts = [Data(), Data()]
    var sources = [outputs.read.number, errors.read.number]
    while sources.contains(where: { $0 >= 0 }) {
      let left = (end - .now) / .milliseconds(1)
      if left <= 0 { break }
      var states = sources.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
      let ready = poll(&states, 2, Int32(min(left.rounded(.up), 1000)))
      if ready <= 0 { continue }
      for place in 0..<2 where states[place].revents != 0 {
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        let count = read(sources[place], &piece, piece.count)
        if count > 0 {
          texts[place].append(contentsOf: piece[..<count])
        } else if count == 0 || !Spawning.isPassing(errno) {
          sources[place] = -1
        }
      }
    }
    if sources.contains(where: { $0 >= 0 }) { kill(-pid, SIGKILL) }
    let status = Spawning.reap(pid)
    let signal = status & 0x7F
    return Answer(
      code: signal == 0 ? status >> 8 & 0xFF : 128 + signal,
      output: String(decoding: texts[0], as: UTF8.self),
      error: String(decoding: texts[1], as: UTF8.self))
  }
}

/// A descriptor that is closed with this object at the latest.
final class Descriptor {
  private(set) var number: Int32

  init?(_ number: Int32) {
    if number < 0 { return nil }
    self.number = number
  }

  func close() {
    if number >= 0 { Foundation.close(number) }
    number = -1
  }

  deinit { close() }
}

/// Both ends are closed in programs that are started.
struct PipeEnds {
  let read: Descriptor
  let write: Descriptor

  init?() {
    guard let ends = Spawning.pipe(), let read = Descriptor(ends.read),
      let write = Descriptor(ends.write)
    else { return nil }
    self.read = read
    self.write = write
  }
}
