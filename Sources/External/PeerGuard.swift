import Foundation
import Streams

/// Kills a process group once this program is gone, however it went: a signal that nobody can handle
/// included.
///
/// A process of its own that reads from a pipe of which only this program has the other end. Linux could tell a
/// child of its parent's death, but not through a call that Swift imports.
struct PeerGuard {
  private let pid: pid_t
  let lifeline: Int32

  /// - Returns: `nil` with the system's code in `errno` where there can be none.
  init?(of group: pid_t) {
    guard let pipe = Spawning.pipe() else { return nil }
    let nowhere = open("/dev/null", O_RDWR | O_CLOEXEC)
    // The text is fixed, and the group a number: nothing of a pipeline gets here.
    let (pid, code) = Spawning.start(
      ["/bin/sh", "-c", "read _; kill -s KILL -- \"-$1\"", "locus-guard", "\(group)"],
      [pipe.read, nowhere, nowhere], in: nil, [:])
    close(pipe.read)
    close(nowhere)
    if code != 0 {
      close(pipe.write)
      errno = code
      return nil
    }
    self.pid = pid
    lifeline = pipe.write
  }

  /// After which it kills nobody any more.
  func dismiss() {
    kill(pid, SIGKILL)
    Spawning.reap(pid)
    close(lifeline)
  }
}

/// What a program started and let go of, which its process group does not hold any more.
enum Descendants {
  /// Names a peer to all that it starts, as long as they do not hide it.
  static let variable = "LOCUS_PEER"

  /// Ends those that `/proc` shows to have been started under this name; elsewhere there is no such list.
  static func end(_ token: String) {
    let mark = Data("\(variable)=\(token)".utf8)
    // One of them may start another one meanwhile, and on a busy machine the dying are long at it.
    let limit = ContinuousClock.now + .seconds(2)
    while ContinuousClock.now < limit {
      let found = numbers().filter { environment(of: $0)?.firstRange(of: mark) != nil }
      if found.isEmpty { return }
      for pid in found { kill(pid, SIGKILL) }
      usleep(1000)
    }
  }

  private static func numbers() -> [pid_t] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.compactMap { pid_t($0) }
  }

  private static func environment(of pid: pid_t) -> Data? {
    let file = open("/proc/\(pid)/environ", O_RDONLY | O_CLOEXEC)
    if file < 0 { return nil }
    defer { close(file) }
    var result = Data()
    var piece = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = read(file, &piece, piece.count)
      if count <= 0 { return result }
      result += piece[..<count]
      if result.count > 4 << 20 { return result }
    }
  }
}
