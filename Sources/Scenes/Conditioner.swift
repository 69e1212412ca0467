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
      let column = min(max(Int(pixel.x * Double(cells) / Double(size)), 0), cells - 1)
      let row = min(max(Int(pixel.y * Double(cells) / Double(size)), 0), cells - 1)
      counts[row * cells + column] += 1
    }
    return counts
  }
}
