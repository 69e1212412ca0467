import Diffusion
import Experiments
import Formats
import Foundation
import Lineage
import Measures
import Workflow

/// `locus import weights`: a denoiser that another program trained becomes an artifact.
enum ImportCommand: Command {
  static let declaration = CommandDeclaration(
    name: "import", summary: "Bring weights that another program trained into the store.",
    positionals: [
      PositionalDeclaration(name: "WHAT", values: ["weights"], help: "weights"),
      PositionalDeclaration(
        name: "FILE", help: "a .safetensors file with the names and shapes of the reference"),
    ],
    options: [
      OptionDeclaration("--name", "NAME", help: "what to call it (default: the file's name)"),
      OptionDeclaration(
        "--network", "TYPE", values: ["unet", "local"], help: "unet or local"),
      OptionDeclaration("--width", "N", help: "base width, a multiple of 4"),
      OptionDeclaration("--size", "PX", help: "side of a picture, a multiple of 4"),
      OptionDeclaration("--cells", "N", help: "side of the conditioner grid"),
      OptionDeclaration(
        "--conditioning", "KIND", values: ["grid", "vector"], help: "of a unet: grid or vector"),
      OptionDeclaration(
        "--normalization", "KIND", values: ["group", "pixel"], help: "of a unet: group or pixel"),
      OptionDeclaration(
        "--attention", "ON", values: ["on", "off"], help: "of a unet: on or off"),
      OptionDeclaration("--dilations", "N,…", help: "of a local network, one a block"),
      OptionDeclaration(
        "--labelling", "KIND", values: ["all", "single", "none"],
        help: "of the training: all, single or none"),
      OptionDeclaration("--objects", "MIN,MAX", help: "of a training picture: fewest and most"),
      CommandDeclaration.json, CommandDeclaration.store,
    ],
    discussion: """
      The file's own metadata count; options say what is missing from it. Tensors that do not fit
      the network are refused by name and shape. The result is a denoiser like any trained one: for
      `locus sample` and `locus denoise` by its name or hash, and for a pipeline as the stage
      `NAME: { kind: "import", weights: "HASH" }`.
      """,
    examples: [
      .init(
        command: "locus import weights model.safetensors", effect: "a file that Locus once wrote"),
      .init(
        command: "locus import weights net.safetensors --network local --width 32 --size 32"
          + " --cells 16 \\\n      --dilations 1,1,1,1,1 --labelling single --objects 1,3",
        effect: "a file that PyTorch wrote without metadata"),
    ])

  static func run(_ context: CommandContext) throws -> Int32 {
    let arguments = context.arguments
    guard arguments.positional(0) == "weights" else {
      throw UsageError.badValue(
        arguments.positional(0) ?? "", option: "import", accepted: "weights FILE")
    }
    let path = arguments.positional(1) ?? ""
    let name = arguments["--name"] ?? plainName(path)
    if !isPlainName(name) {
      throw UsageError.badValue(
        name, option: "--name", accepted: "1 to 64 letters A-Z a-z, digits, `_`, `-`")
    }
    let stated = try stated(arguments)
    let given = try readFile(path)
    let file: WeightsFile
    do {
      file = try WeightsFile(data: given, stated: stated)
    } catch {
      throw UsageError.badFile(path, reason: words(error))
    }
    let content = file.data()
    let sha256 = SHA256.hash(content)
    let source = JSONValue.object([
      "import": .string(path), "sha256": .string(SHA256.hash(given)),
      "stated": .object(stated.mapValues(JSONValue.string)),
    ])
    let pipeline = Pipeline(
      name: "import", question: "", seed: 0, path: path, source: source.prettyText(),
      instances: [
        StageInstance(
          stage: name,
          kind: ImportStage.kind(importing: content),
          parameters: .object(["weights": .string(sha256)]), seed: 0)
      ])
    let summary = try execute(pipeline, context)
    if summary.exitCode != 0 { return summary.exitCode }
    try context.console.printLine(
      arguments.has("--json")
        ? JSONValue.object([
          "name": .string(name), "weights": .string(sha256), "run": .string(summary.runID),
          "parameters": .integer(file.denoiser.weights.count),
        ]).canonicalText()
        : "\(name) \(sha256)")
    return 0
  }

  private static func execute(_ pipeline: Pipeline, _ context: CommandContext) throws -> RunSummary
  {
    let signals = SignalWatch()
    defer { withExtendedLifetime(signals) {} }
    try context.makeStoreFolder()
    let lock = try RunLock.acquire(context.lockURL, as: .current(pipeline: pipeline.name))
    let store = try Store.open(context.storeFolder, .readWrite, .locus)
    let printer = ProgressPrinter(style: .quiet, output: context.console.writeError)
    return try Runner.run(
      try Plan(pipeline, store: store), store: store, lock: lock,
      settings: RunSettings(
        threads: 1, trigger: "import", locusVersion: locusVersion,
        instructions: Experiments.instructions),
      cancellation: Cancellation(followsSignals: true), observer: printer.observe)
  }

  /// The file's name without its ending, and with `_` for what a name cannot hold.
  private static func plainName(_ path: String) -> String {
    let base = URL(filePath: path).deletingPathExtension().lastPathComponent
    return String(decoding: base.utf8.prefix(64).map { isPlainByte($0) ? $0 : 95 }, as: UTF8.self)
  }

  /// The keys of the metadata by option.
  private static let keys = [
    ("--network", "network"), ("--width", "width"), ("--size", "size"), ("--cells", "cells"),
    ("--conditioning", "conditioning"), ("--normalization", "normalization"),
    ("--attention", "attention"), ("--dilations", "dilations"), ("--labelling", "labelling"),
    ("--objects", "objects_min"), ("--objects", "objects_max"),
  ]

  private static func stated(_ arguments: Arguments) throws(UsageError) -> [String: String] {
    var stated: [String: String] = [:]
    for (option, key) in keys {
      if let value = arguments[option] { stated[key] = value }
    }
    if let attention = try arguments.choice("--attention", among: ["on", "off"]) {
      stated["attention"] = attention == "on" ? "true" : "false"
    }
    if let objects = arguments["--objects"] {
      let ends = objects.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
      guard ends.count == 2, let low = ends[0], let high = ends[1], low >= 0, low <= high else {
        throw .badValue(
          objects, option: "--objects", accepted: "fewest and most, such as 1,3")
      }
      stated["objects_min"] = "\(low)"
      stated["objects_max"] = "\(high)"
    }
    return stated
  }

  private static func words(_ error: WeightsFileError) -> String {
    guard case .unstated(let absent) = error else { return error.description }
    var options: [String] = []
    for (option, key) in keys where absent.contains(key) && !options.contains(option) {
      options.append(option)
    }
    return "\(error.description); state \(options.joined(separator: ", "))"
  }
}
