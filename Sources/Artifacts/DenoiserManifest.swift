import Analytic
import Diffusion
import External
import Formats
import Interventions
import Scenes
import Workflow

/// Everything that can be sampled or probed is one type of artifact, in one of these forms.
package enum DenoiserManifest: Manifest {
  package static let type = ArtifactType.denoiser

  case trained(Training, Network)
  /// Trained by another program.
  case imported(Training, Network)
  /// Made from pictures, without training.
  case machine(Training, Machine)
  /// Another denoiser behind a mask.
  case masked(Mask)
  /// What another program computes.
  case external(Training, External)
  /// The same of other pictures or conditioners than Locus has.
  case field(Field, External)
  /// Such a model behind a mask.
  case maskedField(Field, Mask)

  /// On what a denoiser was made.
  package struct Training: Codable, Sendable, Hashable {
    /// `nil` where another program trained it and did not say.
    package var camera: CameraKind?
    /// Side of a picture in px.
    package var size: Int
    package var space: ConditionerSpace
    package var labelling: Labelling
    /// Fewest and most objects in a training picture.
    package var objects: [Int]
    /// Combinations of words that no training picture has; `nil`: none were held out.
    package var heldOut: [[String]]?

    package init(
      camera: CameraKind?, size: Int, space: ConditionerSpace, labelling: Labelling,
      objects: ClosedRange<Int>, heldOut: [[String]]? = nil
    ) {
      self.heldOut = heldOut
      self.camera = camera
      self.size = size
      self.space = space
      self.labelling = labelling
      self.objects = [objects.lowerBound, objects.upperBound]
    }
  }

  package struct Network: Codable, Sendable, Hashable {
    package var network: NetworkDescription.Architecture
    /// Side in px of what an output pixel depends on.
    package var window: Int
    /// SHA-256 of the weights.
    package var weights: String
    /// Of its training on the way, where they were asked for.
    package var snapshots: [Snapshot]?

    /// How a trained network went on, where it did.
    package var tuning: Tuning?

    package struct Tuning: Codable, Sendable, Hashable {
      /// SHA-256 of the manifest of the denoiser that it began as.
      package var base: String
      /// What made the passes that it was trained on.
      package var mask: MaskSpecification

      package init(base: String, mask: MaskSpecification) {
        self.base = base
        self.mask = mask
      }
    }

    package struct Snapshot: Codable, Sendable, Hashable {
      package var pictures: Int
      /// SHA-256 of the weights.
      package var weights: String

      package init(pictures: Int, weights: String) {
        self.pictures = pictures
        self.weights = weights
      }
    }

    package init(_ description: NetworkDescription, weights: String) {
      network = description.architecture
      window = description.window
      self.weights = weights
    }
  }

  package struct Machine: Codable, Sendable, Hashable {
    /// Where the windows come from: `fixed`, `calibrated` or a published schedule.
    package var windows: String
    package var schedule: WindowSchedule
    package var labelRadius: Int
    package var places: MachineSettings.Places
    package var labelDropout: Double
    /// Side in px of the largest window.
    package var window: Int
    /// SHA-256 of the training pictures and their conditioners.
    package var pixels: String
    package var conditioners: String

    package init(
      _ settings: MachineSettings, windows: String, size: Int, pixels: String, conditioners: String
    ) {
      self.windows = windows
      schedule = settings.schedule
      labelRadius = settings.labelRadius
      places = settings.places
      labelDropout = settings.labelDropout
      window = min(2 * settings.schedule.largestRadius + 1, size)
      self.pixels = pixels
      self.conditioners = conditioners
    }

    package func settings(_ training: Training) -> MachineSettings {
      MachineSettings(
        schedule: schedule, labelRadius: labelRadius, places: places,
        labelling: training.labelling, labelDropout: labelDropout)
    }
  }

  package struct Mask: Codable, Sendable, Hashable {
    /// SHA-256 of the manifest of the denoiser behind the mask.
    package var base: String
    package var mask: MaskSpecification
    /// SHA-256 of the pictures that stand for what is hidden, where there are any.
    package var fill: String?
    /// SHA-256 of what frozen norms take for granted, where there are any.
    package var moments: String?
    /// SHA-256 of the words' subspaces that features go through, where they do.
    package var subspaces: String?

    package init(
      base: String, mask: MaskSpecification, fill: String?, moments: String? = nil,
      subspaces: String? = nil
    ) {
      self.subspaces = subspaces
      self.base = base
      self.mask = mask
      self.fill = fill
      self.moments = moments
    }
  }

  /// What a model of any shape denoises, and what it is told.
  package struct Field: Codable, Sendable, Hashable {
    /// Channels, height, width.
    package var shape: [Int]
    /// A name for each entry of a conditioner.
    package var entries: [String]
    /// Whether it gives what is like a sample, and no mean.
    package var endpoints: Bool
    /// Whether it has gradients of its own.
    package var gradients: Bool

    package init(_ hello: PeerHello) {
      shape = hello.shape
      entries = hello.conditioner.names
      endpoints = hello.givesEndpoints
      gradients = hello.abilities.contains(.vjp)
    }

    package var fieldShape: FieldShape {
      let factors = shape + [Int](repeating: 1, count: max(0, 3 - shape.count))
      return FieldShape(
        channels: factors[0], height: factors[1], width: factors[2], entries: entries.count)
    }

    package var text: String {
      let told = entries.count == 1 ? "one number" : "\(entries.count) numbers"
      return shape.map(String.init).joined(separator: " × ")
        + " (channels, height, width), told of \(entries.isEmpty ? "nothing" : told)"
    }
  }

  package struct External: Codable, Sendable, Hashable {
    /// The program and its arguments, without a shell.
    package var command: [String]
    /// What lies in the folder where it starts, by path.
    package var files: [File]
    /// What it said of itself.
    package var name: String
    package var identity: String
    package var device: String
    /// Seconds for an answer.
    package var timeout: Double
    /// Pairs of passes for gradients that it does not give.
    package var directions: Int
    /// Side in px of what an output pixel depends on, where it says so.
    package var window: Int?

    package struct File: Codable, Sendable, Hashable {
      package var path: String
      package var sha256: String

      package init(path: String, sha256: String) {
        self.path = path
        self.sha256 = sha256
      }
    }

    package init(
      command: [String], files: [File], hello: PeerHello, timeout: Double, directions: Int
    ) {
      self.command = command
      self.files = files
      (name, identity, device) = (hello.name, hello.identity, hello.device)
      self.timeout = timeout
      self.directions = directions
      window = hello.pixelReach.map { 2 * $0 + 1 }
    }
  }

  // MARK: - On disk: the members of the parts beside each other, and `form`

  private enum Form: String, Codable {
    case trained, imported, machine, masked, external, field
    case maskedField = "masked-field"
  }
  private enum Key: String, CodingKey { case form }

  private var form: Form {
    switch self {
    case .trained: .trained
    case .imported: .imported
    case .machine: .machine
    case .masked: .masked
    case .external: .external
    case .field: .field
    case .maskedField: .maskedField
    }
  }

  package init(from decoder: any Decoder) throws {
    let form = try decoder.container(keyedBy: Key.self).decode(Form.self, forKey: .form)
    switch form {
    case .trained: self = .trained(try Training(from: decoder), try Network(from: decoder))
    case .imported: self = .imported(try Training(from: decoder), try Network(from: decoder))
    case .machine: self = .machine(try Training(from: decoder), try Machine(from: decoder))
    case .masked: self = .masked(try Mask(from: decoder))
    case .external: self = .external(try Training(from: decoder), try External(from: decoder))
    case .field: self = .field(try Field(from: decoder), try External(from: decoder))
    case .maskedField: self = .maskedField(try Field(from: decoder), try Mask(from: decoder))
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(form, forKey: .form)
    switch self {
    case .trained(let training, let network), .imported(let training, let network):
      try training.encode(to: encoder)
      try network.encode(to: encoder)
    case .machine(let training, let machine):
      try training.encode(to: encoder)
      try machine.encode(to: encoder)
    case .masked(let mask): try mask.encode(to: encoder)
    case .external(let training, let external):
      try training.encode(to: encoder)
      try external.encode(to: encoder)
    case .field(let field, let external):
      try field.encode(to: encoder)
      try external.encode(to: encoder)
    case .maskedField(let field, let mask):
      try field.encode(to: encoder)
      try mask.encode(to: encoder)
    }
  }
}
