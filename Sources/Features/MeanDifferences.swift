/// How E[z] differs from E[z ∣ ∅] for words and sets of words, with the inputs behind each mean.
package struct MeanDifferences: Sendable {
  /// What each difference is of.
  package let targets: [WordSet]
  /// D.
  package let dimension: Int
  /// Of each target; of pairs the differences themselves.
  let rows: [FeatureRows]
  /// `nil`: pairs, whose inputs are the same for all targets.
  let base: FeatureRows?

  /// By intervention, do(c): z(x, c) − z(x, ∅) at the same x, whatever may be in the picture.
  package init(intervening source: some FeatureSource, on targets: [WordSet]) throws {
    // Places of one picture are not drawn apart: they are one input.
    func features(_ words: WordSet) throws -> FeatureRows {
      try source.checkedFeatures(telling: words).averaged(over: source.places)
    }
    let none = try features(.none)
    self.targets = targets
    dimension = source.dimension
    base = nil
    rows = try targets.map { try features($0) - none }
  }

  /// By conditioning: over pictures that have exactly these words, against those that ∅ stands for.
  package init(
    conditioning groups: [(words: WordSet, rows: FeatureRows)], base: FeatureRows
  ) throws(FeatureError) {
    for group in groups {
      if group.rows.count == 0 { throw .noRows(words: group.words.words) }
      if group.rows.dimension != base.dimension {
        throw .rows(found: group.rows.dimension, expected: base.dimension)
      }
    }
    if base.count == 0 { throw .noRows(words: []) }
    targets = groups.map(\.words)
    rows = groups.map(\.rows)
    self.base = base
    dimension = base.dimension
  }

  package var isPaired: Bool { base == nil }

  /// Inputs behind the means: of pairs each counts once.
  package var count: Int {
    base.map { $0.count + rows.reduce(0) { $0 + $1.count } } ?? rows.first?.count ?? 0
  }

  /// What is drawn with replacement within itself, as ranges of the weights of `means`.
  var strata: [Range<Int>] {
    guard let base else { return [0..<count] }
    var first = 0
    return ([base] + rows).map { group in
      defer { first += group.count }
      return first..<first + group.count
    }
  }

  /// (targets, D): each difference, every input as often as `weights` says.
  func means(_ weights: [Int]? = nil) -> FeatureRows {
    let parts = strata
    func mean(_ rows: FeatureRows, _ part: Range<Int>) -> [Double] {
      rows.mean(weights.map { $0[part] })
    }
    guard let base else {
      return FeatureRows(rows.map { mean($0, parts[0]) }, dimension: dimension)
    }
    let none = mean(base, parts[0])
    let differences = rows.enumerated().map { index, group in
      zip(mean(group, parts[index + 1]), none).map { $0 - $1 }
    }
    return FeatureRows(differences, dimension: dimension)
  }

  /// What chance alone adds to the squared length of a target's mean.
  func noise(_ target: Int) -> Double {
    rows[target].meanVariance + (base?.meanVariance ?? 0)
  }
}

extension FeatureSource {
  /// - Throws: for features that are not as the source says, or no numbers.
  func checkedFeatures(told: [WordSet]) throws -> FeatureRows {
    let rows = try features(told: told)
    if rows.count != draws * places {
      throw FeatureError.rows(found: rows.count, expected: draws * places)
    }
    if rows.dimension != dimension {
      throw FeatureError.rows(found: rows.dimension, expected: dimension)
    }
    if !rows.values.allSatisfy(\.isFinite) { throw FeatureError.notFinite }
    return rows
  }

  func checkedFeatures(telling words: WordSet) throws -> FeatureRows {
    try checkedFeatures(told: [WordSet](repeating: words, count: draws))
  }
}
