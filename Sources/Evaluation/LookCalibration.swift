import Statistics

/// What looks and detectors are worth on held-out renders: as they are, and blended with ground.
package struct LookCalibration: Sendable {
  /// Of the rest of the picture there remains so much in a faint one.
  package static let faint: Float = 0.25
  /// An object is solid from here on.
  package static let solid = 0.5
  /// Rendered objects that are kept as examples, at most.
  static let examples = 2000

  private var objects = 0
  private var solidAsTheyAre = 0
  private var solidWhenFaint = 0
  private var judgeWhenFaint = 0
  private var backgroundWhenFaint = 0
  private var right: [ObjectAttributes.Kind: Int] = [:]
  /// The objects of each render, as they are told: neighbours overlap what is looked at, which may make them
  /// seem alike.
  package private(set) var rendered: [ObjectsFound] = []
  /// What finds in renders are told for: by kind the number of each value.
  package var values: [ObjectAttributes.Kind: [Int]] {
    let told = rendered.flatMap(\.attributes)
    return Dictionary(
      uniqueKeysWithValues: ObjectAttributes.Kind.allCases.map { kind in
        (kind, told.reduce(into: [Int](repeating: 0, count: kind.count)) { $0[$1[kind]] += 1 })
      })
  }

  /// Share of objects that are told for solid: of those as they are, and of the faint ones.
  package var solidShare: Interval { wilson(successes: solidAsTheyAre, trials: objects) }
  package var faintShare: Interval { wilson(successes: solidWhenFaint, trials: objects) }
  /// Share of faint objects that each detector finds.
  package var judgeRecall: Interval { wilson(successes: judgeWhenFaint, trials: objects) }
  package var backgroundRecall: Interval { wilson(successes: backgroundWhenFaint, trials: objects) }
  /// Share of objects of which an attribute is told right.
  package func accuracy(_ kind: ObjectAttributes.Kind) -> Interval {
    wilson(successes: right[kind] ?? 0, trials: objects)
  }

  mutating func add(
    _ renders: JudgeRenders, examples: ObjectExamples, judge: Judge,
    background: BackgroundDetector, tolerance: Double, threads: Int
  ) {
    let pictures = renders.pictures
    let count = examples.ground.count
    let faint = pictures.indices.map { i in
      let ground = examples.ground[i % count]
      return ground + Self.faint * (pictures[i] - ground)
    }
    for (n, own) in zip(renders.places, renders.attributes).enumerated() {
      let pixels = n * count..<(n + 1) * count
      let (solid, blended) = (Array(pictures[pixels]), Array(faint[pixels]))
      var told = ObjectsFound(places: [], attributes: [])
      for (place, attributes) in zip(own.0, own.1) {
        objects += 1
        if let look = examples.look(solid, at: place) {
          told.places.append(place)
          told.attributes.append(look.attributes)
          if look.opacity >= Self.solid { solidAsTheyAre += 1 }
          for kind in ObjectAttributes.Kind.allCases {
            if look.attributes[kind] == attributes[kind] { right[kind, default: 0] += 1 }
          }
        }
        if (examples.look(blended, at: place)?.opacity ?? 0) >= Self.solid { solidWhenFaint += 1 }
      }
      rendered.append(told)
    }
    func found(_ finds: [[Find]]) -> Int {
      zip(finds, renders.places).reduce(0) {
        $0
          + matchCount(
            requested: $1.1, detected: $1.0.map(\.place), tolerance: tolerance)
      }
    }
    judgeWhenFaint += found(judge.detect(faint, threads: threads))
    backgroundWhenFaint += found(background.detect(faint))
  }
}
