import Diffusion
import Foundation
import Scenes
import Streams

/// A request for K objects: a conditioner and the places that it asks for.
package struct RequestedLayout: Sendable {
  package var k: Int
  package var layout: Int
  /// (C): ones at the requested cells.
  package var labels: [Float]
  /// Centres of the requested cells, in pixels.
  package var places: [Place]

  package init(k: Int, layout: Int, labels: [Float], places: [Place]) {
    self.k = k
    self.layout = layout
    self.labels = labels
    self.places = places
  }
}

/// Layouts that a K needs, so that at least 192 places are requested: max(24, 192 / K), 24 for K = 0.
package func layoutsNeeded(k: Int) -> Int { k == 0 ? 24 : max(24, (192 + k - 1) / k) }

/// The standard layout (`k`, `layout`) of a seed: K places by CLEVR's rule of distance, no two in a cell.
///
/// Its stream is used for nothing else, so no training picture has it. CLEVR's margin along the
/// directions is left out: with it twelve objects do not fit.
///
/// - Throws: `NoPlaces` for conditioners that cannot name a place.
package func requestedLayout(
  k: Int, layout: Int, shape: PictureShape, camera: CameraKind, seed: UInt64
)
  throws -> RequestedLayout
{
  let grid = try shape.places()
  let settings = SceneSettings(
    camera: camera, size: grid.size, cells: grid.cells,
    rules: LayoutRules(objects: k...k, gap: 0.25, margin: 0))
  try settings.validate()
  // Tries, should two centres share a cell.
  let tries = 256
  for attempt in 0..<tries {
    let index = (k << 32) + layout * tries + attempt
    let scene = try makeScene(settings, seed: seed, index: index, purpose: .layouts)
    let counts = scene.conditioner(size: grid.size, cells: grid.cells)
    if counts.contains(where: { $0 > 1 }) { continue }
    return request(cells: counts.indices.filter { counts[$0] == 1 }, layout: layout, grid: grid)
  }
  throw EvaluationError.setting(
    name: "cells", found: "\(grid.cells)", accepted: "a grid fine enough for \(k) objects")
}

/// A request for nothing, which conditioners of every space can make.
package func emptyRequest(layout: Int, shape: PictureShape) -> RequestedLayout {
  RequestedLayout(
    k: 0, layout: layout, labels: [Float](repeating: 0, count: shape.conditionerCount), places: [])
}

/// A request for chosen cells.
package func request(cells: [Int], layout: Int, grid: CellGrid) -> RequestedLayout {
  var labels = [Float](repeating: 0, count: grid.count)
  var places: [Place] = []
  for cell in cells {
    labels[cell] = 1
    let (y, x) = grid.center(cell)
    places.append(Place(x: x, y: y))
  }
  return RequestedLayout(k: cells.count, layout: layout, labels: labels, places: places)
}

/// What names a layout to a denoiser that draws something anew for each: the same for every arm.
package func layoutDraw(k: Int, layout: Int, seed: UInt64) -> UInt64 {
  var stream = RandomStream(
    seed: seed, purpose: .layoutDraws, index: UInt64(k) << 32 + UInt64(layout))
  return UInt64(stream.nextUInt32()) << 32 | UInt64(stream.nextUInt32())
}

/// The standard normal noise (S, S, 3) that a layout starts from: the same for every model and arm.
package func startingNoise(k: Int, layout: Int, shape: PictureShape, seed: UInt64) -> [Float] {
  var stream = RandomStream(
    seed: seed, purpose: .noise, index: UInt64(k) << 32 + UInt64(layout))
  return [Float](unsafeUninitializedCapacity: shape.pictureCount) { buffer, count in
    stream.fillGaussian(
      UnsafeMutableBufferPointer(start: buffer.baseAddress, count: shape.pictureCount))
    count = shape.pictureCount
  }
}
