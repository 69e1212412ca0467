/// The verdict in one sentence: what the first claim of the family `primary` comes to, or else the first; of
/// masks before models, of models' recall before their locality.
struct Answer {
  let verdict: Verdict

  /// As it stands on the page; `nil` where nothing was claimed.
  var bold: String? { sentence.map { "**\($0)**" } }

  var sentence: String? {
    primary ?? anyRepair ?? anyRecall ?? anyRemote ?? anyLocal
      ?? verdict.gaps.first.map { "Not shown: \($0)" }
  }

  private var primary: String? {
    func isPrimary(_ family: String?) -> Bool { family == FamilyTest.primary }
    return verdict.repairs.first { isPrimary($0.claim.family) }.map(about)
      ?? verdict.recalls.first { isPrimary($0.claim.family) }.map(about)
      ?? verdict.remotes.first { isPrimary($0.claim.family) }.map(about)
  }

  private var anyRepair: String? { verdict.repairs.first.map(about) }
  private var anyRecall: String? { verdict.recalls.first.map(about) }
  private var anyRemote: String? { verdict.remotes.first.map(about) }

  private func about(_ first: RepairFinding) -> String {
    ended(
      repair(first), among: verdict.repairs.map { verdict.judgement($0) },
      inPart: verdict.repairs.count { verdict.judgement($0).isShown && !$0.isWhole },
      of: "masks claimed to repair", seeds: first.recall.values.count)
  }

  private func about(_ first: RecallFinding) -> String {
    recall(first) + count(of: verdict.recalls) + count(of: verdict.repairs)
      + ended(about: first.pair.count)
  }

  /// Shown in part is what recalls less than another without failing where it composes.
  private func count(of recalls: [RecallFinding]) -> String {
    if recalls.count < 2 { return "" }
    let shown = recalls.filter(\.judgement.isShown)
    let whole = shown.count(where: \.dividesAtThreshold)
    return "; of the \(recalls.count) claims about recall \(number(whole)) shown"
      + (whole < shown.count ? " in full, \(shown.count - whole) in part" : "")
  }

  private func count(of repairs: [RepairFinding]) -> String {
    if repairs.isEmpty { return "" }
    let shown = repairs.filter { verdict.judgement($0).isShown }
    let beyond = shown.count { $0.keeping == .matters }
    let whole = shown.count(where: \.isWhole)
    let models = distinct(shown.map(\.claim.of)).map { Markdown.name($0) }
    return
      "; of the \(repairs.count == 1 ? "one mask" : "\(repairs.count) masks") claimed to repair "
      + number(whole) + " shown"
      + (whole < shown.count ? " in full, \(shown.count - whole) in part" : "")
      + (shown.isEmpty
        ? ""
        : ", all of \(models.joined(separator: ", ")), \(beyond == 0 ? "none" : "\(beyond)") beyond a control that leaves as much")
  }

  private func number(_ count: Int) -> String {
    count == 0 ? "none is" : count == 1 ? "1 is" : "\(count) are"
  }

  private func about(_ first: RemoteFinding) -> String {
    ended(
      remote(first), among: verdict.remotes.map(\.judgement), of: "claims about remote labels",
      seeds: first.difference.values.count)
  }

  private var anyLocal: String? {
    verdict.locals.first.map { first in
      ended(
        local(first), among: verdict.locals.map(\.judgement), of: "claims about locality",
        seeds: first.pair.count)
    }
  }

  /// The first sentence of a paragraph of a verdict, and what is left of it.
  static func first(of paragraph: String) -> (bold: String, rest: String) {
    let end = paragraph.firstRange(of: ". ")
    let sentence = end.map { paragraph[..<$0.lowerBound] + "." } ?? paragraph[...]
    let plain = sentence.split(separator: "**", omittingEmptySubsequences: false).joined()
    return ("**\(plain)**", end.map { String(paragraph[$0.upperBound...]) } ?? "")
  }

  /// How many of its kind are shown, and whom it is about.
  private func ended(
    _ text: String, among all: [Judgement], inPart parts: Int = 0, of kind: String, seeds: Int
  ) -> String {
    let shown = number(all.count(where: \.isShown) - parts) + " shown"
    let count =
      all.count > 1
      ? "; of the \(all.count) \(kind) \(shown)" + (parts > 0 ? " in full, \(parts) in part" : "")
      : ""
    return text + count + ended(about: seeds)
  }

  private func ended(about seeds: Int) -> String {
    let whom = seeds > 1 ? "over \(seeds) seeds" : seeds == 1 ? "these networks, one seed" : ""
    return (whom.isEmpty ? "" : "; \(whom)") + "."
  }

  // MARK: - Masks

  private func repair(_ finding: RepairFinding) -> String {
    let (mask, base) = (Markdown.name(finding.claim.mask), Markdown.name(finding.claim.of))
    guard let recall = finding.recall.mean else {
      let why = finding.missing ?? "it was not evaluated"
      return "Not shown: mask \(mask) has no effect on \(base) that can be told: \(why)"
    }
    if !verdict.isMaskingSound {
      return "Not shown: the identity control failed, so that no mask's effect on \(base) can be "
        + "believed"
    }
    let change =
      "without any training, mask \(mask) changes the recall of \(base) "
      + "\(Self.place(finding.counts)) by \(Markdown.signed(recall)) (N = \(finding.recall.counted("layouts")))"
    switch finding.judgement {
    case .against: return "Shown, against the claim: \(change)"
    case .notShown:
      return "Not shown: \(change)" + (finding.objection.map { ", but \($0.words)" } ?? "")
    case .shown: break
    }
    if let premise = premise(of: finding) { return "Not shown: \(change), but \(premise)" }
    if case .untested(let why) = finding.keeping {
      return "Shown in part: \(change); that it matters what the mask keeps is not shown: \(why)"
    }
    guard let control = finding.control.mean, let contrast = finding.contrast.mean else {
      return "Shown in part: \(change)"
    }
    let beside =
      "its control \(Markdown.name(finding.claim.control ?? "")) changes it by "
      + "\(Markdown.signed(control)), a difference of \(Markdown.signed(contrast)) "
      + "(N = \(finding.contrast.counted))"
    return switch finding.keeping {
    case .matters:
      "\(finding.isWhole ? "Shown" : "Shown in part"): \(change), and it matters what the mask keeps: \(beside)"
    case .outdone:
      "\(finding.isWhole ? "Shown" : "Shown in part"): \(change), more than what adds up what words change in the "
        + "output: \(beside)"
    case .confounded:
      "Shown in part: \(change), but that it matters what the mask keeps is not shown, for its control leaves another "
        + "number of labels or pixels: \(beside)"
    case .refuted:
      "Shown in part: \(change), but what the mask keeps and its control does not is not needed: \(beside)"
    case .open, .untested:
      "Shown in part: \(change), but that it matters what the mask keeps is not shown: \(beside)"
    }
  }

  /// What stands against there being anything to repair; `nil` without such an objection.
  private func premise(of finding: RepairFinding) -> String? {
    let claimed = verdict.recalls.filter {
      $0.claim.direction == .fails && $0.claim.model == finding.claim.of
    }
    guard let first = claimed.first, !claimed.contains(where: \.judgement.isShown) else {
      return nil
    }
    let numbers =
      if let own = first.pair.low.mean, let other = first.pair.high.mean {
        " (\(Markdown.interval(own)) against \(Markdown.interval(other)))"
      } else { "" }
    return
      "that there is anything to repair is not shown, for \(Markdown.name(finding.claim.of)) is "
      + "not shown to recall less than \(Markdown.name(first.claim.against))\(numbers)"
  }

  // MARK: - Models

  private func recall(_ finding: RecallFinding) -> String {
    let (model, against) = (
      Markdown.name(finding.claim.model), Markdown.name(finding.claim.against)
    )
    let judgement = finding.judgement
    guard let own = finding.model.recall.mean, let other = finding.against.recall.mean,
      finding.pair.count > 0
    else {
      let why: String =
        if case .notShown(let why) = judgement { why } else { "nothing in common" }
      return "Not shown: \(model) cannot be held against \(against): \(finding.missing ?? why)"
    }
    let fails = finding.claim.direction == .fails
    let words =
      switch judgement {
      case .shown where finding.dividesAtThreshold:
        fails ? "fails where \(against) composes" : "composes where \(against) fails"
      case .shown: fails ? "recalls less than \(against)" : "recalls more than \(against)"
      case .against: fails ? "recalls more than \(against)" : "recalls less than \(against)"
      case RecallFinding.alone:
        "recalls \((finding.separation == .asClaimed) == fails ? "less" : "more") than \(against)"
      case .notShown(let why):
        "is not told from \(against)" + (why == "not separated" ? "" : " (\(why))")
      }
    let difference = finding.difference.mean.map { ", a difference of \(Markdown.signed($0))" }
    // That one recalls less than another is less than the claim says.
    let lead =
      judgement == .shown && !finding.dividesAtThreshold ? "Shown in part" : judgement.lead
    return
      "\(lead): \(judgement == RecallFinding.alone ? "by the judge " : "")\(model) \(words) \(Self.place(finding.counts)): recall is "
      + "\(Markdown.interval(own)) against \(Markdown.interval(other))\(difference ?? "")"
      + (judgement == RecallFinding.alone
        ? finding.backgroundDifference.mean.map {
          ", which the background detector does not confirm (\(Markdown.signed($0)))"
        } ?? "" : "")
      + " (N = \(finding.model.recall.counted("layouts")))"
  }

  private func remote(_ finding: RemoteFinding) -> String {
    let (model, against) = (
      Markdown.name(finding.claim.model), Markdown.name(finding.claim.against)
    )
    guard let own = finding.model.mean, let other = finding.against.mean,
      let difference = finding.difference.mean, let count = finding.count
    else {
      return "Not shown: \(model) and \(against) were not probed alike"
    }
    if finding.claim.kind != .labels {
      return
        "\(finding.judgement.lead): \(finding.claimed): \(Markdown.interval(own, digits: 3)) against "
        + "\(Markdown.interval(other, digits: 3)), a difference of \(Markdown.signed(difference, digits: 3)) "
        + "(N = \(finding.model.counted("layouts")))"
    }
    return
      "\(finding.judgement.lead): \(model) depends on remote labels \(finding.than) \(against) at "
      + "K = \(count): removing them counts \(Markdown.interval(own, digits: 3)) times as much as an "
      + "object's own label, \(Markdown.interval(other, digits: 3)) times for \(against), a difference "
      + "of \(Markdown.signed(difference, digits: 3)) (N = \(finding.model.counted("layouts")))"
  }

  private func local(_ finding: LocalFinding) -> String {
    let (model, against) = (
      Markdown.name(finding.claim.model), Markdown.name(finding.claim.against)
    )
    guard let own = finding.pair.high.mean, let other = finding.pair.low.mean else {
      return "Not shown: \(model) and \(against) were not probed alike"
    }
    let than =
      switch finding.judgement {
      case .shown: "is more local than"
      case .against: "is less local than"
      case .notShown: "is not told from"
      }
    return "\(finding.judgement.lead): \(model) \(than) \(against) at K = \(finding.count), σ = "
      + "\(ChartNumber.text(finding.claim.sigma)): \(Markdown.interval(own, digits: 3)) of its squared "
      + "\(finding.claim.space.rawValue) sensitivity lies in a window of \(finding.claim.window) px, "
      + "\(Markdown.interval(other, digits: 3)) of the other's (N = \(Markdown.count(own.n)) pictures)"
  }

  // MARK: - K

  static func range(_ counts: [Int]) -> String {
    let counts = counts.sorted()
    guard let low = counts.first, let high = counts.last else { return "" }
    let isWhole = counts.count > 2 && high - low == counts.count - 1
    return isWhole
      ? "K = \(low) to \(high)" : "K = " + counts.map(String.init).joined(separator: ", ")
  }

  private static func place(_ counts: [Int]) -> String {
    counts.isEmpty ? "beyond the training range" : "at \(range(counts))"
  }
}
