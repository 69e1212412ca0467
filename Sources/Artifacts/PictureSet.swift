import Diffusion
import Formats
import Foundation
import Scenes
import Workflow

/// Pictures with conditioners and scenes.
package struct PictureSetManifest: Manifest {
  package static let type = ArtifactType.pictureSet
  package var camera: CameraKind
  /// The camera's light when the set was made, so that what is rendered beside it later has a key of its own:
  /// `CameraKind.lightRevision`.
  package var light: Int?
  /// Side in px.
  package var size: Int
  package var space: ConditionerSpace
  /// Fewest and most objects.
  package var objects: [Int]
  package var count: Int
  /// Combinations of words that no picture has; `nil`: none were held out.
  package var heldOut: [[String]]?
  /// SHA-256 of (N, S, S, 3) bytes, of (N, entries of the space) counts of all objects or flags of words, of
  /// CLEVR's scenes.
  package var pixels: String
  package var conditioners: String
  package var scenes: String

  package init(
    camera: CameraKind, size: Int, space: ConditionerSpace, objects: ClosedRange<Int>, count: Int,
    heldOut: [[String]]? = nil, pixels: String, conditioners: String, scenes: String
  ) {
    self.heldOut = heldOut
    self.camera = camera
    light = camera.lightRevision
    self.size = size
    self.space = space
    self.objects = [objects.lowerBound, objects.upperBound]
    self.count = count
    self.pixels = pixels
    self.conditioners = conditioners
    self.scenes = scenes
  }
}

extension PictureSetManifest {
  package var shape: PictureShape { PictureShape(size: size, space: space) }

  /// The set that a stage was given, its files unread.
  package init(_ role: String, of context: StageContext) throws {
    let file = try context.input(role).manifest
    try self.init(file)
    guard PictureShape.sizes.contains(size),
      space.dimensions.allSatisfy((1...PictureShape.sizes.upperBound).contains)
    else {
      throw ArtifactError(file: file, reason: "describes pictures that cannot be")
    }
  }

  /// Bytes of its pictures and conditioners.
  package func bytes(_ context: StageContext) throws -> Int {
    try [pixels, conditioners].reduce(0) { $0 + (try context.object($1).size) }
  }
}

/// Pixels and conditioners as they lie in two files.
package struct PictureFiles: Sendable {
  package let shape: PictureShape
  package let pixels: [UInt8]
  package let conditioners: [UInt8]

  /// - Throws: `ArtifactError` for arrays that do not fit each other, or the space.
  package init(pixels file: StageFile, conditioners: StageFile, space: ConditionerSpace) throws {
    let (pictureShape, pixels) = try file.bytes()
    let (conditionerShape, conditioners) = try conditioners.bytes()
    // In range before anything is multiplied: an empty array may claim sides of any length.
    guard pictureShape.count == 4, PictureShape.sizes.contains(pictureShape[1]),
      pictureShape[1] == pictureShape[2], pictureShape[3] == PictureShape.channels,
      conditionerShape == [pictureShape[0]] + space.dimensions,
      space.dimensions.allSatisfy({ $0 > 0 }),
      space.cells.map({ pictureShape[1] % $0 == 0 }) ?? true
    else {
      throw ArtifactError(
        file: file,
        reason:
          "pictures \(pictureShape) and conditioners \(conditionerShape) \(space.text) do not fit"
      )
    }
    shape = PictureShape(size: pictureShape[1], space: space)
    self.pixels = pixels
    self.conditioners = conditioners
  }

  package var count: Int { pixels.count / shape.pictureCount }
  package var trainingSet: TrainingSet {
    get throws { try TrainingSet(shape: shape, pixels: pixels, conditioners: conditioners) }
  }
}

/// A picture set, read.
package struct PictureSet: Sendable {
  package let manifest: PictureSetManifest
  private let files: PictureFiles

  /// - Throws: `ArtifactError` when the files are not those that the manifest describes.
  package init(_ input: StageInput, object: (String) -> StageFile) throws {
    let file = try input.manifest
    manifest = try PictureSetManifest(file)
    files = try PictureFiles(
      pixels: object(manifest.pixels), conditioners: object(manifest.conditioners),
      space: manifest.space)
    guard manifest.objects.count == 2, manifest.objects[0] <= manifest.objects[1],
      manifest.size == files.shape.size, manifest.count == files.count
    else {
      throw ArtifactError(file: file, reason: "describes other pictures than its files hold")
    }
  }

  /// The set that a stage was given.
  package init(_ role: String, of context: StageContext) throws {
    try self.init(try context.input(role), object: context.object)
  }

  /// Fewest and most objects.
  package var objects: ClosedRange<Int> { manifest.objects[0]...manifest.objects[1] }
  package var camera: CameraKind { manifest.camera }
  package var shape: PictureShape { files.shape }
  package var pixels: [UInt8] { files.pixels }
  package var conditioners: [UInt8] { files.conditioners }
  package var count: Int { files.count }
  package var trainingSet: TrainingSet { get throws { try files.trainingSet } }

  /// (S, S, 3): the mean picture.
  package var meanPicture: [Float] {
    var sums = [Int](repeating: 0, count: shape.pictureCount)
    for n in 0..<count {
      for i in sums.indices { sums[i] += Int(pixels[n * sums.count + i]) }
    }
    return sums.map { Float(Double($0) / Double(count) / 127.5 - 1) }
  }
}
