import Formats
import Foundation
import Lineage
import Statistics
import Workflow

/// The question and its answer, the main figure, and the evidence: claims, models, seeds.
struct HeaderSection: Section {
  static let verdict = "Verdict"

  private let run: RunRecord
  private let findings: Findings?
  private let analytic: AnalyticMachines
  private let theory: String?
  private let realism: String?
  private let fields: [String]
  private let figure: MainFigure
  private let models: ModelIndices?
  private let threshold: Double?
  private let requested: Requested
  /// Of the networks, in order: replicates may share the seed, and the layouts, of their evaluations.
  private let seeds: [String]
  private let latest: LatestRun?

  init(_ data: RunData) throws {
    run = data.run
    theory = try TheorySection.verdict(data)
    realism = try RealismSection.verdict(data)
    fields = try FieldMaskSection.verdict(data)
    analytic = try AnalyticMachines(data)
    let isStated = Claims(source: data.run.source) != nil
    findings = data.evaluated.isEmpty && !isStated ? nil : try Findings(data)
    figure = try MainFigure(data, ClaimsOfRun(data))
    models = try findings.map { try ModelIndices(data, remotes: $0.verdict.remotes) }
    threshold = data.compared.first?.threshold
    requested = data.requested
    let replicates = distinct(run.stages.compactMap { StageReference($0.name)?.seed })
    seeds =
      try replicates.count > 1 ? replicates : data.ask(SeedRow.question(run.id)).map(String.init)
    latest = try data.ask(LatestRun.question(of: run.id)).first
  }

  var blocks: [Block] {
    var blocks: [Block] = [.heading(Markdown.escape(run.pipeline), level: 1)]
    if let question { blocks.append(.paragraph("*\(Markdown.escape(question))*")) }
    let (answer, sentences) = answered
    blocks.append(.paragraph(answer))
    blocks += failures + figure.blocks
    if !isAboutMachines, let scatter = models?.chart(threshold: threshold) {
      blocks.append(scatter)
    }
    blocks.append(
      .paragraph(
        "Run \(Markdown.name(run.id)), \(Markdown.escape(run.startedAt)), status **\(Markdown.escape(run.status))**, seed \(run.seed), "
          + "Locus \(Markdown.escape(run.locusVersion))."))
    blocks += part + newer + scaled
    guard let findings else {
      return blocks + sentences.map(Block.paragraph)
    }
    blocks.append(.heading(Self.verdict))
    if !isAboutMachines {
      let claims = ClaimsTable(verdict: findings.verdict)
      blocks +=
        StatementTable(claims: claims, order: findings.claims.statements).blocks + claims.blocks
        + EquivalenceTable(verdict: findings.verdict).blocks + (models?.table ?? [])
        + (models?.correlation ?? [])
    }
    blocks.append(.paragraph(reading(findings)))
    if isAboutMachines || ClaimsTable(verdict: findings.verdict).blocks.isEmpty {
      return blocks + sentences.map(Block.paragraph)
    }
    blocks.append(
      .details("Each claim in words, with what stands against it", sentences.map(Block.paragraph)))
    if !findings.questions.isEmpty {
      let index = models.flatMap { $0.areProbed ? $0.printed : nil }
      blocks.append(
        .details(
          "Queries that yield the verdict's numbers",
          findings.questions + [index].compactMap { $0 }))
    }
    return blocks
  }

  private var isAboutMachines: Bool { findings?.isAboutMachines ?? false }

  /// The answer, and what the verdict says beyond it.
  private var answered: (answer: String, sentences: [String]) {
    let theories = [theory].compactMap { $0 }
    func first(of all: [String]) -> (String, [String]) {
      let (bold, rest) = Answer.first(of: all[0])
      return (bold, (rest.isEmpty ? [] : [rest]) + all.dropFirst())
    }
    if isAboutMachines { return first(of: analytic.verdict.sentences + theories) }
    // What real pictures say answers a pipeline that has nothing to claim about models.
    if let realism, findings?.verdict.hasClaims != true {
      return ("**\(realism)**", (findings?.verdict.sentences ?? []) + theories)
    }
    if let findings, let bold = Answer(verdict: findings.verdict).bold {
      return (bold, findings.verdict.sentences + theories + fields)
    }
    if !theories.isEmpty { return first(of: theories + fields) }
    if !fields.isEmpty { return first(of: fields) }
    return (
      findings == nil
        ? "**No verdict:** the run has no evaluation to judge by."
        : "**No verdict:** nothing was claimed.", []
    )
  }

  /// Claims about what did not run are not evaluated: that is no verdict on them.
  private var part: [Block] {
    guard let message = run.events.map(\.message).first(where: { $0.hasPrefix(RunRecord.partial) })
    else { return [] }
    return [
      .paragraph(
        "**A part of the pipeline alone:** \(Markdown.escape(String(message.dropFirst(RunRecord.partial.count)))). What"
          + " the others would tell is *not evaluated* here.")
    ]
  }

  private var newer: [Block] {
    guard let latest, latest.id == run.id, let newer = latest.newer, let status = latest.newerStatus
    else { return [] }
    let what =
      switch status {
      case "succeeded": "did a part of the pipeline alone"
      case "interrupted": "was interrupted"
      case "failed": "failed"
      default: "is \(status)"
      }
    return [
      .paragraph(
        "A later run \(Markdown.escape(what)): [\(Markdown.escape(newer))](\(newer).md). This page is about"
          + " the latest whole one.")
    ]
  }

  /// A small version shows that a pipeline runs, and nothing of what it asks.
  private var scaled: [Block] {
    let stated = (try? JSONValue.parse(Data(run.source.utf8)))?[PipelineScale.key]?.number
    let overrides = (run.options ?? []).compactMap { option -> Double? in
      guard let sign = option.firstIndex(of: "="), option[..<sign].hasSuffix(PipelineScale.key)
      else { return nil }
      return Double(option[option.index(after: sign)...])
    }
    guard let scale = overrides.last ?? stated, scale < 1 else { return [] }
    return [
      .paragraph(
        "**A small version:** budgets of pictures, layouts and renders are \(ChartNumber.text(scale)) of those that the "
          + "pipeline file states. It shows that the pipeline runs; its numbers answer nothing.")
    ]
  }

  /// Which claims are corrected together, and which one the answer is about, may be decided after they are known.
  static func late(_ families: [String: Afterthought]) -> String {
    families.sorted { $0.key < $1.key }.compactMap { family, known in
      known.share.map {
        " Which claims are of family \(Markdown.name(family)) was said after \($0) of their results\(family == FamilyTest.primary ? ", and so which one the answer is about" : "")."
      }
    }.joined()
  }

  /// What stands behind the numbers.
  private func reading(_ findings: Findings) -> String {
    let kMax =
      "K_max is the largest K with \(requested.recall) ≥ \(threshold.map { Markdown.number($0) } ?? "?") "
      + "for every tested K′ ≤ K. Brackets are 95 % intervals: of K_max by inverted "
      + "tests of each K, otherwise by bootstrap over layouts"
    let origin =
      isAboutMachines
      ? ""
      : findings.areStated
        ? " The claims are those that the pipeline file states."
          + Self.late(findings.verdict.lateFamilies)
        : " The pipeline file states no `claims`: these were derived from what its denoisers are (the "
          + "first network that sees the whole picture and was told of one object at random, the first "
          + "that was told of all, the first that sees a smaller window, and each mask on the first)."
    if seeds.count > 1 {
      return kMax
        + "; of means over seeds, by Student's t, with the variance of the seeds' own means, to which what shared "
        + "layouts move all seeds by alike is added, and with the degrees of this sum (Satterthwaite 1946); never "
        + "narrower than layouts alone make it. Sections whose numbers were stored without resampled layouts take the seeds' own errors for what "
        + "layouts move all of them by: there intervals are that wide at most. There are \(seeds.count) seeds "
        + "(\(seeds.joined(separator: ", "))); what has several is paired seed by "
        + "seed." + origin
    }
    return kMax
      + ". There is **one seed** (\(seeds.first ?? "\(run.seed)")): the intervals say how sure the layouts make us "
      + "of these very networks, not how networks of other seeds would do." + origin
  }

  /// The pipeline's own words.
  private var question: String? {
    try? JSONValue.parse(Data(run.source.utf8))["question"]?.string
  }

  private var failures: [Block] {
    let bad = run.stages.filter { !["executed", "reused"].contains($0.status) }
    if bad.isEmpty { return [] }
    return [
      .heading("What did not finish"),
      .table(
        columns: ["stage", "status", "why"],
        rows: bad.map { stage in
          let event = run.events.last {
            $0.executionID == stage.executionID && $0.level == "error"
          }
          var why = stage.status == "failed" ? event?.message ?? stage.reason : stage.reason
          // An event begins with the stage's name, which has a column of its own here.
          if why.hasPrefix(stage.name + ": ") { why.removeFirst(stage.name.count + 2) }
          return [Markdown.name(stage.name), Markdown.escape(stage.status), Markdown.escape(why)]
        }),
    ]
  }
}
