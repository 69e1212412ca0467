/// What a finding shows of its claim.
enum Judgement: Hashable {
  case shown
  /// The opposite is shown.
  case against
  /// With the reason, in few words.
  case notShown(String)

  var isShown: Bool { self == .shown }

  /// What a sentence begins with.
  var lead: String {
    switch self {
    case .shown: "Shown"
    case .against: "Shown, against the claim"
    case .notShown: "Not shown"
    }
  }

  var bold: String { "**\(lead):** " }
}

extension RecallFinding {
  var pair: PairedReplicates { PairedReplicates(low.recall, high.recall) }
  /// As the background detector sees it.
  var backgroundPair: PairedReplicates { PairedReplicates(low.background, high.background) }

  /// Of the claimed model and of the one that it is held against.
  var model: Side { claim.direction == .fails ? low : high }
  var against: Side { claim.direction == .fails ? high : low }

  /// Shown is what both detectors show.
  var judgement: Judgement {
    if !low.isEvaluated || !high.isEvaluated { return .notShown("not evaluated") }
    if missing != nil { return .notShown("other conditions") }
    if pair.count == 0 { return .notShown("nothing in common") }
    if !undertrained.isEmpty { return Self.undertrained }
    if separation == .none {
      return backgroundPair.count > 0 && backgroundSeparation != .none
        ? Self.byBackgroundAlone : .notShown("not separated")
    }
    if backgroundPair.count > 0, backgroundSeparation != separation { return Self.alone }
    // The p of a family is that of the less sure detector, which alone may be what it rests on.
    if let test, !test.isRejected { return Self.uncorrected }
    return separation == .asClaimed ? .shown : .against
  }

  /// Which of the two recalls more, for certain.
  enum Separation: Hashable { case none, asClaimed, reversed }

  var separation: Separation { separation(difference, pair) }
  var backgroundSeparation: Separation { separation(backgroundDifference, backgroundPair) }

  /// By the paired difference; where it was not drawn, by intervals that lie apart.
  private func separation(_ difference: Replicates, _ pair: PairedReplicates) -> Separation {
    guard difference.values.count == pair.count, let mean = difference.mean else {
      return pair.isShown ? .asClaimed : pair.isReversed ? .reversed : .none
    }
    if (mean.low ?? 0) > 0 { return claim.direction == .fails ? .reversed : .asClaimed }
    if (mean.high ?? 0) < 0 { return claim.direction == .fails ? .asClaimed : .reversed }
    return .none
  }

  /// What is below the threshold within the training range, for certain, has not learned what it is asked to
  /// extrapolate: what it does beyond says nothing of composition.
  var undertrained: [String] {
    sides(.below)
  }

  /// What is neither above the threshold within the training range nor below it for certain.
  var doubtful: [String] {
    sides(.open)
  }

  /// The names of the sides whose recall within the training range stands so to the threshold.
  private func sides(_ standing: ThresholdStanding) -> [String] {
    guard let threshold else { return [] }
    return [(claim.lower, low), (claim.higher, high)].filter { _, side in
      side.within.mean?.standing(to: threshold) == standing
    }.map(\.0)
  }

  /// What *recall* is in the verdict.
  static let estimand =
    "Recall is taken beyond chance: at each K what other layouts of that K would have met is taken off both what "
    + "is found and what is asked for, and the ratios are averaged over the K, each of which counts alike."

  static let undertrained = Judgement.notShown("under-trained")
  /// Of intervals that exclude 0, and of a family among which one of them may do so by chance.
  static let uncorrected = Judgement.notShown("not after Holm's correction")
  static let alone = Judgement.notShown("by the judge alone")
  static let byBackgroundAlone = Judgement.notShown("by the background detector alone")

  /// The side that is said to compose is, for certain, below the threshold as well.
  var bothFail: Bool {
    guard let threshold, let mean = high.recall.mean else { return false }
    return mean.standing(to: threshold) == .below
  }

  /// One fails when all of its interval is below the threshold, the other composes when all of its is not.
  var dividesAtThreshold: Bool {
    guard let threshold, let a = pair.low.mean, let b = pair.high.mean else { return false }
    return a.standing(to: threshold) == .below && b.standing(to: threshold) == .reached
  }
}

extension LocalFinding {
  var pair: PairedReplicates { PairedReplicates(against, model) }

  var judgement: Judgement {
    if pair.count == 0 { return .notShown("not probed on both") }
    return pair.isShown ? .shown : pair.isReversed ? .against : .notShown("not separated")
  }
}

extension RemoteFinding {
  /// How the model stands to what it is held against.
  var than: String {
    switch judgement {
    case .shown: "more than"
    case .against: "less than"
    case .notShown: "no more, as far as can be told, than"
    }
  }

  /// What the claim says, in words for a table.
  var claimed: String {
    let (model, against) = (Markdown.name(claim.model), Markdown.name(claim.against))
    let place = count.map { " (K = \($0))" } ?? ""
    return switch claim.kind {
    case .labels: "remote labels count for \(model) more than for \(against)" + place
    case .number: "removing the remote labels of \(model) counts for more than moving them" + place
    case .pixels: "pixels outside its window count for \(model) more than for \(against)" + place
    }
  }

  var judgement: Judgement {
    guard let mean = difference.mean, count != nil else { return .notShown("not probed on both") }
    let isSeparated = (mean.low ?? 0) > 0 || (mean.high ?? 0) < 0
    if isSeparated, let test, !test.isRejected { return RecallFinding.uncorrected }
    if (mean.low ?? 0) > 0 { return .shown }
    return (mean.high ?? 0) < 0 ? .against : .notShown("not separated")
  }
}

extension RepairFinding {
  /// Why a mask's effect is no repair.
  enum Objection: Hashable {
    /// The model has not learned what it is asked to extrapolate; with its recall there.
    case undertrained(Estimate)
    /// The mask takes from the model what this had learned; with what it changes there.
    case broken(Estimate)
    case noEffect
    /// It may be chance among the masks that were claimed.
    case uncorrected
    case cost(Estimate)
    case background(Estimate)

    var few: String {
      switch self {
      case .undertrained: "under-trained"
      case .broken: "broken in range"
      case .noEffect: "no effect above 0"
      case .uncorrected: "not after Holm's correction"
      case .cost: "may cost what it gains"
      case .background: "by the judge alone"
      }
    }

    var words: String {
      switch self {
      case .undertrained(let within):
        "without it recall within the training range is \(Markdown.interval(within)), all of the interval below the "
          + "threshold there already: the model is under-trained, and what is drawn beyond says nothing of composition"
      case .broken(let change):
        "within the training range it changes recall by \(Markdown.signed(change)): it is broken there already, and what "
          + "is drawn beyond says nothing of composition"
      case .noEffect: "its effect is not above 0"
      case .uncorrected: "its effect is not above 0 after Holm's correction"
      case .cost(let precision):
        "the gain may be no more than its cost: precision changes by \(Markdown.signed(precision))"
      case .background(let change):
        "by the background detector recall changes by \(Markdown.signed(change)), which is not above 0"
      }
    }
  }

  /// Why nothing can be told of composition, whatever the effect is.
  var premise: Objection? {
    if let threshold, let within = within.mean, (within.high ?? within.value) < threshold {
      return .undertrained(within)
    }
    return broken.map(Objection.broken)
  }

  /// What a mask changes that loses recall within the training range, for certain.
  var broken: Estimate? {
    withinChange.mean.flatMap { ($0.high ?? $0.value) < 0 ? $0 : nil }
  }

  /// `nil` when the effect is a repair.
  var objection: Objection? {
    guard let recall = recall.mean else { return .noEffect }
    if let premise { return premise }
    if (recall.low ?? 0) <= 0 { return .noEffect }
    // Before Holm's p: a family's is that of the less sure detector.
    if let background = background.mean, (background.low ?? 0) <= 0 {
      return .background(background)
    }
    if (pHolm ?? 1) >= 0.05 { return .uncorrected }
    // Drawing objects everywhere also finds the requested ones: what is gained in recall has to
    // exceed, at the unfavourable ends of both intervals, what is lost in precision.
    if let precision = precision.mean, (recall.low ?? 0) <= -(precision.low ?? 0) {
      return .cost(precision)
    }
    return nil
  }

  var judgement: Judgement {
    guard let recall = recall.mean else { return .notShown("no effect to tell") }
    if let premise { return .notShown(premise.few) }
    if (recall.high ?? 0) < 0, (pHolm ?? 1) < 0.05 {
      return (background.mean?.high ?? -1) < 0 ? .against : .notShown("by the judge alone")
    }
    return objection.map { .notShown($0.few) } ?? .shown
  }

  /// What recall is behind the mask, held against the threshold: that it rises is less than that it is whole again.
  var isWhole: Bool {
    guard let threshold, let mean = reached.mean else { return true }
    return mean.standing(to: threshold) == .reached
  }

  /// Below the threshold for certain.
  var stillFails: Bool {
    guard let threshold, let mean = reached.mean else { return false }
    return mean.standing(to: threshold) == .below
  }

  /// That a mask repairs does not say why: its control keeps something else.
  enum Keeping: Hashable {
    /// What the mask keeps is what repairs, beyond what its control does.
    case matters
    /// It does more than its control, which leaves another number of labels or pixels.
    case confounded
    /// It does more than another way to put together what words do alone.
    case outdone
    /// The control does more.
    case refuted
    case open
    /// There is nothing to hold it against, in words.
    case untested(String)
  }

  var keeping: Keeping {
    guard let claimed = claim.control else { return .untested("no control was evaluated") }
    let name = Markdown.name(claimed)
    if let controlFault { return .untested("its control \(name) \(controlFault)") }
    guard !control.isEmpty, let contrast = contrast.mean,
      self.contrast.values.count == recall.values.count
    else { return .untested("its control \(name) was not evaluated beside it for every seed") }
    if let contrastHolm, contrastHolm >= 0.05 { return .open }
    // As everything that is shown, by both detectors.
    let all = [contrast, contrastBackground.mean].compactMap(\.self)
    if all.allSatisfy({ ($0.low ?? 0) > 0 }) {
      return isControlRival ? .outdone : isControlUnequal ? .confounded : .matters
    }
    return all.allSatisfy { ($0.high ?? 0) < 0 } ? .refuted : .open
  }
}

extension Verdict {
  /// Whether the masks left alone what they should have left alone; otherwise no effect can be believed.
  var isMaskingSound: Bool { (identicalShare ?? 1) >= 1 }

  func judgement(_ finding: RepairFinding) -> Judgement {
    isMaskingSound ? finding.judgement : .notShown("the identity control failed")
  }
}
