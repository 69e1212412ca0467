import Diffusion
import Evaluation
import Formats
import Interventions
import Workflow

/// An evaluation as `compare` sees it: of which denoiser, under which conditions, and a row a picture.
///
/// Nothing in it depends on the name of a stage.
public struct OutcomesManifest: Manifest {
  public static let type = ArtifactType.outcomes
  /// SHA-256 of the denoiser's manifest.
  public var denoiser: String
  /// Of a masked denoiser: SHA-256 of its base's manifest, and the mask.
  public var base: String?
  public var mask: MaskSpecification?
  /// Most objects in a training picture.
  public var trainingMaximum: Int
  public var conditions: Conditions
  /// SHA-256 of the rows.
  public var rows: String

  /// What else decides a picture and what is found in it: only evaluations that share it compare.
  public struct Conditions: Codable, Sendable, Hashable {
    /// SHA-256 of the judge's weights.
    public var judge: String
    public var steps: Int
    /// As a share of the picture's side.
    public var tolerance: Double
    /// Another width of vectors draws pictures with other last bits.
    public var instructions: String

    public init(judge: String, steps: Int, tolerance: Double, instructions: String) {
      self.judge = judge
      self.steps = steps
      self.tolerance = tolerance
      self.instructions = instructions
    }
  }

  public init(
    _ denoiser: DenoiserArtifact, conditions: Conditions, rows: String
  ) {
    self.denoiser = denoiser.sha256
    base = denoiser.mask?.base
    mask = denoiser.mask?.mask
    trainingMaximum = denoiser.origin.objects.upperBound
    self.conditions = conditions
    self.rows = rows
  }

  public var isPlain: Bool { mask == nil }
}

/// The rows of an evaluation: what was found in each picture, and the picture's digest.
public struct OutcomeTable: Sendable {
  public var outcomes: [Outcome]
  /// The first 16 digits of the SHA-256 of each float32 picture: equal means bit for bit.
  public var digests: [String]

  public init(outcomes: [Outcome], digests: [String]) {
    self.outcomes = outcomes
    self.digests = digests
  }

  private static let columns = ["seed", "k", "layout", "requested", "found", "drawn", "digest"]

  public var json: JSONValue {
    .object([
      "columns": .array(Self.columns.map(JSONValue.string)),
      "rows": .array(
        zip(outcomes, digests).map { outcome, digest in
          let numbers = [
            outcome.seed, outcome.k, outcome.layout, outcome.requested, outcome.found,
            outcome.drawn,
          ]
          return .array(numbers.map(JSONValue.integer) + [.string(digest)])
        }),
    ])
  }

  /// - Throws: `ArtifactError` for rows that are not as `json` writes them.
  public init(_ file: StageFile) throws {
    let value: JSONValue
    do {
      value = try JSONValue.parse(
        try file.data(), limits: JSON5.Limits(maximumBytes: 1 << 28, maximumDepth: 16))
    } catch let error as JSON5Error {
      throw ArtifactError(file: file, reason: error.description)
    }
    guard let rows = value["rows"]?.array,
      value["columns"] == .array(Self.columns.map(JSONValue.string))
    else { throw ArtifactError(file: file, reason: "lacks rows, or has other columns") }
    outcomes = []
    digests = []
    for row in rows {
      let cells = row.array ?? []
      let numbers = cells.compactMap(\.integer)
      guard numbers.count == 6, let digest = cells.last?.string else {
        throw ArtifactError(file: file, reason: "has a row that is not six numbers and a digest")
      }
      let outcome = Outcome(
        seed: numbers[0], k: numbers[1], layout: numbers[2], requested: numbers[3],
        found: numbers[4], drawn: numbers[5])
      // Sums over pictures must not overflow.
      guard
        [outcome.k, outcome.layout, outcome.requested, outcome.found, outcome.drawn]
          .allSatisfy({ (0...1 << 20).contains($0) }),
        outcome.found <= min(outcome.requested, outcome.drawn)
      else { throw ArtifactError(file: file, reason: "has a row with impossible counts") }
      outcomes.append(outcome)
      digests.append(digest)
    }
  }
}
