import Formats
import Measures

/// Models of shapes of their own: how local they are between places, and by concepts.
struct FieldSection: Section {
  static let kinds: Set = ["probe", "features"]

  private let run: String
  private let rows: [FieldRow]
  private let toldAlone: [ToldAloneRow]
  private let samples: [SectionPicture]

  init(_ data: RunData) throws {
    run = data.run.id
    rows = try data.ask(FieldRow.question(run))
    toldAlone = try data.ask(ToldAloneRow.question(run))
    samples = try SectionPicture.all(data, kind: "probe", role: "samples")
  }

  var blocks: [Block] {
    if rows.isEmpty && toldAlone.isEmpty { return [] }
    return [.heading("Models of shapes of their own")] + probed + alone
  }

  private var probed: [Block] {
    if rows.isEmpty { return [] }
    return [.paragraph(Self.how)] + table(.places) + betweenPixels
      + [.paragraph(Self.concepts)] + conceptTable + effects + pictures
      + [FieldRow.question(run).block]
  }

  private var alone: [Block] {
    if toldAlone.isEmpty { return [] }
    return [
      .paragraph(
        "Features of models told of one thing alone: no pairs, so no cosines, nothing that adds up and no other's "
          + "subspace. What telling it changes in an activation, from ∅ on, on what the model draws itself with noise "
          + "anew: root mean square over the activation."),
      .table(
        columns: ["features", "gives", "told", "σ", "change", "N pictures"],
        rows: toldAlone.map { row in
          [
            Markdown.name(row.stage), Self.gives(row.isEndpoint), Markdown.name(row.attribute),
            Markdown.number(row.sigma), Markdown.interval(row.estimate),
            Markdown.count(row.estimate.n),
          ]
        }), ToldAloneRow.question(run).block,
    ]
  }

  private static let how =
    "Models that another program computes, of latents or height maps and told of words or numbers. They are probed on "
    + "what they draw themselves, with noise anew: there is no picture that they were trained on here, and no judge of "
    + "what they draw. *Gives*: a mean of the pictures that x may have come of, or an endpoint, which is like one of "
    + "them, as of a consistency model of one step; then no number below is about a score. Share of the squared "
    + "sensitivity Σ ‖∂D_i/∂x_j‖² between places i and j that lies within a window, and sides of the smallest windows "
    + "with 50, 75 and 95 %, in places of what is denoised; *even* is the share of pairs of places in the window. "
    + "*Step*: where differences stand for gradients, their relative change when the step is halved."
  private static let concepts =
    "Concepts, the entries of a conditioner. *Inside*: the share of what a concept changes, told no longer, in its "
    + "region, which are the fewest places with 75 % of it under other noise on the same picture; *area* is what "
    + "an effect that is spread evenly would have there. *Remote*: what all other concepts change in that region, going "
    + "at once, over what its own changes: 0 for local conditional scores."

  private var stages: [String] { distinct(rows.map(\.stage)) }

  private func sigmas(_ stage: String) -> [Double] {
    Set(rows.filter { $0.stage == stage }.compactMap(\.sigma)).sorted(by: >)
  }

  private func estimate(
    _ stage: String, _ measure: Measure, _ sigma: Double? = nil, window: Int? = nil
  ) -> Estimate? {
    rows.first {
      $0.stage == stage && $0.measure == measure.name && $0.sigma == sigma && $0.window == window
    }?.estimate
  }

  private func gives(_ stage: String) -> String {
    Self.gives((estimate(stage, .fieldEndpoints)?.value ?? 0) == 1)
  }

  private static func gives(_ isEndpoint: Bool) -> String { isEndpoint ? "endpoint" : "mean" }

  private static let window = 9

  private static let pixels =
    "Between pixels: a pixel of a clean picture is moved, which goes through the encoder, noise of σ on what is encoded, "
    + "the model and the decoder, to pixels again. By differences, whose step is told."

  private var betweenPixels: [Block] {
    let blocks = table(.pixels)
    return blocks.isEmpty ? [] : [.paragraph(Self.pixels)] + blocks
  }

  /// Nothing where nothing was probed in that space.
  private func table(_ space: Measure.FieldSpace) -> [Block] {
    let rows = stages.flatMap { stage in
      sigmas(stage).compactMap { sigma -> [String]? in
        let share = estimate(stage, .fieldLocality(space), sigma, window: Self.window)
        if share == nil, space == .pixels { return nil }
        let even = estimate(stage, .fieldEven(space), sigma, window: Self.window)
        return [
          Markdown.name(stage), gives(stage), Markdown.number(sigma),
          share.map { Markdown.interval($0) } ?? Markdown.nothing,
          even.map { Markdown.number($0.value, digits: 3) } ?? Markdown.nothing,
        ]
          + Measure.Share.allCases.map { share in
            estimate(stage, .fieldSide(share, space), sigma).map {
              Markdown.number($0.value, digits: 0)
            } ?? Markdown.nothing
          }
          + [
            estimate(stage, .fieldStepError(space), sigma).map {
              Markdown.number($0.value, digits: 3)
            } ?? Markdown.nothing, share.map { Markdown.count($0.n) } ?? Markdown.nothing,
          ]
      }
    }
    if rows.isEmpty { return [] }
    return [
      .table(
        columns: [
          "probe", "gives", "σ", "within \(Self.window) \(space.rawValue)", "even", "50 %", "75 %",
          "95 %", "step", "N pictures",
        ], rows: rows)
    ]
  }

  private var conceptTable: [Block] {
    [
      .table(
        columns: ["probe", "gives", "σ", "inside", "area", "remote", "N pictures"],
        rows: stages.flatMap { stage in
          sigmas(stage).compactMap { sigma -> [String]? in
            guard let inside = estimate(stage, .conceptInside, sigma) else { return nil }
            func text(_ measure: Measure) -> String {
              estimate(stage, measure, sigma).map { Markdown.interval($0) } ?? Markdown.nothing
            }
            return [
              Markdown.name(stage), gives(stage), Markdown.number(sigma),
              Markdown.interval(inside), text(.conceptArea), text(.conceptRemote),
              Markdown.count(inside.n),
            ]
          }
        })
    ]
  }

  private var effects: [Block] {
    let own = rows.filter { $0.measure == Measure.conceptEffect.name }
    if own.isEmpty { return [] }
    return [
      .details(
        "Concept by concept",
        [
          .paragraph(
            "Root mean square of what a concept changes, told no longer, over the output itself:"),
          .table(
            columns: ["probe", "concept", "σ", "effect", "N pictures"],
            rows: own.map { row in
              [
                Markdown.name(row.stage), Markdown.name(row.attribute ?? ""),
                row.sigma.map { Markdown.number($0) } ?? "", Markdown.interval(row.estimate),
                Markdown.count(row.estimate.n),
              ]
            }),
        ])
    ]
  }

  private var pictures: [Block] {
    samples.enumerated().flatMap { index, picture -> [Block] in
      [
        .heading("What \(Markdown.name(picture.stage)) looked at", level: 4),
        .paragraph(
          "Drawn by the model itself, decoded where it can; of what has one channel, gray from the least to the most."
        ),
        picture.block(
          name: "fields-\(index + 1).png", alternative: "Pictures that \(picture.stage) looked at"),
      ]
    }
  }
}
