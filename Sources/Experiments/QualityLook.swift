import Artifacts
import Diffusion
import Evaluation
import Formats
import Lineage
import Measures
import Statistics
import Workflow

/// What is found of an evaluation's pictures beside held-out renders.
struct QualityLook {
  /// Pictures of which K objects were requested.
  private struct Requested {
    var k: Int
    var features: FrechetComparison.Stratum
  }

  /// Pictures in which the judge finds so many objects: with fewer of them a picture is nearer to every other
  /// one, whatever was requested.
  private struct Found {
    var count: Int
    var distances: TrainingDistances
  }

  private let samples: DrawnSamples
  private let dimensions: Int
  private let options: QualityStage.Options
  private let context: StageContext
  private let most: Int
  /// A blank request asks for no number of objects: its pictures are not looked at.
  private let members: [Int]
  private let nearest: [NearestPicture]
  private var requested: [Requested] = []
  private var found: [Found] = []

  /// Renders of a number of objects that are held against training pictures, at least.
  private static let leastRenders = 60

  init(
    _ samples: DrawnSamples, judge: Judge, scenes: PictureSet, renders: QualityRenders,
    options: QualityStage.Options, _ context: StageContext
  ) throws {
    (self.samples, self.options, self.context) = (samples, options, context)
    most = scenes.objects.upperBound
    let picture = scenes.shape.pictureCount
    func features(_ pixels: [UInt8]) -> [Double] {
      judge.features(pixels.map(TrainingSet.value), threads: context.threads)
    }
    func nearest(_ pixels: [UInt8]) throws -> [NearestPicture] {
      try context.checkCancellation()
      return NearestPicture.among(
        scenes.pixels, of: pixels, count: picture, threads: context.threads)
    }
    func pixels(_ members: [Int]) -> [UInt8] {
      members.flatMap { samples.pixels[$0 * picture..<($0 + 1) * picture] }
    }
    let members = samples.outcomes.indices.filter { samples.outcomes[$0].k > 0 }
    self.members = members
    let byRequest = Dictionary(grouping: members) { samples.outcomes[$0].k }
    let counts = byRequest.keys.sorted()
    let axes = FeatureAxes(
      try counts.flatMap {
        features(try renders.pixels(k: $0, .axes, count: options.renders))
      }, count: judge.featureCount, dimensions: options.dimensions)
    dimensions = axes.dimensions
    let own = try nearest(pixels(members))
    self.nearest = own
    // The fullest renders stand for all that are fuller.
    let byFinds = Dictionary(grouping: members.indices) {
      min(samples.outcomes[members[$0]].drawn, JudgeSettings.mostObjects)
    }
    let total = counts.count + byFinds.count
    var done = 0
    func advance() {
      done += 1
      context.progress(StageProgress(done: done, total: total, unit: "counts"))
    }
    for k in counts {
      let drawn = byRequest[k] ?? []
      requested.append(
        Requested(
          k: k,
          features: .init(
            drawn: axes.project(features(pixels(drawn))),
            rendered: axes.project(
              features(try renders.pixels(k: k, .features, count: 2 * drawn.count))))))
      advance()
    }
    for (count, places) in byFinds.sorted(by: { $0.key < $1.key }) {
      let rendered = try renders.pixels(
        k: count, .training, count: max(2 * places.count, Self.leastRenders))
      found.append(
        Found(
          count: count,
          distances: TrainingDistances(
            drawn: places.map { own[$0].distance },
            rendered: try nearest(rendered).map(\.distance))))
      advance()
    }
  }

  /// The nearest training picture of each drawn one.
  var table: JSONValue {
    .object([
      "columns": .array(
        ["k", "layout", "drawn", "distance", "training_picture"].map(JSONValue.string)),
      "rows": .array(
        zip(members, nearest).map { member, nearest in
          let outcome = samples.outcomes[member]
          return .array([
            .integer(outcome.k), .integer(outcome.layout), .integer(outcome.drawn),
            .number(nearest.distance), .integer(nearest.index),
          ])
        }),
    ])
  }

  var metrics: [MetricRow] {
    var rows: [MetricRow] = []
    for own in requested { rows += frechet([own], .each, .k(own.k)) }
    for own in found {
      let at = Coordinate.k(own.count)
      let drawn = medianInterval(own.distances.drawn, seed: context.seed)
      let rendered = medianInterval(own.distances.rendered, seed: context.seed)
      rows += [
        Measure.trainingDistance.row(drawn, at), Measure.trainingDistanceNull.row(rendered, at),
      ]
    }
    for range in [Measure.QualityRange.within, .beyond] {
      func isMember(_ count: Int) -> Bool { (count <= most) == (range == .within) }
      rows += frechet(requested.filter { isMember($0.k) }, range, nil)
      let near = nearShare(
        found.filter { isMember($0.count) }.map(\.distances), seed: context.seed)
      if let near { rows.append(Measure.trainingNear(range).row(near)) }
    }
    return rows
  }

  private func frechet(_ own: [Requested], _ range: Measure.QualityRange, _ at: Coordinate?)
    -> [MetricRow]
  {
    guard let comparison = FrechetComparison(own.map(\.features), dimensions: dimensions) else {
      return []
    }
    let result = comparison.result(
      splits: options.splits, resamples: options.resamples, seed: context.seed,
      threads: context.threads)
    return [
      Measure.frechet(range).row(result.distance, at),
      Measure.frechetNull(range).row(result.null, at),
    ]
  }
}
