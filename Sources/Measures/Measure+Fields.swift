import Lineage

private let probe = ["probe"]

/// Models of a shape of their own, probed on what they draw themselves, with noise anew.
extension Measure {
  package static let fieldLocality = Measure(
    "field.locality", by: [.sigma, .window], interval: .pictures, in: probe,
    "Share of the squared sensitivity between places that lies within the window, of a model of a shape of its own.",
    source: .heatMaps)
  package static let fieldEven = Measure(
    "field.even", by: [.sigma, .window], in: probe,
    "Share of the pairs of places that were looked at within the window.")

  package static func fieldSide(_ share: Share) -> Measure {
    Measure(
      "field.side.\(share.rawValue)", unit: "places", by: [.sigma], in: probe,
      "Side of the smallest window with \(share.rawValue) % of the squared sensitivity between places.",
      source: .heatMaps)
  }

  package static let fieldStepError = Measure(
    "field.step_error", by: [.sigma], in: probe,
    "Relative change of the differences that stand for a model's gradients when their step is halved."
  )
  package static let fieldEndpoints = Measure(
    "field.endpoints", in: probe,
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

  package static let fields: [Measure] =
    [fieldLocality, fieldEven] + Share.allCases.map(fieldSide)
    + [
      fieldStepError, fieldEndpoints, fieldPasses, conceptInside, conceptArea, conceptRemote,
      conceptEffect,
    ]
}
