import Formats
import Measures
import Probing

/// What one remote label does to an object, what all do, what their places do, and what remote pixels do.
struct RemoteSection: Section {
  static let kinds: Set = ["probe"]

  private let run: String
  private let rows: [RemoteIndexRow]
  private let levels: [RemoteLevelRow]

  init(_ data: RunData) throws {
    run = data.run.id
    rows = try data.ask(RemoteIndexRow.question(run)).labelled().overSeeds()
    levels = try data.ask(RemoteLevelRow.question(run)).labelled().overSeeds()
  }

  var blocks: [Block] {
    if rows.isEmpty { return [] }
    return [
      .heading("Remote labels"),
      .paragraph(
        "Change of the output at labelled objects when labels remote to them change, over its change when "
          + "the own label goes: root mean square over objects, mean over the probed noise levels. "
          + "*One at a time*: the root mean square over the remote labels, each removed alone, as "
          + "Jacobians and the shares of the next section see them. *All at once*: what the claims are "
          + "about. *Moved*: to other remote places, their number kept. *Pixels outside*: those outside the "
          + "object's window are another picture's, over the change when all are. *Law*: noised held-out "
          + "renders, told of as in training; *trajectory*: the model's own states on its way to pictures of K. "
          + "A ratio is also large where an object's own label does little. 95 % bootstrap intervals over "
          + "pictures with labels remote to an object; N is their number."),
      .table(
        columns: [
          "model", "inputs", "K", "one at a time", "all at once", "moved", "pixels outside",
          "N pictures",
        ],
        rows: Probed.all(rows).map(\.cells)),
      RemoteIndexRow.question(run).block,
    ] + everyLevel
  }

  /// A table of more rows is a query's.
  private static let most = 600

  private var everyLevel: [Block] {
    if levels.isEmpty { return [] }
    let query = RemoteLevelRow.question(run).block
    if levels.count > Self.most { return [.details("The same at each noise level", [query])] }
    return [
      .details(
        "The same at each noise level",
        [
          .table(
            columns: ["model", "inputs", "K", "σ", "change", "effect [95 %]", "N pictures"],
            rows: levels.map { row in
              [
                Markdown.name(row.label), row.inputs, "\(row.k)", ChartNumber.text(row.sigma),
                row.change, Markdown.interval(row.effect, digits: 3), Markdown.count(row.effect.n),
              ]
            }), query,
        ])
    ]
  }

  /// A denoiser at one kind of inputs.
  private struct Probed {
    var first: RemoteIndexRow
    var values: [RemoteAverage.Change: Estimate]

    /// In the order of their first rows.
    static func all(_ rows: [RemoteIndexRow]) -> [Probed] {
      rows.reduce(into: [Probed]()) { result, row in
        let place =
          result.firstIndex {
            $0.first.label == row.label && $0.first.k == row.k && $0.first.inputs == row.inputs
          } ?? result.endIndex
        if place == result.endIndex { result.append(Probed(first: row, values: [:])) }
        result[place].values[row.change] = row.index
      }
    }

    var cells: [String] {
      func text(_ change: RemoteAverage.Change) -> String {
        values[change].map { Markdown.interval($0, digits: 3) } ?? Markdown.nothing
      }
      return [
        Markdown.name(first.label), first.inputs.rawValue, "\(first.k)", text(.single),
        text(.removed), text(.moved), text(.swapped), Markdown.count(first.index.n),
      ]
    }
  }
}
