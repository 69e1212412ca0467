extension SceneObject {
  /// The centre, half the height above the ground.
  package var center: SIMD3<Float> {
    SIMD3<Float>(Float(x), Float(y), Float(halfExtent))
  }
}

extension SceneSettings {
  /// One conditioner as an array: (cells, cells), row then column, or (words).
  package var conditionerDimensions: [Int] { words.map { [$0.texts.count] } ?? [cells, cells] }
}

extension Scene {
  /// The flags of words, or the counts of cells.
  func conditioner(_ settings: SceneSettings) -> [UInt8] {
    settings.words?.flags(objects) ?? conditioner(size: settings.size, cells: settings.cells)
  }

  /// Where an object's centre falls in a picture of `size` pixels.
  package func pixelPosition(of object: SceneObject, size: Int) -> (x: Double, y: Double) {
    camera.project(object.center, width: size, height: size)
  }

  /// (cells, cells), row then column: how many objects have their centre in each cell.
  package func conditioner(size: Int, cells: Int) -> [UInt8] {
    var counts = [UInt8](repeating: 0, count: cells * cells)
    for object in objects {
      let pixel = pixelPosition(of: object, size: size)
      counts[cellIndex(pixel.x, pixel.y, size: size, cells: cells)] += 1
    }
    return counts
  }
}

/// The cell of a grid, row by row, that a place of a picture lies in; the nearest for one outside.
package func cellIndex(_ x: Double, _ y: Double, size: Int, cells: Int) -> Int {
  let column = min(max(Int(x * Double(cells) / Double(size)), 0), cells - 1)
  let row = min(max(Int(y * Double(cells) / Double(size)), 0), cells - 1)
  return row * cells + column
}
