import Lineage

private let ofQuality = ["quality"]
private let ofVariance = ["variance"]
private let ofRealism = ["realism"]

/// What drawn pictures are like as pictures, whatever was asked for.
extension Measure {
  /// Which pictures a distance is over.
  package enum QualityRange: String, Sendable, CaseIterable {
    case each, within, beyond

    fileprivate var suffix: String { self == .each ? "" : "_\(rawValue)" }
    fileprivate var dimensions: [MetricDimension] { self == .each ? [.k] : [] }
    fileprivate var words: String {
      switch self {
      case .each: "of K objects"
      case .within: "within the training range"
      case .beyond: "beyond the training range"
      }
    }
  }

  package static func frechet(_ range: QualityRange) -> Measure {
    Measure(
      "frechet" + range.suffix, by: range.dimensions, interval: .movedToValue, in: ofQuality,
      "Fréchet distance of drawn pictures \(range.words) from as many held-out renders, in the judge's features.",
      source: .frechet)
  }

  /// What the number of pictures alone makes of the distance.
  package static func frechetNull(_ range: QualityRange) -> Measure {
    Measure(
      "frechet\(range.suffix)_null", by: range.dimensions, interval: .halves, in: ofQuality,
      "The same of one half of held-out renders from the other, each as large as what was drawn.",
      source: .frechet)
  }

  package static let trainingDistance = Measure(
    "training_distance", by: [.k], interval: .median, in: ofQuality,
    "Median distance of a picture in which the judge finds K objects to the nearest training picture: root mean square of values in [−1, 1]."
  )
  package static let trainingDistanceNull = Measure(
    "training_distance_null", by: [.k], interval: .median, in: ofQuality,
    "The same of held-out renders of K objects.")

  /// - Parameter range: `.within` or `.beyond`.
  package static func trainingNear(_ range: QualityRange) -> Measure {
    Measure(
      "training_near" + range.suffix, interval: .picturesOrWilson, in: ofQuality,
      "Share of pictures with \(range == .beyond ? "more objects than" : "as many objects as") training pictures have that are nearer to one than at most 5 % of renders with as many are."
    )
  }

  static let pictureQuality: [Measure] =
    QualityRange.allCases.flatMap { [frechet($0), frechetNull($0)] }
    + [
      trainingDistance, trainingDistanceNull, trainingNear(.within), trainingNear(.beyond),
    ]
}

/// What is found in real pictures, and in renders of the same scenes.
extension Measure {
  package enum SceneView: String, Sendable, CaseIterable {
    case real, rendered

    fileprivate var words: String {
      self == .real ? "real pictures" : "renders of the same scenes"
    }
  }

  package static let pairedScenes = Measure(
    "paired_scenes", unit: "scenes", in: ofRealism,
    "Scenes of which there is a real picture and a render.")

  /// Of pictures of K objects, or of all.
  package static func sceneRecall(_ view: SceneView) -> Measure {
    Measure(
      "\(view.rawValue)_recall", by: [.k, .detector], interval: .picturesOrWilson, in: ofRealism,
      "Share of the scenes' objects that are found in \(view.words).")
  }

  package static func scenePrecision(_ view: SceneView) -> Measure {
    Measure(
      "\(view.rawValue)_precision", by: [.k, .detector], interval: .picturesOrWilson,
      in: ofRealism, "Share of finds in \(view.words) that are an object of the scene.")
  }

  package static func sceneExact(_ view: SceneView) -> Measure {
    Measure(
      "\(view.rawValue)_exact", by: [.k, .detector], interval: .wilson, in: ofRealism,
      "Share of scenes of which every object and nothing else is found in \(view.words).")
  }

  package static func sceneAttributes(_ view: SceneView) -> Measure {
    Measure(
      "\(view.rawValue)_attribute_accuracy", by: [.attribute], interval: .wilson, in: ofRealism,
      "Share of the objects that the judge finds in \(view.words) of which the attribute is told right."
    )
  }

  package static let realRecallDifference = Measure(
    "real_recall_difference", by: [.detector], interval: .pictures, in: ofRealism,
    "Recall in real pictures less recall in renders of the same scenes, paired.")

  package static func sceneFrechet(_ view: SceneView) -> Measure {
    Measure(
      "\(view.rawValue)_frechet", interval: .movedToValue, in: ofRealism,
      "Fréchet distance, in the judge's features, of \(view.words) from renders of other scenes with as many objects.",
      source: .frechet)
  }

  package static let sceneFrechetNull = Measure(
    "real_frechet_null", interval: .halves, in: ofRealism,
    "The same of one half of those renders from the other, each as large as the real pictures.",
    source: .frechet)

  static let realism: [Measure] =
    [pairedScenes, realRecallDifference, sceneFrechetNull]
    + SceneView.allCases.flatMap {
      [sceneRecall($0), scenePrecision($0), sceneExact($0), sceneAttributes($0), sceneFrechet($0)]
    }
}

/// What decides the count: every layout drawn from every noise.
extension Measure {
  package enum Varied: String, Sendable, CaseIterable {
    case count, recall

    fileprivate var words: String { self == .count ? "objects drawn" : "recall" }
  }

  package enum VariancePart: String, Sendable, CaseIterable {
    case layout, noise, rest

    fileprivate var words: String {
      switch self {
      case .layout: "layouts make"
      case .noise: "the initial noise makes"
      case .rest: "a layout with a noise makes beyond both"
      }
    }
  }

  package static func variance(_ of: Varied) -> Measure {
    Measure(
      "\(of.rawValue)_variance", unit: of == .count ? "objects²" : nil, by: [.k, .detector],
      interval: .pivotal, in: ofVariance,
      "Variance of \(of.words) over layouts and initial noises, every layout with every noise.",
      source: .textbook)
  }

  package static func varianceShare(_ of: Varied, _ part: VariancePart) -> Measure {
    Measure(
      "\(of.rawValue)_variance.\(part.rawValue)", by: [.k, .detector], interval: .pivotal,
      in: ofVariance,
      "Share of it that \(part.words); below 0 as good as 0.", source: .textbook)
  }

  static let varianceSplit: [Measure] = Varied.allCases.flatMap { of in
    [variance(of)] + VariancePart.allCases.map { varianceShare(of, $0) }
  }
}
