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
  /// Layouts before it that training pictures have, in whose stead it was drawn.
  package var passedOver = 0

  package init(k: Int, layout: Int, labels: [Float], places: [Place]) {
    self.k = k
    self.layout = layout
    self.labels = labels
    self.places = places
  }

  /// From a place to the nearest other one, in pixels; `beyond` where there is none.
  package func nearest(_ index: Int, beyond: Double) -> Double {
    places.indices.reduce(beyond) {
      $1 == index ? $0 : min($0, places[index].distance(to: places[$1]))
    }
  }
}

/// How far from each other requested objects are.
package enum LayoutSpacing: String, Sendable, CaseIterable, Codable {
  /// CLEVR's gap of 0.25 between circles: the more objects, the more crowded.
  case clevr
  /// Centres at least 1.65 apart, room for two large objects and the gap: crowding hardly rises with K.
  case spaced

  var distance: Double { self == .spaced ? 1.65 : 0 }
}

/// The cells that training pictures have objects in: what a model may have seen is no test of it.
package struct SeenLayouts: Sendable {
  private let cells: Set<[Int]>

  /// From conditioners, (N, count) of objects a cell.
  package init(conditioners: [UInt8], count: Int) {
    cells = Set(
      (0..<conditioners.count / max(count, 1)).map { n in
        (0..<count).filter { conditioners[n * count + $0] > 0 }
      })
  }

  package func contains(_ request: RequestedLayout) -> Bool {
    cells.contains(request.labels.indices.filter { request.labels[$0] > 0 })
  }
}

/// Layouts that a K needs, so that at least 192 places are requested: max(24, 192 / K), 24 for K = 0.
package func layoutsNeeded(k: Int) -> Int { k == 0 ? 24 : max(24, (192 + k - 1) / k) }

/// How scenes are laid out whose places are requested.
package func requestedScenes(
  k: Int, grid: CellGrid, camera: CameraKind, spacing: LayoutSpacing, gap: Double = 0.25,
  margin: Double = 0
) -> SceneSettings {
  SceneSettings(
    camera: camera, size: grid.size, cells: grid.cells,
    rules: LayoutRules(objects: k...k, gap: gap, margin: margin, spacing: spacing.distance))
}

/// The standard layout (`k`, `layout`) of a seed: K places by CLEVR's rule of distance, no two in a cell.
///
/// Its stream is used for nothing else. CLEVR's margin along the directions is left out unless it is asked for:
/// with it twelve objects do not fit.
///
/// - Parameter seen: a layout of these is passed over, but for K = 1, where training has them all.
/// - Throws: `NoPlaces` for conditioners that cannot name a place.
package func requestedLayout(
  k: Int, layout: Int, shape: PictureShape, camera: CameraKind, spacing: LayoutSpacing = .clevr,
  gap: Double = 0.25, margin: Double = 0, unlike seen: SeenLayouts? = nil, seed: UInt64
)
  throws -> RequestedLayout
{
  let grid = try shape.places()
  let settings = requestedScenes(
    k: k, grid: grid, camera: camera, spacing: spacing, gap: gap, margin: margin)
  try settings.validate()
  // Tries, should two centres share a cell.
  let tries = 256
  var passedOver = 0
  for attempt in 0..<tries {
    let index = (k << 32) + layout * tries + attempt
    let scene = try makeScene(settings, seed: seed, index: index, purpose: .layouts)
    let counts = scene.conditioner(size: grid.size, cells: grid.cells)
    if counts.contains(where: { $0 > 1 }) { continue }
    var found = request(
      cells: counts.indices.filter { counts[$0] == 1 }, layout: layout, grid: grid)
    if k > 1, seen?.contains(found) == true {
      passedOver += 1
      continue
    }
    found.passedOver = passedOver
    return found
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
  normalPicture(
    shape, RandomStream(seed: seed, purpose: .noise, index: UInt64(k) << 32 + UInt64(layout)))
}

/// The standard normal noise (S, S, 3) of this number, which every layout of every K may start from.
package func sharedNoise(_ number: Int, shape: PictureShape, seed: UInt64) -> [Float] {
  normalPicture(
    shape, RandomStream(seed: seed, purpose: .sharedNoise, index: UInt64(number)))
}

private func normalPicture(_ shape: PictureShape, _ stream: RandomStream) -> [Float] {
  var stream = stream
  return [Float](unsafeUninitializedCapacity: shape.pictureCount) { buffer, count in
    stream.fillGaussian(
      UnsafeMutableBufferPointer(start: buffer.baseAddress, count: shape.pictureCount))
    count = shape.pictureCount
  }
}
