import Lineage

private let theory = ["theory"]

/// Enumerated worlds.
extension Measure {
  /// Which windows a composition is made of.
  package enum Windows: String, Sendable, CaseIterable {
    case block, cells

    fileprivate var words: String {
      self == .block ? "labelled cells and all the rest" : "single cells"
    }
  }

  package static func theoryKL(_ windows: Windows) -> Measure {
    Measure(
      "theory.kl.\(windows.rawValue)", unit: "nat", by: [.coupling, .sigma, .k, .view],
      interval: .integration, in: theory,
      "KL divergence of the world from its composition by \(windows.words); enumerated at σ = 0.",
      source: .composition)
  }

  package static func theoryPixel(_ windows: Windows) -> Measure {
    Measure(
      "theory.pixel.\(windows.rawValue)", unit: "px⁻⁴", by: [.coupling, .sigma, .view],
      interval: .integration, in: theory,
      "Squared sensitivity of the score to pixels outside \(windows.words).",
      source: .localScores)
  }

  package static func theoryLabel(_ windows: Windows) -> Measure {
    Measure(
      "theory.label.\(windows.rawValue)", unit: "px⁻²", by: [.coupling, .sigma, .view],
      interval: .integration, in: theory,
      "Squared change of the score by labels outside \(windows.words).", source: .localScores)
  }

  package static let theoryGap = Measure(
    "theory.gap", unit: "px⁻²", by: [.coupling, .sigma, .view], interval: .integration, in: theory,
    "Squared distance between the score and that of the composition.")
  package static let theoryPairPixel = Measure(
    "theory.pair.pixel", unit: "px⁻⁴", by: [.coupling, .sigma, .pair], interval: .integration,
    in: theory, "Squared sensitivity of one cell's score to the pixels of another.")
  package static let theoryPairLabel = Measure(
    "theory.pair.label", unit: "px⁻²", by: [.coupling, .sigma, .pair], interval: .integration,
    in: theory, "Squared change of one cell's score by the label of another.")
  package static let theoryCosine = Measure(
    "theory.cosine", by: [.coupling, .view], in: theory,
    "Largest cosine between what two labels change in the mean.", source: .composition)
  package static let theoryOutside = Measure(
    "theory.outside", by: [.coupling, .view], in: theory,
    "Share of what a label changes in the mean that lies outside its cell.", source: .composition)
  package static let theoryControl = Measure(
    "theory.control", in: theory, "1 for a world that is a control, else 0.")
  package static let theorySupport = Measure(
    "theory.support", by: [.coupling, .k], in: theory,
    "Probability of the conditioner; 0 where no picture has it.")
  package static let theoryChi2 = Measure(
    "theory.chi2", by: [.coupling, .k, .score], in: theory,
    "χ² of sampled pictures against the enumerated law.", source: .textbook)
  package static let theoryP = Measure(
    "theory.p", by: [.coupling, .k, .score], in: theory, "p of that χ².", source: .textbook)
  package static let theoryFreedom = Measure(
    "theory.freedom", by: [.coupling, .k, .score], in: theory, "Degrees of freedom of that χ².",
    source: .textbook)
  package static let theoryRecall = Measure(
    "theory.recall", by: [.coupling, .k, .score], in: theory,
    "Share of labelled cells in which a sampled picture has an object.")

  /// What is measured at one noise level, but for pairs of cells.
  static let violations: [Measure] =
    Windows.allCases.flatMap { [theoryKL($0), theoryPixel($0), theoryLabel($0)] } + [theoryGap]

  static let theoryWorlds: [Measure] =
    violations + [
      theoryPairPixel, theoryPairLabel, theoryCosine, theoryOutside, theoryControl, theorySupport,
      theoryChi2, theoryP, theoryFreedom, theoryRecall,
    ]
}
