import Measures

/// Whether layouts or initial noises decide how many objects are drawn.
struct VarianceSection: Section {
  static let kinds: Set = ["variance"]

  private let run: String
  private let numbers: ModelNumbers

  init(_ data: RunData) throws {
    run = data.run.id
    numbers = ModelNumbers(try data.ask(ModelNumber.variance(run)))
  }

  var blocks: [Block] {
    if numbers.models.isEmpty { return [] }
    return [
      .heading("Layout or initial noise"),
      .paragraph(
        "A rival of locality: the initial noise decides how many objects are drawn, and where (arXiv 2510.11117)."
          + " Every layout was drawn from every noise, the same noises for all models. The variance of the objects"
          + " drawn and of recall, and the shares of it that layouts make, that noises make, and that is a layout's"
          + " with a noise, beyond both (two-way random effects; an estimate below 0 is not cut off, and as good as"
          + " 0). Intervals hold for normal effects; simulated on counts as a judge makes them they cover 91 % at"
          + " least. As the judge sees it:"),
      table(.trained),
      .details("As the background detector sees it", [table(.background)]),
      ModelNumber.variance(run).block,
    ]
  }

  private func table(_ detector: Detector) -> Block {
    let parts = Measure.VariancePart.allCases
    return .table(
      columns: ["model", "K"]
        + Measure.Varied.allCases.flatMap { varied in
          ["variance of \(varied.rawValue)"] + parts.map { "\($0.rawValue)" }
        } + ["N pictures"],
      rows: numbers.models.flatMap { model in
        numbers.counts(model, .variance(.count)).map { k -> [String] in
          func text(_ measure: Measure, digits: Int = 2) -> String {
            numbers.mean(model, measure, k: k, detector).map {
              Markdown.interval($0, digits: digits)
            } ?? Markdown.nothing
          }
          return [Markdown.name(model.label), "\(k)"]
            + Measure.Varied.allCases.flatMap { varied in
              [text(.variance(varied), digits: varied == .count ? 2 : 3)]
                + parts.map { text(.varianceShare(varied, $0)) }
            } + [Markdown.count(numbers.mean(model, .variance(.count), k: k, detector)?.n)]
        }
      })
  }
}
