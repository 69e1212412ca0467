import Diffusion
import Formats
import Foundation
import Lineage
import Streams
import Workflow

/// A file that a stage was given and could not read.
struct ArtifactError: ErrorWithExitCode, CustomStringConvertible {
  var file: StageFile
  var reason: String

  var exitCode: Int32 { ExitCode.badData }

  var description: String {
    "\(file.url.path): \(reason); `locus verify` tells whether the store is damaged"
  }
}

extension StageFile {
  func data() throws -> Data {
    do {
      return try Data(contentsOf: url, options: .mappedIfSafe)
    } catch {
      throw ArtifactError(file: self, reason: "cannot be read: \(error.localizedDescription)")
    }
  }

  func bytes() throws -> (shape: [Int], values: [UInt8]) {
    let array = try self.array()
    guard case .uint8(let values) = array.elements else {
      throw ArtifactError(file: self, reason: "holds no bytes")
    }
    return (array.shape, values)
  }

  func array() throws -> NPYArray {
    do {
      return try NPYArray(npy: try data())
    } catch let error as FormatError {
      throw ArtifactError(file: self, reason: error.description)
    }
  }

  func weights() throws -> WeightsFile {
    do {
      return try WeightsFile(data: try data())
    } catch let error as WeightsFileError {
      throw ArtifactError(file: self, reason: error.description)
    }
  }
}

extension StageContext {
  /// Hands the stage's checkpoint on to the science; asked for once, for it reads what was saved.
  func checkpointing() -> Checkpointing {
    Checkpointing(
      saved: checkpoint.restore(), isDue: { [checkpoint] in checkpoint.isDue },
      save: { [checkpoint] in try checkpoint.save($0) },
      discard: { [checkpoint] in checkpoint.discard($0) }, checkCancellation: checkCancellation)
  }

  /// Writes an output into the scratch folder.
  func output(_ role: String, kind: String, _ format: OutputFormat, _ data: Data) throws
    -> StageOutput.File
  {
    let url = scratch.appendingPathComponent(role + "." + format.fileExtension)
    try AtomicFile.write(data, to: url)
    return StageOutput.File(role: role, url: url, kind: kind, mediaType: format.mediaType)
  }
}

/// The formats of artifacts.
enum OutputFormat: String {
  case npy, safetensors, json, png

  var fileExtension: String { rawValue }

  var mediaType: String {
    switch self {
    case .npy: "application/x-npy"
    case .safetensors: "application/x-safetensors"
    case .json: "application/json"
    case .png: "image/png"
    }
  }
}

/// Pictures with their conditioners, as the stages `generate` and `analytic` leave them.
struct PictureFiles {
  let shape: PictureShape
  let pixels: [UInt8]
  let conditioners: [UInt8]

  init(pixels file: StageFile, conditioners: StageFile) throws {
    let (pictureShape, pixels) = try file.bytes()
    let (gridShape, conditioners) = try conditioners.bytes()
    // In range before anything is multiplied: an empty array may claim sides of any length.
    guard pictureShape.count == 4, gridShape.count == 3, (8...512).contains(pictureShape[1]),
      pictureShape[1] == pictureShape[2],
      pictureShape[3] == PictureShape.channels, gridShape[1] == gridShape[2],
      pictureShape[0] == gridShape[0], gridShape[1] > 0, pictureShape[1] % gridShape[1] == 0
    else {
      throw ArtifactError(
        file: file, reason: "pictures \(pictureShape) and conditioners \(gridShape) do not fit")
    }
    shape = PictureShape(size: pictureShape[1], cells: gridShape[1])
    self.pixels = pixels
    self.conditioners = conditioners
  }

  var count: Int { pixels.count / shape.pictureCount }
  var trainingSet: TrainingSet {
    get throws { try TrainingSet(shape: shape, pixels: pixels, conditioners: conditioners) }
  }
}

/// The rendered pictures that a `generate` stage left.
struct SceneArtifact {
  private let files: PictureFiles
  /// Fewest and most objects.
  let objects: ClosedRange<Int>

  init(_ input: StageInput) throws {
    files = try PictureFiles(
      pixels: try input.file("pixels"), conditioners: try input.file("conditioners"))
    let range = try input.parameters.integers("objects")
    guard range.count == 2, range[0] <= range[1] else {
      throw StageFault("the stage that made the pictures states no range of objects")
    }
    objects = range[0]...range[1]
  }

  var shape: PictureShape { files.shape }
  var pixels: [UInt8] { files.pixels }
  var conditioners: [UInt8] { files.conditioners }
  var count: Int { files.count }
  var trainingSet: TrainingSet { get throws { try files.trainingSet } }
}
