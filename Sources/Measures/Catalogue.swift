import Lineage

extension Measure {
  /// Every measure, in the order of the work: `locus metrics` and README list them so.
  package static let all: [Measure] =
    models + locality + fields + wordProbe + evaluation + wordEvaluation + counts + pictureQuality
    + realism
    + varianceSplit + comparison + agreement + scoreErrors + featureSpace + theoryWorlds

  static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

  /// The measure of this name.
  package static func named(_ name: String) -> Measure? { byName[name] }

  package var dimensionNames: [String] { dimensions.map(\.name) }

  var catalogued: MeasureRow {
    MeasureRow(
      name: name, unit: unit, dimensions: dimensionNames.joined(separator: ", "),
      interval: interval == .none ? nil : interval.rawValue, kinds: kinds.joined(separator: ", "),
      sentence: sentence, source: source.rawValue)
  }
}

extension Vocabulary {
  /// What Locus adds to a store.
  package static let locus = Vocabulary(
    dimensions: MetricDimension.columns,
    tables: [OutcomeRow.table, PlaceRow.table, SensitivityRow.table],
    views: ViewDeclaration.denoisers + ViewDeclaration.results,
    formerViews: [
      "53b69ae7ad5daae98eb8abd00aa37d11f50cfff5c9d5f877e3f5156c3d362ce8",
      "966690f9964a169714e5ebcd4308911b34b987bb6e698f3c032306ba57cf7341",
      "8426db27915f19de6be04a77d48070c4323039c4ff9549dcc91bde6cf5eda895",
      "be206c6c3452438fe30f29aa959fc04f9394f6cc3e7516dec31729a8b31d1963",
      "8cd3c1520f1a758f6541ba900c1b5cb2a803375a1558e06ea6c4dfafb0d24506",
    ],
    queries: NamedQuery.science,
    measures: Measure.all.map(\.catalogued), upgrade: .fromStepsAndArms)
}
