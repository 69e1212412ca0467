import Artifacts
import Diffusion
import Formats
import Foundation
import Lineage
import Measures
import Scenes
import Workflow

/// `import-positions`: pictures with the place of one labelled object each, as `clevr_pos_*.npz` have them (Liu et
/// al. 2022): the labelling `single`, as it was published.
package enum ImportPositionsStage {
  package struct Options: Settings {
    @Setting(
      "an .npz with `ims`, N × S × S × 3 bytes, and `coords_labels`, N × 2 numbers in [0, 1]; a path counts from the pipeline file's folder"
    )
    var file: String
    @Setting(
      default: Origin.top,
      "where `coords_labels` count from: the upper left corner (top) or the lower left one (bottom)"
    )
    var origin: Origin
    @Setting(
      default: CameraKind.clevr,
      "the view that the pictures have, for what is drawn beside them: layouts, the judge's renders"
    )
    var camera: CameraKind
    @Setting(Shared.size) var size: Int
    @Setting(Shared.cells) var cells: Int
    @Setting(
      each: 0...CLEVRFile.mostObjects, count: 2...2,
      "fewest and most objects in a picture, labelled or not")
    var objects: [Int]

    package init() {}
  }

  enum Origin: String, Decodable, CaseIterable, Sendable { case top, bottom }

  package static let kind = StageKind(
    name: "import-positions", version: 1,
    summary: "Takes pictures with one labelled place each, as clevr_pos_*.npz have them.",
    settings: Options.self, inputs: [], produces: .pictureSet, isSeeded: false,
    check: {
      Shared.checkObjects($0.objects)
        + Shared.checkView(size: $0.size, cells: $0.cells)
    },
    foresee: { options, _ in
      Foreseen(
        camera: options.camera, size: options.size, space: .grid(cells: options.cells),
        objects: options.objects
      ).value
    },
    outside: [
      OutsideDeclaration(
        "file", .file, remedy: "save it with `numpy.savez` or `numpy.savez_compressed`")
    ],
    memory: { _, _ in 32 << 20 }, run: run)

  private static func run(_ options: Options, _ context: StageContext) throws -> StageOutput {
    guard let content = context.outside["file"] else { throw MismatchError("no file was given") }
    do {
      let output = try pictures(options, content, context)
      // Read at many places, so it is hashed once more.
      guard try SHA256.hash(fileAt: content.url) == content.sha256 else {
        throw OutsideError.changed(content.url)
      }
      return output
    } catch let error as FormatError {
      throw OutsideError(content.url, reason: error.description, category: error.category)
    }
  }

  private static func pictures(
    _ options: Options, _ content: OutsideContent, _ context: StageContext
  ) throws -> StageOutput {
    let archive = try ZipArchive(PlacedFile(content.url), format: "npz")
    var (ims, shape) = try array("ims", in: archive)
    guard shape.type == .uint8, !shape.isFortran, shape.shape.count == 4, shape.shape[0] > 0,
      shape.shape[1] == shape.shape[2], (options.size...4096).contains(shape.shape[1]),
      shape.shape[3] == 3
    else {
      throw OutsideError(
        content.url,
        reason:
          "ims: found \(shape.type.rawValue) of shape \(shape.shape), accepted: uint8 of N × S × S × 3 in C order,"
          + " S from size \(options.size) to 4096")
    }
    let (count, side) = (shape.shape[0], shape.shape[1])
    let places = try places(in: archive, count: count, content)
    let pixels = try context.pieces("pixels", kind: "pixels", .npy)
    try pixels.append(NPYArray.header(shape: [count, options.size, options.size, 3], .uint8))
    let grids = try context.pieces("conditioners", kind: "conditioners", .npy)
    try grids.append(NPYArray.header(shape: [count, options.cells, options.cells], .uint8))
    let part = CLEVRView.Part(x: 0, y: 0, width: side, height: side)
    var picture = [UInt8](repeating: 0, count: options.size * options.size * 3)
    for index in 0..<count {
      if index % 256 == 0 {
        try context.checkCancellation()
        context.progress(StageProgress(done: index, total: count, unit: "pictures"))
      }
      let whole = try ims.read(side * side * 3)
      whole.withUnsafeBufferPointer { source in
        picture.withUnsafeMutableBufferPointer {
          areaAverage(source, width: side, part: part, size: options.size, into: $0)
        }
      }
      try pixels.append(Data(picture))
      let (x, y) = places[index]
      var grid = [UInt8](repeating: 0, count: options.cells * options.cells)
      let size = Double(options.size)
      let row = options.origin == .top ? y : 1 - y
      grid[cellIndex(x * size, row * size, size: options.size, cells: options.cells)] = 1
      try grids.append(Data(grid))
    }
    return try ImportedArrays(
      camera: options.camera, size: options.size, cells: options.cells, objects: options.objects,
      count: count
    ).output(pixels, grids, context)
  }

  /// An array of the archive, of which the header is read; what is left has to be its elements.
  private static func array(_ name: String, in archive: ZipArchive) throws(FormatError) -> (
    ZipContent, NPYHeader
  ) {
    guard let entry = archive.entries.first(where: { $0.name == name + ".npy" }) else {
      let found = archive.entries.prefix(12).map { Escape.line($0.name) }.joined(separator: ", ")
      throw FormatError(
        "npz", "it has no array `\(name)`, only \(found.isEmpty ? "nothing" : found)")
    }
    var content = try archive.content(of: entry)
    let header = try NPYHeader { count throws(FormatError) in try content.read(count) }
    guard let needed = header.bytes, needed == content.left else {
      throw FormatError(
        "npz", "\(name): shape \(header.shape) does not hold its \(content.left) bytes of elements")
    }
    return (content, header)
  }

  private static func places(in archive: ZipArchive, count: Int, _ file: OutsideContent) throws
    -> [(
      Double, Double
    )]
  {
    var (content, header) = try array("coords_labels", in: archive)
    guard header.shape == [count, 2], !header.isFortran,
      header.type == .float32 || header.type == .float64
    else {
      throw OutsideError(
        file.url,
        reason:
          "coords_labels: found \(header.type.rawValue) of shape \(header.shape), accepted: float32 or float64 of"
          + " \(count) × 2 in C order")
    }
    var result: [(Double, Double)] = []
    result.reserveCapacity(count)
    func number() throws(FormatError) -> Double {
      if header.type == .float32 {
        let bits = try content.read(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return Double(Float(bitPattern: bits))
      }
      return Double(
        bitPattern: try content.read(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }
    for index in 0..<count {
      let place = (try number(), try number())
      guard (0...1).contains(place.0), (0...1).contains(place.1) else {
        throw OutsideError(
          file.url,
          reason:
            "coords_labels[\(index)]: found \(place.0), \(place.1), accepted: two numbers from 0 to 1"
        )
      }
      result.append(place)
    }
    return result
  }
}

/// A file outside of the store that is read at any place.
private final class PlacedFile: PlacedBytes, @unchecked Sendable {
  // One reader holds it.
  private let handle: FileHandle
  let count: Int

  init(_ url: URL) throws {
    handle = try FileHandle(forReadingFrom: url)
    count = Int(try handle.seekToEnd())
  }

  func bytes(at place: Int, count: Int) throws(FormatError) -> [UInt8] {
    do {
      try handle.seek(toOffset: UInt64(place))
      let data = try handle.read(upToCount: count) ?? Data()
      guard data.count == count else {
        throw FormatError("npz", "it ends before byte \(place + count)")
      }
      return [UInt8](data)
    } catch let error as FormatError {
      throw error
    } catch {
      throw FormatError("npz", "reading failed: \(message(of: error))")
    }
  }
}
