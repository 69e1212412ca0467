import Experiments
import Formats
import Foundation
import Lineage
import Workflow

extension ImportCommand {
  /// `locus import clevr`: scenes in CLEVR's published layout become a picture set.
  static func importCLEVR(_ context: CommandContext<Options>, _ origins: Origins) throws -> Int32 {
    let (scenes, images) = try clevrFiles(context.options.file, split: context.options.split)
    var paths = ["scenes": scenes]
    paths["images"] = images
    return try importPictures(
      ImportCLEVRStage.kind.name, paths, named: scenes.lastPathComponent, context, origins)
  }

  /// `locus import positions`: pictures with one labelled place each.
  static func importPositions(_ context: CommandContext<Options>, _ origins: Origins) throws
    -> Int32
  {
    let file = URL(filePath: context.options.file).standardizedFileURL
    return try importPictures(
      ImportPositionsStage.kind.name, ["file": file], named: file.lastPathComponent, context,
      origins)
  }

  /// `locus import arrays`: the `pixels.npy` and `conditioners.npy` of a folder.
  static func importArrays(_ context: CommandContext<Options>, _ origins: Origins) throws -> Int32 {
    let folder = URL(filePath: context.options.file).standardizedFileURL
    let paths = ["pixels", "conditioners"].map { ($0, folder.appending(path: $0 + ".npy")) }
    return try importPictures(
      ImportArraysStage.kind.name, Dictionary(uniqueKeysWithValues: paths),
      named: folder.lastPathComponent, context, origins)
  }

  /// Runs the one stage that brings pictures in.
  ///
  /// - Parameter paths: by the stage's parameters.
  private static func importPictures(
    _ kind: String, _ paths: [String: URL], named file: String,
    _ context: CommandContext<Options>, _ origins: Origins
  ) throws -> Int32 {
    let options = context.options
    let name = try Self.name(options, default: file)
    let parameters = paths.mapValues { JSONValue.string($0.path) }
      .merging(["kind": .string(kind)]) { $1 }
    // Read as a pipeline file is, so that what is wrong is told as it is there.
    let text = JSONValue.object([
      "pipeline": .string("import"), "question": .string(""), "seed": .integer(0),
      "stages": .object([name: .object(parameters)]),
    ]).canonicalText()
    let pipeline = try Pipeline.parse(
      bytes: Array(text.utf8), path: options.file, kinds: context.kinds,
      overrides: options.settings.map { "\(name).\($0)" })
    guard let stage = pipeline.instances.first else { return 0 }
    let summary = try execute(
      stage, source: ["import": .string(options.file), "stage": stage.parameters],
      threads: Resources.processors, origins, context)
    if summary.exitCode != 0 { return summary.exitCode }
    let store = try context.openStore()
    let manifest =
      try store.texts(
        """
        SELECT o.sha256 FROM stage s JOIN execution_output o USING (execution_id)
        WHERE s.run_id = ? AND o.role = 'manifest'
        """, [.text(summary.runID)]
      ).first ?? ""
    try context.console.printLine(
      options.json
        ? JSONValue.object([
          "name": .string(name), "pictures": .string(manifest), "run": .string(summary.runID),
        ]).canonicalText()
        : "\(name) \(manifest)")
    return 0
  }

  /// The scenes of a folder in the published layout, `scenes/CLEVR_<split>_scenes.json`, with `images/<split>` where
  /// that is there; or a scenes file alone.
  private static func clevrFiles(_ path: String, split: String?) throws(UsageError) -> (
    scenes: URL, images: URL?
  ) {
    let root = URL(filePath: path).standardizedFileURL
    guard let isFolder = kind(root) else {
      throw .missingFile(path, reason: "there is no such file")
    }
    if !isFolder { return (root, nil) }
    let folder = root.appending(path: "scenes")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    let splits = names.filter { $0.hasPrefix("CLEVR_") && $0.hasSuffix("_scenes.json") }
      .map { String($0.dropFirst("CLEVR_".count).dropLast("_scenes.json".count)) }.sorted()
    guard let split = split ?? (splits.count == 1 ? splits[0] : nil) else {
      if splits.isEmpty {
        throw .missingFile(
          folder.path,
          reason: "it holds no CLEVR_<split>_scenes.json; give CLEVR's folder, or a scenes file")
      }
      throw .badFile(
        path,
        reason: "it has several splits: take --split \(splits.joined(separator: " or --split "))")
    }
    let images = root.appending(path: "images").appending(path: split)
    return (
      folder.appending(path: "CLEVR_\(split)_scenes.json"), kind(images) == true ? images : nil
    )
  }

  /// Whether there is a folder; `nil` where nothing is.
  private static func kind(_ url: URL) -> Bool? {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
      ? isFolder.boolValue : nil
  }
}
