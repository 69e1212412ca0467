import Experiments
import Foundation
import Lineage
import Testing
import Workflow

/// Proves that kind `features` takes a model that lives elsewhere as it takes one of Locus, and finds the same.
@Suite("Features of PyTorch behind the protocol", .serialized)
struct FeatureAgreementTests {
  private static let isHere = Adapters.has("torch, numpy")
  private static let missing =
    "PyTorch is not here: pip install torch numpy, and set LOCUS_PYTHON"

  /// One row of `metric`, but for whose it is.
  private typealias Rows = [String: [Double]]

  private struct Runs {
    let folder: TemporaryFolder
    let store: Store

    init() throws {
      folder = try Adapters.folder([
        "Pipelines/adapters/torch_denoiser.py", "Pipelines/adapters/locus_peer.py",
        "Pipelines/adapters/locus_tensors.py", "Pipelines/adapters/locus_weights.py",
        "Tests/Reference/locus_torch.py",
      ])
      store = try Store.open(folder.url.appending(path: "data"), .readWrite, .locus)
    }

    func run(_ stages: String) throws -> RunSummary {
      let file = folder.url.appending(path: "p.json5")
      try Data("{ pipeline: 'p', question: 'q', seed: 3, stages: { \(stages) } }".utf8)
        .write(to: file)
      let pipeline = try Pipeline.read(
        path: file.path, kinds: Experiments.stageKinds, overrides: [])
      let lock = try RunLock.acquire(
        folder.url.appending(path: "lock"), as: .current(pipeline: "p"))
      return try Runner.run(
        try Plan(pipeline, store: store), store: store, lock: lock,
        settings: RunSettings(threads: 2, locusVersion: "test"))
    }

    /// What a stage measured: value, lower and upper end by name and place.
    func rows(_ stage: String) throws -> Rows {
      var found: Rows = [:]
      for row in try store.rows(
        """
        SELECT m.name || coalesce(' σ ' || m.sigma, '') || coalesce(' K ' || m.k, '') || coalesce(' ' || m.inputs, '')
          || coalesce(' ' || m.pair, '') || coalesce(' ' || m.attribute, '') AS place,
          m.value, coalesce(m.ci_low, m.value) AS low, coalesce(m.ci_high, m.value) AS high
        FROM stage s JOIN metric m USING (execution_id) WHERE s.name = '\(stage)'
        """)
      {
        found[try row.text("place")] = try ["value", "low", "high"].map { try row.number($0) }
      }
      return found
    }

    /// Weights of the stage `model`, beside the adapter.
    func exportWeights() throws {
      let hash = try store.texts(
        """
        SELECT o.sha256 FROM stage s JOIN execution_output o USING (execution_id)
        WHERE s.name = 'model' AND o.role = 'weights'
        """)
      try FileManager.default.copyItem(
        at: store.objectURL(try #require(hash.first)),
        to: folder.url.appending(path: "weights.safetensors"))
    }

    func errors() throws -> [String] {
      try store.texts("SELECT error FROM execution WHERE error IS NOT NULL")
    }
  }

  private static func model(_ conditioning: String, _ normalization: String) -> String {
    """
    words: {
      kind: 'generate', size: 16, cells: 8, objects: [1, 2], count: 60, conditioner: 'colors',
      held_out: [['red', 'blue']],
    },
    model: {
      kind: 'untrained', inputs: { scenes: 'words' }, network: {
        type: 'unet', width: 8, conditioning: '\(conditioning)', normalization: '\(normalization)', attention: true,
      },
    },
    """
  }

  private static func elsewhere(_ features: String) -> String {
    """
    elsewhere: {
      kind: 'external', objects: [1, 2], timeout: 120,
      files: [
        'torch_denoiser.py', 'locus_peer.py', 'locus_tensors.py', 'locus_weights.py', 'locus_torch.py',
        'weights.safetensors',
      ],
      command: [
        '\(Adapters.python)', 'torch_denoiser.py', 'locus_weights.py', '--argument', 'weights.safetensors',
        '--features', '\(features)', '--threads', '1',
      ],
    },
    """
  }

  private static func features(_ name: String, of model: String, _ settings: String) -> String {
    """
    \(name): {
      kind: 'features', inputs: { denoiser: '\(model)', scenes: 'words' }, sigmas: [2], counts: [1, 3], draws: 48,
      layouts: 4, pictures: 4, places: 4, steps: 4, resamples: 50, rank: 1, \(settings)
    },
    """
  }

  @Test(
    "what words change in a network of Locus is the same number by number in PyTorch, however it is told of them",
    .enabled(if: isHere, "\(missing)"),
    arguments: [
      ("vector", "group"), ("channels", "pixel"), ("words", "group"), ("lowest", "group"),
    ])
  func agreement(_ conditioning: String, _ normalization: String) throws {
    // Before the lowest level nothing is told where words enter there.
    let way = ["words", "lowest"].contains(conditioning) ? "decoder" : "encoder"
    let looks = [
      "level: 'encoder.2',", "level: '\(way).0', beside: 'word',", "level: 'decoder.1',",
      "level: '\(way).\(way == "encoder" ? 1 : 0)', space: 'whitened',",
    ]
    let runs = try Runs()
    let model = Self.model(conditioning, normalization)
    #expect(try runs.run(model).status == .succeeded)
    try runs.exportWeights()
    let both = looks.enumerated().map { index, settings in
      Self.features("own\(index)", of: "model", settings)
        + Self.features("theirs\(index)", of: "elsewhere", settings)
    }.joined()
    let summary = try runs.run(
      model + Self.elsewhere("encoder.0,encoder.1,encoder.2,decoder.0,decoder.1") + both)
    let errors = try runs.errors()
    #expect(summary.status == .succeeded, "\(errors)")
    var largest = (difference: 0.0, place: "")
    var count = 0
    for index in looks.indices {
      let own = try runs.rows("own\(index)")
      let theirs = try runs.rows("theirs\(index)")
      #expect(own.count > 100 && own.keys == theirs.keys, "\(own.count) and \(theirs.count) rows")
      for (place, values) in own {
        for (a, b) in zip(values, theirs[place] ?? []) {
          count += 1
          let difference = abs(a - b) / max(abs(a), 1)
          if difference > largest.difference { largest = (difference, "\(looks[index]) \(place)") }
        }
      }
    }
    #expect(largest.difference < 1e-4, "\(largest)")
    print("features in PyTorch, \(conditioning): \(count) numbers, largest difference \(largest)")
  }

  @Test(
    "a level that the program does not tell is refused with those that it does",
    .enabled(if: isHere, "\(missing)"))
  func missingLevel() throws {
    let runs = try Runs()
    let model = Self.model("vector", "group")
    #expect(try runs.run(model).status == .succeeded)
    try runs.exportWeights()
    let summary = try runs.run(
      model + Self.elsewhere("encoder.0") + Self.features("theirs", of: "elsewhere", ""))
    #expect(summary.exitCode == 65)
    let errors = try runs.errors()
    #expect(
      errors.first?.contains("does not tell the activation \"encoder.2\", but encoder.0") == true,
      "\(errors)")
    // No submodule of this name: the program says so itself.
    let other = try runs.run(model + Self.elsewhere("encoder.7"))
    #expect(other.failed == 1)
    let all = try runs.errors()
    #expect(
      all.contains { $0.contains("no submodule 'encoder.7'; accepted: encoder.0, encoder.1") },
      "\(all)")
  }
}
