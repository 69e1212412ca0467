import Lineage

/// Pictures, networks, machines and the judge.
extension Measure {
  package static let pictures = Measure(
    "pictures", unit: "pictures",
    in: ["generate", "import-clevr", "import-positions", "import-arrays", "analytic"],
    "Pictures in the set, or those that a machine composes from.")
  package static let objectsMean = Measure(
    "objects_mean", unit: "objects", in: ["generate", "import-clevr"],
    "Mean number of objects in a picture.")

  package static let importedPictures = Measure(
    "imported_pictures", unit: "pictures", by: [.k], in: ["import-clevr"],
    "Pictures of K objects in an imported set.")
  package static let importedObjects = Measure(
    "imported_objects", unit: "objects", by: [.attribute], in: ["import-clevr"],
    "Objects of a colour, material, shape or size in an imported set.")
  package static let importedLeftOut = Measure(
    "imported_left_out", unit: "scenes", by: [.attribute], in: ["import-clevr"],
    "Scenes that were not asked for, have an object outside the view, or a hidden one that was not wanted."
  )
  package static let importedHidden = Measure(
    "imported_hidden", unit: "objects", in: ["import-clevr"],
    "Objects in an imported set of which others leave fewer than 200 pixels of 480 × 320 to be seen."
  )
  package static let importedCamera = Measure(
    "imported_camera", unit: "px", in: ["import-clevr"],
    "Farthest that an object was seen from where its scene's camera, fitted, shows it, in px of 480."
  )
  package static let parameters = Measure(
    "parameters", unit: "weights", in: ["train", "untrained", "finetune", "import"],
    "Weights of a network, each a number.")
  package static let repeatDifference = Measure(
    "repeat_difference", in: ["external"],
    "Largest difference between two answers of a model that lives elsewhere to one request.")
  package static let batchDifference = Measure(
    "batch_difference", in: ["external"],
    "Largest difference between what it makes of a picture alone and among others.")
  package static let gradientError = Measure(
    "gradient_error", in: ["external"],
    "How far its vector–Jacobian product along a random direction is from the difference quotient, over the latter."
  )
  package static let loss = Measure(
    "loss", by: [.pictures], in: ["train", "finetune", "judge"],
    "Training loss, the mean since the last point of the curve.")
  package static let learningRate = Measure(
    "learning_rate", by: [.pictures], in: ["train", "finetune"], "Step size of the optimiser.")

  package static let judgeThreshold = Measure(
    "judge_threshold", by: [.detector], in: ["judge"],
    "Value from which a detection counts, chosen on held-out renders.")
  package static let judgeRecall = Measure(
    "judge_recall", by: [.k, .detector], interval: .bootstrapOrWilson, in: ["judge"],
    "A detector's recall on renders of K objects.")
  package static let judgePrecision = Measure(
    "judge_precision", by: [.k, .detector], interval: .bootstrapOrWilson, in: ["judge"],
    "A detector's precision on renders of K objects.")
  package static let solidShare = Measure(
    "judge_solid", interval: .wilson, in: ["judge"],
    "Share of objects in held-out renders that are told for solid, of opacity ½ or more.")
  package static let faintShare = Measure(
    "judge_faint_solid", interval: .wilson, in: ["judge"],
    "The same of these objects blended at opacity ¼ with the empty ground.")
  package static let faintRecall = Measure(
    "judge_faint_recall", by: [.detector], interval: .wilson, in: ["judge"],
    "Share of the objects blended at opacity ¼ that a detector finds.")
  package static let attributeAccuracy = Measure(
    "judge_attribute", by: [.attribute], interval: .wilson, in: ["judge"],
    "Share of objects in held-out renders of which the attribute is told right.")
  package static let renderedDependence = Measure(
    "judge_neighbours", by: [.attribute], interval: .bootstrap, in: ["judge"],
    "How much more often neighbours in held-out renders are told alike than shuffled pairs are.")
  package static let judgeExact = Measure(
    "judge_exact", by: [.k, .detector], interval: .wilson, in: ["judge"],
    "Share of renders of K objects in which a detector finds just these.")

  package static let windowRadius = Measure(
    "window_radius", unit: "px", by: [.sigma], in: ["analytic"],
    "Radius of a machine's window from this noise level on.", source: .scoreMachine)
  package static let calibrationR2 = Measure(
    "calibration_r2", by: [.radius, .sigma], interval: .median, in: ["analytic"],
    "r² of a machine of this radius with its teacher, by which the radius is chosen.",
    source: .scoreMachine)
  package static let windowsUnmatched = Measure(
    "windows_unmatched", by: [.k], in: ["analytic"],
    "Share of labelled windows whose labels no training picture has.")

  package static let maskChangedShare = Measure(
    "mask_changed_share", by: [.sigma], in: ["intervene"],
    "Share of output values that a mask changes.")
  package static let maskLargestChange = Measure(
    "mask_largest_change", by: [.sigma], in: ["intervene"],
    "Largest change that a mask makes to an output value.")

  static let models: [Measure] = [
    pictures, objectsMean, importedPictures, importedObjects, importedLeftOut, importedHidden,
    importedCamera, parameters, repeatDifference, batchDifference, gradientError, loss,
    learningRate, judgeThreshold, judgeRecall,
    judgePrecision, judgeExact, solidShare, faintShare, faintRecall,
    attributeAccuracy, renderedDependence, windowRadius, calibrationR2, windowsUnmatched,
    maskChangedShare,
    maskLargestChange,
  ]
}

/// How well one denoiser tells what another does.
extension Measure {
  /// On noised pictures at one σ, or on what both draw from the same noise.
  package enum Agreement: String, Sendable, CaseIterable {
    case denoised = "agreement"
    case drawn = "drawn_agreement"

    fileprivate var dimensions: [MetricDimension] { self == .denoised ? [.k, .sigma] : [.k] }
    fileprivate var words: String {
      self == .denoised ? "two denoisers' outputs" : "what two denoisers draw"
    }
    /// The beginning of the name in the view `agreement`.
    fileprivate var short: String { self == .denoised ? "agreement" : "drawn" }
  }

  package static func r2(_ of: Agreement) -> Measure {
    Measure(
      "\(of.rawValue).r2", by: of.dimensions, interval: .median, in: ["agree"],
      "Median r² between \(of.words).", source: .scoreMachine)
  }

  package static func r2Centered(_ of: Agreement) -> Measure {
    Measure(
      "\(of.rawValue).r2_centered", by: of.dimensions, interval: .median, in: ["agree"],
      "Median r² between \(of.words), beyond the mean picture.")
  }

  static let agreement: [Measure] = agreements.map(\.measure)

  /// By which the view `agreement` knows it.
  package var nameInAgreements: String? {
    Self.agreements.first { $0.measure == self }?.short
  }

  /// With the names in the view `agreement`.
  static let agreements: [(measure: Measure, short: String)] = Agreement.allCases.flatMap {
    [(r2($0), "\($0.short).r2"), (r2Centered($0), "\($0.short).r2_centered")]
  }
}

/// What an ideal denoiser answers, and how far from it one is.
extension Measure {
  package static let posteriorEffective = Measure(
    "posterior.effective", unit: "renders", by: [.k, .sigma], in: ["posterior"],
    "Median over inputs of the effective sample size behind an exact answer, of the lesser half.",
    source: .textbook)
  package static let posteriorLeftOut = Measure(
    "posterior.left_out", by: [.k, .sigma], in: ["posterior", "score-error"],
    "Share of inputs left out because the effective sample size of a half is too low.")
  package static let posteriorNoise = Measure(
    "posterior.noise", by: [.k, .sigma], interval: .bootstrap, in: ["posterior"],
    "Squared distance between the two halves' answers, over the exact one's from the mean training picture."
  )
  package static let scoreError = Measure(
    "score_error", by: [.k, .sigma], interval: .bootstrap, in: ["score-error"],
    "Squared error of a denoiser's answers, over the squared distance of the exact ones from the mean training picture."
  )
  package static let scoreErrorAtObjects = Measure(
    "score_error.objects", by: [.k, .sigma], interval: .bootstrap, in: ["score-error"],
    "The part of that error that lies at labelled objects.")
  package static let scoreErrorOn = Measure(
    "score_error.on", by: [.k], interval: .bootstrap, in: ["score-error"],
    "That error at conditions that training has: mean over noise levels at which no K has more than half of its inputs left out, and over K unless it is of one."
  )
  package static let scoreErrorOff = Measure(
    "score_error.off", by: [.k], interval: .bootstrap, in: ["score-error"],
    "The same at conditions that training does not have.")

  static let scoreErrors: [Measure] = [
    posteriorEffective, posteriorLeftOut, posteriorNoise, scoreError, scoreErrorAtObjects,
    scoreErrorOn, scoreErrorOff,
  ]
}

/// Where a denoiser's output comes from.
extension Measure {
  package enum Space: String, Sendable, CaseIterable {
    case pixel, conditioner
    /// Of the same vector–Jacobian products as `pixel`: each cell's label by an infinitesimal change.
    case label
    /// What sensitivity spread evenly over the picture would give.
    case isotropic
  }

  package static func locality(_ space: Space) -> Measure {
    switch space {
    case .pixel:
      Measure(
        "locality.pixel", by: [.k, .sigma, .window], interval: .pictures, in: ["probe"],
        "Share of the squared sensitivity to pixels that lies within the window.",
        source: .heatMaps)
    case .conditioner:
      Measure(
        "locality.conditioner", by: [.k, .sigma, .window], interval: .pictures, in: ["probe"],
        "Share of the squared effect of labels that lies within the window.")
    case .label:
      Measure(
        "locality.label", by: [.k, .sigma, .window], interval: .pictures, in: ["probe"],
        "Share of the squared Jacobian by the labels of all cells that lies within the window.",
        source: .heatMaps)
    case .isotropic:
      Measure(
        "locality.isotropic", by: [.k, .sigma, .window], in: ["probe"],
        "Share of the picture's area that lies within the window.")
    }
  }

  /// How much a square shall hold.
  package enum Share: Int, Sendable, CaseIterable {
    case half = 50
    case most = 75
    case nearlyAll = 95
  }

  /// - Parameter space: sensitivities have sides, the area has none.
  package static func side(_ space: Space, _ share: Share) -> Measure {
    Measure(
      "side.\(space.rawValue).\(share.rawValue)", unit: "px", by: [.k, .sigma], in: ["probe"],
      "Side of the smallest window with \(share.rawValue) % of the squared sensitivity"
        + (space == .conditioner ? " to labels." : " to pixels."), source: .heatMaps)
  }

  /// What becomes of what is remote to an object.
  package enum RemoteChange: String, Sendable, CaseIterable {
    case single, removed, moved, swapped

    fileprivate var words: String {
      switch self {
      case .single: "one remote label that goes"
      case .removed: "all remote labels going at once"
      case .moved: "all remote labels moving"
      case .swapped: "another picture's pixels outside its window"
      }
    }

    fileprivate var atOneLevel: String {
      switch self {
      case .single:
        "removing one label remote to it, root mean square over these, over that of its own label"
      case .removed: "removing every label remote to it at once, over that of its own label"
      case .moved:
        "moving every label remote to it, their number kept, over that of its own label"
      case .swapped: "another picture's pixels outside its window, over that of another picture"
      }
    }
  }

  package static func remote(_ change: RemoteChange) -> Measure {
    Measure(
      "remote.\(change.rawValue)", by: [.k, .sigma, .inputs], interval: .pictures, in: ["probe"],
      "Effect at an object of \(change.atOneLevel).")
  }

  /// Over all of a probe's noise levels.
  package static func remoteIndex(_ change: RemoteChange) -> Measure {
    Measure(
      "remote_index.\(change.rawValue)", by: [.k, .inputs], interval: .pictures, in: ["probe"],
      "Effect at an object of \(change.words), over that of \(change == .swapped ? "another picture" : "its own label"), mean over the noise levels."
    )
  }

  package static let predictedRank = Measure(
    "predicted_rank", by: [.k, .inputs, .subject], in: ["predict"],
    "Place of a probe's denoiser among those predicted, 1 for the smallest remote index, which is to recall most."
  )

  package static let layoutDecided = Measure(
    "layout_decided", by: [.k, .sigma], interval: .pictures, in: ["probe"],
    "Share of a layout that is decided when sampling has come down to this noise level.")
  package static let layoutSigmaHigh = Measure(
    "layout_sigma_high", by: [.k], in: ["probe"],
    "Highest noise level at which a tenth of the layout is decided.")
  package static let layoutSigmaLow = Measure(
    "layout_sigma_low", by: [.k], in: ["probe"],
    "Highest noise level at which nine tenths of the layout are decided.")

  static let locality: [Measure] =
    RemoteChange.allCases.map(remote) + RemoteChange.allCases.map(remoteIndex)
    + [predictedRank, layoutDecided, layoutSigmaHigh, layoutSigmaLow]
    + Space.allCases.map(locality)
    + [Space.pixel, .conditioner].flatMap { space in Share.allCases.map { side(space, $0) } }
}
