import Formats
import Foundation
import Lineage
import Statistics
import Workflow

/// The question, the verdict, and what failed.
struct HeaderSection: Section {
  static let verdict = "Verdict"

  private let run: RunRecord
  private let findings: Findings?
  private let analytic: AnalyticMachines
  private let theory: String?
  private let threshold: Double?
  /// Of the networks, in order: replicates may share the seed, and the layouts, of their evaluations.
  private let seeds: [String]
  private let latest: LatestRun?

  init(_ data: RunData) throws {
    run = data.run
    theory = try TheorySection.verdict(data)
    analytic = try AnalyticMachines(data)
    let isStated = Claims(source: data.run.source) != nil
    findings = data.evaluated.isEmpty && !isStated ? nil : try Findings(data)
    threshold = data.compared.first?.threshold
    let replicates = distinct(run.stages.compactMap { StageReference($0.name)?.seed })
    seeds =
      try replicates.count > 1 ? replicates : data.ask(SeedRow.question(run.id)).map(String.init)
    latest = try data.ask(LatestRun.question(of: run.id)).first
  }

  var blocks: [Block] {
    var blocks: [Block] = [.heading(Markdown.escape(run.pipeline), level: 1)]
    if let question { blocks.append(.paragraph("*\(Markdown.escape(question))*")) }
    blocks.append(
      .paragraph(
        "Run \(Markdown.name(run.id)), \(Markdown.escape(run.startedAt)), status **\(Markdown.escape(run.status))**, seed \(run.seed), "
          + "Locus \(Markdown.escape(run.locusVersion))."))
    if let latest, latest.id == run.id, let newer = latest.newer, let status = latest.newerStatus {
      let what =
        switch status {
        case "succeeded": "did a part of the pipeline alone"
        case "interrupted": "was interrupted"
        case "failed": "failed"
        default: "is \(status)"
        }
      blocks.append(
        .paragraph(
          "A later run \(Markdown.escape(what)): [\(Markdown.escape(newer))](\(newer).md). This page is about"
            + " the latest whole one."))
    }
    blocks += failures
    guard let findings else {
      guard let theory else {
        return blocks + [.paragraph("**No verdict:** the run has no evaluation to judge by.")]
      }
      return blocks + [.heading(Self.verdict), .paragraph(theory)]
    }
    // A run about machines that states no claims of its own, and masks no failing network, is judged
    // by the machines alone.
    let isAnalytic =
      !analytic.machines.isEmpty && !findings.areStated && findings.claims.repairs.isEmpty
    blocks.append(.heading(Self.verdict))
    blocks += (isAnalytic ? analytic.verdict.sentences : findings.verdict.sentences)
      .map(Block.paragraph)
    if let theory { blocks.append(.paragraph(theory)) }
    blocks.append(.paragraph(reading(findings, isAnalytic: isAnalytic)))
    if !isAnalytic && !findings.questions.isEmpty {
      blocks.append(.details("Queries that yield the verdict's numbers", findings.questions))
    }
    return blocks
  }

  /// What stands behind the numbers.
  private func reading(_ findings: Findings, isAnalytic: Bool) -> String {
    let kMax =
      "K_max is the largest K with location recall ≥ \(threshold.map { Markdown.number($0) } ?? "?") "
      + "for every tested K′ ≤ K. Brackets are 95 % intervals: of K_max by inverted "
      + "tests of each K, otherwise by bootstrap over layouts"
    let origin =
      isAnalytic
      ? ""
      : findings.areStated
        ? " The claims are those that the pipeline file states."
        : " The pipeline file states no `claims`: these were derived from what its denoisers are (the "
          + "first network that sees the whole picture and was told of one object at random, the first "
          + "that was told of all, the first that sees a smaller window, and each mask on the first)."
    if seeds.count > 1 {
      return kMax
        + "; of means over seeds, by seeds drawn with replacement and layouts within them from "
        + "\(seedsToResample) seeds on, with fewer by Student's t of the seeds' own means, never narrower than "
        + "layouts alone make it. There are \(seeds.count) seeds "
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
