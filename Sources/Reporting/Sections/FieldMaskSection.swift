import Interventions
import Measures

/// Masks on models of shapes of their own: what they change, what pictures still show, and locality before and after.
struct FieldMaskSection: Section {
  static let kinds: Set = ["intervene"]

  private let run: String
  private let rows: [FieldMaskRow]
  private let probes: [FieldRow]

  init(_ data: RunData) throws {
    run = data.run.id
    rows = try data.ask(FieldMaskRow.question(run))
    probes = try data.ask(FieldRow.question(run))
  }

  /// What probes and masks of such models come to; nothing without any.
  static func verdict(_ data: RunData) throws -> [String] {
    let rows = try data.ask(FieldRow.question(data.run.id))
    if rows.isEmpty { return [] }
    let masks = try data.ask(MaskRow.question(data.run.id))
    return FieldVerdict(
      rows: rows,
      masks: Dictionary(
        masks.compactMap { row in row.specification.map { (row.intervention, $0) } },
        uniquingKeysWith: { first, _ in first })
    ).sentences
  }

  var blocks: [Block] {
    if rows.isEmpty { return [] }
    return [.heading("Masks on models of shapes of their own"), .paragraph(Self.how), departures]
      + drawn + locality + [FieldMaskRow.question(run).block]
  }

  private static let how =
    "Without any training. *Departure*: root mean square change of the model's outputs by the mask, on pictures that it "
    + "drew itself with noise anew, over their change when nothing is told: 0 of what changes no bit, 1 of what changes "
    + "as much as being told. *Drawn*: the same between what both draw from the same noise. Bootstrap over pictures, "
    + "paired. Regions are found by the model itself on noises that are not the input's: the fewest places that hold "
    + "the stated share of what an entry changes when it is told no longer. Controls: `identity`; the region of the "
    + "next concept that is told (`keep=far`); an entry's own region moved round the picture at random, of the same "
    + "area and shape (`keep=random`)."

  private var masks: [String] { distinct(rows.map(\.mask)) }

  private func estimate(_ mask: String, _ measure: Measure, _ sigma: Double? = nil) -> Estimate? {
    rows.first { $0.mask == mask && $0.measure == measure.name && $0.sigma == sigma }?.estimate
  }

  private func text(_ estimate: Estimate?) -> String {
    estimate.map { Markdown.interval($0) } ?? Markdown.nothing
  }

  private var sigmas: [Double] { Set(rows.compactMap(\.sigma)).sorted(by: >) }

  private var departures: Block {
    .table(
      columns: ["mask"] + sigmas.map { "departure at σ = \(Markdown.number($0))" } + [
        "drawn", "N pictures",
      ],
      rows: masks.map { mask in
        let drawn = estimate(mask, .maskDrawnDeparture)
        return [Markdown.name(mask)] + sigmas.map { text(estimate(mask, .maskDeparture, $0)) } + [
          text(drawn), Markdown.count(drawn?.n),
        ]
      })
  }

  private var drawn: [Block] {
    let judged = masks.filter { estimate($0, .maskShownChange) != nil }
    if judged.isEmpty { return [] }
    return [
      .paragraph(
        "What drawn pictures show, by the errors of the model without a mask (Li et al. 2023): as many entries as were "
          + "asked for, those told of which, one at a time, it denoises the picture best. The share of entries that were "
          + "asked for, and of those that were not: alike where pictures show nothing of what is asked, or the model "
          + "cannot tell. *Change* is paired by picture, from the same noise."),
      .table(
        columns: [
          "mask", "asked, without", "asked, behind it", "change", "not asked, without",
          "not asked, behind it", "N pictures",
        ],
        rows: judged.map { mask in
          let change = estimate(mask, .maskShownChange)
          return [
            Markdown.name(mask), text(estimate(mask, .maskShown(.before))),
            text(estimate(mask, .maskShown(.masked))),
            change.map { Markdown.signed($0) } ?? Markdown.nothing,
            text(estimate(mask, .maskUnasked(.before))),
            text(estimate(mask, .maskUnasked(.masked))),
            Markdown.count(change?.n),
          ]
        }),
    ]
  }

  /// Of models that were probed with and without a mask.
  private var locality: [Block] {
    let models = distinct(probes.filter { $0.mask != nil }.map(\.model))
    let rows = models.flatMap { model -> [[String]] in
      let own = probes.filter { $0.model == model }
      let levels = Set(own.compactMap(\.sigma)).sorted(by: >)
      return levels.flatMap { sigma in
        distinct(own.map { $0.mask ?? "" }).compactMap { mask -> [String]? in
          func found(_ measure: Measure) -> Estimate? {
            own.first {
              ($0.mask ?? "") == mask && $0.measure == measure.name && $0.sigma == sigma
            }?.estimate
          }
          guard let inside = found(.conceptInside) else { return nil }
          return [
            Markdown.name(model), Markdown.number(sigma),
            mask.isEmpty ? "none" : Markdown.name(mask), text(found(.conceptRemote)), text(inside),
            text(found(.conceptArea)), Markdown.count(inside.n),
          ]
        }
      }
    }
    if rows.isEmpty { return [] }
    return [
      .paragraph(
        "Locality between what is told, with and without a mask, each on what it draws itself. *Remote*: what all other "
          + "concepts change in a concept's region, going at once, over what its own going changes. *Inside*: the "
          + "share of a concept's effect in its region, found under other noise; *area*: the region's share of the "
          + "picture."),
      .table(
        columns: ["model", "σ", "mask", "remote", "inside", "area", "N pictures"], rows: rows),
      FieldRow.question(run).block,
    ]
  }
}
