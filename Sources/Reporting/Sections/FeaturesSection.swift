import Measures

/// Whether there is a feature space in which words compose: what they change inside a network.
struct FeaturesSection: Section {
  static let kinds: Set = ["features"]

  private let run: String
  private let rows: [FeatureRow]

  init(_ data: RunData) throws {
    run = data.run.id
    rows = try data.ask(FeatureRow.question(run))
  }

  var blocks: [Block] {
    if rows.isEmpty { return [] }
    return [
      .heading("Words in features"),
      .paragraph(
        "Composition in features z = A(x) is local scores in z. Necessary, not sufficient: what words change in the "
          + "mean, d_k = E[z ∣ k] − E[z ∣ ∅], stands at right angles (cosines of 0) and adds up (r² of d_i + d_j for "
          + "what both change is 1). *Told or not* are the same noised training pictures, *shown* renders that have "
          + "exactly the words, told nothing. *Exchanged* is the mean cosine when it does not matter which word is "
          + "told, with the p of one as small as it is. z is the mean of a level over places."),
      .table(
        columns: [
          "features", "σ", "cosine, told or not", "exchanged", "p", "r², seen pairs", "held out",
          "cosine, shown", "r², seen pairs", "held out",
        ], rows: stages.flatMap(means)),
      .paragraph(
        "What a word changes when it alone is told no longer among K, place by place: its share in the word's own "
          + "subspace of the level's channels, which other pictures gave. Local scores in z would give 1, and 0 for "
          + "the others' subspaces; random subspaces of the same dimensions say what chance gives, in all channels "
          + "and in what the words' subspaces span. *Oblique* splits a change into parts in all subspaces that add "
          + "up to it, at whatever angles these stand. Inputs are training pictures with noise (law) or states on "
          + "the network's own way to what is asked (trajectory)."),
      .table(
        columns: [
          "features", "σ", "K", "inputs", "own subspace", "oblique", "another's", "random",
          "random in span", "N pictures",
        ], rows: stages.flatMap(shares)),
    ] + matrices + [FeatureRow.question(run).block]
  }

  private var stages: [String] { distinct(rows.map(\.stage)) }

  private func estimate(
    _ stage: String, _ measure: Measure, _ sigma: Double, k: Int? = nil, inputs: String? = nil,
    attribute: String? = nil
  ) -> Estimate? {
    rows.first {
      $0.stage == stage && $0.measure == measure.name && $0.sigma == sigma && $0.k == k
        && $0.inputs == inputs && $0.attribute == attribute
    }?.estimate
  }

  private func text(_ estimate: Estimate?) -> String {
    estimate.map { Markdown.interval($0) } ?? Markdown.nothing
  }

  private func sigmas(_ stage: String) -> [Double] {
    Set(rows.filter { $0.stage == stage }.map(\.sigma)).sorted(by: >)
  }

  private func means(_ stage: String) -> [[String]] {
    sigmas(stage).map { sigma in
      func at(_ measure: Measure, _ attribute: String? = nil) -> String {
        text(estimate(stage, measure, sigma, attribute: attribute))
      }
      return [
        Markdown.name(stage), Markdown.number(sigma), at(.featureMeanCosine(.intervened)),
        at(.featureExchangedCosine(.intervened)),
        estimate(stage, .featureCosineP(.intervened), sigma).map {
          Markdown.number($0.value, digits: 3)
        } ?? Markdown.nothing, at(.featureAdditivity(.intervened), "seen"),
        at(.featureAdditivity(.intervened), "held-out"), at(.featureMeanCosine(.conditioned)),
        at(.featureAdditivity(.conditioned), "seen"),
        at(.featureAdditivity(.conditioned), "held-out"),
      ]
    }
  }

  private func shares(_ stage: String) -> [[String]] {
    rows.filter { $0.stage == stage && $0.measure == Measure.featureDiagonal.name }.map { row in
      func at(_ measure: Measure) -> String {
        text(estimate(stage, measure, row.sigma, k: row.k, inputs: row.inputs))
      }
      return [
        Markdown.name(stage), Markdown.number(row.sigma), row.k.map(String.init) ?? "",
        row.inputs ?? "", text(row.estimate), at(.featureOblique), at(.featureOthers),
        at(.featureRandom), at(.featureRandomInSpan), Markdown.count(row.estimate.n),
      ]
    }
  }

  // MARK: - Word by word

  private var matrices: [Block] {
    stages.flatMap { stage -> [Block] in
      guard let sigma = sigmas(stage).first else { return [] }
      let own = rows.filter { $0.stage == stage && $0.sigma == sigma }
      let cosines = own.filter { $0.measure == Measure.featureCosine(.intervened).name }
      let shared = own.filter { $0.measure == Measure.featureShare.name }
      let last = shared.filter { $0.inputs == ProbeInputs.trajectory.rawValue }
      let most = last.compactMap(\.k).max()
      let told = last.filter { $0.k == most }
      var blocks: [Block] = []
      if !cosines.isEmpty {
        blocks += [
          .paragraph("Cosines of what two words change, told or not:"),
          matrix(cosines, isSymmetric: true),
        ]
      }
      if let most, !told.isEmpty {
        blocks += [
          .paragraph(
            "Share of what the word of a column changes, told no longer among \(most), in the subspace of the word"
              + " of a row, at states on the network's own way:"), matrix(told, isSymmetric: false),
        ]
      }
      return blocks.isEmpty
        ? []
        : [
          .details(
            "Word by word at σ = \(Markdown.number(sigma)): \(Markdown.name(stage))", blocks)
        ]
    }
  }

  private func matrix(_ rows: [FeatureRow], isSymmetric: Bool) -> Block {
    var values: [[String]: Double] = [:]
    for row in rows {
      let words = (row.pair ?? "").split(separator: "-").map(String.init)
      values[words] = row.estimate.value
      if isSymmetric { values[words.reversed()] = row.estimate.value }
    }
    let words = distinct(rows.flatMap { ($0.pair ?? "").split(separator: "-").map(String.init) })
    return .table(
      columns: [""] + words.map(Markdown.name),
      rows: words.map { row in
        [Markdown.name(row)]
          + words.map { column in
            values[[row, column]].map { Markdown.number($0, digits: 2) } ?? Markdown.nothing
          }
      })
  }
}
