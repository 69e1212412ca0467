import Dispatch
import Foundation
import Synchronization

/// Says that the run shall end. Stages look at it through `StageContext.checkCancellation`.
public final class Cancellation: Sendable {
  private let value = Atomic<Int32>(0)

  public init() {}

  /// The signal that asked for the end, for example `SIGINT`; 0 while nobody did.
  public var signal: Int32 { value.load(ordering: .acquiring) }
  public var isRequested: Bool { signal != 0 }

  /// Returns false when the end was asked for before.
  @discardableResult
  public func request(signal: Int32) -> Bool {
    value.compareExchange(expected: 0, desired: signal, ordering: .acquiringAndReleasing).exchanged
  }

  public func check() throws {
    if isRequested { throw CancellationError() }
  }
}

/// Turns SIGINT and SIGTERM into a request to end, as long as it lives. A second signal ends the
/// process at once: what a stage was doing is lost, the store is not.
public final class SignalWatch {
  private static let signals: [Int32] = [SIGINT, SIGTERM]
  private let sources: [any DispatchSourceSignal]

  public init(
    _ cancellation: Cancellation,
    exit: @escaping @Sendable (Int32) -> Void = { _exit($0) }
  ) {
    let queue = DispatchQueue(label: "locus.signals", qos: .userInteractive)
    sources = Self.signals.map { number in
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler {
        if !cancellation.request(signal: number) { exit(128 + number) }
      }
      source.resume()
      // The source sees a signal even so; the default would end the process first.
      Foundation.signal(number, SIG_IGN)
      return source
    }
  }

  deinit {
    for (number, source) in zip(Self.signals, sources) {
      Foundation.signal(number, SIG_DFL)
      source.cancel()
    }
  }
}
