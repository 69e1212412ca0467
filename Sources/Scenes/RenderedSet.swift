import Tensors

extension RandomPurpose {
  /// Scenes to train on.
  public static let scenes = RandomPurpose(0x2001)
}

/// Rendered scenes with their conditioners.
public struct RenderedSet: Sendable {
  /// (N, S, S, 3).
  public let pixels: [UInt8]
  /// (N, G, G): counts of all objects.
  public let conditioners: [UInt8]
  public let scenes: [Scene]
}

/// Renders the scenes of `indices`; each depends on the seed and its own index alone.
///
/// `progress` is called with the number of finished pictures and may throw to stop.
public func renderSet(
  _ settings: SceneSettings, seed: UInt64, indices: Range<Int>, purpose: RandomPurpose = .scenes,
  threads: Int, progress: (Int) throws -> Void = { _ in }
) throws -> RenderedSet {
  try settings.validate()
  let count = indices.count
  let picture = settings.size * settings.size * 3
  let grid = settings.cells * settings.cells
  var pixels = [UInt8](repeating: 0, count: count * picture)
  var conditioners: [UInt8] = []
  conditioners.reserveCapacity(count * grid)
  var scenes: [Scene] = []
  scenes.reserveCapacity(count)
  // In portions, so that progress is seen and a stop is heard.
  let portion = 256
  for start in stride(from: 0, to: count, by: portion) {
    let range = start..<min(start + portion, count)
    var drawn: [Scene] = []
    for i in range {
      drawn.append(
        try makeScene(
          settings, seed: seed, index: indices.lowerBound + i, purpose: purpose))
    }
    let portionScenes = drawn
    pixels.withUnsafeMutableBufferPointer { buffer in
      nonisolated(unsafe) let buffer = buffer
      parallel(range.count, threads: threads) { item, _ in
        let first = (start + item) * picture
        render(
          portionScenes[item], settings,
          into: UnsafeMutableBufferPointer(rebasing: buffer[first..<first + picture]))
      }
    }
    for scene in drawn {
      conditioners += scene.conditioner(size: settings.size, cells: settings.cells)
    }
    scenes += drawn
    try progress(range.upperBound)
  }
  return RenderedSet(pixels: pixels, conditioners: conditioners, scenes: scenes)
}
