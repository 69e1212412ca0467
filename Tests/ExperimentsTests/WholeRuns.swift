import Foundation
import Lineage
import Measures
import Testing
import Workflow

/// Runs a pipeline to its end, in a store of its own.
func runWhole(
  _ pipeline: Pipeline, in folder: URL, threads: Int = 2,
  sourceLocation: SourceLocation = #_sourceLocation
) throws -> (store: Store, run: String) {
  let store = try Store.open(folder, .readWrite, .locus)
  let lock = try RunLock.acquire(
    folder.appending(path: "lock"), as: .current(pipeline: pipeline.name))
  let summary = try Runner.run(
    try Plan(pipeline, store: store), store: store, lock: lock,
    settings: RunSettings(threads: threads, locusVersion: "test"))
  #expect(summary.status == .succeeded, sourceLocation: sourceLocation)
  return (store, summary.runID)
}

/// A folder that is gone afterwards.
func withTemporaryFolder<T>(_ body: (URL) throws -> T) throws -> T {
  let folder = FileManager.default.temporaryDirectory.appending(
    path: "locus-experiments-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder)
}
