import Artifacts
import Diffusion
import Formats
import Foundation
import Lineage
import Scenes
import Workflow

/// A picture set of the store, read to go out.
struct PictureExport {
  let manifest: PictureSetManifest
  private let object: (String) throws -> StageFile

  init(_ sha256: String, in store: Store) throws {
    object = intactObjects(of: store)
    manifest = try PictureSetManifest(object(sha256))
  }

  // MARK: - Arrays

  /// `pixels.npy` and `conditioners.npy`, byte for byte as the store has them.
  ///
  /// - Returns: what brings them back.
  func writeArrays(into folder: OutputFolder) throws -> String {
    try folder.copy(object(manifest.pixels).url, to: "pixels.npy")
    try folder.copy(object(manifest.conditioners).url, to: "conditioners.npy")
    guard case .grid = manifest.space else {
      return
        "its conditioners are words, which `locus import arrays` does not take: they are for other"
        + " programs"
    }
    let objects = manifest.objects.map(String.init).joined(separator: ", ")
    return "`locus import arrays \(Escape.shellIfNeeded(folder.url.path))"
      + " --set camera=\(manifest.camera.rawValue) --set 'objects=[\(objects)]'` takes them back"
  }

  // MARK: - Scenes

  /// A picture of the folder, and the part of it that the square becomes. One that CLEVR's own camera took gets
  /// its proportions again, each pixel of the square standing several times, so that averaging by area gives the
  /// square again, byte for byte. Of the sides that `clevr-center` left out nothing is known: they are grey.
  private var frame: (width: Int, height: Int, part: CLEVRView.Part) {
    let size = manifest.size
    let (width, height) =
      switch manifest.camera {
      case .whole: (3 * size, 2 * size)
      // The sides are whole pixels for any size.
      case .center: (6 * size, 4 * size)
      case .clevr, .overhead: (size, size)
      }
    let whole = CLEVRView.Part(x: 0, y: 0, width: width, height: height)
    return (width, height, manifest.camera.part(ofWidth: width, height: height) ?? whole)
  }

  /// A folder in CLEVR's published layout.
  ///
  /// - Returns: what brings it back, or why nothing does.
  func writeScenes(into folder: OutputFolder, checkCancellation: () throws -> Void) throws -> String
  {
    let scenes = try object(manifest.scenes)
    let pixels = try object(manifest.pixels)
    let bytes = try pixels.data()
    let picture = manifest.size * manifest.size * 3
    let start = bytes.count - manifest.count * picture
    var reader = try CLEVRReader(HeldBytes(scenes.data()))
    var count = 0
    var text = Data()
    var split = "train"
    var place = ""
    while let scene = try reader.next() {
      if count == 0 {
        split = reader.info["split"] ?? split
        // It becomes the name of a folder.
        guard isPlainName(split) else {
          throw ArtifactError(
            file: scenes,
            reason: "its split is called `\(Escape.line(split))`, which is no plain name")
        }
        place = "scenes/CLEVR_\(split)_scenes.json"
        text = CLEVRFormat.head(split: split)
      }
      try checkCancellation()
      guard count < manifest.count, start > 0 else { break }
      let first = bytes.startIndex + start + count * picture
      try folder.append(
        enlarged([UInt8](bytes[first..<first + picture])).pngData(),
        to: "images/\(split)/\(scene.picture)")
      text += CLEVRFormat.entry(inFrame(scene), split: split, isFirst: count == 0)
      count += 1
      if text.count > 1 << 20 {
        try folder.append(text, to: place)
        text = Data()
      }
    }
    if count == 0 {
      throw ArtifactError(
        file: scenes,
        reason:
          "it has no scenes, for the pictures came in as arrays and what lies in them is not known; take"
          + " `locus export arrays`")
    }
    guard count == manifest.count, start > 0 else {
      throw ArtifactError(file: scenes, reason: "it has other scenes than there are pictures")
    }
    try folder.append(text + CLEVRFormat.foot, to: place)
    return wayBack(folder)
  }

  private func wayBack(_ folder: OutputFolder) -> String {
    switch manifest.camera {
    case .whole, .center:
      let camera =
        manifest.camera == .center ? " --set camera=\(manifest.camera.rawValue)" : ""
      let cells = manifest.space.cells.map { " --set cells=\($0)" } ?? ""
      let line =
        "`locus import clevr \(Escape.shellIfNeeded(folder.url.path)) --set size=\(manifest.size)\(cells)\(camera)`"
      return manifest.space.cells == nil
        ? line + " takes pictures and scenes back; what it says of them are places, not words"
        : line + " takes it back"
    case .clevr, .overhead:
      return
        "`locus import clevr` does not take it: the camera \(manifest.camera.rawValue) is none that took"
        + " CLEVR's pictures; `locus export arrays` can go back"
    }
  }

  /// What stands where nothing is known.
  private static let side: UInt8 = 128

  /// A square picture in the frame.
  private func enlarged(_ pixels: [UInt8]) throws -> PNGImage {
    let size = manifest.size
    let (width, height, part) = frame
    var result = [UInt8](repeating: Self.side, count: width * height * 3)
    for y in 0..<part.height {
      let row = y * size / part.height * size
      for x in 0..<part.width {
        let from = (row + x * size / part.width) * 3
        let to = ((part.y + y) * width + part.x + x) * 3
        for channel in 0..<3 { result[to + channel] = pixels[from + channel] }
      }
    }
    return try PNGImage(width: width, height: height, pixels: result)
  }

  /// The scene with its places in the pixels of the frame.
  private func inFrame(_ scene: CLEVRFile.Scene) -> CLEVRFile.Scene {
    var scene = scene
    let part = frame.part
    let size = Double(manifest.size)
    let scale = SIMD3(Double(part.width) / size, Double(part.height) / size, 1)
    let offset = SIMD3(Double(part.x), Double(part.y), 0)
    for i in scene.objects.indices {
      scene.objects[i].pixel = scene.objects[i].pixel * scale + offset
    }
    return scene
  }
}
