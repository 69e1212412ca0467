import Foundation
import Lineage
import Measures

@testable import Workflow

/// A store in a temporary folder, and what the fake kinds did with it.
final class RunnerBench {
  static let chain = """
    s: { kind: 'generate', count: 3 },
    t: { kind: 'train', inputs: { scenes: 's' }, network: { type: 'unet', width: 16 } },
    e: { kind: 'evaluate', inputs: { denoiser: 't' } },
    c: { kind: 'compare', inputs: { evaluations: ['e'] } },
    """

  let folder: URL
  let calls = Fake.Calls()

  init() throws {
    folder = FileManager.default.temporaryDirectory
      .appending(path: "locus-runner-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    store = try Store.open(folder, .readWrite, .locus)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  let store: Store

  func plan(
    _ stages: String, kinds: [StageKind]? = nil, seed: String = "1", only: [String] = [],
    force: [String] = [], overrides: [String] = []
  ) throws -> Plan {
    let read = try parse(
      pipeline(stages, seed: seed), kinds: kinds ?? Fake.kinds(calls: calls), overrides: overrides)
    return try Plan(read, store: store, only: only, force: force)
  }

  @discardableResult
  func run(
    _ plan: Plan, cancellation: Cancellation = Cancellation(),
    settings: RunSettings = RunSettings(threads: 2, locusVersion: "test"),
    observer: @escaping RunObserver = { _ in }
  ) throws -> RunSummary {
    let lock = try RunLock.acquire(
      folder.appending(path: "lock"), as: .current(pipeline: plan.pipeline.name))
    return try Runner.run(
      plan, store: store, lock: lock, settings: settings,
      cancellation: cancellation, observer: observer)
  }
}
