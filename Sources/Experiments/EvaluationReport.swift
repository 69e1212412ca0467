import Artifacts
import Diffusion
import Evaluation
import Formats
import Foundation
import Lineage
import Measures
import Statistics
import Workflow

/// What an evaluation leaves: metrics, outcomes, samples, and a file for `compare`.
struct EvaluationReport {
  let artifact: DenoiserArtifact
  let judge: JudgeFile
  let conditions: OutcomesManifest.Conditions
  let seen: SeenLayouts?
  /// Where words were asked for.
  let words: WordCalibration?
  let drawn: [DrawnPicture]
  let context: StageContext

  var seed: Int { Int(truncatingIfNeeded: context.seed) }
  var shape: PictureShape { artifact.denoiser.shape }

  func output(shown: Int) throws -> StageOutput {
    let rows = Data(
      OutcomeTable(outcomes: drawn.map(\.outcome), digests: drawn.map(\.digest)).json
        .canonicalText().utf8)
    let detections = Data(detections.json.canonicalText().utf8)
    let samples = try samples().npyData()
    var files = [
      try context.output(
        OutcomesManifest(
          artifact, conditions: conditions, rows: SHA256.hash(rows),
          detections: SHA256.hash(detections), samples: SHA256.hash(samples))),
      try context.output("outcomes", kind: "outcomes", .json, rows),
      try context.output("detections", kind: "detections", .json, detections),
      try context.output("samples", kind: "samples", .npy, samples),
    ]
    if shown > 0 {
      files.append(
        try context.output("grid", kind: "picture", .png, try grid(shown).pngData()))
    }
    let outcomes = drawn.map { drawn in
      let o = drawn.outcome
      return OutcomeRow(
        k: o.k, layout: o.layout, seed: o.seed, requested: o.requested, found: o.found,
        drawn: o.drawn, exact: o.exact, foundBackground: o.foundBackground, chance: o.chance,
        chanceBackground: o.chanceBackground, foundSolid: o.foundSolid)
    }
    return StageOutput(
      files: files, metrics: metrics(),
      tables: OutcomeRow.tables(outcomes).merging(PlaceRow.tables(places())) { own, _ in own })
  }

  // MARK: - Finds

  /// Every find of either detector, so that anybody can count again.
  private var detections: DetectionTable {
    DetectionTable(
      pictures: drawn.map { drawn in
        DetectionTable.Picture(
          k: drawn.request.k, layout: drawn.request.layout, places: drawn.request.places,
          words: words.map { words in
            drawn.request.asked.sorted().map { words.reader.words.texts[$0] }
          } ?? [], finds: rows(drawn.finds), crossCheck: rows(drawn.crossCheck))
      })
  }

  private func rows(_ finds: Finds) -> [DetectionTable.Row] {
    finds.all.indices.map { i in
      DetectionTable.Row(
        find: finds.all[i], look: finds.looks[i],
        place: finds.assigned.firstIndex(of: i))
    }
  }

  private func places() -> [PlaceRow] {
    let diagonal = Double(shape.size) * 2.0.squareRoot()
    return drawn.flatMap { drawn in
      drawn.request.places.indices.map { i in
        let place = drawn.request.places[i]
        return PlaceRow(
          k: drawn.request.k, layout: drawn.request.layout, seed: seed, place: i, x: place.x,
          y: place.y, nearest: drawn.request.nearest(i, beyond: diagonal),
          found: drawn.finds.assigned[i] != nil,
          foundBackground: drawn.crossCheck.assigned[i] != nil,
          opacity: drawn.finds.assigned[i].map(drawn.finds.opacity) ?? 0)
      }
    }
  }

  // MARK: - Metrics

  private func metrics() -> [MetricRow] {
    var rows = [
      Measure.trainingMaximum.row(Double(artifact.mostLabels)),
      Measure.labelWindowArea.row(artifact.denoiser.labelWindowArea),
    ]
    if let words { return rows + wordMetrics(words) }
    let outcomes = drawn.map(\.outcome)
    rows += byDistance() + attributes()
    for summary in summarize(outcomes, seed: context.seed) {
      let k = summary.k
      let own = outcomes.filter { $0.k == k }
      if let recall = summary.recall {
        rows.append(Measure.recall.row(recall, .k(k), .seed(seed)))
        if let solid = own.solid.flatMap({ Evaluation.recall($0, seed: context.seed) }) {
          rows.append(Measure.recallSolid.row(solid, .k(k), .seed(seed)))
        }
        if let other = own.asTheBackgroundSees.flatMap({
          Evaluation.recall($0, seed: context.seed)
        }) {
          rows.append(Measure.recallBackground.row(other, .k(k), .seed(seed)))
          // What remains after each detector's own recall on renders of K objects is taken out.
          let expected = judge.judgeRecall[k] - judge.backgroundRecall[k]
          rows.append(
            Measure.judgeDisagreement.row(
              abs(recall.value - other.value - expected), .k(k), .seed(seed), n: recall.n))
        }
      }
      if let precision = summary.precision {
        rows.append(Measure.precision.row(precision, .k(k), .seed(seed)))
      }
      let chances = own.compactMap(\.chance)
      if k > 0, !chances.isEmpty {
        rows.append(
          Measure.recallChance.row(
            chances.reduce(0, +) / Double(chances.count * k), .k(k), .seed(seed), n: chances.count))
      }
      rows.append(Measure.drawn.row(summary.drawn, .k(k), .seed(seed)))
      rows.append(
        Measure.unrequested.row(
          mean(own.map { Double($0.drawn - $0.found) }, seed: context.seed), .k(k), .seed(seed)))
      if k == 0 {
        // A blank conditioner asks for nothing in particular, not for an empty picture.
        let law = artifact.origin.objects
        rows.append(
          Measure.withinLaw.row(
            wilson(successes: own.count { law.contains($0.drawn) }, trials: own.count), .k(k),
            .seed(seed)))
      } else {
        rows.append(Measure.countError.row(summary.countError, .k(k), .seed(seed)))
        rows.append(Measure.exact.row(summary.exact, .k(k), .seed(seed)))
        if let seen { rows.append(trainingLayouts(k, seen)) }
      }
      let picture = Double(shape.size * shape.size)
      rows.append(
        Measure.windowLoad.row(
          Double(k) * artifact.denoiser.labelWindowArea / picture, .k(k), .seed(seed)))
    }
    return rows
  }

  private func trainingLayouts(_ k: Int, _ seen: SeenLayouts) -> MetricRow {
    let requests = drawn.map(\.request).filter { $0.k == k }
    let count =
      k == 1
      ? requests.count { seen.contains($0) } : requests.reduce(0) { $0 + $1.passedOver }
    return Measure.trainingLayouts.row(Double(count), .k(k), .seed(seed), n: requests.count)
  }

  /// Recall is not composition: do the objects beyond the range have attributes as in training, whatever
  /// stands beside them?
  private func attributes() -> [MetricRow] {
    let beyond = drawn.filter { $0.request.k > artifact.origin.objects.upperBound }
    func objects(_ finds: Finds, _ chosen: some Sequence<Int>) -> ObjectsFound {
      let seen = chosen.compactMap { i in
        finds.looks[i].map { (finds.all[i].place, $0.attributes) }
      }
      return ObjectsFound(places: seen.map(\.0), attributes: seen.map(\.1))
    }
    let all = beyond.map { objects($0.finds, $0.finds.all.indices) }
    // An object that is found twice, or two that overlap, look alike whatever the model does: what meets
    // requests stands as far apart as they do.
    let met = beyond.map { objects($0.finds, $0.finds.assigned.compactMap { $0 }) }
    return ObjectAttributes.Kind.allCases.flatMap { kind -> [MetricRow] in
      let at = (Coordinate.seed(seed), Coordinate.attribute(kind.rawValue))
      let dependence = neighbourDependence(met, kind, seed: context.seed)
      let law = lawDistance(
        all, kind, renders: judge.renderedValues[kind] ?? [], seed: context.seed)
      return [
        dependence.map { Measure.neighbourDependence.row($0, at.0, at.1) },
        law.map { Measure.attributeLaw.row($0, at.0, at.1) },
      ].compactMap { $0 }
    }
  }

  /// Lower edges of the bins of distance, in sixteenths of the side.
  private static let distances = [0, 2, 3, 4, 6, 8]

  /// Places of one picture depend on each other: layouts are resampled, each with its places in the bin.
  private func byDistance() -> [MetricRow] {
    let beyond = drawn.filter { $0.request.k > max(artifact.origin.objects.upperBound, 1) }
    let edges = Self.distances.map { Double($0 * shape.size) / 16 }
    return edges.enumerated().compactMap { bin, low in
      let high = bin + 1 < edges.count ? edges[bin + 1] : .infinity
      let outcomes = beyond.compactMap { drawn -> Outcome? in
        let members = drawn.request.places.indices.filter {
          (low..<high).contains(drawn.request.nearest($0, beyond: .infinity))
        }
        if members.isEmpty { return nil }
        var outcome = drawn.outcome
        outcome.requested = members.count
        outcome.found = members.count { drawn.finds.assigned[$0] != nil }
        return outcome
      }
      return Evaluation.recall(outcomes, seed: context.seed).map {
        Measure.recallByDistance.row($0, .seed(seed), .distance(low))
      }
    }
  }

  /// A value of a picture as it is stored, clipped.
  static func byte(_ value: Float) -> UInt8 {
    UInt8(min(max((value + 1) * 127.5, 0), 255).rounded())
  }

  private func samples() throws -> NPYArray {
    let bytes = drawn.flatMap { drawn in
      drawn.picture.map(Self.byte)
    }
    return try NPYArray(
      shape: [drawn.count, shape.size, shape.size, 3], elements: .uint8(bytes))
  }

  private func grid(_ shown: Int) throws -> PNGImage {
    let byCount = Dictionary(grouping: drawn, by: \.request.k)
    let rows = byCount.keys.sorted().map { k in
      let some = (byCount[k] ?? []).prefix(shown)
      return SampleGrid.Row(
        label: k, pictures: some.map(\.picture), places: some.map(\.request.places),
        isFound: some.map { $0.finds.assigned.map { $0 != nil } },
        words: words.map { words in some.map { askedColors($0, words.reader.words) } })
    }
    return try SampleGrid.draw(rows, shape: shape)
  }
}
