import Lineage

extension MetricDimension {
  static let k = MetricDimension(
    "k", .integer, .condition, "labels asked for, or objects in a picture")
  static let sigma = MetricDimension("sigma", .real, .condition, "noise level")
  static let seed = MetricDimension(
    "seed", .integer, .repetition, "seed of the layouts and the noise")
  static let pictures = MetricDimension("pictures", .integer, .axis, "training pictures seen")
  static let window = MetricDimension("window", .integer, .axis, "side of a window in px")
  static let radius = MetricDimension("radius", .integer, .axis, "radius of a window in px")
  static let coupling = MetricDimension(
    "coupling", .real, .axis, "coupling of the cells of a world")
  static let detector = MetricDimension("detector", .text, .category, "which detector looked")
  static let score = MetricDimension("score", .text, .category, "which score was sampled")
  static let view = MetricDimension(
    "view", .text, .category, "where windows are taken and noise is added, under a transform")
  static let pair = MetricDimension(
    "pair", .text, .category,
    "cells i-j, or cell i and label l as i|l, counted from 1, or two words, red-brown")

  /// The artifact that a value is about: a column that the store itself has.
  static let subject = MetricDimension(
    "subject", .text, .category, "SHA-256 of the outcomes, or the probe, that it is about")

  /// A second artifact, beside the subject.
  static let against = MetricDimension(
    "against", .text, .category, "SHA-256 of the outcomes, or the probe, that it is held against",
    isLate: true)

  /// What the inputs of a probe are.
  static let inputs = MetricDimension(
    "inputs", .text, .category,
    "law: noised training-law pictures, trajectory: the model's own on their way to pictures",
    isLate: true)

  static let distance = MetricDimension(
    "distance", .real, .axis,
    "px from a requested place to the nearest other one, lower edge of a bin", isLate: true)

  static let attribute = MetricDimension(
    "attribute", .text, .category, "of an object: color, size or shape, or a word", isLate: true)

  /// The columns that the vocabulary adds to `metric`, in their order.
  static let columns: [MetricDimension] = [
    .k, .sigma, .seed, .pictures, .window, .radius, .coupling, .detector, .score, .view, .pair,
    .against, .inputs, .distance, .attribute,
  ]
}

/// A detector of objects.
package enum Detector: String, Sendable, CaseIterable {
  /// The judge's network.
  case trained
  /// Whatever differs from the background.
  case background
}

/// The score by which pictures of a theory world are sampled.
package enum SampledScore: String, Sendable, CaseIterable {
  /// The world's own.
  case exact
  /// Put together from parts.
  case composed
}

/// At what a denoiser is probed.
package enum ProbeInputs: String, Sendable, CaseIterable, Decodable {
  /// Noised pictures as in training, told of as in training.
  case law
  /// What the denoiser itself has on its way to pictures of asked layouts.
  case trajectory
}

/// Where a value was measured, along one dimension.
package enum Coordinate: Sendable, Hashable {
  case k(Int)
  case sigma(Double)
  case seed(Int)
  case pictures(Int)
  case window(Int)
  case radius(Int)
  case coupling(Double)
  case detector(Detector)
  case score(SampledScore)
  case view(String)
  case pair(String)
  /// SHA-256 of the artifact that the value is about.
  case subject(String)
  /// SHA-256 of the artifact that it is held against.
  case against(String)
  case inputs(ProbeInputs)
  case distance(Double)
  case attribute(String)

  var dimension: MetricDimension {
    switch self {
    case .k: .k
    case .sigma: .sigma
    case .seed: .seed
    case .pictures: .pictures
    case .window: .window
    case .radius: .radius
    case .coupling: .coupling
    case .detector: .detector
    case .score: .score
    case .view: .view
    case .pair: .pair
    case .subject: .subject
    case .against: .against
    case .inputs: .inputs
    case .distance: .distance
    case .attribute: .attribute
    }
  }

  var value: ColumnValue {
    switch self {
    case .k(let value), .seed(let value), .pictures(let value), .window(let value),
      .radius(let value):
      .integer(value)
    case .sigma(let value), .coupling(let value), .distance(let value): .number(value)
    case .detector(let detector): .text(detector.rawValue)
    case .score(let score): .text(score.rawValue)
    case .inputs(let inputs): .text(inputs.rawValue)
    case .attribute(let text), .view(let text), .pair(let text), .subject(let text),
      .against(let text):
      .text(text)
    }
  }
}

extension MetricRow {
  package var k: Int? { dimensions[MetricDimension.k.name]?.integer }
  package var sigma: Double? { dimensions[MetricDimension.sigma.name]?.number }
}
