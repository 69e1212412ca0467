import Diffusion
import Evaluation
import Formats
import Interventions
import Workflow

/// An evaluation as `compare` sees it: of which denoiser, under which conditions, and a row a picture.
///
/// Nothing in it depends on the name of a stage.
package struct OutcomesManifest: Manifest {
  package static let type = ArtifactType.outcomes
  /// SHA-256 of the denoiser's manifest.
  package var denoiser: String
  /// Of a masked denoiser: SHA-256 of its base's manifest, and the mask.
  package var base: String?
  package var mask: MaskSpecification?
  /// Most labels of a training picture: a place an object, or the words that are true.
  package var trainingMaximum: Int
  package var conditions: Conditions
  /// SHA-256 of the rows, of what the detectors found, and of the pictures as bytes.
  package var rows: String
  package var detections: String
  package var samples: String

  /// What else decides a picture and what is found in it: only evaluations that share it compare.
  package struct Conditions: Codable, Sendable, Hashable {
    /// SHA-256 of the judge's weights.
    package var judge: String
    package var steps: Int
    /// As a share of the picture's side.
    package var tolerance: Double
    /// Another width of vectors draws pictures with other last bits.
    package var instructions: String
    package var spacing: LayoutSpacing
    /// SHA-256 of the manifest of the pictures whose layouts were passed over.
    package var unlike: String?
    /// `nil`: none, as of evaluations from before there was any.
    package var guidance: Guidance?
    /// Of words; `nil` for the ordinary ones, and for places.
    package var asked: AskedWords?
    /// `nil`: Heun's.
    package var sampler: SamplingMethod?

    package init(
      judge: String, steps: Int, tolerance: Double, instructions: String, spacing: LayoutSpacing,
      unlike: String?, guidance: Guidance? = nil, asked: AskedWords? = nil,
      sampler: SamplingMethod? = nil
    ) {
      self.sampler = sampler
      self.asked = asked
      self.guidance = guidance
      self.spacing = spacing
      self.unlike = unlike
      self.judge = judge
      self.steps = steps
      self.tolerance = tolerance
      self.instructions = instructions
    }
  }

  package init(
    _ denoiser: DenoiserArtifact, conditions: Conditions, rows: String, detections: String,
    samples: String
  ) {
    self.detections = detections
    self.samples = samples
    self.denoiser = denoiser.sha256
    base = denoiser.mask?.base
    mask = denoiser.mask?.mask
    trainingMaximum = denoiser.mostLabels
    self.conditions = conditions
    self.rows = rows
  }

  package var isPlain: Bool { mask == nil }
}

/// The rows of an evaluation: what was found in each picture, and the picture's digest.
package struct OutcomeTable: Sendable {
  package var outcomes: [Outcome]
  /// The first 16 digits of the SHA-256 of each float32 picture: equal means bit for bit.
  package var digests: [String]

  package init(outcomes: [Outcome], digests: [String]) {
    self.outcomes = outcomes
    self.digests = digests
  }

  private static let columns = [
    "seed", "k", "layout", "requested", "found", "drawn", "found_background", "found_solid",
    "chance", "chance_background", "digest",
  ]

  package var json: JSONValue {
    .object([
      "columns": .array(Self.columns.map(JSONValue.string)),
      "rows": .array(
        zip(outcomes, digests).map { outcome, digest in
          let numbers = [
            outcome.seed, outcome.k, outcome.layout, outcome.requested, outcome.found,
            outcome.drawn, outcome.foundBackground ?? 0, outcome.foundSolid ?? 0,
          ]
          return .array(
            numbers.map(JSONValue.integer) + [
              .number(outcome.chance ?? 0), .number(outcome.chanceBackground ?? 0),
              .string(digest),
            ])
        }),
    ])
  }

  /// - Throws: `ArtifactError` for rows that are not as `json` writes them.
  package init(_ file: StageFile) throws {
    let value = try file.table()
    guard let rows = value["rows"]?.array,
      value["columns"] == .array(Self.columns.map(JSONValue.string))
    else { throw ArtifactError(file: file, reason: "lacks rows, or has other columns") }
    outcomes = []
    digests = []
    for row in rows {
      let cells = row.array ?? []
      let numbers = cells.prefix(8).compactMap(\.integer)
      guard cells.count == 11, numbers.count == 8, let chance = cells[8].number,
        let chanceBackground = cells[9].number, let digest = cells[10].string
      else {
        throw ArtifactError(file: file, reason: "has a row that is not ten numbers and a digest")
      }
      let outcome = Outcome(
        seed: numbers[0], k: numbers[1], layout: numbers[2], requested: numbers[3],
        found: numbers[4], drawn: numbers[5], foundBackground: numbers[6], chance: chance,
        chanceBackground: chanceBackground, foundSolid: numbers[7])
      // Sums over pictures must not overflow.
      guard
        [outcome.k, outcome.layout, outcome.requested, outcome.found, outcome.drawn]
          .allSatisfy({ (0...1 << 20).contains($0) }),
        outcome.found <= min(outcome.requested, outcome.drawn),
        (0...outcome.requested).contains(numbers[6]), (0...outcome.found).contains(numbers[7]),
        [chance, chanceBackground].allSatisfy({ (0...Double(outcome.requested)).contains($0) })
      else { throw ArtifactError(file: file, reason: "has a row with impossible counts") }
      outcomes.append(outcome)
      digests.append(digest)
    }
  }
}
