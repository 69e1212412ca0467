import Formats
import Measures
import Statistics

/// Recall and the remote index against pictures seen: what training length makes of both.
struct TrainingSection: Section {
  static let kinds: Set = ["snapshot"]

  private let moments: TrainingMoments
  private let pairs: [(model: String, against: String)]
  private let questions: [Block]

  init(_ data: RunData) throws {
    moments = try TrainingMoments(data)
    let names = Set(moments.courses.map(\.name))
    pairs = try ClaimsOfRun(data).claims.recalls.filter {
      names.contains($0.model) && names.contains($0.against)
    }.map { ($0.model, $0.against) }
    questions = [
      ComparedEvaluation.question(data.run.id).block, RemoteIndexRow.question(data.run.id).block,
    ]
  }

  var blocks: [Block] {
    if moments.courses.isEmpty {
      return [
        .heading("Along training"),
        .paragraph("No snapshot of a training was evaluated and compared."),
      ]
    }
    return [
      .heading("Along training"), .paragraph(about), recall,
    ] + index + [table] + trends + differences
      + [.details("Queries that yield these numbers", questions)]
  }

  private var about: String {
    "Snapshots of trainings, drawn from with their averaged weights, by pictures seen. *Recall beyond*: "
      + "\(RecallFinding.estimand) *Remote index*"
      + (moments.count.map { " (K = \($0))" } ?? "")
      + ": how much the output at an object changes when every label remote to it goes at once, over what its "
      + "own label changes. Means over seeds, where there are several, with 95 % intervals."
  }

  // MARK: - Charts

  private func chart(
    _ name: String, _ title: String, _ label: String, _ scale: ChartScale,
    _ part: KeyPath<TrainingMoments.Moment, Replicates>
  ) -> Block {
    let series = moments.courses.compactMap { course -> LineChart.Series? in
      let points = course.moments.compactMap { moment -> LineChart.Point? in
        moment[keyPath: part].mean.map {
          LineChart.Point(
            x: Double(moment.pictures), y: $0.value, low: $0.low,
            high: $0.high)
        }
      }
      return points.isEmpty ? nil : LineChart.Series(name: course.name, points: points)
    }
    let isLogarithmic = scale == .logarithmic
    return .chart(
      name: name,
      .lines(
        LineChart(
          title: title, xLabel: "pictures seen in training", yLabel: label, series: series,
          xScale: .logarithmic, yScale: scale,
          yRange: isLogarithmic ? leastDecade(series)...2 : 0...1, showsLess: isLogarithmic)),
      alternative: title)
  }

  private func leastDecade(_ series: [LineChart.Series]) -> Double {
    let least = series.flatMap(\.points).map(\.y).filter { $0 >= ModelIndices.least }.min() ?? 0.1
    return [1e-5, 1e-4, 1e-3, 1e-2].last { $0 <= least } ?? ModelIndices.least
  }

  private var recall: Block {
    chart(
      "training-recall.svg", "Recall beyond the training range, along training",
      "recall beyond chance", .linear, \.beyond)
  }

  private var index: [Block] {
    if moments.count == nil { return [] }
    return [
      chart(
        "training-index.svg", "Effect of all remote labels, along training",
        "over that of the own label", .logarithmic, \.remote)
    ]
  }

  // MARK: - Tables

  private var table: Block {
    func text(_ replicates: Replicates, digits: Int = 2) -> String {
      replicates.mean.map { Markdown.interval($0, digits: digits) } ?? Markdown.nothing
    }
    return .table(
      columns: [
        "training", "pictures", "remote index", "recall within", "recall beyond (judge)",
        "recall beyond (background)", "seeds",
      ],
      rows: moments.courses.flatMap { course in
        course.moments.map { moment in
          [
            Markdown.name(course.name), "\(moment.pictures)", text(moment.remote, digits: 3),
            text(moment.within), text(moment.beyond), text(moment.background),
            "\(moment.stages.count)",
          ]
        }
      })
  }

  /// From the moment from which a model has learned what it is asked for on: before, it is under-trained.
  private var trends: [Block] {
    let sentences = moments.courses.compactMap { course -> String? in
      let known = course.moments.compactMap { moment -> (Double, Double, Double)? in
        guard let index = moment.remote.mean, let recall = moment.beyond.mean else { return nil }
        return (Double(moment.pictures), index.value, recall.value)
      }
      guard known.count >= 4, let first = known.first, let last = known.last else { return nil }
      let pictures = known.map(\.0)
      func trend(_ values: [Double], from least: Double = 0) -> String {
        // What float32 leaves of nothing has no order.
        guard values.contains(where: { $0 > least }) else { return "nothing" }
        guard let found = RankCorrelation(pictures, values) else { return "no trend to tell" }
        return "ρ with pictures " + Markdown.interval(found.value, found.low, found.high)
      }
      return "\(Markdown.name(course.name)): index \(Markdown.number(first.1, digits: 3)) → "
        + "\(Markdown.number(last.1, digits: 3)) (\(trend(known.map(\.1), from: ModelIndices.least))), recall beyond "
        + "\(Markdown.number(first.2)) → \(Markdown.number(last.2)) (\(trend(known.map(\.2))))"
    }
    if sentences.isEmpty { return [] }
    return [
      .paragraph(
        "From the first moment to the last (Spearman's ρ over the moments, which are of the same trainings and so not "
          + "independent: a description, not a test): " + sentences.joined(separator: "; ") + ".")
    ]
  }

  private var differences: [Block] {
    let rows = pairs.flatMap { pair -> [[String]] in
      guard let model = moments.courses.first(where: { $0.name == pair.model }),
        let against = moments.courses.first(where: { $0.name == pair.against })
      else { return [] }
      return model.moments.compactMap { moment in
        guard let other = against.moments.first(where: { $0.pictures == moment.pictures }) else {
          return nil
        }
        let judge = moments.difference(moment, other, .recall)
        guard let mean = judge.mean else { return nil }
        return [
          "\(Markdown.name(pair.model)) less \(Markdown.name(pair.against))", "\(moment.pictures)",
          Markdown.signed(mean),
          moments.difference(moment, other, .background).mean.map { Markdown.signed($0) }
            ?? Markdown.nothing, "\(judge.values.count)",
        ]
      }
    }
    if rows.isEmpty { return [] }
    return [
      .paragraph(
        "What one training recalls beyond the range less what another does, after as many pictures, on the "
          + "same layouts and noise (not corrected for their number):"),
      .table(
        columns: ["difference", "pictures", "judge", "background", "seeds"], rows: rows),
    ]
  }
}
