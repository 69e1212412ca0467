import Artifacts
import Formats
import Foundation
import Lineage
import Workflow

/// `locus export`: what the store has, in the forms that other programs read.
enum ExportCommand: Command {
  /// What goes out, and as what.
  enum Subject: String, CaseIterable {
    case scenes, arrays, weights, tables, prov, openlineage, mlflow, rocrate

    /// Whether it becomes one file; a folder otherwise.
    var isFile: Bool { self == .weights || self == .prov || self == .openlineage }
  }

  struct Options: StoreOptions {
    @Positional("WHAT", placeholder: .scenes) var what: Subject
    @Positional(
      "ID|RUN", names: .things,
      "a picture set, a denoiser, a run (the newest is the default), or of prov anything")
    var id: String?
    @Option(required: "--to", "DIR|FILE", "where it goes: a file of weights, prov and openlineage")
    var to: String
    @Flag("--replace", "files that are there and hold something else are replaced")
    var replace
    @Option(
      "--largest", "MIB", in: 0...1_000_000, default: 16,
      "of mlflow and rocrate: larger files are named by their hash alone")
    var largest: Int
    @Option("--license", "TEXT", "of rocrate: an address or a name")
    var license: String?
    @Flag(.json) var json
    @Option(.store) var store: String?
  }

  static let about = CommandSummary(
    name: "export", summary: "Write what the store has in the forms that other programs read.",
    discussion: """
      Nothing half written is seen, and a file that is there and holds something else stays (73), unless
      --replace is given. What is there with the same content is left alone.

        scenes       a picture set in CLEVR's layout: images/SPLIT, scenes/CLEVR_SPLIT_scenes.json
        arrays       its pixels.npy and conditioners.npy
        weights      a trained denoiser as .safetensors
        tables       every table and view as .csv, or the views of one RUN; datapackage.json
        prov         W3C PROV-JSON of a run, or of all that an artifact or an instance came from
        openlineage  a run's events, a line each: START and one of COMPLETE, FAIL, ABORT
        mlflow       a run in MLflow's file store: parameters, metrics with their histories, tags, files
        rocrate      a run as a Workflow Run RO-Crate (Provenance Run Crate 0.5)

      Scenes of the camera clevr-whole and arrays come back by `locus import` with the same hashes; what
      does not is said. An address in mlflow's files is where the folder was made.
      """,
    examples: [
      .init(
        command: "locus export scenes scenes --to clevr",
        effect: "pictures for CLEVR's own programs"),
      .init(
        command: "locus export weights local --to local.safetensors", effect: "weights for PyTorch"),
      .init(
        command: "locus export openlineage latest --to events.ndjson",
        effect: "events for a lineage server"),
      .init(
        command:
          "locus export rocrate latest --to crate --license https://spdx.org/licenses/CC-BY-4.0",
        effect: "the newest run, to publish"),
    ])

  static func run(_ context: CommandContext<Options>) throws -> Int32 {
    let options = context.options
    try check(options)
    try options.what.isFile
      ? context.checkWritable(options.to) : context.checkWritable(folder: options.to)
    let store = try context.openStore()
    let signals = SignalWatch()
    defer { withExtendedLifetime(signals) {} }
    let cancellation = Cancellation(followsSignals: true)
    do {
      let note = try write(store, context, checkCancellation: cancellation.check)
      if let note { context.console.tell("locus: \(note)") }
    } catch is CancellationError {
      return 128 + cancellation.signal
    }
    if OutputFile.isStandardOutput(URL(filePath: options.to)) { return 0 }
    try context.console.printLine(
      options.json
        ? JSONValue.object([
          "export": .string(options.what.rawValue), "to": .string(options.to),
        ]).canonicalText() : options.to)
    return 0
  }

  private static func check(_ options: Options) throws(UsageError) {
    let what = options.what
    if let license = options.license, what != .rocrate {
      throw .badValue(license, option: options.$license.name, accepted: "with rocrate only")
    }
    if options.id == nil, [.scenes, .arrays, .weights].contains(what) {
      throw .missingArgument(
        "ID",
        help: what == .weights ? "a denoiser; `locus names denoisers` lists them" : "a picture set",
        command: "export \(what.rawValue)")
    }
  }

  /// - Returns: what is to be said of it.
  private static func write(
    _ store: Store, _ context: CommandContext<Options>, checkCancellation: () throws -> Void
  ) throws -> String? {
    let options = context.options
    let word = options.id ?? "latest"
    switch options.what {
    case .weights: try writeFile(weights(word, store), context)
    case .prov: try writeFile(Data(provenance(word, store).prettyText().utf8), context)
    case .openlineage:
      try writeFile(Data(OpenLineageExport(ExportedRun(word, in: store)).text.utf8), context)
    case .scenes, .arrays, .tables, .mlflow, .rocrate:
      let folder = try naming(options.to) { () throws(StoreError) in
        try OutputFolder(URL(filePath: options.to))
      }
      let note = try fill(folder, word, store, options, checkCancellation)
      let replaced = try naming(options.to) { () throws(StoreError) in
        try folder.finish(replaces: options.replace)
      }
      if replaced > 0 {
        context.console.tell("locus: replaced \(replaced) files in \(options.to)")
      }
      return note
    }
    return nil
  }

  private static func fill(
    _ folder: OutputFolder, _ word: String, _ store: Store, _ options: Options,
    _ checkCancellation: () throws -> Void
  ) throws -> String? {
    switch options.what {
    case .scenes:
      return try pictures(word, store).writeScenes(
        into: folder, checkCancellation: checkCancellation)
    case .arrays: return try pictures(word, store).writeArrays(into: folder)
    case .tables:
      let run = try options.id.map { try StoreReference.run($0, in: store) }
      let count = try TableExport(store, into: folder).write(run: run)
      return "\(count) tables; \(TablePackage.fileName) says what their columns mean"
    case .mlflow:
      return left(
        try MLflowExport(
          ExportedRun(word, in: store), into: folder, largest: options.largest << 20
        ).write(), options)
    case .rocrate:
      var crate = CrateExport(
        try ExportedRun(word, in: store), into: folder, largest: options.largest << 20,
        license: options.license)
      return left(try crate.write(), options)
    case .weights, .prov, .openlineage: return nil
    }
  }

  private static func left(_ count: Int, _ options: Options) -> String? {
    count == 0
      ? nil
      : "\(count) files of more than \(options.largest) MiB, or not in the store any more, are named by their"
        + " hashes alone"
  }

  private static func pictures(_ word: String, _ store: Store) throws -> PictureExport {
    guard let manifest = try storedManifest(of: .pictureSet, word, in: store) else {
      throw UsageError.noPictures(word)
    }
    return try PictureExport(manifest, in: store)
  }

  private static func weights(_ word: String, _ store: Store) throws -> Data {
    guard let manifest = try storedManifest(of: .denoiser, word, in: store) else {
      throw UsageError.noDenoiser(word)
    }
    let object = intactObjects(of: store)
    switch try DenoiserManifest(object(manifest)) {
    case .trained(_, let network), .imported(_, let network):
      return try object(network.weights).data()
    case .machine:
      throw UsageError.noWeights(word, reason: "it is made of pictures, without training")
    case .masked(let mask), .maskedField(_, let mask):
      throw UsageError.noWeights(
        word, reason: "it is the denoiser \(mask.base.prefix(12)) behind a mask; export that")
    case .external(_, let external), .field(_, let external):
      throw UsageError.noWeights(
        word, reason: "another program computes it: \(external.command.joined(separator: " "))")
    }
  }

  private static func provenance(_ word: String, _ store: Store) throws -> JSONValue {
    let reference = try StoreReference(word, in: store)
    if case .run(let id) = reference {
      return ProvExport.document(of: try ExportedRun(id, in: store))
    }
    return try ProvExport.document(of: reference, in: store)
  }

  private static func writeFile(_ data: Data, _ context: CommandContext<Options>) throws {
    let path = context.options.to
    let url = URL(filePath: path)
    var found = stat()
    // What is no plain file holds nothing that could be lost.
    if !context.options.replace, stat(path, &found) == 0, found.st_mode & S_IFMT == S_IFREG,
      !OutputFile.isStandardOutput(url)
    {
      if (try? Data(contentsOf: url)) == data { return }
      throw UsageError.cannotWrite(
        path, reason: "it is there already and holds something else; \(OutputFolder.remedy)")
    }
    try context.save(data, to: path)
  }

  private static func naming<Result>(
    _ path: String, _ body: () throws(StoreError) -> Result
  ) throws -> Result {
    do {
      return try body()
    } catch .cannotWrite(let place, let reason) {
      throw UsageError.cannotWrite(place, reason: reason)
    }
  }
}
