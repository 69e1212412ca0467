import Formats

/// What a peer may be asked for. Pictures are (N, C, H, W), channels first; labels (N, entries).
extension Peer {
  /// A batch in the peer's own convention.
  package struct Batch: Sendable {
    /// (N, C, H, W).
    package var x: [Float]
    /// (N): σ or time.
    package var levels: [Float]
    /// (N, entries).
    package var labels: [Float]

    package init(x: [Float], levels: [Float], labels: [Float]) {
      self.x = x
      self.levels = levels
      self.labels = labels
    }

    package var count: Int { levels.count }

    func slice(_ range: Range<Int>, _ hello: PeerHello) -> Batch {
      if range == 0..<count { return self }
      let entries = hello.conditioner.count
      return Batch(
        x: Array(x[range.lowerBound * hello.count..<range.upperBound * hello.count]),
        levels: Array(levels[range]),
        labels: Array(labels[range.lowerBound * entries..<range.upperBound * entries]))
    }
  }

  /// F(x, level, c): (N, C, H, W).
  package func denoise(_ batch: Batch) throws -> [Float] {
    var result: [Float] = []
    result.reserveCapacity(batch.x.count)
    for range in portions(batch.count) {
      let answer = try ask(
        "denoise", "`denoise` of \(Self.pictures(range.count))",
        arrays(batch.slice(range, hello)),
        [ExpectedArray(name: "denoised", shape: [range.count] + hello.shape)])
      if range.count == batch.count { return answer[0].values }
      result += answer[0].values
    }
    return result
  }

  /// The gradient of Σ cotangent · F(x, level, c) by x, (N, C, H, W), and by the labels, (N, entries).
  package func vectorJacobian(_ batch: Batch, cotangent: [Float]) throws -> (
    x: [Float], labels: [Float]
  ) {
    try require(.vjp)
    var result: (x: [Float], labels: [Float]) = ([], [])
    for range in portions(batch.count) {
      let part = Array(
        cotangent[range.lowerBound * hello.count..<range.upperBound * hello.count])
      let answer = try ask(
        "vjp", "`vjp` of \(Self.pictures(range.count))",
        arrays(batch.slice(range, hello)) + [
          PeerArray("cotangent", [range.count] + hello.shape, part)
        ],
        [
          ExpectedArray(name: "x", shape: [range.count] + hello.shape),
          ExpectedArray(name: "labels", shape: [range.count, hello.conditioner.count]),
        ])
      result.x += answer[0].values
      result.labels += answer[1].values
    }
    return result
  }

  /// An activation that it tells by this name.
  package func feature(_ name: String) throws(PeerError) -> PeerHello.Feature {
    if let feature = hello.features.first(where: { $0.name == name }) { return feature }
    throw .noFeature(command: command.words, name: name, told: hello.features.map(\.name))
  }

  /// Activations by name, each (N, its shape).
  package func features(_ batch: Batch, names: [String]) throws -> [String: [Float]] {
    try require(.features)
    let wanted = try names.map { try feature($0) }
    var result: [String: [Float]] = [:]
    let values = wanted.map(\.count).reduce(0, +)
    for range in portions(batch.count, values: values) {
      let answer = try ask(
        "features", "`features` of \(Self.pictures(range.count))",
        arrays(batch.slice(range, hello)),
        wanted.map { ExpectedArray(name: $0.name, shape: [range.count] + $0.shape) },
        members: ["features": .array(names.map(JSONValue.string))])
      for array in answer { result[array.name, default: []] += array.values }
    }
    return result
  }

  /// Pictures of latents, (N, picture's shape).
  package func decode(_ latents: [Float]) throws -> [Float] {
    try code(.decode, latents, from: hello.shape, to: hello.picture ?? hello.shape)
  }

  /// Latents of pictures, (N, C, H, W).
  package func encode(_ pictures: [Float]) throws -> [Float] {
    try code(.encode, pictures, from: hello.picture ?? hello.shape, to: hello.shape)
  }

  private func code(_ ability: PeerHello.Ability, _ values: [Float], from: [Int], to: [Int]) throws
    -> [Float]
  {
    try require(ability)
    let size = from.reduce(1, *)
    var result: [Float] = []
    for range in portions(values.count / size, values: to.reduce(1, *)) {
      let part = Array(values[range.lowerBound * size..<range.upperBound * size])
      result += try ask(
        ability.rawValue, "`\(ability.rawValue)` of \(Self.pictures(range.count))",
        [PeerArray("x", [range.count] + from, part)],
        [ExpectedArray(name: "\(ability.rawValue)d", shape: [range.count] + to)])[0].values
    }
    return result
  }

  private func require(_ ability: PeerHello.Ability) throws(PeerError) {
    if hello.abilities.contains(ability) { return }
    throw .cannot(command: command.words, ability: ability.rawValue)
  }

  private func arrays(_ batch: Batch) -> [PeerArray] {
    let level = if case .sigma = hello.noise { "sigma" } else { "time" }
    return [
      PeerArray("x", [batch.count] + hello.shape, batch.x),
      PeerArray(level, [batch.count], batch.levels),
      PeerArray("labels", [batch.count, hello.conditioner.count], batch.labels),
    ]
  }

  /// As many pictures at a time as the peer takes.
  ///
  /// - Parameter values: of the answer for one picture, where it is long: one answer has no more than a hello
  ///   may have of one picture.
  private func portions(_ count: Int, values: Int = 1) -> [Range<Int>] {
    let most = max(1, min(hello.batch, PeerHello.mostValues / max(1, values)))
    return stride(from: 0, to: count, by: most).map { $0..<min($0 + most, count) }
  }

  private static func pictures(_ count: Int) -> String {
    count == 1 ? "1 picture" : "\(count) pictures"
  }
}
