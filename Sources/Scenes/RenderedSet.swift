import Foundation
import Streams

/// Rendered scenes with their conditioners.
package struct RenderedSet: Sendable {
  /// (N, S, S, 3).
  package let pixels: [UInt8]
  /// (N, G, G): counts of all objects; (N, words): flags.
  package let conditioners: [UInt8]
  package let scenes: [Scene]
}

/// Renders the scenes of `indices`; each depends on the seed and its own index alone.
///
/// - Parameters:
///   - checkpointing: keeps finished pictures under `pixels-…`; scenes are laid out anew, which is
///     quick beside rendering them.
///   - progress: is told the number of finished pictures.
package func renderSet(
  _ settings: SceneSettings, seed: UInt64, indices: Range<Int>, purpose: RandomPurpose = .scenes,
  threads: Int, checkpointing: Checkpointing = .none, progress: (Int) -> Void = { _ in }
) throws -> RenderedSet {
  try settings.validate()
  let count = indices.count
  let picture = settings.size * settings.size * 3
  var (kept, pixels) = restoredPixels(checkpointing, picture: picture, count: count)
  let finished = pixels.count / picture
  pixels.reserveCapacity(count * picture)
  var conditioners: [UInt8] = []
  conditioners.reserveCapacity(count * settings.conditionerDimensions.reduce(1, *))
  var scenes: [Scene] = []
  scenes.reserveCapacity(count)
  // In portions, so that progress is seen and a stop is heard.
  let portion = Portion(aim: .milliseconds(100))
  try checkpointing.run(
    while: { scenes.count < count }, state: { kept.piece(of: pixels) },
    unit: {
      let start = scenes.count
      let isFinished = start < finished
      let end =
        isFinished
        ? min(start + 256, finished) : min(start + portion.count(threads: threads), count)
      var drawn: [Scene] = []
      for index in start..<end {
        drawn.append(
          try makeScene(
            settings, seed: seed, index: indices.lowerBound + index, purpose: purpose))
      }
      if !isFinished {
        portion.measure(end - start) { render(drawn, settings, onto: &pixels, threads: threads) }
      }
      for scene in drawn {
        conditioners += scene.conditioner(settings)
      }
      scenes += drawn
      progress(scenes.count)
    })
  return RenderedSet(pixels: pixels, conditioners: conditioners, scenes: scenes)
}

/// Renders scenes behind the pictures that are there.
private func render(
  _ scenes: [Scene], _ settings: SceneSettings, onto pixels: inout [UInt8], threads: Int
) {
  let picture = settings.size * settings.size * 3
  let start = pixels.count
  pixels.append(contentsOf: repeatElement(0, count: scenes.count * picture))
  pixels.withUnsafeMutableBufferPointer { buffer in
    nonisolated(unsafe) let buffer = buffer
    parallel(scenes.count, threads: threads) { item, _ in
      let first = start + item * picture
      render(
        scenes[item], settings,
        into: UnsafeMutableBufferPointer(rebasing: buffer[first..<first + picture]))
    }
  }
}

private func restoredPixels(_ checkpointing: Checkpointing, picture: Int, count: Int) -> (
  GrowingBlob<UInt8>, [UInt8]
) {
  let name = "pixels"
  if let (kept, pixels) = GrowingBlob<UInt8>.restored(name, from: checkpointing.saved),
    pixels.count % picture == 0, pixels.count <= count * picture
  {
    return (kept, pixels)
  }
  checkpointing.discard("its pictures are not those of this set")
  return (GrowingBlob(name: name), [])
}
