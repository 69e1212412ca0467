import Evaluation
import Workflow

/// Recall of one recipe at one K, of combinations that training showed and of those that it held out.
struct Combination {
  var name: String
  var k: Int
  /// The held-out side is the lower one, by either detector.
  var judge: PairedReplicates
  var background: PairedReplicates
  /// The evaluations of both.
  var executions: [String]

  /// - Parameter outcomes: the pictures of an evaluation.
  static func all(
    _ rows: [AskedRow], seed: UInt64, _ outcomes: (String) throws -> [Outcome]
  ) throws -> [Combination] {
    struct Key: Hashable {
      var name: String
      var stage: String
      var k: Int
    }
    func key(_ row: AskedRow) -> Key {
      Key(
        name: Labels.withoutSeed(row.title), stage: StageReference(row.stage)?.stage ?? row.stage,
        k: row.k)
    }
    return try distinct(rows.map(key)).compactMap { wanted -> Combination? in
      let own = rows.filter { key($0) == wanted }
      if Set(own.map(\.asked)).count < 2 { return nil }
      func side(_ asked: AskedRow.AskedFor, _ seen: ([Outcome]) -> [Outcome]?) throws -> Replicates
      {
        // Pictures of both sides are of other layouts: one resample says nothing of the other.
        let seed = asked == .seen ? seed : seed &+ 1
        return .recalls(
          try own.filter { $0.asked == asked }.compactMap { row in
            guard let all = seen(try outcomes(row.executionID)), all.haveChance,
              let recall = recallBeyondChance(all, counts: [wanted.k], seed: seed)
            else { return nil }
            return Replicates.Value(
              seed: Labels.seed(of: row.title, measuredBy: row.stage), estimate: Estimate(recall),
              draws: recallBeyondChanceDraws(all, counts: [wanted.k], seed: seed))
          })
      }
      func sides(_ seen: ([Outcome]) -> [Outcome]?) throws -> PairedReplicates {
        PairedReplicates(try side(.heldOut, seen), try side(.seen, seen))
      }
      let judge = try sides { $0 }
      if judge.count == 0 { return nil }
      return Combination(
        name: wanted.name, k: wanted.k, judge: judge,
        background: try sides(\.asTheBackgroundSees), executions: own.map(\.executionID))
    }
  }

  /// Of one network with the errors of both sides, as of other pictures.
  private static func difference(_ sides: PairedReplicates) -> Estimate? {
    if let difference = sides.difference { return difference }
    guard let low = sides.low.mean, let high = sides.high.mean else { return nil }
    let value = high.value - low.value
    let half = [low, high].map { (($0.high ?? $0.value) - ($0.low ?? $0.value)) / 2 }
      .reduce(0) { $0 + $1 * $1 }.squareRoot()
    return Estimate(value: value, low: value - half, high: value + half)
  }

  enum Verdict: String {
    case heldOutLess = "**held out ones are drawn less**"
    case seenLess = "**seen ones are drawn less**"
    case byTheJudge = "not shown to differ: by the judge alone"
    case byTheBackground = "not shown to differ: by the background detector alone"
    case open = "not shown to differ"
  }

  /// Shown is what both detectors show.
  var verdict: Verdict {
    func sign(_ sides: PairedReplicates) -> Int? {
      Self.difference(sides).map { ($0.low ?? 0) > 0 ? 1 : ($0.high ?? 0) < 0 ? -1 : 0 }
    }
    let own = sign(judge) ?? 0
    let other = sign(background) ?? own
    return switch (own, other) {
    case (1, 1): .heldOutLess
    case (-1, -1): .seenLess
    case (0, 0): .open
    case (0, _): .byTheBackground
    default: .byTheJudge
    }
  }

  static let columns = [
    "model", "K", "seen", "held out", "seen − held out", "N pictures each", "verdict",
  ]

  /// The judge's before the stroke, the background detector's after it.
  var cells: [String] {
    func text(_ part: (PairedReplicates) -> String?) -> String {
      let both = [judge, background].compactMap(part).map(Markdown.unbroken)
      return both.isEmpty ? Markdown.nothing : both.joined(separator: " / ")
    }
    func side(_ side: KeyPath<PairedReplicates, Replicates>) -> String {
      text { $0[keyPath: side].mean.map { Markdown.interval($0) } }
    }
    return [
      Markdown.name(name), "\(k)", side(\.high), side(\.low),
      text { Self.difference($0).map { Markdown.signed($0) } }, judge.low.counted,
      verdict.rawValue,
    ]
  }
}
