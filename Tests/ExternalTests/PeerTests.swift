import Formats
import Foundation
import Streams
import Synchronization
import Testing

@testable import External

@Suite("Peers", .enabled(if: Peers.hasPython, "python3 is not here"))
struct PeerTests {
  static func batch(_ count: Int, values: Int = 192, entries: Int = 4) -> Peer.Batch {
    Peer.Batch(
      x: (0..<count * values).map { Float(($0 * 37) % 101) / 50 - 1 },
      levels: (0..<count).map { 0.5 + Float($0) },
      labels: (0..<count * entries).map { Float($0 % 3) })
  }

  /// What `plain_peer.py` computes.
  static func expected(_ batch: Peer.Batch, values: Int = 192, entries: Int = 4) -> [Float] {
    (0..<batch.count).flatMap { n in
      let told = (0..<entries).reduce(0.01 * Double(batch.levels[n])) {
        $0 + 0.1 * Double($1 + 1) * Double(batch.labels[n * entries + $1])
      }
      return (0..<values).map { i in
        let next = batch.x[n * values + (i + 1) % values]
        return Float(0.5 * Double(batch.x[n * values + i]) + 0.25 * Double(next) + told)
      }
    }
  }

  static func largest(_ a: [Float], _ b: [Float]) -> Float {
    a.count == b.count ? zip(a, b).map { abs($0 - $1) }.max() ?? 0 : .infinity
  }

  @Test("a peer says who it is and gives what it computes, a portion at a time")
  func answers() throws {
    let peer = try Peer(Peers.plain("batch=3"))
    #expect(peer.hello.shape == [3, 8, 8])
    #expect(peer.hello.conditioner == .grid(cells: 2))
    #expect(peer.hello.abilities == Set(PeerHello.Ability.allCases))
    let batch = Self.batch(8)
    #expect(Self.largest(try peer.denoise(batch), Self.expected(batch)) < 1e-6)
    let features = try peer.features(batch, names: ["rows", "mean"])
    #expect(features["rows"]?.count == 8 * 24 && features["mean"]?.count == 8)
    #expect(abs((features["rows"]?[0] ?? 0) - batch.x[..<8].reduce(0, +)) < 1e-5)
    #expect(try peer.decode(batch.x) == batch.x.map { 2 * $0 })
    #expect(try peer.encode(batch.x) == batch.x.map { 0.5 * $0 })
  }

  @Test("pictures need not be square, nor have three channels, nor conditioners places")
  func shapes() throws {
    let peer = try Peer(Peers.plain("shape=1,4,6", "conditioner={\"vector\": 2}"))
    let batch = Self.batch(2, values: 24, entries: 2)
    let found = try peer.denoise(batch)
    #expect(Self.largest(found, Self.expected(batch, values: 24, entries: 2)) < 1e-6)
    #expect(throws: MisfitError.self) { try ExternalDenoiser(peer) }
  }

  @Test(
    "a batch of megabytes goes through while the peer says as much: no direction waits for another")
  func backPressure() throws {
    let heard = Mutex<[String]>([])
    do {
      let peer = try Peer(
        Peers.plain("shape=3,64,64", "stderr=20000", "batch=40"),
        hear: { text in heard.withLock { $0.append(text) } })
      let batch = Self.batch(40, values: 12288)
      #expect(
        Self.largest(try peer.decode(batch.x), batch.x.map { 2 * $0 }) == 0)
    }
    let words = heard.withLock { $0 }
    #expect(words.count == 1)
    #expect((words.first?.utf8.count ?? 0) < 20000, "what is kept is bounded")
    #expect(words.first?.hasSuffix("www") == true)
  }

  @Test("one that dies is started anew and asked the same once more")
  func restart() throws {
    let folder = try TemporaryFolder()
    let peer = try Peer(Peers.plain("crash=" + folder.path("crash")))
    let batch = Self.batch(2)
    #expect(Self.largest(try peer.denoise(batch), Self.expected(batch)) < 1e-6)
    #expect(FileManager.default.fileExists(atPath: folder.path("crash")))
  }

  @Test("one that dies twice is unavailable, and its last words are told")
  func dies() throws {
    let peer = try Peer(Peers.plain("always"))
    let error = #expect(throws: PeerError.self) { try peer.denoise(Self.batch(2)) }
    #expect(error?.exitCode == 69)
    let text = error?.description ?? ""
    #expect(text.contains("ended with status 3"))
    #expect(text.contains("`denoise` of 2 pictures"))
    #expect(text.contains("its last words:\nthe last words"))
  }

  @Test("one that is another model after its restart is not believed")
  func changes() throws {
    let folder = try TemporaryFolder()
    let crash = folder.path("crash")
    let peer = try Peer(Peers.plain("crash=" + crash, "second=" + crash))
    let error = #expect(throws: PeerError.self) { try peer.denoise(Self.batch(1)) }
    #expect(error?.exitCode == 65)
    #expect(error?.description.contains("its identity was plain 1 and is another one") == true)
  }

  @Test("one that does not answer in time is ended, and answers when it is asked again")
  func silent() throws {
    let start = ContinuousClock.now
    let peer = try Peer(Peers.plain("silent", limit: 2))
    let error = #expect(throws: PeerError.self) { try peer.denoise(Self.batch(1)) }
    #expect(error?.exitCode == 69)
    #expect(error?.description.contains("within 2 s") == true)
    #expect(ContinuousClock.now - start < .seconds(8))
  }

  @Test("a request to stop ends a peer at once")
  func cancellation() throws {
    struct Stop: Error {}
    let stops = Atomic(false)
    let peer = try Peer(
      Peers.plain("silent", limit: 60),
      checkCancellation: { if stops.load(ordering: .relaxed) { throw Stop() } })
    stops.store(true, ordering: .relaxed)
    let start = ContinuousClock.now
    #expect(throws: Stop.self) { try peer.denoise(Self.batch(1)) }
    #expect(ContinuousClock.now - start < .seconds(5))
  }

  @Test(
    "what is no answer is bad data, with what was asked",
    arguments: [
      ("nan", "gave values in `denoised` that are no finite numbers, the first in picture 1"),
      ("long", "it goes on after the end of its answer"),
    ])
  func malformed(option: String, text: String) throws {
    let peer = try Peer(Peers.plain(option))
    let error = #expect(throws: PeerError.self) {
      _ = try peer.denoise(Self.batch(2))
      // Bytes behind an answer may come later than it.
      usleep(300_000)
      _ = try peer.denoise(Self.batch(2))
    }
    #expect(error?.exitCode == 65)
    #expect(error?.description.contains(text) == true, "\(error?.description ?? "")")
    #expect(error?.description.contains("`denoise` of 2 pictures") == true)
  }

  @Test("what a peer cannot do is told in its own words")
  func refuses() throws {
    let peer = try Peer(Peers.plain("refuse", "can=vjp"))
    let error = #expect(throws: PeerError.self) { try peer.denoise(Self.batch(1)) }
    #expect(error?.exitCode == 69)
    #expect(error?.description.contains("no memory") == true)
    #expect(throws: PeerError.cannot(command: peer.command.words, ability: "decode")) {
      try peer.decode([])
    }
  }

  @Test("a program that is not there, and one that ends at once, are unavailable")
  func starts() throws {
    let missing = #expect(throws: PeerError.self) { try Peer(PeerCommand(["no-such-program"])) }
    #expect(missing?.exitCode == 69)
    #expect(missing?.description.contains("there is no such program") == true)
    let ends = #expect(throws: PeerError.self) {
      try Peer(PeerCommand(["sh", "-c", "echo no model here >&2; exit 4"]))
    }
    #expect(ends?.exitCode == 69)
    #expect(ends?.description.contains("no model here") == true)
    #expect(ends?.description.contains("ended with status 4") == true)
    #expect(throws: PeerError.self) { try Peer(PeerCommand([])) }
  }

  @Test("a peer starts where it is told to, and no shell reads its words")
  func folder() throws {
    let folder = try TemporaryFolder()
    let script = "import os, sys; sys.stderr.write(os.getcwd() + ' ' + sys.argv[1])"
    let error = #expect(throws: PeerError.self) {
      try Peer(
        PeerCommand([Peers.python ?? "", "-c", script, "$(id) `id` ; *"], in: folder.url.path))
    }
    #expect(error?.description.contains(folder.url.lastPathComponent) == true)
    #expect(error?.description.contains("$(id) `id` ; *") == true)
  }

  @Test("a guard kills the group once this program is gone")
  func guards() throws {
    let (pid, code) = Spawning.start(
      ["sleep", "1000"], [0, 1, 2], in: nil, ["PATH": "/usr/bin:/bin"])
    #expect(code == 0)
    let guardian = try #require(PeerGuard(of: pid))
    #expect(!Spawning.hasExited(pid))
    // As the system does with all descriptors of a program that ends.
    close(guardian.lifeline)
    #expect(Spawning.reap(pid) & 0x7F == SIGKILL)
  }
}
