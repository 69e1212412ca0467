import Diffusion
import Foundation
import Streams

/// What is near a labelled object, and what is remote.
package struct RemoteSettings: Sendable, Hashable {
  /// Side in px of the window that a local score needs; odd.
  package var window: Int
  /// The object's own pixels: those whose centre is so many px from its label's along either axis at most.
  package var objectReach: Double

  package init(window: Int, objectReach: Double = 3) {
    self.window = window
    self.objectReach = objectReach
  }

  /// Labels whose cells' centres are farther than this along an axis lie outside the window of every pixel
  /// of the object.
  func reach(_ grid: CellGrid) -> Double {
    Double(window / 2) + objectReach + Double(grid.cellSize) / 2
  }
}

/// Squared changes of the output at the labelled objects of one picture, summed over them.
package struct RemoteChanges: Sendable, Hashable {
  /// Labelled objects.
  package var labels = 0
  /// When the object's own label goes.
  package var own = 0.0
  /// When all pixels outside the window of the object's pixels are another picture's, and when all are.
  package var swapped = 0.0
  package var replaced = 0.0
  /// Labelled objects with labels remote to them; what follows is over these alone.
  package var remoteLabels = 0
  package var remoteOwn = 0.0
  /// When one remote label goes: the mean over them.
  package var single = 0.0
  /// When every remote label goes, all at once.
  package var removed = 0.0
  /// When every remote label moves to another remote cell: their number stays.
  package var moved = 0.0

  package init() {}

  static let count = 9

  var values: [Double] {
    [
      Double(labels), own, swapped, replaced, Double(remoteLabels), remoteOwn, removed, moved,
      single,
    ]
  }

  init(_ values: ArraySlice<Double>) {
    let v = Array(values)
    (labels, own, swapped, replaced) = (Int(v[0]), v[1], v[2], v[3])
    (remoteLabels, remoteOwn, removed, moved) = (Int(v[4]), v[5], v[6], v[7])
    single = v[8]
  }
}

/// Pairs of inputs at one noise level that share everything but their pixels.
package struct RemoteInputs: Sendable {
  package var batch: NoisedBatch
  /// (N, S, S, 3): for each picture the pixels that are put in their place.
  package var others: [Float]

  package init(batch: NoisedBatch, others: [Float]) {
    self.batch = batch
    self.others = others
  }
}

/// Probes every picture of a batch.
///
/// At an object with label j: ‖D(x, σ, c) − D(x, σ, c′)‖² over the object's pixels, where c′ lacks j, lacks
/// one label remote to j or all of them, or has these elsewhere; and the same for x′, whose pixels outside the window are
/// another picture's.
///
/// - Parameter checkpointing: keeps what was measured, picture by picture.
/// - Throws: `NoPlaces` for a denoiser whose labels have none.
package func remoteChanges(
  _ denoiser: any Denoiser, _ inputs: RemoteInputs, _ settings: RemoteSettings, seed: UInt64,
  threads: Int, checkpointing: Checkpointing = .none
) throws -> [RemoteChanges] {
  let grid = try denoiser.shape.places()
  var done = restored(checkpointing, most: inputs.batch.count)
  try checkpointing.run(
    while: { done.count < inputs.batch.count },
    state: { ["changes": done.flatMap(\.values).withUnsafeBytes { Data($0) }] },
    unit: {
      let n = done.count
      var stream = RandomStream(seed: seed, purpose: .movedLabels, index: inputs.batch.draws[n])
      let views = RemoteViews(inputs, n, denoiser.shape, grid, settings, &stream)
      done.append(views.changes(try denoiser.denoise(views.batch, threads: threads)))
    })
  return done
}

private func restored(_ checkpointing: Checkpointing, most: Int) -> [RemoteChanges] {
  guard let data = checkpointing.saved["changes"] else { return [] }
  let size = MemoryLayout<Double>.stride * RemoteChanges.count
  guard data.count % size == 0, data.count / size <= most else {
    checkpointing.discard("its measurements are of other pictures")
    return []
  }
  let values = [Double](unsafeUninitializedCapacity: data.count / MemoryLayout<Double>.stride) {
    buffer, count in
    _ = data.copyBytes(to: UnsafeMutableRawBufferPointer(buffer))
    count = data.count / MemoryLayout<Double>.stride
  }
  return stride(from: 0, to: values.count, by: RemoteChanges.count).map {
    RemoteChanges(values[$0..<$0 + RemoteChanges.count])
  }
}

/// One picture with everything that is changed about it, in one batch.
private struct RemoteViews {
  private enum View { case own, swapped, single, removed, moved }
  private let shape: PictureShape
  private let grid: CellGrid
  private let cells: [Int]
  private let settings: RemoteSettings
  /// For each view after the first two which label's and which change, and as what share of it.
  private var views: [(label: Int, view: View, share: Double)] = []
  /// The picture, then it with all pixels another's, then the views.
  private(set) var batch: NoisedBatch

  init(
    _ inputs: RemoteInputs, _ n: Int, _ shape: PictureShape, _ grid: CellGrid,
    _ settings: RemoteSettings, _ stream: inout RandomStream
  ) {
    self.shape = shape
    self.grid = grid
    self.settings = settings
    let one = inputs.batch.pictures([n], shape)
    let other = Array(inputs.others[n * shape.pictureCount..<(n + 1) * shape.pictureCount])
    cells = one.labels.indices.filter { one.labels[$0] != 0 }
    batch = one
    var replaced = one
    replaced.x = other
    batch.append(replaced)
    for (label, cell) in cells.enumerated() {
      var view = one
      view.labels[cell] = 0
      add(view, label, .own)
      view = one
      for i in view.x.indices where !isInWindow(i / PictureShape.channels, of: cell) {
        view.x[i] = other[i]
      }
      add(view, label, .swapped)
      let remote = cells.filter { isRemote($0, to: cell) }
      if remote.isEmpty { continue }
      for far in remote {
        view = one
        view.labels[far] = 0
        add(view, label, .single, share: 1 / Double(remote.count))
      }
      view = one
      for far in remote { view.labels[far] = 0 }
      add(view, label, .removed)
      var free = (0..<grid.count).filter { isRemote($0, to: cell) && one.labels[$0] == 0 }
      for far in remote where !free.isEmpty {
        view.labels[free.remove(at: stream.integer(below: free.count))] = one.labels[far]
      }
      add(view, label, .moved)
    }
  }

  private mutating func add(_ view: NoisedBatch, _ label: Int, _ kind: View, share: Double = 1) {
    batch.append(view)
    views.append((label, kind, share))
  }

  private func distance(_ pixel: Int, _ cell: Int) -> Double {
    let center = grid.center(cell)
    return max(
      abs(Double(pixel / shape.size) + 0.5 - center.y),
      abs(Double(pixel % shape.size) + 0.5 - center.x))
  }

  private func isInWindow(_ pixel: Int, of cell: Int) -> Bool {
    distance(pixel, cell) <= settings.objectReach + Double(settings.window / 2)
  }

  private func isRemote(_ cell: Int, to other: Int) -> Bool {
    let (a, b) = (grid.center(cell), grid.center(other))
    return max(abs(a.y - b.y), abs(a.x - b.x)) > settings.reach(grid)
  }

  /// - Parameter denoised: of `batch`.
  func changes(_ denoised: [Float]) -> RemoteChanges {
    func square(_ view: Int, at cell: Int) -> Double {
      var sum = 0.0
      for pixel in 0..<shape.size * shape.size where distance(pixel, cell) <= settings.objectReach {
        for i in pixel * PictureShape.channels..<(pixel + 1) * PictureShape.channels {
          let change = Double(denoised[view * shape.pictureCount + i]) - Double(denoised[i])
          sum += change * change
        }
      }
      return sum
    }
    var result = RemoteChanges()
    result.labels = cells.count
    for cell in cells { result.replaced += square(1, at: cell) }
    var own = [Double](repeating: 0, count: cells.count)
    for (place, (label, view, share)) in views.enumerated() {
      let change = square(place + 2, at: cells[label])
      switch view {
      case .own:
        own[label] = change
        result.own += change
      case .swapped: result.swapped += change
      case .single: result.single += share * change
      case .removed:
        result.removed += change
        result.remoteLabels += 1
        result.remoteOwn += own[label]
      case .moved: result.moved += change
      }
    }
    return result
  }
}
