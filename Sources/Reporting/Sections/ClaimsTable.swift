/// The claims with what was found of each: effect, control and their difference, by both detectors.
struct ClaimsTable {
  let verdict: Verdict

  struct Row {
    var claim: String
    var judgement: String
    var standing = Standing.open
    var statement: Claims.Statement?
    var afterthought: Afterthought?
    /// Each by the judge and, where it looked, by the background detector.
    var effect: [Replicates]
    var control: [Replicates]
    var difference: [Replicates]
    var digits = 2
    /// Of a mask.
    var isChange = false

    var verdict: String {
      judgement
        + (afterthought?.share.map { "; *stated after \($0) of its results*" } ?? "")
    }
  }

  /// How far what was found bears a claim out.
  enum Standing: Hashable { case whole, part, against, open }

  var blocks: [Block] {
    let rows = rows
    if rows.isEmpty { return [] }
    return [
      .table(
        columns: ["claim", "verdict", "effect", "control", "difference", "N"],
        rows: rows.map { row in
          [
            row.claim,
            row.verdict,
            text(row.effect, row, isSigned: row.isChange),
            text(row.control, row, isSigned: row.isChange), differences(row),
            row.effect.first?.counted ?? Markdown.nothing,
          ]
        }),
      .paragraph(legend),
    ]
  }

  private var legend: String {
    var parts: [String] = []
    if !verdict.recalls.isEmpty {
      parts.append("of two models: recall of the first, of the second, and the one less the other")
    }
    if !verdict.repairs.isEmpty {
      parts.append(
        "of a mask: by how much it changes recall, by how much its control does, which keeps "
          + "something else, and the one less the other")
    }
    if !verdict.remotes.isEmpty {
      parts.append(
        "of remote labels, and of pixels outside the object's window: the index of the first model, of the second, and their difference; of their "
          + "number: the effect of removing them all, of moving them elsewhere, and their difference"
      )
    }
    if !verdict.locals.isEmpty {
      parts.append(
        "of locality: the share of squared sensitivity inside the window, of both models")
    }
    return "*Effect*, *control* and *difference* are, " + parts.joined(separator: "; ")
      + ". "
      + (verdict.recalls.isEmpty && verdict.repairs.isEmpty
        ? "" : "\(RecallFinding.estimand) ")
      + "Differences are paired, on the same layouts and noise. Before the stroke the judge's numbers, "
      + "after it the background detector's: *shown* is what both show, by intervals of the difference that "
      + "exclude 0; Holm's correction over the masks, over what they do beyond their controls, and over the claims "
      + "of a family has to agree. *Stated after*: no run of this pipeline had stated the claim when these results were made."
  }

  /// What a mask changes.
  func effects(_ row: Row) -> String { text(row.effect, row, isSigned: true) }

  func differences(_ row: Row) -> String { text(row.difference, row, isSigned: true) }

  private func text(_ values: [Replicates], _ row: Row, isSigned: Bool) -> String {
    let shown = values.compactMap(\.mean).map {
      Markdown.unbroken(
        isSigned
          ? Markdown.signed($0, digits: row.digits) : Markdown.interval($0, digits: row.digits))
    }
    return shown.isEmpty ? Markdown.nothing : shown.joined(separator: " / ")
  }

  /// In the order of the sentences.
  var rows: [Row] {
    func recalls(_ direction: Claims.Recall.Direction) -> [Row] {
      verdict.recalls.filter { $0.claim.direction == direction }.map(row)
    }
    return recalls(.fails) + verdict.locals.map(row) + verdict.remotes.map(row) + channels
      + recalls(.composes) + verdict.repairs.map(row)
  }

  private static func standing(_ judgement: Judgement) -> Standing {
    switch judgement {
    case .shown: .whole
    case .against: .against
    case .notShown: .open
    }
  }

  /// A repair that leaves recall below the threshold is one in part.
  private static func lead(_ finding: RepairFinding) -> String {
    finding.isWhole ? "**shown**" : "**shown in part**: recalls more"
  }

  private func row(_ finding: RecallFinding) -> Row {
    let claim = finding.claim
    let (verb, less, divided) =
      switch claim.direction {
      case .fails: ("fails", "recalls less", "fails where the other composes")
      case .composes: ("composes", "recalls more", "composes where the other fails")
      }
    let judgement = finding.judgement
    return Row(
      claim: "\(Markdown.name(claim.model)) \(verb), \(Markdown.name(claim.against)) does not"
        + place(finding.counts) + Self.guided(claim.guidance),
      // That one recalls less than another is less than the claim says.
      judgement: (judgement.isShown && !finding.dividesAtThreshold
        ? "**shown in part**: \(less)" : word(judgement, shown: ": \(divided)"))
        + doubt(finding),
      standing: judgement.isShown
        ? finding.dividesAtThreshold ? .whole : .part : Self.standing(judgement),
      statement: claim.statement, afterthought: finding.afterthought,
      effect: [finding.model.recall, finding.model.background],
      control: [finding.against.recall, finding.against.background],
      difference: [finding.difference, finding.backgroundDifference])
  }

  /// Beside recall within the training range, so that too short a training does not pass for a failure.
  private func doubt(_ finding: RecallFinding) -> String {
    let names = finding.doubtful.map { Markdown.name($0) }
    guard let threshold = finding.threshold else { return "" }
    let whose =
      finding.claim.direction == .composes
      ? "its" : "that of \(Markdown.name(finding.claim.against))"
    let below =
      finding.bothFail
      ? "; **\(whose == "its" ? "its recall" : whose) is below \(Markdown.number(threshold))"
        + "\(finding.claim.direction == .fails ? ", too" : "")**" : ""
    if names.isEmpty { return below }
    return below
      + "; within range \(names.joined(separator: " and ")) \(names.count == 1 ? "is" : "are") not shown to reach "
      + Markdown.number(threshold)
  }

  private func row(_ finding: LocalFinding) -> Row {
    let claim = finding.claim
    let difference = finding.pair.difference.map { Replicates($0) }
    return Row(
      claim: "\(Markdown.name(claim.model)) is more local than \(Markdown.name(claim.against)) "
        + "(\(claim.space.rawValue), \(claim.window) px, σ = \(ChartNumber.text(claim.sigma)), "
        + "K = \(finding.count))",
      judgement: word(finding.judgement), effect: [finding.model], control: [finding.against],
      difference: [difference].compactMap { $0 }, digits: 3)
  }

  private func row(_ finding: RemoteFinding) -> Row {
    Row(
      claim: finding.claimed, judgement: word(finding.judgement),
      standing: Self.standing(finding.judgement), statement: finding.claim.statement,
      afterthought: finding.afterthought, effect: [finding.model], control: [finding.against],
      difference: [finding.difference], digits: 3)
  }

  /// A row a model, however many claims are about it, that has no claim of its own.
  private var channels: [Row] {
    let claimed = verdict.remotes.filter { $0.claim.kind == .number }.map(\.claim.model)
    return distinct(verdict.remotes.map(\.claim.model)).compactMap { name in
      guard !claimed.contains(name),
        let finding = verdict.remotes.first(where: { $0.claim.model == name }),
        !finding.modelMoved.isEmpty, let k = finding.count
      else { return nil }
      let pair = finding.channel
      return Row(
        claim:
          "removing the remote labels of \(Markdown.name(name)) counts for more than moving them "
          + "(K = \(k))",
        judgement: pair.isShown
          ? "**shown**, uncorrected"
          : pair.isReversed ? "**shown, against the claim**" : "not shown: not separated",
        effect: [finding.model], control: [finding.modelMoved],
        difference: [pair.difference.map { Replicates($0) }].compactMap(\.self), digits: 3)
    }
  }

  private func row(_ finding: RepairFinding) -> Row {
    let claim = finding.claim
    let keeping =
      switch finding.keeping {
      case .matters: "; it **matters** what it keeps"
      case .confounded: "; more than its control, which leaves another number of labels or pixels"
      case .outdone: "; **more** than its control, which adds up in the output"
      case .refuted: "; its control repairs **more**"
      case .open, .untested: "; *not shown* that it matters what it keeps"
      }
    return Row(
      claim: "\(Markdown.name(claim.mask)) repairs \(Markdown.name(claim.of))"
        + place(finding.counts) + Self.guided(claim.guidance)
        + (claim.control.map { "; control: \(Markdown.name($0))" } ?? ""),
      judgement: (verdict.judgement(finding).isShown
        ? Self.lead(finding) + keeping
        : word(verdict.judgement(finding), otherwise: beside(finding)))
        + broken(finding) + still(finding) + cost(finding),
      standing: verdict.judgement(finding).isShown
        ? finding.isWhole ? .whole : .part : Self.standing(verdict.judgement(finding)),
      statement: claim.statement, afterthought: finding.afterthought,
      effect: [finding.recall, finding.background],
      control: [finding.control, finding.controlBackground],
      difference: [finding.contrast, finding.contrastBackground], isChange: true)
  }

  /// How a mask that is not shown to repair stands to its control.
  private func beside(_ finding: RepairFinding) -> String {
    // What cannot be told of the mask cannot be told of the two either.
    if finding.premise != nil { return "" }
    return switch finding.keeping {
    case .matters, .confounded, .outdone: "; more than its control"
    case .refuted: "; its control does **more**"
    case .open: "; not told from its control"
    case .untested: ""
    }
  }

  private func still(_ finding: RepairFinding) -> String {
    guard finding.stillFails, verdict.judgement(finding).isShown, let mean = finding.reached.mean,
      let threshold = finding.threshold
    else { return "" }
    return
      "; behind it \(Markdown.unbroken(Markdown.interval(mean))), below \(Markdown.number(threshold))"
  }

  /// What it loses within the training range, for certain.
  private func broken(_ finding: RepairFinding) -> String {
    guard let broken = finding.broken else { return "" }
    let change = Markdown.unbroken(Markdown.signed(broken))
    return finding.premise == .broken(broken)
      ? ": \(change)" : "; broken in range: \(change)"
  }

  /// What it loses for certain, which no verdict on recall says.
  private func cost(_ finding: RepairFinding) -> String {
    guard let precision = finding.precision.mean, (precision.high ?? 0) < 0 else { return "" }
    return "; precision \(Markdown.unbroken(Markdown.signed(precision)))"
  }

  private static func guided(_ guidance: Double?) -> String {
    guidance.map { ", guidance \(ChartNumber.text($0))" } ?? ""
  }

  private func place(_ counts: [Int]) -> String {
    counts.isEmpty ? "" : ", \(Answer.range(counts))"
  }

  private func word(_ judgement: Judgement, shown: String = "", otherwise: String = "") -> String {
    switch judgement {
    case .shown: "**shown**\(shown)"
    case .against: "**shown, against the claim**\(otherwise)"
    case .notShown(let why): "not shown: \(why)\(otherwise)"
    }
  }
}
