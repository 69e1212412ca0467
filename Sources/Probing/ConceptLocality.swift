import Diffusion
import Statistics
import Streams

/// Whether what a concept of a conditioner does stays where it is, and whether others reach there, at one σ.
///
/// A concept has no place of its own. Where it is in a picture x₀ is found on one half of the noise: the places, fewest
/// first, that hold `share` of the squared change of D(x₀ + σε, σ, c) when it alone is told no longer. What it does
/// there, and what others do, is measured on the other half.
package struct ConceptLocality: Sendable {
  /// Share of a concept's squared effect inside its region; `share` itself, were it the same with all noise.
  package var inside: Interval
  /// The region's share of the picture, what an effect spread evenly would have inside.
  package var area: Interval
  /// Effect in a concept's region of all other concepts going at once, over that of its own going; `nil` where one
  /// is told at a time.
  package var remote: Interval?
  /// Root mean square effect of each concept that was told, over that of D itself.
  package var effects: [(entry: Int, effect: Interval)]

  package static let share = 0.75

  /// Passes of a picture at one σ: the whole, and each concept gone and alone, on both halves of the noise.
  package static func passes(concepts: Int) -> Int { 2 * (1 + (concepts > 1 ? 2 : 1) * concepts) }

  /// - Parameters:
  ///   - clean: pictures x₀, (N, C, H, W).
  ///   - told: of each the entries that were told when it was drawn, which are told again.
  ///   - seed: of the two noises.
  ///   - checkpointing: keeps what each picture that is done comes to.
  package init(
    _ model: some FieldDenoiser, clean: [Float], told: [[Int]], sigma: Double, seed: UInt64,
    checkpointing: Checkpointing = .none
  ) throws {
    let shape = model.fieldShape
    // Of each picture six sums, and of each entry that is told its own effect and the whole.
    let most = told.map(\.count).max() ?? 0
    var rows = PictureRows(width: 6 + 2 * most, checkpointing)
    try rows.fill(told.count, checkpointing) { n in
      let entries = told[n]
      let x = Array(clean[n * shape.count..<(n + 1) * shape.count])
      let halves = try (0..<2).map { half in
        var stream = RandomStream(
          seed: seed, purpose: .conceptNoise, index: UInt64(2 * n + half))
        let noised = x.map { $0 + Float(sigma) * stream.gaussian() }
        return try Changes(model, noised, Float(sigma), entries)
      }
      var sums = (inside: 0.0, own: 0.0, places: 0.0, others: 0.0, ownThere: 0.0)
      var effects: [Double] = []
      for (place, _) in entries.enumerated() {
        for (found, measured) in [(0, 1), (1, 0)] {
          let region = fewestPlaces(holding: Self.share, of: halves[found].gone[place])
          let own = halves[measured].gone[place]
          let there = region.reduce(0) { $0 + own[$1] }
          sums.inside += there
          sums.own += own.reduce(0, +)
          sums.places += Double(region.count) / Double(shape.places)
          if entries.count > 1 {
            sums.ownThere += there
            sums.others += region.reduce(0) { $0 + halves[measured].alone[place][$1] }
          }
        }
        effects.append(halves.reduce(0) { $0 + $1.gone[place].reduce(0, +) })
        effects.append(halves.reduce(0) { $0 + $1.size })
      }
      effects += [Double](repeating: 0, count: 2 * (most - entries.count))
      return [
        sums.inside, sums.own, sums.places, Double(2 * entries.count), sums.others, sums.ownThere,
      ] + effects
    }
    let inside = rows.all.map { [$0[0], $0[1]] }
    let area = rows.all.map { [$0[2], $0[3]] }
    let remote = zip(told, rows.all).filter { $0.0.count > 1 }.map { [$0.1[4], $0.1[5]] }
    var effects = [[[Double]]](repeating: [], count: shape.entries)
    for (entries, row) in zip(told, rows.all) {
      for (place, entry) in entries.enumerated() {
        effects[entry].append([row[6 + 2 * place], row[7 + 2 * place]])
      }
    }
    func ratio(_ rows: [[Double]], root: Bool) -> Interval {
      Bootstrap(seed: seed).interval(
        strata: [0..<rows.count], count: rows.count, n: rows.count
      ) { weights in
        var (above, below) = (0.0, 0.0)
        for (parts, weight) in zip(rows, weights) {
          above += Double(weight) * parts[0]
          below += Double(weight) * parts[1]
        }
        let ratio = below > 0 ? above / below : 0
        return root ? ratio.squareRoot() : ratio
      }
    }
    self.inside = ratio(inside, root: false)
    self.area = ratio(area, root: false)
    self.remote = remote.isEmpty ? nil : ratio(remote, root: true)
    self.effects = effects.enumerated().compactMap { entry, rows in
      rows.isEmpty ? nil : (entry, ratio(rows, root: true))
    }
  }

  /// Squared changes of D by place, summed over channels.
  private struct Changes {
    /// When each concept alone is told no longer.
    var gone: [[Double]] = []
    /// When all others are.
    var alone: [[Double]] = []
    /// ‖D‖² of the whole.
    var size = 0.0

    init(_ model: some FieldDenoiser, _ x: [Float], _ sigma: Float, _ entries: [Int]) throws {
      let shape = model.fieldShape
      var batch = FieldBatch()
      func tell(_ told: [Int]) {
        var labels = [Float](repeating: 0, count: shape.entries)
        for entry in told { labels[entry] = 1 }
        batch.append(x, sigma, labels)
      }
      tell(entries)
      for entry in entries { tell(entries.filter { $0 != entry }) }
      if entries.count > 1 { for entry in entries { tell([entry]) } }
      let values = try model.denoise(batch)
      func changes(_ item: Int) -> [Double] {
        var squares = [Double](repeating: 0, count: shape.places)
        for i in 0..<shape.count {
          let change = Double(values[i]) - Double(values[item * shape.count + i])
          squares[i % shape.places] += change * change
        }
        return squares
      }
      size = values[..<shape.count].reduce(0) { $0 + Double($1) * Double($1) }
      gone = entries.indices.map { changes(1 + $0) }
      if entries.count > 1 { alone = entries.indices.map { changes(1 + entries.count + $0) } }
    }
  }
}
