import Lineage

private let evaluate = ["evaluate"]
private let compare = ["compare"]
private let count = ["count"]

/// Pictures drawn for requested layouts.
extension Measure {
  package static let recall = Measure(
    "recall", by: [.k, .seed], interval: .bootstrapOrWilson, in: evaluate,
    "Share of requested places at which the judge finds an object, or of requested words that are true of one.",
    source: .localScores)
  package static let recallBackground = Measure(
    "recall_background", by: [.k, .seed], interval: .bootstrapOrWilson, in: evaluate,
    "Recall as the background detector sees it.")
  package static let recallChance = Measure(
    "recall_chance", by: [.k, .seed], in: evaluate,
    "Recall had other layouts, or words, of the same K been requested of the same pictures.")
  package static let recallSolid = Measure(
    "recall_solid", by: [.k, .seed], interval: .bootstrapOrWilson, in: evaluate,
    "Recall by finds of opacity ½ or more.")
  package static let unrequested = Measure(
    "unrequested", unit: "objects", by: [.k, .seed], interval: .bootstrap, in: evaluate,
    "Mean number of objects in a picture at no requested place, or of no requested word.")
  package static let neighbourDependence = Measure(
    "neighbour_dependence", by: [.seed, .attribute], interval: .bootstrap, in: evaluate,
    "How much more often neighbours share an attribute than shuffled pairs do, beyond the training maximum.",
    source: .composition)
  package static let attributeLaw = Measure(
    "attribute_law", by: [.seed, .attribute], interval: .bootstrap, in: evaluate,
    "Total variation between an attribute's law among found objects and among renders', as told.")
  package static let recallByDistance = Measure(
    "recall_by_distance", by: [.seed, .distance], interval: .bootstrapOrWilson, in: evaluate,
    "Recall beyond the training maximum, by how near the nearest other requested place is.")
  package static let trainingLayouts = Measure(
    "training_layouts", unit: "layouts", by: [.k, .seed], in: evaluate,
    "Layouts that training pictures have: passed over from K = 2 on, kept at K = 1.")
  package static let withinLaw = Measure(
    "within_law", by: [.k, .seed], interval: .wilson, in: evaluate,
    "Share of pictures of the blank request with as many objects as some training picture has.")
  package static let judgeDisagreement = Measure(
    "judge_disagreement", by: [.k, .seed], in: evaluate,
    "How far the detectors' recalls differ beyond what they do on renders.")
  package static let precision = Measure(
    "precision", by: [.k, .seed], interval: .bootstrapOrWilson, in: evaluate,
    "Share of drawn objects, or of the words that are true of a picture, that were requested.")
  package static let countError = Measure(
    "count_error", unit: "objects", by: [.k, .seed], interval: .bootstrap, in: evaluate,
    "Mean difference between drawn and requested objects, signs dropped, from K = 1 on.")
  package static let drawn = Measure(
    "drawn", unit: "objects", by: [.k, .seed], interval: .bootstrap, in: evaluate,
    "Mean number of objects in a picture.")
  package static let exact = Measure(
    "exact", by: [.k, .seed], interval: .wilson, in: evaluate,
    "Share of pictures with just the requested objects, or words, from K = 1 on.")
  package static let windowLoad = Measure(
    "window_load", unit: "labels", by: [.k, .seed], in: evaluate,
    "Labels that one window holds on average, λ(K).")
  package static let trainingMaximum = Measure(
    "training_maximum", unit: "objects", in: evaluate,
    "Objects in the fullest training picture.")
  package static let labelWindowArea = Measure(
    "label_window_area", unit: "px²", in: evaluate,
    "Area from which labels reach one output pixel.")

  static let evaluation: [Measure] = [
    recall, recallBackground, recallSolid, recallByDistance, recallChance, trainingLayouts,
    unrequested, neighbourDependence, attributeLaw,
    withinLaw, judgeDisagreement, precision, countError, drawn, exact,
    windowLoad,
    trainingMaximum, labelWindowArea,
  ]
}

/// What a person says who does not know what the detectors said.
extension Measure {
  package static let personRecall = Measure(
    "person_recall", by: [.subject], interval: .strata, in: count,
    "Share of requested places with an object, as a person sees it.")
  package static let judgedRecall = Measure(
    "person_judge_recall", by: [.subject], in: count,
    "Share of the same places at which the judge finds an object.")
  package static let personKappa = Measure(
    "person_kappa", by: [.subject], interval: .tiles, in: count,
    "Cohen's kappa of a person and the judge over requested places.", source: .textbook)

  static let counts: [Measure] = [personRecall, judgedRecall, personKappa]
}

/// Evaluations beside each other.
extension Measure {
  package static let kMax = Measure(
    "k_max", unit: "labels", by: [.seed, .subject], interval: .inversion, in: compare,
    "Largest K whose recall, and that of every tested K below it, reaches the threshold.",
    source: .localScores)
  package static let kMaxFitted = Measure(
    "k_max_fitted", unit: "labels", by: [.seed, .subject], interval: .profile, in: compare,
    "Last K before a falling curve, logistic in K with free levels, fitted to recall meets the threshold; the largest tested K where it does not."
  )
  package static let kMaxThreshold = Measure(
    "k_max_threshold", in: compare, "Recall from which a K counts as reached.")
  package static let recallBeyond = Measure(
    "recall_beyond", by: [.seed, .subject], interval: .bootstrap, in: compare,
    "Recall averaged over the compared K beyond the training maximum.")
  package static let recallWithinCorrected = Measure(
    "recall_within_corrected", by: [.seed, .subject], interval: .bootstrap, in: compare,
    "Recall beyond chance, averaged over the compared K from 1 to the training maximum.")
  package static let recallBeyondCorrected = Measure(
    "recall_beyond_corrected", by: [.seed, .subject], interval: .bootstrap, in: compare,
    "Recall beyond chance, averaged over the compared K beyond the training maximum.")
  package static let recallBeyondCorrectedBackground = Measure(
    "recall_beyond_corrected_background", by: [.seed, .subject], interval: .bootstrap, in: compare,
    "Recall beyond chance there as the background detector sees it, averaged over the compared K.")
  package static let recallBeyondSolid = Measure(
    "recall_beyond_solid", by: [.seed, .subject], interval: .bootstrap, in: compare,
    "Recall beyond the training maximum by finds of opacity ½ or more, averaged over the compared K."
  )
  package static let identicalPictures = Measure(
    "identical_pictures", by: [.subject], in: compare,
    "Share of an identity mask's pictures that equal its baseline's bit for bit.")
  package static let effectRecallInRange = Measure(
    "effect_recall_in_range", by: [.subject], interval: .bootstrap, in: compare,
    "Effect of a mask on recall beyond chance within the training range, averaged over K.")

  package static let contrastRecall = Measure(
    "contrast_recall", by: [.subject, .against], interval: .bootstrap, in: compare,
    "Recall beyond chance behind a mask less that behind its control, beyond the training maximum, averaged over K."
  )

  package static let contrastBackground = Measure(
    "contrast_background", by: [.subject, .against], interval: .bootstrap, in: compare,
    "The same as the background detector sees it.")
  package static let differenceRecall = Measure(
    "difference_recall", by: [.subject, .against], interval: .bootstrap, in: compare,
    "Recall beyond chance of a model less that of another, without masks, beyond the training maximum, averaged over K."
  )
  package static let differencePrecision = Measure(
    "difference_precision", by: [.subject, .against], interval: .bootstrap, in: compare,
    "Precision of a model less that of another there, averaged over K.")
  package static let differenceBackground = Measure(
    "difference_background", by: [.subject, .against], interval: .bootstrap, in: compare,
    "The same as the background detector sees it.")

  /// Over all noise levels that all compared probes have, at states of the denoisers' own trajectories.
  package static let differenceRemote = Measure(
    "difference_remote", by: [.k, .subject, .against], interval: .pictures, in: compare,
    "Remote index of one probe less that of another, all remote labels going at once, on the same layouts and noise."
  )

  /// What the effect of a mask is measured on.
  package enum Effect: String, Sendable, CaseIterable {
    case recall, exact, precision, background

    fileprivate var words: String {
      switch self {
      case .recall: "recall beyond chance"
      case .exact: "the share of exact pictures"
      case .precision: "precision"
      case .background: "recall beyond chance as the background detector sees it"
      }
    }
  }

  /// Beyond the training maximum, averaged over K, or at one K.
  package static func effect(_ on: Effect) -> Measure {
    Measure(
      "effect_\(on.rawValue)", by: [.k, .subject], interval: .bootstrap, in: compare,
      "Effect of a mask on \(on.words): masked less plain on the same layouts and noise.")
  }

  package static func p(_ of: Effect) -> Measure {
    Measure(
      "p_\(of.rawValue)", by: [.subject], in: compare,
      "Two-sided p of the effect on \(of.words), by exchange within layouts.", source: .textbook)
  }

  package static func pHolm(_ of: Effect) -> Measure {
    Measure(
      "p_holm_\(of.rawValue)", by: [.subject], in: compare,
      "The p of the effect on \(of.words) by Holm over the masks compared.", source: .textbook)
  }

  static let comparison: [Measure] =
    [
      kMax, kMaxFitted, kMaxThreshold, recallWithinCorrected, recallBeyond, recallBeyondCorrected,
      recallBeyondCorrectedBackground, recallBeyondSolid, identicalPictures, effectRecallInRange,
      contrastRecall, contrastBackground, differenceRecall, differenceBackground,
      differencePrecision,
      differenceRemote,
    ]
    + Effect.allCases.map(effect) + Effect.allCases.map(p) + Effect.allCases.map(pHolm)

  /// The name by which the view `intervention_effect` knows what an effect is on, by measure.
  static let effects: [(measure: Measure, on: String, p: Measure?, pHolm: Measure?)] =
    Effect.allCases.map { (effect($0), $0.rawValue, p($0), pHolm($0)) }
    + [(effectRecallInRange, "recall_in_range", nil, nil)]
}
