import Diffusion

/// D_i = ½ x_i + ¼ x_(i+1), channel by channel, the last place before the first; and what concepts add where they are.
package struct ToyField: FieldDenoiser {
  package var fieldShape = FieldShape(channels: 3, height: 5, width: 8, entries: 3)
  package var schedule = NoiseSchedule(low: 0.01, high: 100)
  package var hasGradients = true
  package var givesEndpoints = false
  /// By how much each concept grows with each other one that is told.
  package var coupling: Float = 0
  /// Concepts act everywhere, or each in eight places of its own.
  package var isGlobal = false
  /// How much of a concept is elsewhere.
  package var leak: Float = 0

  package init(
    hasGradients: Bool = true, coupling: Float = 0, isGlobal: Bool = false, leak: Float = 0
  ) {
    self.hasGradients = hasGradients
    self.coupling = coupling
    self.isGlobal = isGlobal
    self.leak = leak
  }

  private func next(_ place: Int) -> Int { (place + 1) % fieldShape.places }

  package func denoise(_ batch: FieldBatch) throws -> [Float] {
    let (count, places, entries) = (fieldShape.count, fieldShape.places, fieldShape.entries)
    var result = batch.x
    for n in 0..<batch.count {
      let labels = Array(batch.labels[n * entries..<(n + 1) * entries])
      let told = labels.reduce(0, +)
      for i in 0..<count {
        let (channel, place) = (i / places, i % places)
        var value = 0.5 * batch.x[n * count + i]
        value += 0.25 * batch.x[n * count + channel * places + next(place)]
        for (k, label) in labels.enumerated() {
          let strength = isGlobal || place / 8 == k ? 1 : leak
          value += strength * label * (1 + coupling * (told - label))
        }
        result[n * count + i] = value
      }
    }
    return result
  }

  package func gradient(_ batch: FieldBatch, cotangent: [Float]) throws -> [Float] {
    let (count, places) = (fieldShape.count, fieldShape.places)
    var result = [Float](repeating: 0, count: cotangent.count)
    for n in 0..<batch.count {
      for i in 0..<count {
        let (channel, place) = (i / places, i % places)
        result[n * count + i] += 0.5 * cotangent[n * count + i]
        result[n * count + channel * places + next(place)] += 0.25 * cotangent[n * count + i]
      }
    }
    return result
  }
}
