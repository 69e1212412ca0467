extension ComparedEvaluation {
  /// Without the comparisons of a few replicates that another comparison has among more of the same evaluation: there
  /// they are what something else is held against, and have no row of their own.
  static func withoutReferences(_ rows: [Row], _ evaluated: [EvaluatedModel]) -> [Row] {
    let recipes = Dictionary(
      evaluated.map {
        ($0.executionID, "\(Labels.withoutSeed($0.title)) \(Findings.withoutSeed($0.stage))")
      },
      uniquingKeysWith: { first, _ in first })
    struct Gathered: Hashable {
      var recipe: String?
      var comparison: String
    }
    func gathered(_ row: Row) -> Gathered {
      Gathered(recipe: recipes[row.executionID], comparison: row.comparison)
    }
    let all = Dictionary(grouping: rows, by: gathered).mapValues { Set($0.map(\.executionID)) }
    return rows.filter { row in
      let own = all[gathered(row)] ?? []
      return !all.contains {
        $0.key.recipe == recipes[row.executionID] && own.isStrictSubset(of: $0.value)
      }
    }
  }
}
