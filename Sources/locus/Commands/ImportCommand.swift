import Diffusion
import Experiments
import Formats
import Foundation
import Lineage
import Workflow

/// `locus import`: a denoiser that another program trained, what a person counted, or scenes in CLEVR's format
/// become an artifact.
enum ImportCommand: Command {
  struct Options: StoreOptions {
    @Positional(
      "WHAT", offers: Subject.allCases.map(\.rawValue),
      "weights, counts, clevr, positions or arrays")
    var what: String
    @Positional(
      "FILE",
      "weights as .safetensors, a sheet's table, CLEVR's folder, an .npz, or a folder of .npy"
    )
    var file: String
    @Option("--name", "NAME", shown: "the file's name", "what to call it") var name: String?
    @Option(
      "--network", "TYPE", offers: ["unet", "local", "patchwise"], "unet, local or patchwise")
    var network: String?
    @Option("--width", "N", "base width, a multiple of 4") var width: String?
    @Option("--size", "PX", "side of a picture, a multiple of 4") var size: String?
    @Option("--cells", "N", "side of the conditioner grid") var cells: String?
    @Option(
      "--conditioning", "KIND", offers: ["grid", "vector", "channels", "words"],
      "of a unet: grid, vector, channels or words")
    var conditioning: String?
    @Option(
      "--normalization", "KIND", offers: ["group", "pixel"],
      "of a unet or patchwise: group or pixel")
    var normalization: String?
    @Option("--attention", "ON", { "of a unet or patchwise: \($0)" })
    var attention: BenchCommand.Switch?
    @Option("--dilations", "N,…", "of a local network, one a block") var dilations: String?
    @Option("--reach", "N", "of a patchwise network: cells beyond a patch's middle one")
    var reach: String?
    @Option(
      "--labelling", "KIND", offers: Labelling.allCases.map(\.rawValue),
      "of the training: \(Labelling.allCases.map(\.rawValue).joined(separator: ", "))")
    var labelling: String?
    @Option(
      "--objects", "MIN,MAX", "of a training picture: fewest and most", reading: range)
    var objects: ClosedRange<Int>?
    @Option("--split", "NAME", "of clevr: train, val or test, where the folder has several")
    var split: String?
    @Option(
      repeated: "--set", "KEY=VALUE",
      "of pictures: a parameter of the stage, as in a file"
    ) var settings: [String]
    @Flag(.json) var json
    @Option(.store) var store: String?

    /// The members of the metadata that the options state, each with its option's name.
    fileprivate var metadata: [(option: String, key: String, value: String?)] {
      [
        ($network.name, "network", network), ($width.name, "width", width),
        ($size.name, "size", size), ($cells.name, "cells", cells),
        ($conditioning.name, "conditioning", conditioning),
        ($normalization.name, "normalization", normalization),
        ($attention.name, "attention", attention.map { $0 == .on ? "true" : "false" }),
        ($dilations.name, "dilations", dilations), ($reach.name, "reach", reach),
        ($labelling.name, "labelling", labelling),
        ($objects.name, "objects_min", objects.map { "\($0.lowerBound)" }),
        ($objects.name, "objects_max", objects.map { "\($0.upperBound)" }),
      ]
    }
  }

  static let about = CommandSummary(
    name: "import",
    summary: "Bring weights, a person's counts, or pictures of other programs into the store.",
    discussion: """
      Of weights: tensors are F32, F16 or BF16, which become float32 without a change of value. The
      file's own metadata count; options say what is missing from it. Tensors that do not fit the
      network are refused by name and shape. The result is a denoiser like any trained one: for `locus
      sample` and `locus denoise` by its name or hash, and for a pipeline as the stage
      `NAME: { kind: "import", weights: "HASH" }`.

      Of counts: the table of `locus blind`, filled in. Says how person and judge agree (Cohen's kappa)
      and what recall is as the person sees it, each place counted as often as there are such places;
      both are kept as metrics of a run, and `NAME: { kind: "count", counts: "HASH" }` has them in a
      pipeline.

      Of clevr: a folder in the published layout (scenes/CLEVR_<split>_scenes.json, images/<split>), or
      a scenes file alone, whose scenes are rendered here: by a camera where `pixel_coords` show that it
      stood; lamps, whose jitter is not stored, stand at CLEVR's places. In a pipeline the stage is
      `NAME: { kind: "import-clevr", scenes: "PATH", images: "PATH" }`.

      Of positions: an .npz with `ims` (uint8, N × S × S × 3) and `coords_labels` (N × 2 in [0, 1]), one
      labelled object a picture, as clevr_pos_*.npz have them. Of arrays: a folder with `pixels.npy`
      (uint8, N × S × S × 3) and `conditioners.npy` (uint8, N × cells × cells). Both need how many
      objects the pictures hold: `--set 'objects=[1, 5]'`.
      """,
    examples: [
      .init(
        command: "locus import weights model.safetensors", effect: "a file that Locus once wrote"),
      .init(
        command: "locus import weights net.safetensors --network local --width 32 --size 32"
          + " --cells 16 \\\n      --dilations 1,1,1,1,1 --labelling single --objects 1,3",
        effect: "a file that PyTorch wrote without metadata"),
      .init(command: "locus import counts blind.csv", effect: "a sheet that a person went through"),
      .init(
        command: "locus import clevr CLEVR_v1.0 --split val --set size=64 --set 'objects=[3, 5]'",
        effect: "real pictures of 3 to 5 objects"),
    ])

  static func run(_ context: CommandContext<Options>) throws -> Int32 {
    let options = context.options
    let origins = Origins(pipeline: nil, context.console)
    guard let subject = Subject(rawValue: options.what) else {
      throw UsageError.badValue(
        options.what, option: "import",
        accepted: "weights FILE, counts FILE, clevr DIR, positions FILE, arrays DIR")
    }
    if subject != .weights, let stated = options.metadata.first(where: { $0.value != nil }) {
      throw UsageError.badValue(
        stated.value ?? "", option: stated.option,
        accepted: "with weights only" + (subject.isPictures ? "; take --set KEY=VALUE" : ""))
    }
    if subject != .clevr, let split = options.split {
      throw UsageError.badValue(split, option: options.$split.name, accepted: "with clevr only")
    }
    if !subject.isPictures, let setting = options.settings.first {
      throw UsageError.badValue(
        setting, option: options.$settings.name, accepted: "with clevr, positions and arrays only")
    }
    switch subject {
    case .weights: return try importWeights(context, origins)
    case .counts: return try importCounts(context, origins)
    case .clevr: return try importCLEVR(context, origins)
    case .positions: return try importPositions(context, origins)
    case .arrays: return try importArrays(context, origins)
    }
  }

  /// What can be brought in.
  private enum Subject: String, CaseIterable {
    case weights, counts, clevr, positions, arrays

    var isPictures: Bool { self != .weights && self != .counts }
  }

  /// What the import is to be called.
  ///
  /// - Parameter file: what is named after, where nothing is said.
  static func name(_ options: Options, default file: String? = nil) throws -> String {
    let name = options.name ?? plainName(file ?? options.file)
    if !isPlainName(name) {
      throw UsageError.badValue(
        name, option: options.$name.name, accepted: "1 to 64 letters A-Z a-z, digits, `_`, `-`")
    }
    return name
  }

  private static func importWeights(_ context: CommandContext<Options>, _ origins: Origins) throws
    -> Int32
  {
    let options = context.options
    let path = options.file
    let name = try Self.name(options)
    var stated: [String: String] = [:]
    for (_, key, value) in options.metadata { stated[key] = value }
    let given = try readFile(path)
    let file: WeightsFile
    do {
      file = try WeightsFile(data: given, stated: stated)
    } catch .format(let error) {
      throw wrongFormat(path, given, wanted: .safetensors, error)
    } catch {
      throw UsageError.badFile(path, reason: words(error, options))
    }
    let content = file.data()
    let sha256 = SHA256.hash(content)
    let summary = try execute(
      StageInstance(
        stage: name, kind: ImportStage.kind(importing: content),
        parameters: .object(["weights": .string(sha256)]), seed: 0),
      source: [
        "import": .string(path), "sha256": .string(SHA256.hash(given)),
        "stated": .object(stated.mapValues(JSONValue.string)),
      ], origins, context)
    if summary.exitCode != 0 { return summary.exitCode }
    try context.console.printLine(
      options.json
        ? JSONValue.object([
          "name": .string(name), "weights": .string(sha256), "run": .string(summary.runID),
          "parameters": .integer(file.denoiser.weights.count),
        ]).canonicalText()
        : "\(name) \(sha256)")
    return 0
  }

  /// Runs the one stage that brings a file in.
  static func execute(
    _ stage: StageInstance, source: [String: JSONValue], threads: Int = 1, _ origins: Origins,
    _ context: CommandContext<Options>
  ) throws -> RunSummary {
    let pipeline = Pipeline(
      name: "import", question: "", seed: 0, path: context.options.file,
      source: JSONValue.object(source).prettyText(), instances: [stage])
    let signals = SignalWatch()
    defer { withExtendedLifetime(signals) {} }
    let session = try context.openSession(as: pipeline.name, makesStore: true)
    let printer = ProgressPrinter(style: .quiet, output: context.console.writeError)
    return try session.run(
      plan: { try Plan(pipeline, store: $0) },
      settings: RunSettings(
        threads: threads, trigger: "import", locusVersion: locusVersion,
        origin: origins.found(isWorking:within:),
        machine: Machine.facts.merging(origins.machine) { $1 }),
      cancellation: Cancellation(followsSignals: true), observer: printer.observe,
      report: { _, _ in }
    ).summary
  }

  /// The file's name without its ending, and with `_` for what a name cannot hold.
  private static func plainName(_ path: String) -> String {
    let base = URL(filePath: path).deletingPathExtension().lastPathComponent
    return String(decoding: base.utf8.prefix(64).map { isPlainByte($0) ? $0 : 95 }, as: UTF8.self)
  }

  private static func range(_ text: String) throws(UsageError) -> ClosedRange<Int> {
    let ends = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
    guard ends.count == 2, let low = ends[0], let high = ends[1], low >= 0, low <= high else {
      throw .badValue(text, option: "--objects", accepted: "fewest and most, such as 1,3")
    }
    return low...high
  }

  private static func words(_ error: WeightsFileError, _ options: Options) -> String {
    guard case .unstated(let absent) = error else { return error.description }
    var names: [String] = []
    for (option, key, _) in options.metadata where absent.contains(key) && !names.contains(option) {
      names.append(option)
    }
    return "\(error.description); state \(names.joined(separator: ", "))"
  }
}
