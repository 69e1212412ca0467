import Foundation

/// Calls of the system around a child process: the one place that starts any.
package enum Spawning {
  /// Both ends are closed in programs that are started.
  package static func pipe() -> (read: Int32, write: Int32)? {
    var ends: [Int32] = [-1, -1]
    // In one call: another thread may start a program at any time.
    if let pipe2 = SystemCalls.pipe2 {
      guard pipe2(&ends, O_CLOEXEC) == 0 else { return nil }
    } else {
      guard Foundation.pipe(&ends) == 0 else { return nil }
      for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    }
    return (ends[0], ends[1])
  }

  /// Holds a batch of pictures instead of 64 KiB, where the system lets it.
  package static func widen(_ descriptor: Int32) {
    #if os(Linux)
      // F_SETPIPE_SZ of linux/fcntl.h.
      _ = fcntl(descriptor, 1031, 1 << 20)
    #endif
  }

  /// Starts a program that leads a process group of its own, with default signals.
  ///
  /// - Parameter descriptors: its standard input, output and error; it gets no others.
  /// - Returns: its number, and 0 or the system's code.
  package static func start(
    _ command: [String], _ descriptors: [Int32], in folder: String?,
    _ environment: [String: String]
  ) -> (pid: pid_t, code: Int32) {
    #if canImport(Darwin)
      var actions: posix_spawn_file_actions_t?
      var attributes: posix_spawnattr_t?
    #else
      var actions = posix_spawn_file_actions_t()
      var attributes = posix_spawnattr_t()
    #endif
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    if let folder {
      #if canImport(Darwin)
        posix_spawn_file_actions_addchdir_np(&actions, folder)
      #else
        guard let change = SystemCalls.addChangeOfFolder else { return (0, ENOSYS) }
        _ = change(&actions, folder)
      #endif
    }
    for (target, source) in descriptors.enumerated() {
      posix_spawn_file_actions_adddup2(&actions, source, Int32(target))
    }
    var flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK
    #if canImport(Darwin)
      flags |= POSIX_SPAWN_CLOEXEC_DEFAULT
    #else
      // Whatever else is open, a lock's file above all, is none of its business.
      _ = SystemCalls.addCloseFrom?(&actions, 3)
    #endif
    posix_spawnattr_setflags(&attributes, Int16(flags))
    posix_spawnattr_setpgroup(&attributes, 0)
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    for signal in [SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGQUIT] { sigaddset(&signals, signal) }
    posix_spawnattr_setsigdefault(&attributes, &signals)
    var pid: pid_t = 0
    guard let program = command.first, !program.isEmpty else { return (0, ENOENT) }
    let code = withCTexts(command) { words in
      withCTexts(environment.map { "\($0)=\($1)" }) {
        posix_spawnp(&pid, program, &actions, &attributes, words, $0)
      }
    }
    return (pid, code)
  }

  /// Whether it has ended; it stays to be reaped.
  package static func hasExited(_ pid: pid_t) -> Bool {
    var found = siginfo_t()
    let code = waitid(P_PID, id_t(pid), &found, WEXITED | WNOHANG | WNOWAIT)
    return code < 0 ? errno == ECHILD : found.si_signo != 0
  }

  /// Waits for its end.
  ///
  /// - Returns: its status.
  @discardableResult
  package static func reap(_ pid: pid_t) -> Int32 {
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
    return status
  }

  /// Whether a call that failed so is to be made again.
  package static func isPassing(_ code: Int32) -> Bool {
    code == EAGAIN || code == EWOULDBLOCK || code == EINTR
  }

  package static func reason(_ code: Int32) -> String {
    code == ENOENT
      ? "there is no such program, or no such folder" : String(cString: strerror(code))
  }

  /// Runs `body` while writing to a pipe that nobody reads is an error of the call, and no signal that would
  /// end this program.
  package static func withoutPipeSignal<Result>(_ body: () throws -> Result) rethrows -> Result {
    var pipe = sigset_t()
    sigemptyset(&pipe)
    sigaddset(&pipe, SIGPIPE)
    var before = sigset_t()
    pthread_sigmask(SIG_BLOCK, &pipe, &before)
    defer {
      var pending = sigset_t()
      sigemptyset(&pending)
      sigpending(&pending)
      if sigismember(&before, SIGPIPE) == 0 {
        if sigismember(&pending, SIGPIPE) == 1 {
          var number: Int32 = 0
          sigwait(&pipe, &number)
        }
        pthread_sigmask(SIG_SETMASK, &before, nil)
      }
    }
    return try body()
  }

  /// Texts as C's functions want them, `nil` at their end.
  private static func withCTexts<Result>(
    _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
  ) -> Result {
    let copies = texts.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    return body(copies + [nil])
  }
}

#if !canImport(Darwin)
  /// Functions of the C library that its headers show to GNU's own programs alone.
  private enum SystemCalls {
    typealias Actions = UnsafeMutablePointer<posix_spawn_file_actions_t>

    static let pipe2 = find(
      "pipe2", as: (@convention(c) (UnsafeMutablePointer<Int32>, Int32) -> Int32).self)
    static let addChangeOfFolder = find(
      "posix_spawn_file_actions_addchdir_np",
      as: (@convention(c) (Actions, UnsafePointer<CChar>) -> Int32).self)
    static let addCloseFrom = find(
      "posix_spawn_file_actions_addclosefrom_np",
      as: (@convention(c) (Actions, Int32) -> Int32).self)

    private static func find<Function>(_ name: String, as type: Function.Type) -> Function? {
      guard let library = dlopen(nil, RTLD_NOW), let symbol = dlsym(library, name) else {
        return nil
      }
      return unsafeBitCast(symbol, to: type)
    }
  }
#else
  private enum SystemCalls {
    static var pipe2: ((UnsafeMutablePointer<Int32>, Int32) -> Int32)? { nil }
  }
#endif
