#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A thread of the system that can say that it could not be made, as Foundation's and Dispatch's cannot:
/// the one ends the process then, and the other tries again for ever. Dispatch also watches over its threads
/// through files in `/proc`, and ends the process when one cannot be opened, for want of descriptors too.
package struct SystemThread {
  private final class Work: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  private let thread: pthread_t

  /// One that is to be joined.
  ///
  /// - Returns: `nil` with the system's code where there can be none.
  package static func make(
    _ body: @escaping @Sendable () -> Void
  ) -> (thread: SystemThread?, code: Int32) {
    let work = Unmanaged.passRetained(Work(body))
    #if canImport(Darwin)
      var made: pthread_t?
      let code = pthread_create(
        &made, nil,
        { context in
          Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body()
          return nil
        }, work.toOpaque())
      let thread = made.map(SystemThread.init(thread:))
    #else
      var made = pthread_t()
      let code = pthread_create(
        &made, nil,
        { context in
          if let context { Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body() }
          return nil
        }, work.toOpaque())
      let thread = SystemThread(thread: made)
    #endif
    if code == 0 { return (thread, 0) }
    work.release()
    return (nil, code)
  }

  /// Waits for its end.
  package func join() { pthread_join(thread, nil) }

  /// One that nobody waits for.
  ///
  /// - Returns: the system's code or 0.
  package static func start(_ body: @escaping @Sendable () -> Void) -> Int32 {
    let (made, code) = make(body)
    if let made { pthread_detach(made.thread) }
    return code
  }
}
