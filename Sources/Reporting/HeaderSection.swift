import Formats
import Foundation
import Lineage

/// The question, the verdict, and what failed.
enum HeaderSection {
  /// Side of the window whose share of sensitivity the verdict compares: the default local network's.
  static let window = 13
  /// Noise level and objects of that comparison, if they were probed: layout is decided at high noise.
  static let sigma = 2.0

  static func write(_ data: RunData, _ page: inout Page) throws {
    let run = data.run
    page.heading(Markdown.escape(run.pipeline), level: 1)
    if let question = question(of: run) { page.paragraph("*\(Markdown.escape(question))*") }
    page.paragraph(
      "Run \(Markdown.name(run.id)), \(run.startedAt), status **\(run.status)**, seed \(run.seed), "
        + "Locus \(Markdown.escape(run.locusVersion)).")
    failures(data, &page)
    let theory = try TheorySection.verdict(data)
    if data.evaluated.isEmpty {
      if let theory {
        page.heading("Verdict")
        page.paragraph(theory)
        return
      }
      page.paragraph("**No verdict:** the run has no evaluation to judge by.")
      return
    }
    let verdict = try verdict(data)
    page.heading("Verdict")
    for sentence in verdict.sentences { page.paragraph(sentence) }
    if let theory { page.paragraph(theory) }
    let seeds = try data.store.query(
      """
      SELECT count(DISTINCT m.seed) FROM stage s JOIN metric m ON m.execution_id = s.execution_id
      WHERE s.run_id = ? AND m.name = 'recall'
      """, [.text(run.id)])
    let count = seeds.rows.first?.first?.integer ?? 1
    page.paragraph(
      "K_max is the largest K with location recall ≥ \(Markdown.number(verdict.threshold)) for every "
        + "tested K′ ≤ K. Brackets are 95 % intervals, by bootstrap over layouts. "
        + (count == 1
          ? "There is **one seed** (\(run.seed)): the intervals say how sure the layouts make us of "
            + "these very networks, not how networks of other seeds would do."
          : "There are \(count) seeds."))
  }

  /// The pipeline's own words.
  private static func question(of run: RunRecord) -> String? {
    try? JSONValue.parse(Data(run.source.utf8))["question"]?.string
  }

  private static func failures(_ data: RunData, _ page: inout Page) {
    let bad = data.run.stages.filter { !["executed", "reused"].contains($0.status) }
    if bad.isEmpty { return }
    page.heading("What did not finish")
    page.table(
      ["stage", "status", "why"],
      bad.map { stage in
        let event = data.run.events.last {
          $0.executionID == stage.executionID && $0.level == "error"
        }
        let why = stage.status == "failed" ? event?.message ?? stage.reason : stage.reason
        return [Markdown.name(stage.name), stage.status, Markdown.escape(why)]
      })
  }

  static func verdict(_ data: RunData) throws -> Verdict {
    let all = try data.kMax()
    let plain = all.filter { $0.evaluated.isPlain }
    let k = data.trainingMaximum ?? 3
    func model(_ found: RunData.KMax?) throws -> Verdict.Model? {
      guard let found else { return nil }
      let locality = try data.locality(
        model: found.evaluated.model, space: "pixel", sigma: sigma, k: k, window: window)
      return Verdict.Model(
        name: found.evaluated.title, kMax: found.estimate, recallBeyond: found.recallBeyond,
        locality: locality)
    }
    // By role and order in the pipeline, never by outcome.
    func first(_ network: String, _ labelling: String) -> RunData.KMax? {
      plain.first { $0.evaluated.network == network && $0.evaluated.labelling == labelling }
    }
    let failing = first("unet", "single")
    let composing = first("unet", "all")
    let local = first("local", "single")
    let effects = try data.effects()
    let arms = effects.filter { $0.metric == "recall" && $0.arm != "identity" }.map { effect in
      Verdict.Arm(
        name: effect.intervention, arm: effect.arm, windows: effect.windows,
        recall: effect.estimate, pHolm: effect.pHolm,
        precision: effects.first {
          $0.intervention == effect.intervention && $0.metric == "precision"
        }?.estimate)
    }
    return Verdict(
      failing: try model(failing), composing: try model(composing), local: try model(local),
      masks: arms.filter { $0.arm != "placebo" }, placebos: arms.filter { $0.arm == "placebo" },
      identicalShare: try data.identicalShare(),
      threshold: all.first?.threshold ?? 0.9, window: window,
      place: "K = \(k), σ = \(ChartNumber.text(sigma))")
  }
}
