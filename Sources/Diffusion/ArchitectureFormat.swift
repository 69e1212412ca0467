extension NetworkDescription.Conditioning: Codable {}
extension NetworkDescription.Normalization: Codable {}
extension Labelling: Codable {}

/// `{"type": "unet", "width": 16, …}`: in pipeline files and in manifests.
extension NetworkDescription.Architecture: Codable {
  package enum Kind: String, Sendable, Codable, CaseIterable { case unet, local, patchwise }

  package var kind: Kind {
    switch self {
    case .unet: .unet
    case .local: .local
    case .patchwise: .patchwise
    }
  }

  private enum Key: String, CodingKey {
    case type, width, conditioning, normalization, attention, middle, dilations, reach
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    let width = try container.decode(Int.self, forKey: .width)
    switch try container.decode(Kind.self, forKey: .type) {
    case .unet:
      self = .unet(
        width: width,
        conditioning: try container.decode(
          NetworkDescription.Conditioning.self, forKey: .conditioning),
        normalization: try container.decode(
          NetworkDescription.Normalization.self, forKey: .normalization),
        attention: try container.decode(Bool.self, forKey: .attention),
        middle: try container.decodeIfPresent(Int.self, forKey: .middle) ?? 0)
    case .local:
      self = .local(width: width, dilations: try container.decode([Int].self, forKey: .dilations))
    case .patchwise:
      self = .patchwise(
        width: width, reach: try container.decode(Int.self, forKey: .reach),
        normalization: try container.decode(
          NetworkDescription.Normalization.self, forKey: .normalization),
        attention: try container.decode(Bool.self, forKey: .attention))
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(kind, forKey: .type)
    switch self {
    case .unet(let width, let conditioning, let normalization, let attention, let middle):
      try container.encode(width, forKey: .width)
      try container.encode(conditioning, forKey: .conditioning)
      try container.encode(normalization, forKey: .normalization)
      try container.encode(attention, forKey: .attention)
      // Networks without were described before there were any.
      if middle > 0 { try container.encode(middle, forKey: .middle) }
    case .local(let width, let dilations):
      try container.encode(width, forKey: .width)
      try container.encode(dilations, forKey: .dilations)
    case .patchwise(let width, let reach, let normalization, let attention):
      try container.encode(width, forKey: .width)
      try container.encode(reach, forKey: .reach)
      try container.encode(normalization, forKey: .normalization)
      try container.encode(attention, forKey: .attention)
    }
  }
}
