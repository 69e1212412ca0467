import Diffusion
import Foundation
import Streams
import Testing

@testable import External

/// What the protocol costs beside the network: on demand, for it takes a minute.
///
/// The clock means something on a quiet machine alone; what both sides compute is told beside it, on Linux.
@Suite("The protocol's cost", .serialized)
struct OverheadTests {
  private static let isAsked =
    ProcessInfo.processInfo.environment["LOCUS_MEASURE"] == "overhead"
    && Adapters.has("torch, numpy")
  private static let script = """
    import sys, time
    import numpy as np, torch
    torch.set_num_threads(int(sys.argv[1]))
    import locus_weights
    model = locus_weights.load("weights.safetensors", torch.device("cpu"))
    model.eval().requires_grad_(False)
    random = np.random.default_rng(1)
    x = random.normal(size=(64, 3, 32, 32)).astype("f4")
    sigma, labels = np.ones(64, "f4"), np.zeros((64, 256), "f4")
    for line in sys.stdin:
        start = time.perf_counter()
        with torch.inference_mode():
            model(torch.from_numpy(x), torch.from_numpy(sigma), torch.from_numpy(labels)).numpy()
        print(time.perf_counter() - start, flush=True)
    """

  /// Turn by turn, so that whatever else the machine does falls on both.
  @Test(
    "a batch of 64 pictures of 32 px takes hardly longer than the same network called in Python",
    .enabled(if: isAsked, "on demand: LOCUS_MEASURE=overhead, with PyTorch by LOCUS_PYTHON"))
  func overhead() throws {
    let shape = PictureShape(size: 32, cells: 16)
    let own = try untrainedDenoiser(
      NetworkDescription(
        .unet(width: 32, conditioning: .grid, normalization: .group, attention: false),
        shape: shape), seed: 4)
    let folder = try Adapters.folder([
      "Pipelines/adapters/torch_denoiser.py", "Pipelines/adapters/locus_peer.py",
      "Pipelines/adapters/locus_tensors.py", "Pipelines/adapters/locus_weights.py",
      "Tests/Reference/locus_torch.py",
    ])
    try WeightsFile(
      denoiser: own, origin: TrainingOrigin(labelling: .single, objects: 1...3)
    ).data().write(to: folder.url.appending(path: "weights.safetensors"))
    let threads = "1"
    let mark = UUID().uuidString
    let theirs = try ExternalDenoiser(
      Peer(
        PeerCommand(
          [
            Adapters.python, "torch_denoiser.py", "locus_weights.py", "--argument",
            "weights.safetensors", "--batch", "64", "--threads", threads,
          ], in: folder.url.path, environment: ["LOCUS_TEST_MARK": mark])))
    let peers = Processes.marked(mark)
    let process = Process()
    process.executableURL = URL(filePath: Adapters.python)
    process.arguments = ["-c", Self.script, threads]
    process.currentDirectoryURL = folder.url
    let (input, output) = (Pipe(), Pipe())
    (process.standardInput, process.standardOutput) = (input, output)
    try process.run()
    defer { process.terminate() }
    func inPython() throws -> Double {
      input.fileHandleForWriting.write(Data("\n".utf8))
      var text = ""
      while !text.hasSuffix("\n"), process.isRunning {
        text += String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
      }
      return try #require(Double(text.trimmingCharacters(in: .whitespacesAndNewlines)))
    }
    var stream = RandomStream(seed: 1, purpose: .test, index: 0)
    let batch = NoisedBatch(
      x: (0..<64 * shape.pictureCount).map { _ in stream.gaussian() },
      sigma: [Float](repeating: 1, count: 64),
      labels: [Float](repeating: 0, count: 64 * shape.conditionerCount))
    func here() throws -> Double {
      let start = ContinuousClock.now
      _ = try theirs.denoise(batch, threads: 1)
      return (ContinuousClock.now - start) / .seconds(1)
    }
    for _ in 0..<3 { _ = (try here(), try inPython()) }
    var times: (behind: [Double], called: [Double]) = ([], [])
    var computed: (own: [Double], peer: [Double], called: [Double]) = ([], [], [])
    for _ in 0..<60 {
      let before = (Processes.seconds(getpid()), peers.map(Processes.seconds).reduce(0, +))
      times.behind.append(try here())
      let called = Processes.seconds(process.processIdentifier)
      computed.own.append(Processes.seconds(getpid()) - before.0)
      computed.peer.append(peers.map(Processes.seconds).reduce(0, +) - before.1)
      times.called.append(try inPython())
      computed.called.append(Processes.seconds(process.processIdentifier) - called)
    }
    let pairs = zip(times.behind, times.called).map { $0 / $1 - 1 }.sorted()
    let (behind, called) = (times.behind.sorted(), times.called.sorted())
    print(
      "60 turns: behind the protocol \(behind[30]) s (least \(behind[0])), called in Python \(called[30]) s (least"
        + " \(called[0])); median of the ratios \(pairs[30]), of the leasts \(behind[0] / called[0] - 1)"
    )
    let all = zip(computed.own, computed.peer).map { $0 + $1 }.sorted()
    let alone = computed.called.sorted()
    print(
      "seconds of all cores: behind the protocol \(all[30]) (least \(all[0])), of which here \(computed.own.sorted()[30]);"
        + " called in Python \(alone[30]) (least \(alone[0])); of the medians \(all[30] / alone[30] - 1)"
    )
    // Neither is moved by what else the machine does: pairs stand beside each other, and seconds are the processes' own.
    #expect(pairs[30] < 0.05)
    #expect(alone[30] == 0 || all[30] / alone[30] < 1.05)
  }
}
