import Formats
import Foundation
import Measures

/// Average causal effects of the masks, with their controls.
struct EffectSection: Section {
  static let kinds: Set = ["intervene"]

  private let run: String
  private let requested: Requested
  private let effects: [EffectRow]
  /// Whether rows are means over seeds.
  private let isOverSeeds: Bool
  private let unpaired: [UnpairedMask]
  private let identities: [IdentityRow]
  private let changes: [MaskChangeRow]
  private let contrasts: [ContrastRow]
  /// The interventions that are there to object to others.
  private let controls: Set<String>

  init(_ data: RunData) throws {
    run = data.run.id
    requested = data.requested
    effects = data.effects.overSeeds()
    isOverSeeds = effects.count < data.effects.count
    unpaired = UnpairedMask.all(
      try data.ask(ConditionsRow.question(run)), effects: data.effects)
    identities = try data.ask(IdentityRow.question(run)).labelled()
    var shown: Set<[String]> = []
    // Of several seeds the first: shares say what a mask is, not how far it reaches.
    changes = try data.ask(MaskChangeRow.question(run)).filter {
      shown.insert([Labels.withoutSeed($0.mask), "\($0.sigma)"]).inserted
    }
    contrasts = try data.ask(ContrastRow.question(run, .masks)).filter {
      $0.measure == .recall
    }.labelled().overSeeds()
    controls = Set(
      try data.ask(MaskRow.question(run)).filter { $0.specification?.isControl ?? false }
        .map(\.intervention))
  }

  var blocks: [Block] {
    var blocks: [Block] = [.heading("Interventions")]
    if effects.isEmpty {
      blocks.append(.paragraph("No intervention was compared with its baseline."))
      return blocks + unpairedMasks
    }
    blocks.append(
      .paragraph(
        "Masked less baseline, on the same layouts and the same noise, without any training. Recall is beyond "
          + "chance; all are averaged over the compared K beyond the training range unless the row says *in "
          + "range*. Intervals: "
          + (isOverSeeds
            ? "over seeds. "
            : "paired bootstrap over layouts; p: sign flips of the layouts' differences, Holm-corrected over the "
              + "masks. ") + "Which K were tested is in the table of K_max."))
    blocks.append(chart)
    blocks.append(
      .table(
        columns: ["intervention", "baseline", "measure", "effect [95 %]"]
          + (isOverSeeds ? [] : ["p", "Holm p"]) + ["N layouts"],
        rows: effects.map { effect in
          [
            Markdown.name(effect.label), Markdown.name(Labels.withoutSeed(effect.baseline)),
            Markdown.escape(effect.measure.split(separator: "_").joined(separator: " ")),
            Markdown.interval(effect.estimate, digits: 3),
          ] + (isOverSeeds ? [] : [p(effect.p), p(effect.pHolm)])
            + [Markdown.count(effect.estimate.n)]
        }))
    blocks += broken + unpairedMasks + controlBlocks
    blocks.append(EffectRow.question(run).block)
    return blocks + changedShares
  }

  private func p(_ value: Double?) -> String {
    value.map { Markdown.number($0, digits: 4) } ?? Markdown.nothing
  }

  private var chart: Block {
    let recall = effects.filter { $0.measure == Measure.Effect.recall.rawValue }
    let chart = IntervalChart(
      title: "Effect on recall beyond the training range", xLabel: "change of recall beyond chance",
      rows: recall.map {
        IntervalChart.Row(
          label: $0.label, value: $0.estimate.value,
          low: $0.estimate.low ?? $0.estimate.value, high: $0.estimate.high ?? $0.estimate.value,
          isEmphasized: controls.contains($0.intervention) == false)
      })
    return .chart(
      name: "effects.svg", .intervals(chart),
      alternative: "Effect of each mask on \(requested.recall) with its interval")
  }

  /// What loses within the training range what the model had learned.
  private var broken: [Block] {
    let lost = effects.filter {
      $0.measure == "recall_in_range" && ($0.estimate.high ?? $0.estimate.value) < 0
    }
    if lost.isEmpty { return [] }
    return [
      .paragraph(
        "**Broken in range**, so that what they draw beyond says nothing of composition: "
          + lost.map { "\(Markdown.name($0.label)) \(Markdown.signed($0.estimate))" }
          .joined(separator: ", ") + " (change of recall within the training range).")
    ]
  }

  private var unpairedMasks: [Block] {
    if unpaired.isEmpty { return [] }
    return [
      .paragraph("These masked evaluations have **no effect** to tell:"),
      .table(
        columns: ["intervention", "why"],
        rows: unpaired.map { [Markdown.name($0.label), $0.reason] }),
      ConditionsRow.question(run).block,
    ]
  }

  private var controlBlocks: [Block] {
    var blocks: [Block] = []
    for row in identities {
      let which = identities.count > 1 ? " (\(Markdown.name(row.label)))" : ""
      blocks.append(
        .paragraph(
          row.share == 1
            ? "Control *identity*\(which): all \(row.count) pictures equal the baseline's bit for bit. No sign of a "
              + "problem in the masking machinery, which is no proof."
            : "**Control *identity*\(which) failed:** only \(Markdown.number(100 * row.share, digits: 1)) % of "
              + "\(row.count) pictures equal the baseline's; no effect above can be believed."))
    }
    if !identities.isEmpty { blocks.append(IdentityRow.question(run).block) }
    if !contrasts.isEmpty {
      blocks.append(
        .paragraph(
          "Masks beside what can object to them: the control keeps something else. Near, far and random "
            + "labels, rings and the sum show as much as the mask does; inside and outside of a window are other "
            + "numbers of labels, objects and the ground other numbers of pixels. Recall of the mask less that of the control, on the same layouts and noise, over the compared K "
            + "beyond the training range."
            + (isOverSeeds
              ? " These intervals take the seeds' own errors for what layouts move all of them by, so that they are "
                + "wider than those of the verdict, which resample the layouts: of one contrast the verdict's counts."
              : "")))
      blocks.append(
        .table(
          columns: [
            "mask", "evaluation of its control", "difference of recall [95 %]", "N layouts",
          ],
          rows: contrasts.map {
            [
              Markdown.name($0.label), Markdown.name($0.key.control),
              Markdown.interval($0.estimate, digits: 3), Markdown.count($0.estimate.n),
            ]
          }))
      blocks.append(ContrastRow.question(run, .masks).block)
    }
    let still = effects.filter {
      $0.estimate.low == $0.estimate.value && $0.estimate.high == $0.estimate.value
    }
    if !still.isEmpty {
      let names = Set(still.map { Markdown.name($0.label) }).sorted()
      blocks.append(
        .paragraph(
          "An interval without width (\(names.joined(separator: ", "))) means that every layout changed by "
            + "the same amount, which for the identity is 0 by construction; it does not mean that the "
            + "value is known exactly."))
    }
    return blocks
  }

  private var changedShares: [Block] {
    if changes.isEmpty { return [] }
    return [
      .details(
        "How many outputs each mask changes at all, in one pass",
        [
          .table(
            columns: ["mask", "σ", "share of output values changed", "N pictures"],
            rows: changes.map {
              [
                Markdown.name($0.mask), ChartNumber.text($0.sigma),
                Markdown.number($0.share, digits: 3), "\($0.count)",
              ]
            }), MaskChangeRow.question(run).block,
        ])
    ]
  }
}
