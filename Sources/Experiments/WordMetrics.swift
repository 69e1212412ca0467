import Artifacts
import Evaluation
import Lineage
import Measures
import Scenes
import Statistics

extension EvaluationReport {
  /// What is measured where words were asked for: the measures of places, of words met, and what telling
  /// words is worth.
  func wordMetrics(_ calibration: WordCalibration) -> [MetricRow] {
    let words = calibration.reader.words
    let byCount = Dictionary(grouping: drawn, by: \.request.k)
    return byCount.keys.sorted().flatMap { k in
      counted(k, byCount[k] ?? [], words)
    } + worth(calibration)
  }

  /// The colours that were asked for, and whether they were met.
  func askedColors(_ drawn: DrawnPicture, _ words: PictureWords) -> [SampleGrid.Asked] {
    drawn.request.asked.sorted().compactMap { word in
      words.meanings[word].color.map {
        SampleGrid.Asked(color: $0, isFound: drawn.words?.judge.contains(word) == true)
      }
    }
  }

  private func counted(_ k: Int, _ drawn: [DrawnPicture], _ words: PictureWords) -> [MetricRow] {
    let at = (Coordinate.k(k), Coordinate.seed(seed))
    let outcomes = drawn.map(\.outcome)
    let seen = drawn.compactMap(\.words)
    func share(_ outcomes: [Outcome]?) -> Interval? {
      outcomes.flatMap { Evaluation.recall($0, seed: context.seed) }
    }
    /// Of all finds those that are counted.
    func ofFinds(_ count: (WordsSeen) -> Int) -> Interval? {
      share(
        zip(outcomes, seen).map { outcome, seen in
          var outcome = outcome
          (outcome.requested, outcome.found) = (seen.finds.count, count(seen))
          return outcome
        })
    }
    func average(_ values: [Int]) -> Interval { mean(values.map(Double.init), seed: context.seed) }
    var rows = [
      Measure.drawn.row(average(seen.map(\.finds.count)), at.0, at.1),
      Measure.unrequested.row(
        average(drawn.map { $0.words?.unrequested($0.request.asked) ?? 0 }), at.0, at.1),
      Measure.windowLoad.row(
        Double(k) * artifact.denoiser.labelWindowArea / Double(shape.size * shape.size), at.0, at.1),
    ]
    rows += [
      (Measure.recall, share(outcomes)), (.recallSolid, share(outcomes.solid)),
      (.recallBackground, share(outcomes.asTheBackgroundSees)),
      (.precision, k == 0 ? nil : summarize(outcomes, seed: context.seed).first?.precision),
      (.mixing, ofFinds(\.mixed)),
    ].compactMap { measure, value in value.map { measure.row($0, at.0, at.1) } }
    if conditions.asked == .nothing {
      rows.append(
        Measure.emptyPictures.row(
          wilson(successes: seen.count { $0.finds.isEmpty }, trials: seen.count), at.1))
      return rows
    }
    if k == 0 {
      // A blank conditioner says nothing, not that nothing is there.
      let law = artifact.origin.objects
      rows.append(
        Measure.withinLaw.row(
          wilson(successes: seen.count { law.contains($0.finds.count) }, trials: seen.count), at.0,
          at.1))
      return rows
    }
    rows.append(
      Measure.recallChance.row(
        outcomes.reduce(0) { $0 + ($1.chance ?? 0) } / Double(outcomes.count * k), at.0, at.1,
        n: outcomes.count))
    rows.append(
      Measure.exact.row(
        wilson(successes: outcomes.count(where: \.exact), trials: outcomes.count), at.0, at.1))
    if !words.heldOut.isEmpty {
      let asked = drawn.count { words.isHeldOut($0.request.asked.contains) }
      rows.append(
        Measure.heldOutAsked.row(
          Double(asked) / Double(drawn.count), at.0, at.1, n: drawn.count))
    }
    return rows
      + words.askable.compactMap { word in
        let own = drawn.filter { $0.request.asked.contains(word) }
        if own.isEmpty { return nil }
        return Measure.recallByWord.row(
          wilson(
            successes: own.count { $0.words?.judge.contains(word) == true }, trials: own.count),
          at.0, at.1, .attribute(words.texts[word]))
      }
  }

  /// On held-out renders.
  private func worth(_ calibration: WordCalibration) -> [MetricRow] {
    let opinions = [
      (Detector.trained, calibration.judge, calibration.judgeWords),
      (.background, calibration.plain, calibration.plainWords),
    ]
    return [
      Measure.renderedMixing.row(calibration.renderedMixing),
      Measure.blendMixing.row(calibration.blendMixing),
    ]
      + opinions.flatMap { detector, told, words in
        objects(told, detector) + confusion(told, detector)
          + calibration.reader.words.texts.enumerated().compactMap { word, text in
            let own = words.filter { $0.word == word }
            if own.isEmpty { return nil }
            return Measure.renderedWords.row(
              wilson(successes: own.count(where: \.isTold), trials: own.count),
              .detector(detector), .attribute(text))
          }
      }
  }

  private func objects(_ told: [WordCalibration.Told], _ detector: Detector) -> [MetricRow] {
    ObjectSize.allCases.flatMap { size in
      ObjectColor.allCases.compactMap { color in
        WordCalibration.accuracy(told, color, size).map {
          Measure.renderedColor.row(
            $0, .detector(detector), .attribute("\(size.rawValue) \(color.rawValue)"))
        }
      }
    }
  }

  /// Cells of the matrix that are not 0.
  private func confusion(_ told: [WordCalibration.Told], _ detector: Detector) -> [MetricRow] {
    ObjectColor.allCases.flatMap { color in
      let own = told.filter { $0.color == color }
      return (ObjectColor.allCases.map(Optional.some) + [nil]).compactMap { other -> MetricRow? in
        let count = own.count { $0.told == other }
        if count == 0 { return nil }
        return Measure.colorConfusion.row(
          Double(count) / Double(own.count), .detector(detector),
          .pair("\(color.rawValue)-\(other?.rawValue ?? "missed")"), n: own.count)
      }
    }
  }
}
