import Formats
import Lineage
import Measures
import Statistics

@testable import Reporting

/// Whole runs, and what may be added to one.
extension ReportFixture {
  /// A run with something to say in every section.
  static func study(source: String = "{ question: 'Does it compose?' }") throws -> ReportFixture {
    let fixture = try ReportFixture(source: source)
    let scenes = try fixture.scenes()
    let judge = try fixture.judge()
    let all = try fixture.model("baseline[labelling=all]", labelling: "all", scenes: scenes)
    let single = try fixture.model(
      "baseline[labelling=single]", labelling: "single", scenes: scenes)
    let local = try fixture.model("local", labelling: "single", network: "local", scenes: scenes)
    let imported = try fixture.model(
      "theirs", labelling: "all", kind: "import", scenes: scenes)
    let masked = try ["identity", "conditioner", "sum"].map { mask in
      try fixture.mask("masked[mask=\(mask)]", mask, of: single, scenes: scenes)
    }
    func evaluation(_ name: String, _ made: Made, steps: Int = 18, _ slope: Double) throws -> Made {
      try fixture.evaluation(name, of: made, judge: judge, steps: steps) {
        max(0, 0.97 - slope * Double(max(0, $0 - 3)))
      }
    }
    let evaluations = [
      try evaluation("all_evaluated", all, 0.01), try evaluation("single_evaluated", single, 0.08),
      try evaluation("local_evaluated", local, 0.005),
      try evaluation("theirs_evaluated", imported, 0.02),
      try evaluation("masked_evaluated[mask=identity]", masked[0], 0.08),
      try evaluation("masked_evaluated[mask=conditioner]", masked[1], 0.02),
      try evaluation("masked_evaluated[mask=sum]", masked[2], 0.16),
    ]
    // Under other conditions than the plain one.
    let stray = try fixture.mask("stray", "conditioner", of: single, scenes: scenes, radius: 3)
    let strayEvaluated = try evaluation("stray_evaluated", stray, steps: 12, 0.01)
    try fixture.comparison(
      zip(
        evaluations,
        [
          (9.0, 0.93, nil), (3, 0.61, nil), (9, 0.95, nil), (6, 0.88, nil), (3, 0.61, 0),
          (6, 0.88, 0.27), (1, 0.25, -0.36),
        ] as [(Double, Double, Double?)]
      ).map { Compared(evaluation: $0, kMax: $1.0, beyond: $1.1, effect: $1.2) }
        + [Compared(evaluation: strayEvaluated, kMax: 6, beyond: 0.9)], identical: 1)
    try fixture.probe("all_locality", of: all, scenes: scenes, share: 0.99)
    try fixture.probe("single_locality", of: single, scenes: scenes, share: 0.9)
    return fixture
  }

  /// What two of the study's models draw, as pictures, and what decides their counts.
  func pictures() throws {
    let names = [("all", "baseline[labelling=all]"), ("single", "baseline[labelling=single]")]
    guard let scenes = made["scenes"], let judge = made["judge"] else { return }
    try realism("real", scenes, judge)
    for (place, (name, model)) in names.enumerated() {
      guard let evaluation = made["\(name)_evaluated"], let denoiser = made[model] else { continue }
      try quality("\(name)_quality", of: evaluation, scenes, judge, frechet: 1 + 4 * Double(place))
      try variance("\(name)_variance", of: denoiser, judge, noise: 0.1 + 0.5 * Double(place))
    }
  }

  /// Real pictures of which the judge finds less than of their renders.
  func realism(_ name: String, _ scenes: Made, _ judge: Made) throws {
    let views: [(Measure.SceneView, Double)] = [(.real, 0.8), (.rendered, 0.9)]
    var metrics = [
      Measure.pairedScenes.row(24), Measure.sceneFrechetNull.row(interval(1, width: 0.6)),
    ]
    for (view, recall) in views {
      for detector in Detector.allCases {
        for k: Coordinate? in [nil, .k(3), .k(9)] {
          metrics += [
            Measure.sceneRecall(view).row(interval(recall, width: 0.1), k, .detector(detector)),
            Measure.scenePrecision(view).row(interval(0.95, width: 0.05), k, .detector(detector)),
            Measure.sceneExact(view).row(
              interval(recall / 2, width: 0.2, n: k == nil ? 24 : 12), k, .detector(detector)),
          ]
        }
      }
      metrics += [
        Measure.sceneFrechet(view).row(interval(view == .real ? 3 : 1.1, width: 0.5)),
        Measure.sceneAttributes(view).row(interval(recall), .attribute("color")),
      ]
    }
    metrics += Detector.allCases.map {
      Measure.realRecallDifference.row(interval(-0.1, width: 0.1), .detector($0))
    }
    try stage(
      name, "realism", inputs: [("pictures", scenes), ("renders", scenes), ("judge", judge)],
      files: ["table": name, "grid": "pairs"], metrics: metrics)
  }

  /// What two words change inside a network.
  func features() throws {
    guard let scenes = made["scenes"], let denoiser = made["baseline[labelling=all]"] else {
      return
    }
    let sigma = Coordinate.sigma(5)
    func means(_ means: Measure.FeatureMeans, _ cosine: Double) -> [MetricRow] {
      [
        Measure.featureCosine(means).row(interval(cosine), sigma, .pair("red-blue")),
        Measure.featureMeanCosine(means).row(interval(cosine), sigma),
        Measure.featureExchangedCosine(means).row(interval(0.9), sigma),
        Measure.featureCosineP(means).row(0.001, sigma, n: 1000),
        Measure.featureAdditivity(means).row(interval(0.8), sigma, .attribute("seen")),
        Measure.featureAdditivity(means).row(interval(0.6), sigma, .attribute("held-out")),
      ]
    }
    func shares(_ k: Int, _ inputs: ProbeInputs, _ own: Double) -> [MetricRow] {
      let at = (Coordinate.k(k), Coordinate.inputs(inputs))
      return [
        Measure.featureDiagonal.row(interval(own), sigma, at.0, at.1),
        Measure.featureOblique.row(interval(own + 0.05), sigma, at.0, at.1),
        Measure.featureOthers.row(0.1, sigma, at.0, at.1, n: 24),
        Measure.featureRandom.row(interval(0.06), sigma, at.0, at.1),
        Measure.featureRandomInSpan.row(interval(0.2), sigma, at.0, at.1),
      ]
        + ["red", "blue"].flatMap { row in
          ["red", "blue"].map { column in
            Measure.featureShare.row(
              row == column ? own : 0.1, sigma, at.0, at.1, .pair("\(row)-\(column)"), n: 24)
          }
        }
    }
    try stage(
      "words_features", "features", inputs: [("denoiser", denoiser), ("scenes", scenes)],
      files: ["features": "features"],
      metrics: means(.intervened, 0.3) + means(.conditioned, 0.4) + shares(1, .law, 0.9)
        + [("red", 0.1), ("blue", 0.3)].map {
          Measure.featureBeside.row($1, sigma, .attribute($0), n: 24)
        }
        + shares(2, .trajectory, 0.5))
  }

  /// A model of a shape of its own, of which a mean comes, and one of one step.
  func fields() throws {
    guard let denoiser = made["baseline[labelling=all]"] else { return }
    for (name, isEndpoint) in [("latents", false), ("heights", true)] {
      let sigma = Coordinate.sigma(5)
      let step = isEndpoint ? [Measure.fieldStepError(.places).row(0.02, sigma)] : []
      let remote =
        isEndpoint
        ? []
        : [
          Measure.conceptRemote.row(interval(0.4), sigma),
          Measure.fieldLocality(.pixels).row(interval(0.7), sigma, .window(9)),
          Measure.fieldEven(.pixels).row(0.1, sigma, .window(9)),
          Measure.fieldSide(.half, .pixels).row(5, sigma, n: 24),
          Measure.fieldSide(.most, .pixels).row(9, sigma, n: 24),
          Measure.fieldSide(.nearlyAll, .pixels).row(33, sigma, n: 24),
          Measure.fieldStepError(.pixels).row(0.01, sigma),
        ]
      try stage(
        name, "probe", inputs: [("denoiser", denoiser)], files: ["samples": name],
        metrics: [
          Measure.fieldEndpoints.row(isEndpoint ? 1 : 0), Measure.fieldPasses.row(1200),
          Measure.fieldLocality(.places).row(interval(0.8), sigma, .window(9)),
          Measure.fieldEven(.places).row(0.2, sigma, .window(9)),
          Measure.fieldSide(.half, .places).row(3, sigma, n: 24),
          Measure.fieldSide(.most, .places).row(7, sigma, n: 24),
          Measure.fieldSide(.nearlyAll, .places).row(31, sigma, n: 24),
          Measure.conceptInside.row(interval(0.6), sigma),
          Measure.conceptArea.row(interval(0.2), sigma),
          Measure.conceptEffect.row(interval(0.3), sigma, .attribute("a red cube")),
        ] + step + remote)
    }
    try stage(
      "heights_features", "features", inputs: [("denoiser", denoiser)],
      metrics: [
        Measure.fieldEndpoints.row(1),
        Measure.featureEffect.row(interval(0.25), .sigma(5), .attribute("entry 1")),
      ])
    try fieldMasks()
  }

  /// A mask that keeps what a concept does to its region, and one that moves regions.
  private func fieldMasks() throws {
    guard let denoiser = made["baseline[labelling=all]"] else { return }
    for (name, keep, remote) in [("regions", "near", 0.1), ("moved", "random", 0.5)] {
      let masked = try stage(
        name, "intervene", inputs: [("denoiser", denoiser)],
        manifest: [
          "type": .string("denoiser"), "format": .integer(1), "form": .string("masked-field"),
          "base": .string(denoiser.manifest),
          "mask": .object([
            "mask": .string("concept"), "labels": .integer(1), "keep": .string(keep),
            "radius": .number(7), "block": .integer(4), "margin": .integer(4),
            "fill": .string("ground"),
            "region": .object([
              "share": .number(0.75), "noises": .integer(2), "knock_out": .string("among"),
            ]),
          ]),
        ],
        metrics: [
          Measure.maskDeparture.row(interval(0.4), .sigma(5)),
          Measure.maskDrawnDeparture.row(interval(0.5)),
          Measure.maskShown(.before).row(interval(0.8)),
          Measure.maskShown(.masked).row(interval(0.7)),
          Measure.maskUnasked(.before).row(interval(0.2)),
          Measure.maskUnasked(.masked).row(interval(0.3)),
          Measure.maskShownChange.row(interval(-0.1)),
        ])
      let sigma = Coordinate.sigma(5)
      try stage(
        name + "_probe", "probe", inputs: [("denoiser", masked)],
        metrics: [
          Measure.fieldEndpoints.row(0), Measure.conceptInside.row(interval(0.9), sigma),
          Measure.conceptArea.row(interval(0.2), sigma),
          Measure.conceptRemote.row(interval(remote), sigma),
        ])
    }
  }

  func quality(
    _ name: String, of evaluation: Made, _ scenes: Made, _ judge: Made, frechet: Double
  ) throws {
    func rows(_ range: Measure.QualityRange, _ at: Coordinate?) -> [MetricRow] {
      let value = range == .within ? 1 : frechet
      return [
        Measure.frechet(range).row(interval(value, width: 0.5), at),
        Measure.frechetNull(range).row(interval(1, width: 0.6), at),
      ]
    }
    try stage(
      name, "quality", inputs: [("outcomes", evaluation), ("judge", judge), ("scenes", scenes)],
      files: ["table": name],
      metrics: [3, 9].flatMap { k in
        rows(.each, .k(k)) + [
          Measure.trainingDistance.row(interval(0.12, width: 0.01), .k(k)),
          Measure.trainingDistanceNull.row(interval(0.13, width: 0.01, n: 48), .k(k)),
        ]
      } + rows(.within, nil) + rows(.beyond, nil) + [
        Measure.trainingNear(.within).row(interval(0.04)),
        Measure.trainingNear(.beyond).row(interval(0.25)),
      ])
  }

  func variance(_ name: String, of denoiser: Made, _ judge: Made, noise: Double) throws {
    try stage(
      name, "variance", inputs: [("denoiser", denoiser), ("judge", judge)],
      files: ["table": name],
      metrics: [Detector.trained, .background].flatMap { detector in
        Measure.Varied.allCases.flatMap { varied -> [MetricRow] in
          let at = (Coordinate.k(9), Coordinate.detector(detector))
          let shares: [(Measure.VariancePart, Double)] = [
            (.layout, 0.3), (.noise, noise), (.rest, 0.7 - noise),
          ]
          return [Measure.variance(varied).row(interval(1.5, n: 64), at.0, at.1)]
            + shares.map {
              Measure.varianceShare(varied, $0.0).row(interval($0.1, n: 64), at.0, at.1)
            }
        }
      })
  }

  /// Two models and their masks over seeds.
  ///
  /// - Parameter effects: of the mask and of its control, a pair a seed.
  static func replicated(
    _ effects: [(mask: Double, control: Double)],
    source: String = "{ question: 'Does it compose?' }"
  ) throws -> ReportFixture {
    let fixture = try ReportFixture(source: source)
    let scenes = try fixture.scenes()
    let judge = try fixture.judge()
    var compared: [Compared] = []
    for (index, effect) in effects.enumerated() {
      let seed = UInt64(index + 1)
      func add(_ name: String, _ made: Made, _ beyond: Double, _ effect: Double? = nil) throws {
        let evaluation = try fixture.evaluation(
          "\(name)_evaluated[seed=\(seed)]", of: made, judge: judge, seed: seed
        ) { _ in beyond }
        compared.append(
          Compared(
            evaluation: evaluation, kMax: 3, beyond: beyond, effect: effect, seed: Int(seed)))
      }
      for (labelling, beyond) in [
        ("single", 0.5 + 0.1 * Double(index)), ("all", 0.6 + 0.1 * Double(index)),
      ] {
        let model = try fixture.model(
          "baseline[seed=\(seed),labelling=\(labelling)]", labelling: labelling, scenes: scenes,
          seed: seed)
        try add("baseline_\(labelling)", model, beyond)
        if labelling == "all" { continue }
        for (mask, change) in [("conditioner", effect.mask), ("sum", effect.control)] {
          let made = try fixture.mask(
            "masked[seed=\(seed),mask=\(mask)]", mask, of: model, scenes: scenes, seed: seed)
          try add("masked_\(mask)", made, beyond + change, change)
        }
      }
    }
    try fixture.comparison(compared)
    return fixture
  }

  /// The failing model and the composing one, each with a mask of the same windows.
  static func otherModels(mask: Double, control: Double, own: Double, ownControl: Double?) throws
    -> ReportFixture
  {
    let fixture = try ReportFixture()
    let scenes = try fixture.scenes()
    let judge = try fixture.judge()
    var compared: [Compared] = []
    for (labelling, beyond, effects) in [
      ("single", 0.5, [("conditioner", own), ("sum", ownControl)]),
      ("all", 0.9, [("conditioner", mask), ("sum", control)]),
    ] as [(String, Double, [(String, Double?)])] {
      let model = try fixture.model(labelling, labelling: labelling, scenes: scenes)
      let plain = try fixture.evaluation("\(labelling)_evaluated", of: model, judge: judge) { _ in
        beyond
      }
      compared.append(Compared(evaluation: plain, kMax: 3, beyond: beyond))
      for case (let name, let effect?) in effects {
        let masked = try fixture.mask(
          "masked_\(labelling)[mask=\(name)]", name, of: model, scenes: scenes)
        let evaluation = try fixture.evaluation(
          "masked_\(labelling)_evaluated[mask=\(name)]", of: masked, judge: judge
        ) { _ in min(1, max(0, beyond + effect)) }
        compared.append(
          Compared(evaluation: evaluation, kMax: 3, beyond: beyond + effect, effect: effect))
      }
    }
    try fixture.comparison(compared)
    return fixture
  }

  /// A world that is CPC without coupling, and not with it.
  func theory() throws {
    var metrics: [MetricRow] = []
    for coupling in [0, 0.5] {
      for windows in Measure.Windows.allCases {
        metrics.append(
          Measure.theoryKL(windows).row(coupling * 0.3, .coupling(coupling), .sigma(0)))
        for measure in [Measure.theoryKL, Measure.theoryPixel, Measure.theoryLabel] {
          for sigma in [0.5, 1, 5] {
            metrics.append(
              measure(windows).row(
                coupling == 0
                  ? Interval(value: 0, low: -1e-14, high: 1e-14, n: 50)
                  : interval(0.2 / sigma, width: 0.1 / sigma), .coupling(coupling), .sigma(sigma)))
          }
        }
      }
      metrics.append(Measure.theoryCosine.row(coupling, .coupling(coupling)))
      for (pair, measure) in [
        ("1-2", Measure.theoryPairPixel), ("1-3", .theoryPairPixel), ("1|2", .theoryPairLabel),
      ] {
        metrics.append(
          measure.row(interval(0.1), .coupling(coupling), .sigma(0.5), .pair(pair)))
      }
    }
    for k in [1, 2] {
      metrics.append(Measure.theorySupport.row(k == 1 ? 0.25 : 0, .coupling(0.5), .k(k)))
      for score in SampledScore.allCases where score == .composed || k == 1 {
        metrics += [
          Measure.theoryChi2.row(3.2, .coupling(0.5), .k(k), .score(score), n: 40),
          Measure.theoryFreedom.row(4, .coupling(0.5), .k(k), .score(score)),
          Measure.theoryP.row(0.52, .coupling(0.5), .k(k), .score(score)),
          Measure.theoryRecall.row(0.99, .coupling(0.5), .k(k), .score(score)),
        ]
      }
    }
    try stage(
      "world", "theory", ["family": .string("copied-color"), "transform": .string("none")],
      files: ["worlds": "w"], metrics: metrics)
    try stage(
      "features", "theory", ["family": .string("copied-color"), "transform": .string("general")],
      files: ["worlds": "f"],
      metrics: ["windows in features, noise in features", "windows in pixels, noise in pixels"]
        .flatMap { view in
          [
            Measure.theoryKL(.cells).row(0, .coupling(0), .sigma(0)),
            Measure.theoryKL(.block).row(0, .coupling(0), .sigma(0)),
            Measure.theoryKL(.block).row(interval(0.2), .coupling(0), .sigma(1), .view(view)),
            Measure.theoryKL(.cells).row(interval(0.2), .coupling(0), .sigma(1), .view(view)),
            Measure.theoryPixel(.cells).row(interval(0.2), .coupling(0), .sigma(1), .view(view)),
            Measure.theoryLabel(.cells).row(interval(0), .coupling(0), .sigma(1), .view(view)),
            Measure.theoryCosine.row(0.5, .coupling(0), .view(view)),
          ]
        })
  }

  /// Machines of two windows beside the local network of `study`.
  func machines() throws {
    let scenes = try existing("scenes")
    let judge = try existing("judge")
    let local = try existing("local")
    var compared: [Compared] = []
    for (radius, beyond) in [(6, 0.8), (31, 0.2)] {
      let name = "window[radius=\(radius)]"
      let machine = try stage(
        name, "analytic",
        [
          "schedule": .string("fixed"), "radius": .integer(radius), "label_radius": .integer(-1),
          "places": .string("same"), "labelling": .string("single"),
        ], inputs: [("scenes", scenes), ("teacher", local)],
        manifest: [
          "type": .string("denoiser"), "format": .integer(1), "form": .string("machine"),
          "name": .string(name), "labelling": .string("single"), "size": .integer(32),
          "window": .integer(2 * radius + 1), "objects": .array([.integer(1), .integer(3)]),
        ], files: ["pixels": "p", "conditioners": "c"],
        metrics: [
          Measure.pictures.row(100), Measure.windowRadius.row(Double(radius), .sigma(2)),
          Measure.windowsUnmatched.row(0.02, .k(3), n: 200),
          Measure.calibrationR2.row(interval(0.9), .sigma(2), .radius(radius)),
        ])
      let evaluation = try self.evaluation(
        "window_evaluated[radius=\(radius)]", of: machine, judge: judge
      ) {
        $0 > 3 ? beyond : 0.95
      }
      compared.append(Compared(evaluation: evaluation, kMax: 3, beyond: beyond))
      try stage(
        "agreed[radius=\(radius)]", "agree",
        inputs: [("denoiser", machine), ("reference", local), ("scenes", scenes)],
        files: ["agreement": name],
        metrics: [0.5, 2].flatMap { sigma in
          [
            Measure.r2(.denoised).row(interval(0.9), .k(3), .sigma(sigma)),
            Measure.r2Centered(.denoised).row(interval(0.8), .k(3), .sigma(sigma)),
          ]
        } + [
          Measure.r2(.drawn).row(interval(0.7), .k(3)),
          Measure.r2Centered(.drawn).row(interval(0.6), .k(3)),
        ])
    }
    try comparison(compared, name: "machine_comparison")
  }

  /// The error of scores of `study`, on and off training.
  func scoreErrors() throws {
    let scenes = try existing("scenes")
    let posterior = try self.posterior(scenes: scenes)
    for (name, off) in [
      ("baseline[labelling=all]", 0.2), ("baseline[labelling=single]", 0.6), ("local", 0.3),
    ] {
      try scoreError(
        "\(name)_error", of: try existing(name), posterior: posterior, on: 0.1, off: off)
    }
  }

  func posterior(scenes: Made) throws -> Made {
    var metrics: [MetricRow] = []
    for k in [1, 9] {
      for sigma in [20.0, 2.0] {
        let at = (Coordinate.k(k), Coordinate.sigma(sigma))
        let leftOut = k == 9 && sigma == 2 ? 0.75 : 0
        metrics.append(Measure.posteriorEffective.row(30 * sigma / Double(k), at.0, at.1, n: 16))
        metrics.append(Measure.posteriorLeftOut.row(leftOut, at.0, at.1))
        metrics.append(Measure.posteriorNoise.row(interval(0.01), at.0, at.1))
      }
    }
    return try stage(
      "posterior", "posterior", inputs: [("scenes", scenes)],
      manifest: ["type": .string("posterior"), "format": .integer(1)], files: ["inputs": "i"],
      metrics: metrics)
  }

  func scoreError(
    _ name: String, of denoiser: Made, posterior: Made, on: Double, off: Double
  ) throws {
    var metrics: [MetricRow] = []
    for (k, value) in [(1, on), (9, off)] {
      let side = k == 1 ? Measure.scoreErrorOn : .scoreErrorOff
      metrics += [side.row(interval(value, n: 8), .k(k)), side.row(interval(value, n: 8))]
      for sigma in [20.0, 2.0] {
        let at = (Coordinate.k(k), Coordinate.sigma(sigma))
        let leftOut = k == 9 && sigma == 2 ? 0.75 : 0
        metrics.append(Measure.scoreError.row(interval(value, n: 8), at.0, at.1))
        metrics.append(Measure.scoreErrorAtObjects.row(interval(value / 2, n: 8), at.0, at.1))
        metrics.append(Measure.posteriorLeftOut.row(leftOut, at.0, at.1))
      }
    }
    try stage(
      name, "score-error", inputs: [("denoiser", denoiser), ("posterior", posterior)],
      files: ["errors": name], metrics: metrics)
  }

  /// What a stage of the run left.
  func existing(_ name: String) throws -> Made {
    let rows = try store.rows(
      """
      SELECT o.role, o.sha256 FROM stage s JOIN execution_output o USING (execution_id)
      WHERE s.run_id = ? AND s.name = ?
      """, [.text(run), .text(name)])
    return Made(
      outputs: Dictionary(
        uniqueKeysWithValues: try rows.map { (try $0.text("role"), try $0.text("sha256")) }))
  }
}
