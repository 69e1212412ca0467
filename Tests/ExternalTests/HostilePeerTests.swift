import Foundation
import Testing

@testable import External

/// Peers that break the protocol in every way that was thought of. `LOCUS_HOSTILE_PEERS` says how many.
@Suite("Hostile peers", .serialized, .enabled(if: Peers.hasPython, "python3 is not here"))
struct HostilePeerTests {
  static let asked =
    ProcessInfo.processInfo.environment["LOCUS_HOSTILE_PEERS"].flatMap { Int($0) }
  static let count = asked ?? 26

  @Test(
    "hostile peers cost an error and a limited time, and leave no process, memory or descriptor")
  func hostile() throws {
    let limit = 0.5
    let mark = UUID().uuidString
    // What the first one needs once.
    _ = try? Self.ask(0, mark, limit)
    let descriptors = Processes.openDescriptors
    let memory = Processes.peakMemory
    var longest = Duration.zero
    var found: [String: Int] = [:]
    for number in 0..<Self.count {
      let start = ContinuousClock.now
      do {
        let values = try Self.ask(number, mark, limit)
        #expect(values.count == 384 && values.allSatisfy(\.isFinite))
        found["answered", default: 0] += 1
      } catch let error as PeerError {
        #expect([65, 69].contains(error.exitCode))
        #expect(error.description.utf8.count < 24 << 10)
        found["\(error.exitCode)", default: 0] += 1
      }
      let time = ContinuousClock.now - start
      // The start, the request, and both again: each in its time, and each with an end.
      #expect(time < .seconds(4 * (limit + 1)), "peer \(number) took \(time)")
      longest = max(longest, time)
      #expect(Processes.marked(mark).isEmpty, "peer \(number) left processes")
    }
    // Other tests, beside which a few of them run, open files and hold memory of their own.
    if Self.asked != nil {
      #expect(Processes.openDescriptors <= descriptors)
      #expect(Processes.peakMemory - memory < 64 << 20)
    }
    print(
      "hostile peers: \(found.sorted { $0.key < $1.key }), the longest \(longest), memory +"
        + "\((Processes.peakMemory - memory) >> 20) MiB")
  }

  /// Two pictures.
  private static func ask(_ number: Int, _ mark: String, _ limit: Double) throws -> [Float] {
    let peer = try Peer(Peers.hostile(number, mark: mark, limit: limit))
    return try peer.denoise(PeerTests.batch(2))
  }
}
