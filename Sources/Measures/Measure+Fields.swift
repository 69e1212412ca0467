import Lineage

private let probe = ["probe"]
private let features = ["features"]
private let intervene = ["intervene"]

/// Models of a shape of their own, probed on what they draw themselves, with noise anew.
extension Measure {
  /// Between which places.
  package enum FieldSpace: String, Sendable, CaseIterable {
    /// Of what the model denoises.
    case places
    /// Of pictures that go through its encoder, noise, the model and its decoder.
    case pixels
    fileprivate var prefix: String { self == .places ? "field." : "field.pixels." }
    fileprivate var words: String {
      self == .places
        ? "between places" : "between pixels of clean pictures, through encoder, noise and decoder,"
    }
  }

  package static func fieldLocality(_ space: FieldSpace) -> Measure {
    Measure(
      space.prefix + "locality", by: [.sigma, .window], interval: .pictures, in: probe,
      "Share of the squared sensitivity \(space.words) that lies within the window, of a model of a shape of its own.",
      source: .heatMaps)
  }

  package static func fieldEven(_ space: FieldSpace) -> Measure {
    Measure(
      space.prefix + "even", by: [.sigma, .window], in: probe,
      "Share of the pairs of \(space.rawValue) that were looked at within the window.")
  }

  package static func fieldSide(_ share: Share, _ space: FieldSpace) -> Measure {
    Measure(
      "\(space.prefix)side.\(share.rawValue)", unit: space.rawValue, by: [.sigma], in: probe,
      "Side of the smallest window with \(share.rawValue) % of the squared sensitivity \(space == .places ? "between places" : "between pixels").",
      source: .heatMaps)
  }

  package static func fieldStepError(_ space: FieldSpace) -> Measure {
    Measure(
      space.prefix + "step_error", by: [.sigma], in: probe,
      "Relative change of the differences that stand for a model's gradients \(space.words) when their step is halved."
    )
  }

  package static let fieldEndpoints = Measure(
    "field.endpoints", in: probe + features,
    "1 where what a model gives is like a sample, as of a consistency model of one step, and no mean."
  )
  package static let fieldPasses = Measure(
    "field.passes", unit: "passes", in: probe, "Passes of the model that the probe took.")
  package static let conceptInside = Measure(
    "concept.inside", by: [.sigma], interval: .pictures, in: probe,
    "Share of a concept's squared effect in its region: the fewest places that hold 75 % of it under other noise.",
    source: .localScores)
  package static let conceptArea = Measure(
    "concept.area", by: [.sigma], interval: .pictures, in: probe,
    "The region's share of the picture.")
  package static let conceptRemote = Measure(
    "concept.remote", by: [.sigma], interval: .pictures, in: probe,
    "Effect in a concept's region of all other concepts going at once, over that of its own going."
  )
  package static let conceptEffect = Measure(
    "concept.effect", by: [.sigma, .attribute], interval: .pictures, in: probe,
    "Root mean square effect of a concept that is told no longer, over the output itself.")

  /// What Locus trains itself is told of two words at least.
  package static let featureEffect = Measure(
    "feature.effect", by: [.sigma, .attribute], interval: .pictures, in: features,
    "Root mean square change of an activation by telling a model the one thing that it can be told, over the activation."
  )

  /// What a mask changes in what a model denoises.
  package static let maskDeparture = Measure(
    "mask.departure", by: [.sigma], interval: .pictures, in: intervene,
    "Root mean square change of a model's outputs by a mask, on pictures that it drew itself with noise anew, over the change of the same outputs when nothing is told."
  )
  package static let maskDrawnDeparture = Measure(
    "mask.drawn_departure", interval: .pictures, in: intervene,
    "The same between what both draw from the same noise, over what drawing without being told anything changes."
  )

  /// Whose drawings.
  package enum Drawn: String, Sendable, CaseIterable {
    case before, masked
    fileprivate var words: String {
      self == .before ? "it draws without a mask" : "are drawn behind the mask"
    }
  }

  package static func maskShown(_ drawn: Drawn) -> Measure {
    Measure(
      "mask.asked.\(drawn.rawValue)", interval: .pictures, in: intervene,
      "Share of asked entries that pictures which \(drawn.words) show, by the model's own errors: shown are as many entries as were asked for, those told of which it denoises the picture best.",
      source: .diffusionClassifier)
  }

  package static func maskUnasked(_ drawn: Drawn) -> Measure {
    Measure(
      "mask.unasked.\(drawn.rawValue)", interval: .pictures, in: intervene,
      "Share of entries that were not asked for which the same pictures show.")
  }

  package static let maskShownChange = Measure(
    "mask.asked.change", interval: .pictures, in: intervene,
    "Change of the share of asked entries shown by the mask, from the same noise.")

  package static let fieldMasks: [Measure] =
    [maskDeparture, maskDrawnDeparture] + Drawn.allCases.map(maskShown)
    + Drawn.allCases.map(maskUnasked) + [maskShownChange]

  package static func fields(_ space: FieldSpace) -> [Measure] {
    [fieldLocality(space), fieldEven(space)] + Share.allCases.map { fieldSide($0, space) }
      + [fieldStepError(space)]
  }

  package static let fields: [Measure] =
    FieldSpace.allCases.flatMap { fields($0) }
    + [
      fieldEndpoints, fieldPasses, conceptInside, conceptArea, conceptRemote, conceptEffect,
      featureEffect,
    ] + fieldMasks
}
