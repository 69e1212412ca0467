// Proves that a store which goes on under other numerics says what cannot be compared, and that a mask which
// loses its baseline that way is an error that names both.
import Artifacts
import Formats
import Foundation
import Lineage
import Measures
import Synchronization
import Testing

@testable import Experiments
@testable import Workflow

@Suite("Other numerics")
struct NumericsTests {
  /// A small comparison of a model and its masks, as a machine of `numerics` makes it.
  private func pipeline(_ masks: String, numerics: String, evaluate: StageKind? = nil) throws
    -> Pipeline
  {
    try Pipeline.parse(
      bytes: Array(
        """
        { pipeline: 'p', question: 'q', seed: 1, stages: {
          scenes: { kind: 'generate', size: 16, cells: 8, objects: [1, 2], count: 20 },
          judge: { kind: 'judge', size: 16, cells: 8, renders: 100, pictures: 32, held_out: 5 },
          model: { kind: 'train', inputs: { scenes: 'scenes' }, pictures: 32, batch: 16,
            network: { type: 'unet', width: 4 } },
          masked: { kind: 'intervene', inputs: { denoiser: 'model', scenes: 'scenes' },
            matrix: { mask: [\(masks)] }, radius: 4 },
          plain: { kind: 'evaluate', inputs: { denoiser: 'model', judge: 'judge' },
            counts: [0, 2], layouts: 2, steps: 2 },
          behind: { kind: 'evaluate', inputs: { denoiser: 'masked', judge: 'judge' },
            counts: [2], layouts: 2, steps: 2 },
          told: { kind: 'compare', inputs: { evaluations: ['plain', 'behind'] } },
        } }
        """.utf8), path: "p.json5",
      kinds: Experiments.stageKinds.map { kind in
        var kind = kind.name == "evaluate" ? evaluate ?? kind : kind
        kind.instructions = numerics
        return kind
      })
  }

  private func run(_ plan: Plan, _ store: Store) throws -> RunSummary {
    let lock = try RunLock.acquire(
      store.folder.appending(path: "lock"), as: .current(pipeline: "p"))
    return try Runner.run(
      plan, store: store, lock: lock, settings: RunSettings(threads: 2, locusVersion: "test"))
  }

  private func withStore(_ body: (Store) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "locus-numerics-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(Store.open(folder, .readWrite, .locus))
  }

  @Test("a mask beside a baseline of other numerics is refused before any work, and both are named")
  func planned() throws {
    try withStore { store in
      let first = try pipeline("'identity'", numerics: "there")
      #expect(try Plan(first, store: store).checkNumerics(store) == nil)
      #expect(try run(Plan(first, store: store), store).status == .succeeded)
      // The same again elsewhere: all is reused, and nothing is held against anything else.
      let again = try Plan(pipeline("'identity'", numerics: "here"), store: store)
      #expect(!again.steps.contains(where: \.runs) && again.mixedNumerics == nil)
      #expect(try again.checkNumerics(store) == nil)

      let wider = try pipeline("'identity', 'conditioner'", numerics: "here")
      let error = #expect(throws: WorkflowError.self) {
        try Plan(wider, store: store).checkNumerics(store)
      }
      let words = error?.description ?? ""
      #expect(words.contains("`behind[mask=conditioner]` is of `here`"), "\(words)")
      #expect(words.contains("its baseline `plain` of `there`"), "\(words)")
      #expect(!words.contains("behind[mask=identity]` is of"))
      #expect(error?.exitCode == ExitCode.badData)
      // The baseline made anew leaves the other mask without one.
      let half = #expect(throws: WorkflowError.self) {
        try Plan(wider, store: store, force: ["plain"]).checkNumerics(store)
      }
      #expect(
        half?.description.contains(
          "`behind[mask=identity]` is of `there` and its baseline `plain` of `here`") == true)
      let both = try Plan(wider, store: store, force: ["plain", "behind"])
      let mixed = try #require(try both.checkNumerics(store))
      #expect(
        mixed.text.hasPrefix(
          "numerics differ: reused from `there`: `scenes`, `judge`, `model` and 1 more; to run with"
            + " `here`: `masked[mask=conditioner]`, "), "\(mixed.text)")
      #expect(try run(both, store).status == .succeeded)
      #expect(
        try store.query("SELECT DISTINCT value FROM metric WHERE name = 'identical_pictures'").rows
          == [[.real(1)]])
    }
  }

  @Test("pictures of two instruction sets are not paired in silence")
  func compared() throws {
    try withStore { store in
      // The evaluation of the masked denoiser, as another instruction set would have signed it.
      var evaluate = EvaluateStage.kind
      let work = evaluate.run
      evaluate.run = { context in
        let output = try work(context)
        let isMasked = try DenoiserArtifact("denoiser", of: context).mask != nil
        if isMasked, let file = output.files.first(where: { $0.role == "manifest" }) {
          let text = try String(contentsOf: file.url, encoding: .utf8)
          let signed = text.replacing(#/"instructions":"[^"]*"/#, with: #""instructions":"other""#)
          try FileManager.default.removeItem(at: file.url)
          try Data(signed.utf8).write(to: file.url)
        }
        return output
      }
      let made = try pipeline("'identity'", numerics: "here", evaluate: evaluate)
      let summary = try run(Plan(made, store: store), store)
      #expect(summary.status == .failed && summary.exitCode == ExitCode.badData)
      let message = try #require(
        try store.texts("SELECT message FROM event WHERE level = 'error'").first)
      #expect(message.contains("of mask `identity`"), "\(message)")
      #expect(message.contains("was drawn with `other`, that of its base"), "\(message)")
    }
  }
}
