import Formats
import Measures

/// Whether there is a feature space in which words compose: what they change inside a network.
struct FeaturesSection: Section {
  static let kinds: Set = ["features"]

  private let run: String
  /// Over seeds.
  private let rows: [FeatureRow]
  private let correlation: FeatureCorrelation?
  /// Stages of networks in which each word has channels of its own.
  private let own: Set<String>
  private let trainingMaximum: Int

  init(_ data: RunData) throws {
    run = data.run.id
    let all = try data.ask(FeatureRow.question(run)).labelled()
    rows = all.overSeeds(worst: [
      Measure.featureCosineP(.intervened).name, Measure.featureCosineP(.conditioned).name,
    ])
    trainingMaximum = data.trainingMaximum ?? 0
    correlation = try FeatureCorrelation(all, data)
    own = Set(
      try data.ask(FeatureModelRow.question(run)).filter(\.isByConstruction).map {
        Labels.withoutSeed($0.stage)
      })
  }

  var blocks: [Block] {
    if rows.isEmpty { return [] }
    return meanBlocks + besideTable + shareBlocks + (correlation?.blocks ?? [])
      + matrices
      + [FeatureRow.question(run).block]
  }

  private var meanBlocks: [Block] {
    [
      .heading("Words in features"),
      .paragraph(
        "Composition in features z = A(x) is local scores in z. Necessary, not sufficient: what words change in the "
          + "mean, d_k = E[z ∣ k] − E[z ∣ ∅], stands at right angles (cosines of 0) and adds up (r² of d_i + d_j for "
          + "what both change is 1). *Told or not* are the same noised training pictures, *shown* renders that have "
          + "exactly the words, told nothing. *Exchanged* is the mean cosine when it does not matter which word is "
          + "told, with the p of one as small as it is, the largest of seeds. z is the mean of a level over places. "
          + "*Departure*: how far the map that whitens it is from a multiple of an orthogonal one, which would leave "
          + "right angles as they are."
      ),
      meanTable { stage in means(stage).prefix(1).map { $0 } },
      .details("At every noise level", [meanTable(means)]),
    ]
  }

  private func meanTable(_ rows: (String) -> [[String]]) -> Block {
    .table(
      columns: [
        "features", "σ", "cosine, told or not", "exchanged", "p", "r², seen pairs", "held out",
        "cosine, shown", "r², seen pairs", "held out", "departure",
      ], rows: stages.flatMap(rows))
  }

  private var shareBlocks: [Block] {
    [
      .paragraph(
        "What a word changes when it alone is told no longer among K, place by place: its share in the word's own "
          + "subspace of the level's channels, which other pictures gave. Local scores in z would give 1, and 0 for "
          + "the others' subspaces; random subspaces of the same dimensions say what chance gives, in all channels "
          + "and in what the words' subspaces span. *Oblique* splits a change into parts in all subspaces that add "
          + "up to it, at whatever angles these stand. Inputs are training pictures with noise (law) or states on "
          + "the network's own way to what is asked (trajectory).")
    ] + verdicts + [
      shareTable(
        stages.flatMap { stage in
          shares(stage) { $0.k == asked && $0.inputs == ProbeInputs.trajectory.rawValue }
        }),
      .details(
        "Shares at every K, and at inputs of the training law",
        [shareTable(stages.flatMap { stage in shares(stage) { _ in true } })]),
    ]
  }

  private func shareTable(_ rows: [[String]]) -> Block {
    .table(
      columns: [
        "features", "σ", "K", "inputs", "own subspace", "oblique", "another's", "random",
        "random in span", "N pictures",
      ], rows: rows)
  }

  /// The least K beyond the training range, or the largest.
  private var asked: Int? {
    let all = Set(rows.compactMap(\.k)).sorted()
    return all.first { $0 > trainingMaximum } ?? all.last
  }

  private var verdicts: [Block] {
    guard let asked, !verdicts(at: asked).isEmpty else { return [] }
    return [
      .table(
        columns: ["features", "is it local by words?"],
        rows: verdicts(at: asked).map { [Markdown.name($0.stage), $0.text] })
    ]
  }

  /// Whether each of the features is local by words, at the least K beyond the training range.
  var locality: [FeatureVerdict] { asked.map(verdicts) ?? [] }
  /// Whether it goes with what is drawn, in words.
  var correlations: [String] {
    (correlation?.verdicts ?? []).map { verdict in
      [verdict, correlation?.standing].compactMap(\.self).joined(separator: " ")
    }
  }

  private func verdicts(at asked: Int) -> [FeatureVerdict] {
    stages.compactMap { stage in
      let measured = rows.filter {
        $0.label == stage && $0.k == asked && $0.inputs == ProbeInputs.trajectory.rawValue
      }
      return FeatureVerdict(
        stage, k: asked, own: measured.filter { $0.measure == Measure.featureDiagonal.name },
        others: measured.filter { $0.measure == Measure.featureOthers.name },
        random: measured.filter { $0.measure == Measure.featureRandomInSpan.name },
        isByConstruction: own.contains(stage))
    }
  }

  /// From ∅ on, and beside another word.
  private var besideTable: [Block] {
    let own = rows.filter { $0.measure == Measure.featureBeside.name }
    if own.isEmpty { return [] }
    return [
      .paragraph(
        "With label dropout ∅ stands for any picture and a word told alone for one that has nothing else, so that "
          + "from ∅ on a word takes all others away, too. Of the directions in which a word changes features from ∅ "
          + "on, the share that it has beside another word as well (mean over words, least and most):"
      ),
      .details("Shares of directions", [besideRows(own)]),
    ]
  }

  private func besideRows(_ own: [FeatureRow]) -> Block {
    .table(
      columns: ["features", "σ", "share", "least", "most"],
      rows: stages.flatMap { stage in
        sigmas(stage).compactMap { sigma -> [String]? in
          let found = own.filter { $0.label == stage && $0.sigma == sigma }
          let values = found.map(\.estimate.value)
          guard let least = found.min(by: { $0.estimate.value < $1.estimate.value }),
            let most = found.max(by: { $0.estimate.value < $1.estimate.value })
          else { return nil }
          func end(_ row: FeatureRow) -> String {
            "\(Markdown.number(row.estimate.value, digits: 2)) (\(row.attribute ?? ""))"
          }
          return [
            Markdown.name(stage), Markdown.number(sigma),
            Markdown.number(values.reduce(0, +) / Double(values.count), digits: 2), end(least),
            end(most),
          ]
        }
      })
  }

  private var stages: [String] { distinct(rows.map(\.label)) }

  private func estimate(
    _ stage: String, _ measure: Measure, _ sigma: Double, k: Int? = nil, inputs: String? = nil,
    attribute: String? = nil
  ) -> Estimate? {
    rows.first {
      $0.label == stage && $0.measure == measure.name && $0.sigma == sigma && $0.k == k
        && $0.inputs == inputs && $0.attribute == attribute
    }?.estimate
  }

  private func text(_ estimate: Estimate?) -> String {
    estimate.map { Markdown.interval($0) } ?? Markdown.nothing
  }

  private func sigmas(_ stage: String) -> [Double] {
    Set(rows.filter { $0.label == stage }.map(\.sigma)).sorted(by: >)
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
        at(.featureAdditivity(.conditioned), "held-out"), at(.featureDeparture),
      ]
    }
  }

  private func shares(_ stage: String, where isShown: (FeatureRow) -> Bool) -> [[String]] {
    rows.filter {
      $0.label == stage && $0.measure == Measure.featureDiagonal.name && isShown($0)
    }.map { row in
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

  private func pairs(_ rows: [FeatureRow]) -> [(pair: String, value: Double)] {
    rows.compactMap { row in row.pair.map { ($0, row.estimate.value) } }
  }

  /// As many recipes have heat maps.
  private static let drawn = 4

  private var matrices: [Block] {
    stages.prefix(Self.drawn).enumerated().flatMap { index, stage -> [Block] in
      guard let sigma = sigmas(stage).first else { return [] }
      let own = rows.filter { $0.label == stage && $0.sigma == sigma }
      let cosines = WordMatrix(
        pairs(own.filter { $0.measure == Measure.featureCosine(.intervened).name }),
        isSymmetric: true)
      let told = own.filter {
        $0.measure == Measure.featureShare.name && $0.inputs == ProbeInputs.trajectory.rawValue
      }
      let most = told.compactMap(\.k).max()
      let shares = WordMatrix(pairs(told.filter { $0.k == most }), isSymmetric: false)
      let name = index == 0 ? "" : "-\(index + 1)"
      let at = "σ = \(Markdown.number(sigma))"
      var tables: [Block] = []
      var charts: [Block] = []
      if !cosines.words.isEmpty {
        charts.append(
          cosines.chart(
            name: "feature-cosines\(name).svg",
            title: "Cosines of what two words change, \(stage), \(at)", x: "word", y: "word"))
        tables += [
          .paragraph("Cosines of what two words change, told or not:"), cosines.table,
        ]
      }
      if let most, !shares.words.isEmpty {
        charts.append(
          shares.chart(
            name: "feature-shares\(name).svg",
            title: "Whose subspace a word's change falls in, K = \(most), \(stage), \(at)",
            x: "told no longer", y: "subspace of"))
        tables += [
          .paragraph(
            "Share of what the word of a column changes, told no longer among \(most), in the subspace of the word"
              + " of a row, at states on the network's own way:"), shares.table,
        ]
      }
      if tables.isEmpty { return [] }
      return charts + [.details("Word by word at \(at): \(Markdown.name(stage))", tables)]
    }
  }
}
