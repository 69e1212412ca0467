import Statistics

/// The answer in sentences, a claim at a time, computed from intervals alone; what they do not show is
/// "not shown".
struct Verdict: Hashable {
  var recalls: [RecallFinding] = []
  var locals: [LocalFinding] = []
  var remotes: [RemoteFinding] = []
  var repairs: [RepairFinding] = []
  /// Of statements, whether their claims were put together after the results.
  var groupings: [String: Afterthought] = [:]
  /// The same of families of claims.
  var lateFamilies: [String: Afterthought] = [:]
  /// What could not be claimed, in words.
  var gaps: [String] = []
  var hasClaims: Bool {
    !(recalls.isEmpty && locals.isEmpty && remotes.isEmpty && repairs.isEmpty)
  }
  /// Share of the identity arms' pictures that equal their baselines' bit for bit, where there are any.
  var identicalShare: Double?

  init(
    recalls: [RecallFinding] = [], locals: [LocalFinding] = [], remotes: [RemoteFinding] = [],
    repairs: [RepairFinding] = [],
    gaps: [String] = [], identicalShare: Double? = nil
  ) {
    self.recalls = recalls
    self.locals = locals
    self.remotes = remotes
    self.gaps = gaps
    self.identicalShare = identicalShare
    self.repairs = Self.corrected(repairs)
    correctFamilies()
    correctContrasts()
  }

  /// Over seeds the claims that name no family are one: each p is Student's, of the mean over seeds.
  private static func corrected(_ repairs: [RepairFinding]) -> [RepairFinding] {
    var result = repairs
    let several = repairs.indices.filter {
      repairs[$0].recall.values.count > 1 && repairs[$0].claim.family == nil
    }
    let ps = several.map { repairs[$0].recall.overSeeds?.p ?? 1 }
    for (index, adjusted) in zip(several, holm(ps)) { result[index].pHolm = adjusted }
    return result
  }

  /// A paragraph a claim.
  var sentences: [String] {
    func recall(_ direction: Claims.Recall.Direction) -> [String] {
      recalls.filter { $0.claim.direction == direction }.map {
        sentence($0) + first($0.chosen, of: "evaluations")
      }
    }
    var result = recall(.fails)
    result += locals.map { sentence($0) + first($0.chosen, of: "probes") }
    result += remotes.map(sentence)
    result += recall(.composes)
    if !isMaskingSound, !repairs.isEmpty {
      result.append(
        "**Not shown:** the identity control failed, so no mask's effect can be believed.")
    } else {
      result += repairs.map { sentence($0) + first($0.chosen, of: "evaluations") }
    }
    return result + gaps.map { "**Not shown:** \($0)" }
  }

  // MARK: - Recall

  /// Recall over the K of the claim is what extrapolation means; K_max stands beside it, for it also
  /// falls when a low K just misses the threshold.
  private func sentence(_ finding: RecallFinding) -> String {
    let claim = finding.claim
    let (low, high) = (Markdown.name(claim.lower), Markdown.name(claim.higher))
    for (name, side) in [(low, finding.low), (high, finding.high)] where !side.isEvaluated {
      return "**Not shown:** \(name) was not evaluated and compared."
    }
    if let missing = finding.missing {
      return "**Not shown:** \(low) and \(high) cannot be compared: \(missing)."
    }
    let place = words(claim.counts, common: finding.common)
    let pair = finding.pair
    guard let a = pair.low.mean, let b = pair.high.mean else {
      return finding.low.recall.isEmpty || finding.high.recall.isEmpty
        ? "**Not shown:** no K \(place) was tested for \(low) and \(high)."
        : "**Not shown:** \(low) and \(high) have no seed in common."
    }
    let judgement = finding.judgement
    let words =
      switch (claim.direction, finding.separation) {
      case (.fails, .asClaimed):
        finding.dividesAtThreshold
          ? "fails \(place) where \(high) composes" : "recalls less \(place) than \(high)"
      case (.composes, .asClaimed): "is overtaken \(place) by \(high)"
      case (_, .reversed): "recalls more \(place) than \(high)"
      case (_, .none): "is not separated \(place) from \(high)"
      }
    // That one recalls less than another is less than the claim says.
    let lead =
      judgement == .shown && !finding.dividesAtThreshold ? "**Shown in part:** " : judgement.bold
    return lead + (judgement == RecallFinding.alone ? "by the judge alone " : "")
      + "\(low) \(words): recall there is \(interval(a)) (N = \(pair.low.counted("layouts"))\(spread(pair.low))), "
      + "\(interval(b)) (N = \(pair.high.counted)\(spread(pair.high))) for \(high)\(difference(finding))."
      + (finding.bothFail
        ? " That \(high) composes is **contradicted**: all of its interval is below the threshold, too."
        : "")
      + (finding.test?.words ?? "") + kMax(finding) + background(finding) + precision(finding)
      + within(finding)
      + about(pair)
  }

  /// Beside recall within the training range, so that too short a training does not pass for a failure.
  private func within(_ finding: RecallFinding) -> String {
    guard let a = finding.low.within.mean, let b = finding.high.within.mean else { return "" }
    let names = finding.undertrained.map { Markdown.name($0) }
    return " Within the training range it is \(interval(a)) and \(interval(b))"
      + (names.isEmpty
        ? "."
        : ": \(names.joined(separator: " and ")) \(names.count == 1 ? "is" : "are") under-trained, all of the interval"
          + " below the threshold there already, and what is drawn beyond says nothing of composition.")
      + (finding.doubtful.isEmpty
        ? ""
        : " That \(finding.doubtful.map { Markdown.name($0) }.joined(separator: " and "))"
          + " \(finding.doubtful.count == 1 ? "reaches" : "reach") the threshold"
          + "\(finding.threshold.map { " of \(Markdown.number($0))" } ?? "") there is not shown: too short a"
          + " training may be part of what is seen beyond.")
  }

  /// What the second detector says of the same pictures.
  private func background(_ finding: RecallFinding) -> String {
    let pair = finding.backgroundPair
    guard let a = pair.low.mean, let b = pair.high.mean else { return "" }
    return " The background detector sees \(interval(a)) and \(interval(b))"
      + (finding.backgroundSeparation == .none ? ", which does not separate them." : ".")
  }

  /// Drawing more also finds more of what is asked for.
  private func precision(_ finding: RecallFinding) -> String {
    finding.precisionDifference.mean.map {
      " Of what \(Markdown.name(finding.claim.model)) draws so much more was asked for than of what "
        + "\(Markdown.name(finding.claim.against)) draws: \(signed($0)) (precision)."
    } ?? ""
  }

  /// Between evaluations that tested other K there is nothing to compare.
  private func kMax(_ finding: RecallFinding) -> String {
    if finding.common != nil { return "" }
    guard let low = finding.low.kMax, let high = finding.high.kMax else { return "" }
    let isShown = (low.high ?? low.value) < (high.low ?? high.value)
    return " K_max is \(KMaxTable.text(low)) against \(KMaxTable.text(high))"
      + (isShown ? "." : "; by K_max alone the two are not separated.")
  }

  private func words(_ counts: ClosedRange<Int>?, common: [Int]? = nil) -> String {
    if let common, !common.isEmpty {
      return "at K = \(common.map(String.init).joined(separator: ", ")), tested for both,"
    }
    guard let counts else { return "beyond the training range" }
    return counts.count == 1
      ? "at K = \(counts.lowerBound)"
      : "at K from \(counts.lowerBound) to \(counts.upperBound)"
  }

  // MARK: - Locality

  private func sentence(_ finding: LocalFinding) -> String {
    let claim = finding.claim
    let (model, against) = (Markdown.name(claim.model), Markdown.name(claim.against))
    let place = "K = \(finding.count), σ = \(ChartNumber.text(claim.sigma))"
    let pair = finding.pair
    guard let a = pair.low.mean, let b = pair.high.mean else {
      return
        "**Not shown:** that the score of \(against) is less local than that of \(model) was not "
        + "probed on both at \(place), in a window of \(claim.window) px."
    }
    return
      (pair.isShown || pair.isReversed
      ? finding.judgement.bold
        + "the score of \(pair.isShown ? against : model) is less local than that of "
        + "\(pair.isShown ? model : against): "
      : "That the score of \(against) is less local than that of \(model) is **not shown**: ")
      + "\(percent(a)) of \(pair.isReversed ? "the other's" : "its") squared \(claim.space.rawValue) "
      + "sensitivity lies in a window of \(claim.window) px "
      + "at \(place), \(percent(b)) of \(pair.isReversed ? "its" : "the other's")\(difference(pair, digits: 3))."
      + about(pair)
  }

  // MARK: - Remote labels

  private func sentence(_ finding: RemoteFinding) -> String {
    let claim = finding.claim
    let (model, against) = (Markdown.name(claim.model), Markdown.name(claim.against))
    guard let own = finding.model.mean, let other = finding.against.mean,
      let difference = finding.difference.mean, let count = finding.count
    else {
      return
        "**Not shown:** that \(finding.claimed) was not probed on both."
    }
    let judgement = finding.judgement
    let sigmas = finding.sigmas.map(ChartNumber.text).joined(separator: ", ")
    let place = "on its own way to pictures of K = \(count) (mean over σ = \(sigmas))"
    let ends =
      "\(Markdown.interval(difference, digits: 3))\(deviation(finding.difference, digits: 3))."
      + (finding.test?.words ?? "")
    let counted = "(N = \(finding.model.counted("layouts"))\(spread(finding.model, digits: 3)))"
    let said =
      switch claim.kind {
      case .labels:
        "\(model) depends on labels that are remote to an object \(finding.than) \(against): \(place) removing all "
          + "of them at once changes the output there \(ratio(own)) times as much as removing its own label "
          + "\(counted), \(ratio(other)) times for \(against)"
      case .number:
        "for \(model) how many remote labels there are counts \(finding.than) where they are: \(place) removing all "
          + "of them at once changes the output at an object \(ratio(own)) times as much as removing its own label "
          + "\(counted), moving them to other remote places \(ratio(other)) times"
      case .pixels:
        "\(model) depends on pixels outside an object's window \(finding.than) \(against): \(place) another "
          + "picture's in their place change the output at the object \(ratio(own)) times as much as another "
          + "picture's everywhere \(counted), \(ratio(other)) times for \(against)"
      }
    let moved =
      if let own = finding.modelMoved.mean, let other = finding.againstMoved.mean {
        " Moved to other remote places they do \(ratio(own)) and \(ratio(other)): "
          + (finding.channel.isShown
            ? "for \(model) how many there are counts for more than where they are."
            : "how many there are and where they are is not told apart.")
      } else { "" }
    return judgement.bold + said + ", a difference of " + ends + moved
      + about(finding.difference.values.count)
  }

  private func ratio(_ estimate: Estimate) -> String { Markdown.interval(estimate, digits: 3) }

  // MARK: - Repair

  private func sentence(_ finding: RepairFinding) -> String {
    let mask = Markdown.name(finding.claim.mask)
    guard let recall = finding.recall.mean else {
      let why = finding.missing ?? "it was not evaluated"
      return "**Not shown:** mask \(mask) has no effect that can be told: \(why)."
    }
    let change =
      "without any training, mask \(mask) changes recall \(words(finding.claim.counts)) by "
      + "\(signed(recall)) (N = \(finding.recall.counted("layouts"))\(spread(finding.recall))"
      + (finding.pHolm.map { ", Holm p = \(Markdown.number($0, digits: 4))" } ?? "") + ")"
      + (finding.precision.mean.map { ", precision by \(signed($0))" } ?? "")
      + (finding.background.mean.map {
        ", and recall as the background detector sees it by \(signed($0))"
      }
        ?? "")
    switch finding.judgement {
    case .shown:
      return "\(finding.isWhole ? "**Shown:**" : "**Shown in part:**") \(change).\(behind(finding))"
        + control(of: finding) + about(finding.recall.values.count)
    case .against:
      return finding.judgement.bold + change + "." + beside(finding)
        + about(finding.recall.values.count)
    case .notShown:
      var objection = finding.objection.map { ", but \($0.words)" } ?? ""
      // Of an under-trained model, too, it says which of its masks cannot be told of anyway.
      if let broken = finding.broken, finding.premise != .broken(broken) {
        objection +=
          "; the mask is broken in range besides: there it changes recall by \(signed(broken))"
      }
      return "**Not shown:** \(change)\(objection)." + beside(finding)
        + about(finding.recall.values.count)
    }
  }

  private func behind(_ finding: RepairFinding) -> String {
    guard let mean = finding.reached.mean, let threshold = finding.threshold else { return "" }
    return " Behind it recall is \(interval(mean)), "
      + (finding.isWhole
        ? "at or above" : finding.stillFails ? "still below" : "not shown to reach")
      + " \(Markdown.number(threshold))."
  }

  /// The control of what is no repair, and which of both does more.
  private func beside(_ finding: RepairFinding) -> String {
    guard finding.premise == nil, finding.controlFault == nil, let control = finding.control.mean,
      let contrast = finding.contrast.mean
    else { return "" }
    let stands =
      switch finding.keeping {
      case .matters, .outdone: "the mask does more"
      case .confounded: "the mask does more, but leaves another number of labels or pixels"
      case .refuted: "the control does more"
      case .open, .untested: "which of both does more is not shown"
      }
    return
      " Its control \(Markdown.name(finding.claim.control ?? "")) changes recall by \(signed(control)), a "
      + "difference of \(signed(contrast)) (N = \(finding.contrast.counted)): \(stands)."
  }

  private func control(of finding: RepairFinding) -> String {
    let open = " **Not shown** that it matters what the mask keeps: "
    if case .untested(let why) = finding.keeping { return open + why + "." }
    guard let control = finding.control.mean, let contrast = finding.contrast.mean else {
      return ""
    }
    let found =
      "its control \(Markdown.name(finding.claim.control ?? "")), which keeps something else, "
      + "changes recall by \(signed(control)), a difference of \(signed(contrast)) "
      + "(N = \(finding.contrast.counted)\(spread(finding.contrast)))."
    return switch finding.keeping {
    case .matters: " It matters what the mask keeps: " + found
    case .outdone:
      " It does more than \(Markdown.name(finding.claim.control ?? "")), which adds up what words change in the output: "
        + found
    case .confounded:
      " **Not shown** that it matters what the mask keeps, for its control leaves another number of labels or"
        + " pixels: " + found
    case .refuted: " What the mask keeps and its control does not is not needed: " + found
    case .open, .untested: open + found
    }
  }

  // MARK: - Words

  /// Which of several measurements of one thing a sentence rests on.
  private func first(_ chosen: [String], of what: String) -> String {
    if chosen.isEmpty { return "" }
    let names = distinct(chosen).map(Markdown.name).joined(separator: ", ")
    return " Of several \(what) of one denoiser the first counts: \(names)."
  }

  /// What the numbers are about: these networks, or such networks.
  private func about(_ count: Int) -> String {
    count == 1 ? " About these networks, of one seed." : " Over \(count) seeds, paired."
  }

  private func about(_ pair: PairedReplicates) -> String {
    let alone = pair.unpaired.map { Markdown.name("seed=\($0)") }.joined(separator: ", ")
    return about(pair.count)
      + (alone.isEmpty ? "" : " Measured on one side alone, and not counted: \(alone).")
  }

  /// How far the seeds lie apart.
  private func spread(_ replicates: Replicates, digits: Int = 2) -> String {
    replicates.overSeeds.map {
      ", SD over seeds \(Markdown.number($0.deviation, digits: digits))"
    } ?? ""
  }

  private func deviation(_ replicates: Replicates, digits: Int) -> String {
    replicates.overSeeds.map {
      " (SD over seeds \(Markdown.number($0.deviation, digits: digits)))"
    } ?? ""
  }

  private func difference(_ pair: PairedReplicates, digits: Int = 2) -> String {
    guard let difference = pair.difference else { return "" }
    return ", a difference of "
      + Markdown.interval(difference, digits: digits) + caveat(difference)
  }

  private func caveat(_ difference: Estimate) -> String {
    difference.low == difference.high
      ? " (neither seeds nor layouts differ, which does not mean that it is known exactly)" : ""
  }

  /// Of the claimed model less the one that it is held against.
  private func difference(_ finding: RecallFinding) -> String {
    guard let mean = finding.difference.mean else { return difference(finding.pair) }
    return
      ", \(Markdown.name(finding.claim.model)) less \(Markdown.name(finding.claim.against)), on the "
      + "same layouts and noise, \(signed(mean))"
      + deviation(finding.difference, digits: 2) + caveat(mean)
  }

  private func interval(_ estimate: Estimate) -> String { Markdown.interval(estimate) }

  private func signed(_ estimate: Estimate) -> String { Markdown.signed(estimate) }

  private func percent(_ estimate: Estimate) -> String {
    func whole(_ value: Double) -> String { Markdown.number(100 * value, digits: 1) }
    return "\(whole(estimate.value)) % [\(whole(estimate.low ?? estimate.value)), "
      + "\(whole(estimate.high ?? estimate.value))] (N = \(Markdown.count(estimate.n)) pictures)"
  }
}
