// Proves that what a run makes does not depend on the shell that it was started from.
import Foundation
import Testing

@Suite("Bytes do not depend on the environment", .timeLimit(.minutes(5)))
struct EnvironmentTests {
  /// Four steps of a network with attention, and a pass back through it to its input.
  private static let pipeline = """
    { pipeline: "shells", question: "Do bytes depend on the shell?", seed: 1, stages: {
      scenes: { kind: "generate", size: 16, cells: 8, objects: [1, 2], count: 16 },
      model: { kind: "train", inputs: { scenes: "scenes" }, pictures: 32, batch: 8,
               network: { type: "unet", width: 8, attention: true } },
      locality: { kind: "probe", inputs: { denoiser: "model", scenes: "scenes" },
                  sigmas: [0.5], counts: [2], pictures: 1, pixels: 1 },
    } }
    """

  /// Names of all objects, which are the hashes of their content.
  private func objects(_ folder: URL, environment: [String: String]) throws -> [String] {
    let store = folder.appending(path: UUID().uuidString)
    let result = try Executable.run(
      ["run", "p.json5", "--store", store.path, "--reports", store.path + "-reports", "--quiet"],
      in: folder, environment: environment)
    #expect(result.code == 0, "\(environment): \(result.error)")
    let paths = try FileManager.default.subpathsOfDirectory(
      atPath: store.appending(path: "objects").path)
    return paths.map { $0.replacing("/", with: "") }.filter { $0.count == 64 }.sorted()
  }

  @Test("four steps of a U-Net with attention, started from eight shells")
  func shells() throws {
    let inherited = ProcessInfo.processInfo.environment
    var shells: [[String: String]] = [[:], inherited.filter { $0.key != "OPENBLAS_CORETYPE" }]
    // OpenBLAS obeys these: with its products Sandybridge and Prescott gave other weights than Zen.
    for core in ["Haswell", "Sandybridge", "Zen", "Prescott"] {
      shells.append(inherited.merging(["OPENBLAS_CORETYPE": core]) { $1 })
    }
    shells.append([
      "LANG": "tr_TR.UTF-8", "LC_ALL": "de_DE.UTF-8", "TZ": "Asia/Tokyo", "OMP_NUM_THREADS": "7",
      "OPENBLAS_NUM_THREADS": "3", "OPENBLAS_L2_SIZE": "65536",
    ])
    // Memory at other addresses and full of other values.
    shells.append(["MALLOC_ARENA_MAX": "1", "MALLOC_PERTURB_": "165", "MALLOC_TOP_PAD_": "4096"])
    try withFolder { folder in
      try Data(Self.pipeline.utf8).write(to: folder.appending(path: "p.json5"))
      let expected = try objects(folder, environment: shells[0])
      // With their manifests: scenes of four files, a model of two, a probe of three.
      #expect(expected.count == 9)
      for shell in shells.dropFirst() {
        let found = try objects(folder, environment: shell)
        #expect(found == expected, "\(shell["OPENBLAS_CORETYPE"] ?? "\(shell)")")
      }
    }
  }
}
