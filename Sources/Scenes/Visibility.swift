/// How much of each object CLEVR's camera sees.
extension Scene {
  /// CLEVR's own rule: an object of fewer visible pixels, in a picture of 480 × 320, is hidden.
  package static let leastVisible = 200

  /// The objects of which others leave fewer than `leastVisible` pixels to be seen, by their position.
  ///
  /// Every other column and row is looked at, and each ray counts as four; `camera` sees square pixels.
  package var hiddenObjects: [Int] {
    let (width, height) = (CLEVRView.width, CLEVRView.height)
    let solids = objects.map { Solid($0, .linear) }
    let seen = objects.map { object -> (x: Double, y: Double, reach: Double, depth: Float) in
      let depth = -dot(object.center - camera.position, camera.back)
      let place = camera.project(object.center, width: width, height: height)
      // Half as much again as the sphere about it, which is seen from the side.
      let reach = 1.5 * Double(camera.focal) * Double(width) * 1.7321 * object.halfExtent
      return (place.x, place.y, reach / Double(depth), depth)
    }
    return objects.indices.filter { i in
      let own = seen[i]
      let others = objects.indices.filter { j in
        let other = seen[j]
        let (dx, dy) = (other.x - own.x, other.y - own.y)
        let limit = own.reach + other.reach
        return j != i && other.depth < own.depth && dx * dx + dy * dy < limit * limit
      }
      if others.isEmpty { return false }
      var count = 0
      for row in stride(
        from: max(0, Int(own.y - own.reach)), to: min(height, Int(own.y + own.reach)), by: 2)
      {
        for column in stride(
          from: max(0, Int(own.x - own.reach)), to: min(width, Int(own.x + own.reach)), by: 2)
        {
          let ray = camera.ray(
            x: Float(column) + 0.5, y: Float(row) + 0.5, width: Float(width), height: Float(height))
          guard let hit = solids[i].hit(camera.position, ray, limit: .infinity) else { continue }
          if !others.contains(where: {
            solids[$0].hit(camera.position, ray, limit: hit.distance) != nil
          }) {
            count += 4
            if count >= Self.leastVisible { return false }
          }
        }
      }
      return true
    }
  }
}
