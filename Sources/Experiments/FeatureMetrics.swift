import Features
import Lineage
import Measures
import Statistics

/// What is measured of features as rows of the table `metric`, whatever tells words to whom.
struct FeatureMetrics {
  /// What the entries of a conditioner are called.
  let texts: [String]
  /// Those that may be told.
  let askable: [Int]
  let isHeldOut: (WordSet) -> Bool
  let seed: UInt64
  let resamples: Int

  var singles: [WordSet] { askable.map { WordSet([$0]) } }
  var pairs: [WordSet] {
    askable.indices.flatMap { i in askable[(i + 1)...].map { WordSet([askable[i], $0]) } }
  }

  func rows(
    _ alone: MeanDifferences, _ all: MeanDifferences, _ sigma: Double,
    _ means: Measure.FeatureMeans
  ) -> [MetricRow] {
    let cosines = WordCosines(alone, seed: seed, resamples: resamples)
    func name(_ target: Int) -> String {
      alone.targets[target].words.map { texts[$0] }.joined()
    }
    var rows = cosines.pairs.map { pair in
      Measure.featureCosine(means).row(
        pair.cosine, .sigma(sigma), .pair("\(name(pair.first))-\(name(pair.second))"))
    }
    rows += [
      Measure.featureMeanCosine(means).row(cosines.mean, .sigma(sigma)),
      Measure.featureExchangedCosine(means).row(cosines.exchanged, .sigma(sigma)),
      Measure.featureCosineP(means).row(cosines.p, .sigma(sigma), n: resamples),
    ]
    for (target, share) in cosines.noise.enumerated() {
      rows.append(
        Measure.featureNoise(means).row(
          share, .sigma(sigma), .attribute(name(target)), n: alone.count))
    }
    let told = Set(all.targets)
    for isHeldOut in [false, true] {
      let sets = pairs.filter { told.contains($0) && self.isHeldOut($0) == isHeldOut }
      guard
        let additivity = Additivity(
          all, sets: sets, seed: seed, resamples: resamples)
      else { continue }
      let which = Coordinate.attribute(isHeldOut ? "held-out" : "seen")
      rows += [
        Measure.featureAdditivity(means).row(additivity.share, .sigma(sigma), which),
        Measure.featureSlope(means).row(additivity.slope, .sigma(sigma), which),
      ]
    }
    return rows
  }

  func rows(
    _ source: some FeatureSource, _ sets: [WordSet], _ subspaces: WordSubspaces, _ k: Int,
    _ sigma: Double, _ inputs: ProbeInputs
  ) throws -> [MetricRow] {
    let found = try FeatureLocality(
      source, telling: sets, subspaces: subspaces, seed: seed,
      resamples: resamples)
    let at: [Coordinate] = [.k(k), .sigma(sigma), .inputs(inputs)]
    func row(_ measure: Measure, _ interval: Interval) -> MetricRow {
      measure.row(interval, at[0], at[1], at[2])
    }
    var rows = [
      row(.featureDiagonal, found.projected.diagonal), row(.featureRandom, found.random),
      row(.featureRandomInSpan, found.randomInSpan),
      Measure.featureOthers.row(
        found.projected.others, at[0], at[1], at[2], n: source.draws),
    ]
    if let oblique = found.oblique { rows.append(row(.featureOblique, oblique.diagonal)) }
    for (i, shares) in found.projected.matrix.enumerated() {
      for (j, share) in shares.enumerated() where share.isFinite {
        rows.append(
          Measure.featureShare.row(
            share, at[0], at[1], at[2], .pair("\(texts[i])-\(texts[j])"),
            n: source.draws))
      }
    }
    return rows
  }
}
