import Artifacts
import Diffusion
import Formats
import Foundation
import Lineage
import Measures
import Scenes
import Streams
import Workflow

/// One import of scenes in CLEVR's format: first all scenes are read, checked and chosen, then pictures are made;
/// what is held of a scene is its name, or what a renderer needs.
struct CLEVRImport {
  private let options: ImportCLEVRStage.Options
  private let context: StageContext
  private let scenes: OutsideContent
  private let images: OutsideContent?
  /// Of every picture; known from the first.
  private var frame: (width: Int, height: Int)?
  private var chosen = ChosenScenes()

  init(_ options: ImportCLEVRStage.Options, _ context: StageContext) throws {
    self.options = options
    self.context = context
    guard let scenes = context.outside["scenes"] else {
      throw MismatchError("no scenes were found for this stage")
    }
    self.scenes = scenes
    images = context.outside["images"]
  }

  mutating func run() throws -> StageOutput {
    let (text, split) = try chooseScenes()
    guard let objects = chosen.objects else {
      throw OutsideError(
        scenes.url,
        reason:
          "of its \(chosen.read) scenes none is left: \(chosen.filtered) are left out by `objects`, `colors` and"
          + " `shapes`, \(chosen.cut) have an object outside the view, \(chosen.dropped) a hidden one; ask for more"
      )
    }
    let count = chosen.count
    let pixels = try context.pieces("pixels", kind: "pixels", .npy)
    try pixels.append(NPYArray.header(shape: [count, options.size, options.size, 3], .uint8))
    try images.map { try readPictures(in: $0, into: pixels) } ?? renderPictures(into: pixels)
    let conditioners = try NPYArray(
      shape: [count, options.cells, options.cells], elements: .uint8(chosen.conditioners)
    ).npyData()
    let entries = try context.pieces("scenes", kind: "scenes", .json)
    try entries.append(
      CLEVRFormat.head(camera: options.camera, size: options.size, objects: objects, split: split))
    try entries.append(text)
    try entries.append(CLEVRFormat.foot)
    let (pixelHash, pixelFile) = try pixels.finish()
    let (sceneHash, sceneFile) = try entries.finish()
    let manifest = PictureSetManifest(
      camera: options.camera, size: options.size, space: .grid(cells: options.cells),
      objects: objects, count: count, pixels: pixelHash,
      conditioners: SHA256.hash(conditioners), scenes: sceneHash)
    return StageOutput(
      files: [
        try context.output(manifest), pixelFile,
        try context.output("conditioners", kind: "conditioners", .npy, conditioners), sceneFile,
      ], metrics: chosen.metrics)
  }

  // MARK: - Scenes

  /// How many are worked on at a time.
  private static let portion = 256

  /// Reads the whole file; the text of what was chosen goes to a file of the scratch folder.
  private mutating func chooseScenes() throws -> (text: PieceFile, split: String) {
    let text = try context.pieces("entries", kind: "scenes", .json)
    let source = try OutsidePieces(scenes)
    var reader = try refusing { () throws(FormatError) in try CLEVRReader(source) }
    var portion: [CLEVRFile.Scene] = []
    var isAtEnd = false
    while !isAtEnd {
      try context.checkCancellation()
      portion.removeAll(keepingCapacity: true)
      while portion.count < Self.portion {
        guard let scene = try refusing({ () throws(FormatError) in try reader.next() }) else {
          isAtEnd = true
          break
        }
        try chosen.see(scene, in: scenes.url)
        portion.append(scene)
      }
      try choose(portion, split: reader.info["split"] ?? "train", into: text)
    }
    try source.checkIsUnchanged(scenes)
    _ = try text.finish()
    return (text, reader.info["split"] ?? "train")
  }

  private func refusing<T>(_ body: () throws(FormatError) -> T) throws -> T {
    do throws(FormatError) {
      return try body()
    } catch {
      throw OutsideError(scenes.url, reason: error.description, category: error.category)
    }
  }

  private mutating func choose(_ portion: [CLEVRFile.Scene], split: String, into text: PieceFile)
    throws
  {
    if frame == nil { frame = try firstFrame(portion) }
    guard let frame, let part = options.camera.part(ofWidth: frame.width, height: frame.height)
    else { return }
    let options = options
    let judged = concurrently(portion.count, threads: context.threads) { item in
      SceneJudgement(portion[item], frame: frame, part: part, options)
    }
    for (scene, judgement) in zip(portion, judged) {
      guard case .chosen(let taken) = judgement else {
        try chosen.leaveOut(judgement, scene, in: scenes.url)
        continue
      }
      if let images, images.files[scene.picture] == nil {
        throw OutsideError(
          images.url.appending(path: scene.picture),
          reason:
            "the picture of the scene with image_index \(scene.index) is not there; complete the folder, or"
            + " leave `images` out to have the scenes rendered", category: .missing)
      }
      try text.append(
        CLEVRFormat.entry(taken.entry, split: split, isFirst: chosen.count == 0))
      chosen.take(taken, needsScene: images == nil, size: options.size, cells: options.cells)
    }
  }

  /// The size of the first picture that is wanted; CLEVR's where there are none.
  private func firstFrame(_ portion: [CLEVRFile.Scene]) throws -> (Int, Int)? {
    guard let images else { return (CLEVRView.width, CLEVRView.height) }
    guard let scene = portion.first(where: { SceneJudgement.isWanted($0, options) }) else {
      return nil
    }
    let url = images.url.appending(path: scene.picture)
    guard images.files[scene.picture] != nil else {
      throw OutsideError(
        url, reason: "the picture of the scene with image_index \(scene.index) is not there",
        category: .missing)
    }
    do {
      let header = try PNGHeader(data: try Data(contentsOf: url))
      guard header.width * CLEVRView.height == header.height * CLEVRView.width else {
        throw OutsideError(
          url,
          reason:
            "it has \(header.width) × \(header.height) px, accepted: 480 × 320 or another size of these"
            + " proportions, as CLEVR's camera takes them; others come in with `import arrays`")
      }
      return (header.width, header.height)
    } catch let error as FormatError {
      throw OutsideError(url, reason: error.description)
    }
  }

  // MARK: - Pictures

  private func readPictures(in images: OutsideContent, into file: PieceFile) throws {
    guard let frame, let part = options.camera.part(ofWidth: frame.width, height: frame.height)
    else { return }
    let reader = PictureReader(
      images: images, frame: frame, part: part, size: options.size,
      background: options.background.map(UInt8.init))
    try inPortions(of: 64, into: file) { names, threads in
      try concurrently(names.count, threads: threads) { item in
        Result { try reader.picture(chosen.pictures[names[item]]) }
      }.map { try $0.get() }
    }
  }

  private func renderPictures(into file: PieceFile) throws {
    let settings = SceneSettings(
      camera: options.camera, size: options.size, cells: options.cells,
      rules: LayoutRules(objects: 0...CLEVRFile.mostObjects), supersample: options.supersample)
    try inPortions(of: 64, into: file) { places, threads in
      concurrently(places.count, threads: threads) { item in
        [UInt8](unsafeUninitializedCapacity: settings.size * settings.size * 3) { buffer, count in
          count = settings.size * settings.size * 3
          render(
            chosen.scenes[places[item]], settings,
            into: UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
        }
      }
    }
  }

  private func inPortions(
    of size: Int, into file: PieceFile, _ make: ([Int], Int) throws -> [[UInt8]]
  ) throws {
    var done = 0
    while done < chosen.count {
      try context.checkCancellation()
      let end = min(done + size, chosen.count)
      for picture in try make(Array(done..<end), context.threads) {
        try file.append(Data(picture))
      }
      done = end
      context.progress(StageProgress(done: done, total: chosen.count, unit: "pictures"))
    }
  }
}

/// Reads pictures of one size and makes them what a stage keeps.
private struct PictureReader: Sendable {
  let images: OutsideContent
  let frame: (width: Int, height: Int)
  let part: CLEVRView.Part
  let size: Int
  let background: [UInt8]

  func picture(_ name: String) throws -> [UInt8] {
    let url = images.url.appending(path: name)
    let picture: PNGImage
    do {
      let data = try Data(contentsOf: url)
      guard SHA256.hash(data) == images.files[name] else { throw OutsideError.changed(url) }
      // The size first: a picture of another one is not unpacked.
      let header = try PNGHeader(data: data)
      guard header.width == frame.width, header.height == frame.height else {
        throw OutsideError(
          url,
          reason:
            "it has \(header.width) × \(header.height) px, the pictures before it have \(frame.width) ×"
            + " \(frame.height), which its scene's coordinates are for; take pictures of one size")
      }
      picture = try PNGImage(png: data, over: (background[0], background[1], background[2]))
    } catch let error as FormatError {
      throw OutsideError(url, reason: error.description)
    }
    return [UInt8](unsafeUninitializedCapacity: size * size * 3) { buffer, count in
      count = size * size * 3
      picture.pixels.withUnsafeBufferPointer {
        areaAverage(
          $0, width: frame.width, part: part, size: size,
          into: UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
      }
    }
  }
}

/// The results of work on several threads, in the order of the items.
private func concurrently<T: Sendable>(
  _ count: Int, threads: Int, _ body: @Sendable (Int) -> T
) -> [T] {
  var results = [T?](repeating: nil, count: count)
  results.withUnsafeMutableBufferPointer { buffer in
    nonisolated(unsafe) let buffer = buffer
    parallel(count, threads: threads) { item, _ in buffer[item] = body(item) }
  }
  return results.compactMap { $0 }
}
