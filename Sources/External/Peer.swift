import Formats
import Foundation
import Synchronization

/// How a peer is started, and how long it may take.
package struct PeerCommand: Sendable, Hashable {
  /// The program and its arguments; no shell sees them.
  package var words: [String]
  /// Where it starts; `nil`: where Locus did.
  package var folder: String?
  /// What it gets in its environment beside Locus' own.
  package var environment: [String: String]
  /// Seconds for one request, the first with the start of the program included.
  package var limit: Double

  package init(
    _ words: [String], in folder: String? = nil, environment: [String: String] = [:],
    limit: Double = 600
  ) {
    self.words = words
    self.folder = folder
    self.environment = environment
    self.limit = limit
  }
}

/// A model that another program computes: started, greeted, asked, and started anew once where it dies.
///
/// One request at a time. A peer that answered what it should not, or not in time, is ended at once and
/// started anew for the next request.
package final class Peer: Sendable {
  private struct State: Sendable {
    var process: PeerProcess?
    var requests = 0
  }

  package let command: PeerCommand
  package let hello: PeerHello
  private let checkCancellation: @Sendable () throws -> Void
  private let hear: @Sendable (String) -> Void
  /// What the program needs as long as it may be started anew.
  private let kept: (any Sendable)?
  private let state: Mutex<State>

  /// - Parameters:
  ///   - keeping: lives as long as this.
  ///   - checkCancellation: is called several times a second while the peer works.
  ///   - hear: gets what the peer said on its standard error when it ends, the last 16 KiB of it.
  package init(
    _ command: PeerCommand, keeping: (any Sendable)? = nil,
    checkCancellation: @escaping @Sendable () throws -> Void = {},
    hear: @escaping @Sendable (String) -> Void = { _ in }
  ) throws {
    self.command = command
    kept = keeping
    self.checkCancellation = checkCancellation
    self.hear = hear
    var state = State()
    let (process, hello) = try Self.start(command, &state, checkCancellation, hear)
    state.process = process
    self.hello = hello
    self.state = Mutex(state)
  }

  deinit {
    state.withLock { state in
      if let process = state.process { Self.end(process, hear, grace: .milliseconds(500)) }
    }
  }

  /// - Throws: `PeerError.changed` for another model than the one that is meant.
  package func require(identity: String) throws(PeerError) {
    if hello.identity == identity { return }
    throw .changed(
      command: command.words, what: "identity", was: identity, found: hello.identity)
  }

  /// Asks for arrays.
  ///
  /// - Parameters:
  ///   - asked: in the words of an error.
  ///   - members: further members of the header.
  func ask(
    _ ask: String, _ asked: String, _ arrays: [PeerArray], _ expected: [ExpectedArray],
    members: [String: JSONValue] = [:]
  ) throws -> [PeerArray] {
    try state.withLock { state in
      state.requests += 1
      let request = PeerRequest(
        id: state.requests, ask: ask, asked: asked, arrays: arrays, expected: expected,
        members: members)
      for isLast in [false, true] {
        let process: PeerProcess
        if let running = state.process {
          process = running
        } else {
          let (started, hello) = try Self.start(command, &state, checkCancellation, hear)
          try check(hello, started)
          process = started
        }
        state.process = nil
        let exchange = PeerExchange(request)
        do throws(ExchangeFailure) {
          let answer = try exchange.run(
            process, limit: command.limit, checkCancellation: checkCancellation)
          state.process = process
          return answer.arrays
        } catch .closed where !isLast {
          Self.end(process, hear)
        } catch {
          throw Self.error(error, request, command, process, hear)
        }
      }
      return []
    }
  }

  /// A program that is started anew shall be the same model.
  private func check(_ other: PeerHello, _ process: PeerProcess) throws {
    if other == hello { return }
    Self.end(process, hear)
    throw PeerError.changed(
      command: command.words, what: other.identity == hello.identity ? "hello" : "identity",
      was: hello.identity, found: other.identity)
  }

  // MARK: - The program

  private static func start(
    _ command: PeerCommand, _ state: inout State, _ checkCancellation: () throws -> Void,
    _ hear: (String) -> Void
  ) throws -> (PeerProcess, PeerHello) {
    let request = PeerRequest(
      id: 0, ask: "hello", asked: "hello, who it is", arrays: [], expected: [])
    for isLast in [false, true] {
      let process: PeerProcess
      do {
        process = try PeerProcess(
          command.words, in: command.folder, environment: command.environment)
      } catch {
        throw PeerError.cannotStart(command: command.words, reason: error.reason)
      }
      do throws(ExchangeFailure) {
        let answer = try PeerExchange(request).run(
          process, limit: command.limit, checkCancellation: checkCancellation)
        do throws(AnswerFault) {
          return (process, try PeerHello(answer.header))
        } catch {
          throw ExchangeFailure.fault(error)
        }
      } catch .closed where !isLast {
        end(process, hear)
      } catch {
        throw Self.error(error, request, command, process, hear)
      }
    }
    throw PeerError.cannotStart(command: command.words, reason: "it ended at once")
  }

  private static func end(
    _ process: PeerProcess, _ hear: (String) -> Void, grace: Duration = .zero
  ) {
    process.end(grace: grace)
    let words = process.words.text
    if !words.isEmpty { hear(words) }
  }

  /// What went wrong, in words; the program is ended.
  private static func error(
    _ failure: ExchangeFailure, _ request: PeerRequest, _ command: PeerCommand,
    _ process: PeerProcess, _ hear: (String) -> Void
  ) -> any Error {
    let how = if case .closed = failure { process.ending() } else { "" }
    end(process, hear)
    let words = command.words
    switch failure {
    case .closed:
      return PeerError.ended(
        command: words, how: how, asked: request.asked, words: process.words.text)
    case .silent:
      return PeerError.silent(
        command: words, asked: request.asked, seconds: command.limit, words: process.words.text)
    case .fault(let fault):
      switch fault.kind {
      case .malformed:
        return PeerError.malformed(command: words, asked: request.asked, reason: fault.text)
      case .refused:
        return PeerError.refused(command: words, asked: request.asked, said: fault.text)
      }
    case .notFinite(let array, let index):
      let shape = request.expected.first { $0.name == array }?.shape ?? []
      let picture = index / max(1, shape.dropFirst().reduce(1, *))
      return PeerError.notFinite(
        command: words, asked: request.asked, array: array, picture: picture)
    case .stopped(let error): return error
    }
  }
}
