import Diffusion
import Statistics
import Streams

/// How much of the squared sensitivity between places lies within windows, at one σ, for a model of any shape.
package struct FieldLocality: Sendable {
  /// Sides of centred square windows in places: 1, 3, 5, …
  package var windows: [Int]
  /// Share of Σ ‖∂D_i/∂x_j‖² over the pairs of places that are looked at.
  package var shares: [Interval]
  /// The share of the pairs themselves.
  package var even: [Double]
  /// Side of the smallest window that holds each of `LocalityProfile.sideShares`.
  package var sides: [Int]
  /// Relative change of the differences when their step is halved; `nil`: the model has gradients.
  package var stepError: Double?
}

/// Which places are looked at, and how.
package struct FieldProbe: Sendable, Hashable {
  /// Places of each field, drawn at random.
  package var places: Int
  /// Random projections of a place's channels; as many as there are channels are taken one by one instead.
  package var projections: Int

  package init(places: Int, projections: Int) {
    self.places = places
    self.projections = projections
  }

  /// Directions of a place.
  package func directions(_ shape: FieldShape) -> Int { min(projections, shape.channels) }

  /// Passes of a field at one σ: one with its gradient, or two and at the first place two more for the step.
  package func passes(_ shape: FieldShape, hasGradients: Bool) -> Int {
    hasGradients ? places * directions(shape) : 2 * places * directions(shape) + 2
  }

  /// Measures N fields, all at one σ.
  ///
  /// With gradients: of an output place i the rows of ∂D_i/∂x, E_s ‖Jᵀ s e_i‖² = ‖J_i‖² for random signs s over
  /// its channels (Hutchinson 1990). Without: of an input place j the columns, by central differences of D along s
  /// e_j. Over places drawn at random both are the same sum over pairs of places.
  ///
  /// - Parameters:
  ///   - seed: of places and signs.
  ///   - checkpointing: keeps what each field that is done comes to.
  package func measure(
    _ model: any FieldDenoiser, _ fields: FieldBatch, seed: UInt64,
    checkpointing: Checkpointing = .none
  ) throws -> FieldLocality {
    try measure(fields, seed: seed, like: model, checkpointing: checkpointing) { _ in model }
  }

  /// The same with a model for each field, all of one kind.
  package func measure(
    _ fields: FieldBatch, seed: UInt64, like model: any FieldDenoiser,
    checkpointing: Checkpointing = .none, of each: (Int) throws -> any FieldDenoiser
  ) throws -> FieldLocality {
    let shape = model.fieldShape
    let rings = max(shape.height, shape.width)
    // Of each field: squares by ring, pairs by ring, and of the step its change and size.
    var rows = PictureRows(width: 2 * rings + 2, checkpointing)
    try rows.fill(fields.count, checkpointing) { n in
      let found = try one(each(n), fields, n, seed: seed)
      return found.squares + found.pairs + [found.change, found.size]
    }
    let sums = rows.all.map { Array($0[..<rings]) }
    let even = (0..<rings).map { ring in rows.all.reduce(0) { $0 + $1[rings + ring] } }
    let error = rows.all.reduce((change: 0.0, size: 0.0)) {
      ($0.change + $1[2 * rings], $0.size + $1[2 * rings + 1])
    }
    guard sums.contains(where: { $0.contains { $0 > 0 && $0.isFinite } }) else {
      throw ProbeError.insensitive(sigma: Double(fields.sigma.first ?? 0))
    }
    let windows = (0..<rings).map { 2 * $0 + 1 }
    let shares = shares(sums, seed: seed)
    return FieldLocality(
      windows: windows, shares: shares, even: cumulative(even), sides: sides(shares, windows),
      stepError: model.hasGradients
        ? nil : (error.size > 0 ? (error.change / error.size).squareRoot() : 0))
  }

  private struct OneField {
    var squares: [Double]
    var pairs: [Double]
    var change = 0.0
    var size = 0.0
  }

  private func one(
    _ model: any FieldDenoiser, _ fields: FieldBatch, _ n: Int, seed: UInt64
  ) throws -> OneField {
    let shape = model.fieldShape
    let none = [Double](repeating: 0, count: max(shape.height, shape.width))
    var found = OneField(squares: none, pairs: none)
    var stream = RandomStream(seed: seed, purpose: .fieldPlaces, index: UInt64(n))
    let one = FieldBatch(
      x: Array(fields.x[n * shape.count..<(n + 1) * shape.count]), sigma: [fields.sigma[n]],
      labels: Array(fields.labels[n * shape.entries..<(n + 1) * shape.entries]))
    let middles = (0..<places).map { _ in stream.integer(below: shape.places) }
    let all = middles.map { self.directions(at: $0, shape, &stream) }
    let squares: [Float]
    if model.hasGradients {
      var batch = FieldBatch()
      for _ in all.joined() { batch.append(one.x, one.sigma[0], one.labels) }
      squares = try model.gradient(batch, cotangent: all.joined().flatMap { $0 })
    } else {
      let step = Self.step(one.sigma[0])
      squares = try Self.slopes(model, one, Array(all.joined()), step)
      let half = try Self.slopes(model, one, [all[0][0]], step / 2)
      for (a, b) in zip(squares, half) {
        found.change += Double(a - b) * Double(a - b)
        found.size += Double(b) * Double(b)
      }
    }
    let each = directions(shape) * shape.count
    for (place, middle) in middles.enumerated() {
      add(squares[place * each..<(place + 1) * each], around: middle, shape, &found.squares)
      for other in 0..<shape.places { found.pairs[ring(middle, other, shape)] += 1 }
    }
    return found
  }

  /// A place is moved by a part of the noise that is on it.
  private static func step(_ sigma: Float) -> Float { 0.05 * sigma }

  private static func slopes(
    _ model: any FieldDenoiser, _ one: FieldBatch, _ directions: [[Float]], _ step: Float
  ) throws -> [Float] {
    var batch = FieldBatch()
    for direction in directions {
      for side in [step, -step] {
        batch.append(zip(one.x, direction).map { $0 + side * $1 }, one.sigma[0], one.labels)
      }
    }
    let values = try model.denoise(batch)
    let count = one.x.count
    return directions.indices.flatMap { d in
      (0..<count).map { i in
        (values[2 * d * count + i] - values[(2 * d + 1) * count + i]) / (2 * step)
      }
    }
  }

  /// Fields that are 0 but at a place: each channel, or random signs over them with the same expected square.
  private func directions(at place: Int, _ shape: FieldShape, _ stream: inout RandomStream)
    -> [[Float]]
  {
    let isWhole = projections >= shape.channels
    return (0..<directions(shape)).map { d in
      var direction = [Float](repeating: 0, count: shape.count)
      for c in 0..<shape.channels where !isWhole || c == d {
        let sign: Float = isWhole || stream.integer(below: 2) == 0 ? 1 : -1
        direction[c * shape.places + place] = sign
      }
      return direction
    }
  }

  private func ring(_ a: Int, _ b: Int, _ shape: FieldShape) -> Int {
    max(abs(a / shape.width - b / shape.width), abs(a % shape.width - b % shape.width))
  }

  private func add(
    _ values: ArraySlice<Float>, around middle: Int, _ shape: FieldShape, _ rings: inout [Double]
  ) {
    for start in stride(from: values.startIndex, to: values.endIndex, by: shape.places) {
      for place in 0..<shape.places {
        let value = Double(values[start + place])
        rings[ring(middle, place, shape)] += value * value
      }
    }
  }
}
