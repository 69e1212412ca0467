import Diffusion

/// D = a · x + blur over a window + what labels put at their cells, all linear: Jacobians are known.
package struct ToyDenoiser: Denoiser {
  package var shape: PictureShape
  /// Pixels of the blur on each side; −1 for no blur.
  package var reach: Int
  /// Every output also gets this times the mean of all pixels.
  package var global: Float = 0
  /// A label adds this within `labelReach` px of its cell, everywhere when it has none …
  package var labelStrength: Float = 1
  package var labelReach = 2.0
  /// … divided by the number of labels: the failing experiment in miniature.
  package var sharesLabels = false
  /// A label's effect also gets this times the mean of what the others' cells are worth, which depends on
  /// where they are and not on how many: a channel of place.
  package var remotePlaces: Float = 0

  package init(
    shape: PictureShape, reach: Int, global: Float = 0, labelStrength: Float = 1,
    labelReach: Double = 2, sharesLabels: Bool = false, remotePlaces: Float = 0
  ) {
    self.remotePlaces = remotePlaces
    self.shape = shape
    self.reach = reach
    self.global = global
    self.labelStrength = labelStrength
    self.labelReach = labelReach
    self.sharesLabels = sharesLabels
  }

  package var labelWindowArea: Double { Double(shape.size * shape.size) }

  package func denoise(_ batch: NoisedBatch, threads: Int) throws -> [Float] {
    try batch.validate(shape)
    var result = [Float](repeating: 0, count: batch.x.count)
    for n in 0..<batch.count {
      for i in 0..<shape.pictureCount {
        var value: Float = 0
        forEachWeight(i) { j, weight in value += weight * batch.x[n * shape.pictureCount + j] }
        forEachLabel(i) { cell, weight in
          value +=
            weight * batch.labels[n * shape.conditionerCount + cell] / share(batch, n)
            * (1 + remotePlaces * meanOfOthers(batch, n, cell))
        }
        result[n * shape.pictureCount + i] = value
      }
    }
    return result
  }

  package func vectorJacobian(_ batch: NoisedBatch, cotangent: [Float], threads: Int) throws
    -> (x: [Float], labels: [Float])
  {
    try batch.validate(shape, cotangent: cotangent)
    var dx = [Float](repeating: 0, count: batch.x.count)
    var dlabels = [Float](repeating: 0, count: batch.labels.count)
    for n in 0..<batch.count {
      for i in 0..<shape.pictureCount {
        let v = cotangent[n * shape.pictureCount + i]
        if v == 0 { continue }
        forEachWeight(i) { j, weight in dx[n * shape.pictureCount + j] += weight * v }
        forEachLabel(i) { cell, weight in
          dlabels[n * shape.conditionerCount + cell] += weight * v / share(batch, n)
        }
      }
    }
    return (dx, dlabels)
  }

  /// 0 without others.
  private func meanOfOthers(_ batch: NoisedBatch, _ n: Int, _ cell: Int) -> Float {
    if remotePlaces == 0 { return 0 }
    let others = (0..<shape.conditionerCount).filter {
      $0 != cell && batch.labels[n * shape.conditionerCount + $0] != 0
    }
    let worth = others.map { Float($0 % 7) / 6 - Float($0 / 7 % 3) / 2 }
    return worth.reduce(0, +) / Float(max(others.count, 1))
  }

  private func share(_ batch: NoisedBatch, _ n: Int) -> Float {
    if !sharesLabels { return 1 }
    let start = n * shape.conditionerCount
    return max(1, batch.labels[start..<start + shape.conditionerCount].reduce(0, +))
  }

  private func forEachWeight(_ i: Int, _ body: (Int, Float) -> Void) {
    let size = shape.size
    let (pixel, channel) = i.quotientAndRemainder(dividingBy: 3)
    for other in 0..<size * size
    where abs(other / size - pixel / size) <= reach && abs(other % size - pixel % size) <= reach {
      body(other * 3 + channel, 0.25)
    }
    if global != 0 {
      for other in 0..<size * size {
        body(other * 3 + channel, global / Float(size * size))
      }
    }
  }

  private func forEachLabel(_ i: Int, _ body: (Int, Float) -> Void) {
    let pixel = i / 3
    guard let grid = shape.grid else {
      for word in 0..<shape.conditionerCount { body(word, labelStrength) }
      return
    }
    for cell in 0..<grid.count {
      let center = grid.center(cell)
      let dy = Double(pixel / shape.size) + 0.5 - center.y
      let dx = Double(pixel % shape.size) + 0.5 - center.x
      if dx * dx + dy * dy <= labelReach * labelReach { body(cell, labelStrength) }
    }
  }
}
