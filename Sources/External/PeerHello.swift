import Formats

/// What a peer says of itself before anything else.
package struct PeerHello: Sendable, Hashable {
  /// What its conditioners say.
  package enum Conditioner: Sendable, Hashable {
    /// Counts of objects in `cells` × `cells` cells.
    case grid(cells: Int)
    /// An entry a word.
    case set(words: [String])
    /// Numbers that stand for nothing that Locus knows.
    case vector(count: Int)

    package var count: Int {
      switch self {
      case .grid(let cells): cells * cells
      case .set(let words): words.count
      case .vector(let count): count
      }
    }

    /// What its entries are called.
    package var names: [String] {
      switch self {
      case .grid(let cells): (0..<cells * cells).map { "\($0 / cells + 1),\($0 % cells + 1)" }
      case .set(let words): words
      case .vector(let count): (0..<count).map { "entry \($0 + 1)" }
      }
    }
  }

  package enum Ability: String, Sendable, CaseIterable { case vjp, features, encode, decode }

  /// Activations that it can tell, one array a picture.
  package struct Feature: Sendable, Hashable {
    package var name: String
    package var shape: [Int]

    /// Tokens are (T, C); everything else has channels first, and places behind: (C, H, W), or channels alone.
    package var isChannelsLast: Bool { shape.count == 2 }
    package var channels: Int { isChannelsLast ? shape[1] : shape.first ?? 1 }
    package var count: Int { shape.reduce(1, *) }
    package var places: Int { count / max(channels, 1) }
  }

  package var name: String
  /// A hash of weights and code, or whatever else changes when its answers do.
  package var identity: String
  package var device: String
  /// Channels, height, width of what it denoises.
  package var shape: [Int]
  package var conditioner: Conditioner
  package var noise: NoiseConvention
  /// Pictures that it takes at a time.
  package var batch: Int
  package var abilities: Set<Ability>
  package var features: [Feature]
  /// Channels, height, width of the pictures that it decodes to and encodes from.
  package var picture: [Int]?
  /// Whether what it gives is like a sample, as of a consistency model, and no mean.
  package var givesEndpoints: Bool
  /// How far away in px an output still depends on pixels, and on conditioner entries; `nil`: anywhere.
  package var pixelReach: Int?
  package var labelReach: Int?

  /// Values of what it denoises, one picture.
  package var count: Int { shape.reduce(1, *) }

  // What bounds the memory of an answer.
  static let mostValues = 1 << 26
  static let mostEntries = 1 << 20
  static let mostFeatures = 1000
}

extension PeerHello {
  init(_ header: JSONValue) throws(AnswerFault) {
    let fields = HelloFields(value: header)
    name = try fields.text("name")
    identity = try fields.text("identity")
    device = try fields.text("device")
    shape = try fields.shape(header["shape"], named: "shape")
    guard shape.count == 3 else {
      throw AnswerFault("`shape` is \(shape), accepted: channels, height, width")
    }
    conditioner = try Self.conditioner(header["conditioner"])
    noise = try NoiseConvention(header["noise"])
    batch = try fields.optional("batch", 1...65536) ?? 64
    var abilities: Set<Ability> = []
    for word in header["can"]?.array ?? [] {
      // Later versions of an adapter may know more.
      if let ability = word.string.flatMap(Ability.init) { abilities.insert(ability) }
    }
    self.abilities = abilities
    let told = header["features"]?.array ?? []
    if told.count > Self.mostFeatures {
      throw AnswerFault(
        "`features` has \(told.count) elements, accepted: up to \(Self.mostFeatures)")
    }
    var features: [Feature] = []
    for value in told {
      guard let name = value["name"]?.string, !name.isEmpty else {
        throw AnswerFault("an element of `features` has no `name`")
      }
      features.append(
        Feature(name: name, shape: try fields.shape(value["shape"], named: "features.shape")))
    }
    if Set(features.map(\.name)).count < features.count {
      throw AnswerFault("a name stands twice among `features`")
    }
    self.features = features
    if let value = header["picture"] {
      let shape = try fields.shape(value, named: "picture")
      if shape.count != 3 {
        throw AnswerFault("`picture` is \(shape), accepted: channels, height, width")
      }
      picture = shape
    }
    if picture == nil, !abilities.isDisjoint(with: [.encode, .decode]) {
      throw AnswerFault(
        "it says that it can encode or decode, and has no `picture`: the shape of one")
    }
    switch header["gives"] {
    case nil, .string("mean"): givesEndpoints = false
    case .string("endpoint"): givesEndpoints = true
    case let other?:
      throw AnswerFault(
        "`gives` is \(PeerRequest.excerpt(other.canonicalText().utf8)), accepted: \"mean\" or \"endpoint\""
      )
    }
    pixelReach = try fields.optional("pixel_reach", 0...1 << 20)
    labelReach = try fields.optional("label_reach", 0...1 << 20)
  }

  private static func conditioner(_ value: JSONValue?) throws(AnswerFault) -> Conditioner {
    if let cells = value?["grid"]?.integer, (1...1024).contains(cells) {
      return .grid(cells: cells)
    }
    if let count = value?["vector"]?.integer, (0...mostEntries).contains(count) {
      return .vector(count: count)
    }
    if let values = value?["set"]?.array, (1...mostEntries).contains(values.count) {
      let words = values.compactMap(\.string)
      if words.count == values.count, Set(words).count == words.count { return .set(words: words) }
    }
    throw AnswerFault(
      "`conditioner` is \(PeerRequest.excerpt((value ?? .null).canonicalText().utf8)), accepted: {\"grid\":"
        + " cells}, {\"set\": [words, each once]} or {\"vector\": entries}")
  }
}

/// Reads members of a hello.
private struct HelloFields {
  var value: JSONValue

  func text(_ name: String) throws(AnswerFault) -> String {
    guard let text = value[name]?.string, (1...4096).contains(text.utf8.count) else {
      throw AnswerFault("`\(name)` is \(excerpt(value[name])), accepted: a text")
    }
    return text
  }

  func optional(_ name: String, _ range: ClosedRange<Int>) throws(AnswerFault) -> Int? {
    guard let found = value[name] else { return nil }
    guard let number = found.integer, range.contains(number) else {
      throw AnswerFault(
        "`\(name)` is \(excerpt(found)), accepted: \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  /// Factors whose product is bounded.
  func shape(_ value: JSONValue?, named name: String) throws(AnswerFault) -> [Int] {
    let factors = value?.array?.map { $0.integer ?? 0 } ?? []
    var product = 1
    for factor in factors {
      guard (1...PeerHello.mostValues).contains(factor),
        factor <= PeerHello.mostValues / product
      else { return try refuse(value, name) }
      product *= factor
    }
    return (1...8).contains(factors.count) ? factors : try refuse(value, name)
  }

  private func refuse(_ value: JSONValue?, _ name: String) throws(AnswerFault) -> [Int] {
    throw AnswerFault(
      "`\(name)` is \(excerpt(value)), accepted: whole numbers above 0 whose product is at most"
        + " \(PeerHello.mostValues)")
  }

  private func excerpt(_ value: JSONValue?) -> String {
    value.map { PeerRequest.excerpt($0.canonicalText().utf8) } ?? "missing"
  }
}
