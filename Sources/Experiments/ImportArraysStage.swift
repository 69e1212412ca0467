import Artifacts
import Diffusion
import Formats
import Foundation
import Lineage
import Measures
import Scenes
import Workflow

/// `import-arrays`: pictures and conditioners that another program made, as two arrays.
package enum ImportArraysStage {
  package struct Options: Settings {
    @Setting("a .npy of N × S × S × 3 bytes; a path counts from the pipeline file's folder")
    var pixels: String
    @Setting("a .npy of N × cells × cells bytes: how many labels each cell has") var conditioners:
      String
    @Setting(
      default: CameraKind.clevr,
      "the view that the pictures have, for what is drawn beside them: layouts, the judge's renders"
    )
    var camera: CameraKind
    @Setting(
      each: 0...CLEVRFile.mostObjects, count: 2...2,
      "fewest and most objects in a picture, labelled or not")
    var objects: [Int]

    package init() {}
  }

  package static let kind = StageKind(
    name: "import-arrays", version: 1,
    summary: "Takes pictures and conditioners that another program made, as two .npy files.",
    settings: Options.self, inputs: [], produces: .pictureSet, isSeeded: false,
    check: { Shared.checkObjects($0.objects) },
    foresee: { options, _ in
      Foreseen(camera: options.camera, objects: options.objects).value
    },
    outside: [
      OutsideDeclaration("pixels", .file, remedy: "save it with `numpy.save`, as uint8"),
      OutsideDeclaration("conditioners", .file, remedy: "save it with `numpy.save`, as uint8"),
    ],
    memory: { _, _ in 16 << 20 }, run: run)

  private static func run(_ options: Options, _ context: StageContext) throws -> StageOutput {
    var pixels = try OutsideArray("pixels", of: context)
    var conditioners = try OutsideArray("conditioners", of: context)
    let shape = pixels.header.shape
    guard pixels.isBytes, shape.count == 4, shape[0] > 0, shape[1] == shape[2],
      PictureShape.sizes.contains(shape[1]), shape[1] % 4 == 0, shape[3] == PictureShape.channels
    else {
      throw pixels.refuse(
        "accepted: uint8 of N × S × S × 3 in C order, S a multiple of 4 from \(PictureShape.sizes.lowerBound) to"
          + " \(PictureShape.sizes.upperBound); save `numpy.ascontiguousarray(a.astype('u1'))`")
    }
    let cells = conditioners.header.shape
    guard conditioners.isBytes, cells.count == 3, cells[0] == shape[0], cells[1] == cells[2],
      cells[1] > 0, shape[1] % cells[1] == 0
    else {
      throw conditioners.refuse(
        "accepted: uint8 of \(shape[0]) × cells × cells in C order, cells a divisor of \(shape[1])")
    }
    let set = ImportedArrays(
      camera: options.camera, size: shape[1], cells: cells[1], objects: options.objects,
      count: shape[0])
    let pictures = try context.pieces("pixels", kind: "pixels", .npy)
    try pictures.append(NPYArray.header(shape: shape, .uint8))
    let grids = try context.pieces("conditioners", kind: "conditioners", .npy)
    try grids.append(NPYArray.header(shape: cells, .uint8))
    for index in 0..<shape[0] {
      if index % 256 == 0 {
        try context.checkCancellation()
        context.progress(StageProgress(done: index, total: shape[0], unit: "pictures"))
      }
      try pictures.append(Data(try pixels.read(shape[1] * shape[1] * 3)))
      try grids.append(Data(try conditioners.read(cells[1] * cells[1])))
    }
    try pixels.finish()
    try conditioners.finish()
    return try set.output(pictures, grids, context)
  }
}

/// What imports of arrays have in common: scenes are not known.
struct ImportedArrays {
  var camera: CameraKind
  var size: Int
  var cells: Int
  var objects: [Int]
  var count: Int

  func output(_ pixels: PieceFile, _ conditioners: PieceFile, _ context: StageContext) throws
    -> StageOutput
  {
    let range = objects[0]...objects[1]
    // A scenes file without scenes: what lies in these pictures is not known.
    let scenes = CLEVRFormat.head(camera: camera, size: size, objects: range) + CLEVRFormat.foot
    let (pixelHash, pixelFile) = try pixels.finish()
    let (gridHash, gridFile) = try conditioners.finish()
    let manifest = PictureSetManifest(
      camera: camera, size: size, space: .grid(cells: cells), objects: range, count: count,
      pixels: pixelHash, conditioners: gridHash, scenes: SHA256.hash(scenes))
    return StageOutput(
      files: [
        try context.output(manifest), pixelFile, gridFile,
        try context.output("scenes", kind: "scenes", .json, scenes),
      ], metrics: [Measure.pictures.row(Double(count))])
  }
}

/// An array in a file outside of the store, element after element.
struct OutsideArray {
  let header: NPYHeader
  private let content: OutsideContent
  private let source: OutsidePieces
  private var held: ArraySlice<UInt8> = []

  init(_ role: String, of context: StageContext) throws {
    guard let content = context.outside[role] else { throw MismatchError("no \(role) were given") }
    self.content = content
    let source = try OutsidePieces(content)
    self.source = source
    var held: ArraySlice<UInt8> = []
    do {
      header = try NPYHeader { count throws(FormatError) in
        try Self.take(count, from: source, &held)
      }
    } catch {
      throw OutsideError(content.url, reason: Self.words(error, content))
    }
    self.held = held
  }

  /// With what the file is instead, where that is known.
  private static func words(_ error: FormatError, _ content: OutsideContent) -> String {
    let begin = (try? FileHandle(forReadingFrom: content.url))?.readData(ofLength: 256)
    guard let format = begin.flatMap(ForeignFormat.init), format != .npy else {
      return error.description
    }
    return "this is \(format.description); a .npy file is read"
  }

  private static func take(
    _ count: Int, from source: OutsidePieces, _ held: inout ArraySlice<UInt8>
  ) throws(FormatError) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(count)
    while result.count < count {
      if held.isEmpty { held = try source.piece() }
      if held.isEmpty {
        throw FormatError("npy", "it ends too early; it is cut off: copy it again")
      }
      let share = held.prefix(count - result.count)
      result += share
      held = held.dropFirst(share.count)
    }
    return result
  }

  /// Whether its elements are bytes that lie as they are indexed.
  var isBytes: Bool { header.type == .uint8 && !header.isFortran }

  func refuse(_ accepted: String) -> OutsideError {
    OutsideError(
      content.url,
      reason:
        "found \(header.type.rawValue) of shape \(header.shape)\(header.isFortran ? " in Fortran order" : ""); \(accepted)"
    )
  }

  mutating func read(_ count: Int) throws -> [UInt8] {
    do {
      return try Self.take(count, from: source, &held)
    } catch {
      throw OutsideError(content.url, reason: error.description, category: error.category)
    }
  }

  /// - Throws: where elements are left, or the file is not what the plan had hashed.
  func finish() throws {
    var rest = held
    if rest.isEmpty { rest = try source.piece() }
    guard rest.isEmpty else {
      throw OutsideError(
        content.url, reason: "it holds more elements than its shape \(header.shape)")
    }
    try source.checkIsUnchanged(content)
  }
}
