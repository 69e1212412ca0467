import Diffusion
import Features

/// Features of a level of a network, at inputs that stay the same whatever is told.
struct NetworkFeatures: FeatureSource {
  /// How a picture's features become rows.
  enum Look {
    /// Their mean over the level's places: a row a picture.
    case mean
    /// Some places of each picture one by one: a row a place, of as many for each.
    case places([[Int]])
  }

  let denoiser: any LevelDenoiser
  let level: NetworkLevel
  let shape: LevelShape
  /// Their labels are not used.
  let inputs: NoisedBatch
  let look: Look
  let threads: Int
  let checkCancellation: () throws -> Void

  /// Pictures whose features are made at a time: bounds the memory, not the result.
  private static let portion = 64

  init(
    _ denoiser: any LevelDenoiser, _ level: NetworkLevel, _ inputs: NoisedBatch, _ look: Look,
    threads: Int, checkCancellation: @escaping () throws -> Void
  ) throws {
    self.denoiser = denoiser
    self.level = level
    shape = try denoiser.shape(of: level)
    self.inputs = inputs
    self.look = look
    self.threads = threads
    self.checkCancellation = checkCancellation
  }

  var words: Int { denoiser.shape.conditionerCount }
  var dimension: Int { shape.channels }
  var draws: Int { inputs.count }
  var places: Int {
    switch look {
    case .mean: 1
    case .places(let chosen): chosen.first?.count ?? 1
    }
  }

  func features(told: [WordSet]) throws -> FeatureRows {
    var values: [Double] = []
    values.reserveCapacity(draws * places * dimension)
    for start in stride(from: 0, to: draws, by: Self.portion) {
      try checkCancellation()
      let chosen = start..<min(start + Self.portion, draws)
      let batch = inputs.pictures(chosen, telling: told, of: denoiser.shape)
      let made = try denoiser.features(batch, at: level, threads: threads)
      for n in chosen { append(made, (n - start) * shape.count, picture: n, to: &values) }
    }
    return FeatureRows(dimension: dimension, values: values)
  }

  private func append(_ made: [Float], _ first: Int, picture: Int, to values: inout [Double]) {
    let channels = shape.channels
    switch look {
    case .mean:
      var sums = [Double](repeating: 0, count: channels)
      for place in 0..<shape.places {
        for c in 0..<channels { sums[c] += Double(made[first + place * channels + c]) }
      }
      values += sums.map { $0 / Double(shape.places) }
    case .places(let chosen):
      for place in chosen[picture] {
        for c in 0..<channels { values.append(Double(made[first + place * channels + c])) }
      }
    }
  }
}
