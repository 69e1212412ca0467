import Foundation
import Lineage
import Synchronization

/// The checkpoint of one execution: what a killed or stopped process leaves to the next.
///
/// It belongs to the execution's key, so that nothing but the same work ever finds it. It goes when
/// the execution has succeeded.
package final class Checkpoint: Sendable {
  private struct State {
    var manifest: CheckpointFolder.Manifest?
    var last = ContinuousClock.now
    var earlier = Spent()
  }

  /// What work took.
  struct Spent: Sendable {
    var wallSeconds = 0.0
    var cpuSeconds = 0.0
  }

  /// `nil`: nothing is kept.
  private let folder: CheckpointFolder?
  private let kind: String
  private let version: Int
  private let meter: ResourceMeter?
  private let interval: Duration
  private let note: @Sendable (String) -> Void
  private let state = Mutex(State())

  /// - Parameters:
  ///   - meter: runs since this process began with the execution.
  ///   - interval: seconds of work between two checkpoints.
  ///   - note: is told what a person should know.
  init(
    _ folder: CheckpointFolder, kind: StageKind, meter: ResourceMeter, interval: Double,
    note: @escaping @Sendable (String) -> Void
  ) {
    self.folder = folder
    self.kind = kind.name
    self.version = kind.version
    self.meter = meter
    self.interval = .seconds(interval)
    self.note = note
  }

  /// One that keeps nothing.
  package init() {
    folder = nil
    kind = ""
    version = 0
    meter = nil
    interval = .zero
    note = { _ in }
  }

  /// What an earlier process kept; empty when nothing was. One that is damaged or of another version
  /// of the kind is deleted; one that cannot be read may be whole.
  package func restore() throws -> [String: Data] {
    guard let folder else { return [:] }
    let manifest: CheckpointFolder.Manifest
    let blobs: [String: Data]
    do {
      guard let found = try folder.manifest() else {
        try folder.remove()
        return [:]
      }
      if found.kind != kind || found.version != version {
        discard("it is of kind `\(found.kind)` version \(found.version)")
        return [:]
      }
      manifest = found
      blobs = try folder.blobs(of: found)
    } catch {
      guard case StoreError.damaged = error else { throw error }
      discard("\(error)")
      return [:]
    }
    state.withLock { state in
      state.manifest = manifest
      state.earlier = Spent(wallSeconds: manifest.wallSeconds, cpuSeconds: manifest.cpuSeconds)
    }
    note("goes on from its checkpoint of \(manifest.savedAt)")
    return blobs
  }

  /// Whether the work since the last checkpoint is worth another one.
  package var isDue: Bool {
    folder != nil && state.withLock { ContinuousClock.now - $0.last >= interval }
  }

  /// Keeps blobs beside the ones of other names that were kept before: all of them or none.
  package func save(_ blobs: [String: Data]) throws {
    guard let folder else { return }
    let (before, earlier) = state.withLock { ($0.manifest, $0.earlier) }
    let usage = meter?.stop()
    let manifest = try folder.save(
      blobs, kind: kind, version: version,
      wallSeconds: earlier.wallSeconds + (usage?.wallSeconds ?? 0),
      cpuSeconds: earlier.cpuSeconds + (usage?.cpuSeconds ?? 0), after: before)
    state.withLock { state in
      state.manifest = manifest
      state.last = .now
    }
  }

  /// Deletes what cannot be used, and says so.
  package func discard(_ reason: String) {
    note("ignored and deleted its checkpoint: \(reason)")
    state.withLock { state in
      state.manifest = nil
      state.earlier = Spent()
    }
    try? folder?.remove()
  }

  /// What earlier processes spent on the work that this one went on with.
  var earlier: Spent { state.withLock { $0.earlier } }

  /// The execution has succeeded. What cannot be removed is of no use to anybody, and no harm.
  func remove() { try? folder?.remove() }
}
