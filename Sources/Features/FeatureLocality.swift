import Statistics

/// Whether scores are local in features: what a word changes lies in its own subspace, whatever else is told.
///
/// S_ij = share of ‖z(x, c) − z(x, c ∖ j)‖² that falls into subspace i. Local conditional scores in z make S_jj
/// = 1 and all others 0; subspaces come of other inputs than the shares.
package struct FeatureLocality: Sendable {
  /// How shares are taken.
  package struct Shares: Sendable {
    /// [i][j]: S_ij; `nan` where no input tells word j.
    package let matrix: [[Double]]
    /// Σ over words told of ‖part in its own subspace‖² over that of all parts, by inputs drawn again.
    package let diagonal: Interval
    /// The mean share of another word's subspace.
    package let others: Double
  }
  /// By projection, ‖P_i v‖² / ‖v‖².
  package let projected: Shares
  /// Of v = Σ u_i + rest: also where a map of the features took the right angles away; `nil` where subspaces
  /// are not independent of each other.
  package let oblique: Shares?
  /// The diagonal share by projection of random subspaces of the same dimensions: in all of the features …
  package let random: Interval
  /// … and in what the words' subspaces span.
  package let randomInSpan: Interval
  /// Changes behind the shares: an input, one of its words and a place each.
  package let changes: Int

  /// - Parameters:
  ///   - sets: the words told with each input.
  ///   - subspaces: of other inputs.
  ///   - seed: of draws and of random subspaces, `resamples` and `randoms`.
  package init(
    _ source: some FeatureSource, telling sets: [WordSet], subspaces: WordSubspaces, seed: UInt64,
    resamples: Int = 1000, randoms: Int = 200
  ) throws {
    let rows = try WordRemovals(source, telling: sets)
    let count = rows.inputs
    changes = rows.words.count
    func shares(_ parts: [(words: [Double], whole: Double)]) -> Shares {
      rows.shares(parts, words: source.words, seed: seed, resamples: resamples)
    }
    projected = shares(
      rows.words.indices.map { change in
        let v = rows.changes[change]
        return (
          (0..<source.words).map { subspaces.square(v, word: $0) }, product(v, v)
        )
      })
    oblique = ObliqueParts(subspaces).map { split in
      shares(
        rows.words.indices.map { change in
          let squares = split.squares(rows.changes[change])
          return (squares.words, squares.words.reduce(squares.rest, +))
        })
    }
    func random(_ span: FeatureRows?, _ index: UInt64) -> Interval {
      let drawn = (0..<randoms).map { draw -> Double in
        let other = WordSubspaces.random(
          like: subspaces, within: span, seed: seed, index: index << 32 | UInt64(draw))
        var (own, all) = (0.0, 0.0)
        for (change, word) in rows.words.enumerated() {
          own += other.square(rows.changes[change], word: word)
          all += product(rows.changes[change], rows.changes[change])
        }
        return all > 0 ? own / all : 0
      }
      let mean = drawn.reduce(0, +) / Double(max(drawn.count, 1))
      return Interval(mean, of: drawn, n: count)
    }
    self.random = random(nil, 0)
    randomInSpan = random(subspaces.span, 1)
  }
}

/// What each word that is told changes when it alone is no longer told.
package struct WordRemovals: Sendable {
  /// (changes, D).
  package private(set) var changes: FeatureRows
  /// Of each change: its word, and its input, of which every place is one.
  package private(set) var words: [Int] = []
  package private(set) var inputOf: [Int] = []
  package let inputs: Int

  /// As many passes as the largest set has words, and one more.
  package init(_ source: some FeatureSource, telling sets: [WordSet]) throws {
    inputs = source.draws
    if sets.count != inputs { throw FeatureError.rows(found: sets.count, expected: inputs) }
    changes = FeatureRows(dimension: source.dimension)
    let told = sets.map(\.words)
    let whole = try source.checkedFeatures(told: sets)
    for place in 0..<(told.map(\.count).max() ?? 0) {
      let fewer = zip(sets, told).map { place < $1.count ? $0.without($1[place]) : $0 }
      let difference = whole - (try source.checkedFeatures(told: fewer))
      let rows = source.places
      for input in 0..<inputs where place < told[input].count {
        changes.append(difference.rows(input * rows..<(input + 1) * rows))
        words += [Int](repeating: told[input][place], count: rows)
        inputOf += [Int](repeating: input, count: rows)
      }
    }
  }

  /// Those of one word, (N, D).
  package func changes(of word: Int) -> FeatureRows {
    var rows = FeatureRows(dimension: changes.dimension)
    for change in words.indices where words[change] == word {
      rows.append(changes.rows(change..<change + 1))
    }
    return rows
  }

  /// - Parameter parts: of each change, ‖part‖² in every word's subspace and of all together.
  fileprivate func shares(
    _ parts: [(words: [Double], whole: Double)], words count: Int, seed: UInt64, resamples: Int
  ) -> FeatureLocality.Shares {
    var inside = [[Double]](repeating: [Double](repeating: 0, count: count), count: count)
    var all = [Double](repeating: 0, count: count)
    var own = [Double](repeating: 0, count: inputs)
    var whole = own
    var besides = 0.0
    for (change, word) in words.enumerated() {
      let part = parts[change]
      for i in 0..<count {
        inside[i][word] += part.words[i]
        if i != word { besides += part.words[i] }
      }
      all[word] += part.whole
      own[inputOf[change]] += part.words[word]
      whole[inputOf[change]] += part.whole
    }
    func diagonal(_ weights: [Int]) -> Double {
      var (inside, all) = (0.0, 0.0)
      for input in 0..<inputs {
        inside += Double(weights[input]) * own[input]
        all += Double(weights[input]) * whole[input]
      }
      return all > 0 ? inside / all : 0
    }
    let total = all.reduce(0, +)
    return FeatureLocality.Shares(
      matrix: inside.map { row in zip(row, all).map { $1 > 0 ? $0 / $1 : .nan } },
      diagonal: Bootstrap(seed: seed, resamples: resamples).interval(
        strata: [0..<inputs], count: inputs, n: inputs, diagonal),
      others: total > 0 && count > 1 ? besides / Double(count - 1) / total : 0)
  }
}
