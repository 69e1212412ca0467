import Formats
import Lineage
import Measures

@testable import Reporting

extension ReportFixture {
  /// Two recipes of two seeds, trained on up to 3 and up to 5 objects, the first with snapshots, all
  /// evaluated, compared and probed.
  static func alongTraining(
    source: String =
      "{ question: 'q', claims: { fails: [{ model: 'long_wide', against: 'long_local' }] } }"
  ) throws -> ReportFixture {
    let fixture = try ReportFixture(source: source)
    let scenes = try fixture.scenes()
    let judge = try fixture.judge()
    var compared: [Compared] = []
    var along: [Compared] = []
    var probes: [Made] = []
    for seed in 1...2 {
      func add(
        _ name: String, _ made: Made, _ beyond: Double, index: Double, _ list: inout [Compared],
        _ suffix: String = "", trainedUpTo: Double = 3
      ) throws {
        let evaluation = try fixture.evaluation(
          "evaluated_\(name)[seed=\(seed)\(suffix)]", of: made, judge: judge,
          trainedUpTo: trainedUpTo
        ) { $0 <= 3 ? 0.96 : beyond }
        list.append(
          Compared(
            evaluation: evaluation, kMax: beyond >= 0.9 ? 9 : 3, beyond: beyond, seed: 1))
        probes.append(
          try fixture.probe(
            "probed_\(name)[seed=\(seed)\(suffix)]", of: made, scenes: scenes, share: 0.9,
            index: index))
      }
      for (name, network, shift) in [("long_local", "local", 0.0), ("long_wide", "unet", -0.1)] {
        let long = try fixture.model(
          "\(name)[seed=\(seed)]", labelling: "single", network: network, scenes: scenes,
          seed: UInt64(seed), pictures: 300)
        for pictures in [100, 200] {
          let snapshot = try fixture.model(
            "along_\(name)[seed=\(seed),pictures=\(pictures)]", labelling: "single",
            network: network, kind: "snapshot", scenes: long, seed: UInt64(seed),
            pictures: pictures)
          try add(
            "along_\(name)", snapshot, 0.8 + shift + 0.01 * Double(seed),
            index: shift == 0 ? 0 : 0.0005 * Double(pictures), &along, ",pictures=\(pictures)")
        }
        try add(
          name, long, 0.92 + 2 * shift + 0.01 * Double(seed), index: shift == 0 ? 0 : 0.4,
          &compared)
      }
      let five = try fixture.model(
        "five[seed=\(seed)]", labelling: "single", scenes: scenes, seed: UInt64(seed))
      try add("five", five, 0.85, index: 0.1, &compared, trainedUpTo: 5)
    }
    try fixture.comparison(compared)
    try fixture.comparison(along, name: "along")
    // Written down after everything was evaluated: it does not count.
    try fixture.stage(
      "predicted", "predict",
      inputs: probes.enumerated().map { ("probes[\($0)]", $1) },
      files: ["prediction": "order"],
      metrics: probes.enumerated().map {
        Measure.predictedRank.row(
          Double($0 + 1), .k(9), .inputs(.trajectory), .subject($1.manifest), n: probes.count)
      })
    return fixture
  }
}
