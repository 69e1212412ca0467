import Foundation
import Synchronization
import Workflow

@testable import Lineage
@testable import locus

/// A folder, and the command line in it with kinds of a few lines.
final class Bench: Sendable {
  struct Result {
    var code: Int32
    var output: String
    var error: String
  }

  let folder: URL

  /// - Parameter place: where the folder is made.
  init(in place: URL = FileManager.default.temporaryDirectory) throws {
    folder = place.appending(path: "locus-cli-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  private static let pixels = ArtifactType("pixels")

  static let kinds = [
    StageKind(
      name: "generate", version: 1, summary: "Makes scenes.",
      parameters: [Parameter("count", .integer(1...100), help: "pictures")], inputs: [],
      produces: pixels,
      run: { try write("pixels", $0) }),
    StageKind(
      name: "train", version: 1, summary: "Trains.",
      parameters: [
        Parameter("width", .integer(1...64), default: .integer(16), help: "channels"),
        Parameter("fails", .bool, default: .bool(false), help: "whether it fails"),
      ],
      inputs: [InputDeclaration("scenes", accepts: [pixels], help: "pictures")],
      produces: ArtifactType("weights"),
      run: { context in
        struct Failure: Error, CustomStringConvertible { let description = "no such luck" }
        if context.parameters["fails"] == .bool(true) { throw Failure() }
        // A disk may refuse a checkpoint too.
        let half = Data("half".utf8)
        if try context.checkpoint.restore()["half"] != half {
          try context.checkpoint.save(["half": half])
        }
        return try write("weights", context)
      }),
  ]

  private static func write(_ role: String, _ context: StageContext) throws -> StageOutput {
    let url = context.scratch.appending(path: role)
    let fault = AtomicFile.injection(.write, url)
    if fault != 0 {
      throw CocoaError(
        .fileWriteUnknown,
        userInfo: [
          NSFilePathErrorKey: url.path,
          NSUnderlyingErrorKey: POSIXError(POSIXErrorCode(rawValue: fault) ?? .EIO),
        ])
    }
    try Data("\(role) \(context.parameters.canonicalText())".utf8).write(to: url)
    return StageOutput(
      files: [.init(role: role, url: url, kind: role, mediaType: "text/plain")],
      metrics: [0.5, 0.25, 0.75, 0.3125, 1 / 3].enumerated().map {
        .init(name: "loss", value: $1, dimensions: ["pictures": .integer(64 * $0)])
      } + [
        .init(name: "accuracy", value: 0.5, ciLow: 0.4, ciHigh: 0.6, n: 10)
      ])
  }

  static let stages = """
    scenes: { kind: "generate", count: 3 },
    baseline: { kind: "train", inputs: { scenes: "scenes" }, matrix: { width: [8, 16] } },
    """

  /// Writes a pipeline file and gives its path.
  func pipeline(_ stages: String = stages) throws -> String {
    let url = folder.appending(path: "p.json5")
    try Data(
      "{ pipeline: \"study\", question: \"why?\", seed: 1, stages: {\n\(stages)\n} }".utf8
    ).write(to: url)
    return url.path
  }

  func locus(_ words: String..., write: (@Sendable (String) throws -> Void)? = nil) -> Result {
    locus(words: words, write: write)
  }

  /// - Parameter screen: columns of the terminal that standard output is.
  func locus(
    words: [String], screen: Int? = nil, write: (@Sendable (String) throws -> Void)? = nil
  ) -> Result {
    let output = Mutex("")
    let error = Mutex("")
    let console = Console(
      write: { text in
        try write?(text)
        output.withLock { $0 += text }
      },
      writeError: { text in error.withLock { $0 += text } }, isTerminal: false, width: { 80 },
      outputWidth: { screen },
      environment: ["LOCUS_STORE": folder.appending(path: "data").path])
    let writesReport = ["run", "report"].contains(words.first) && !words.contains("--help")
    let reports = writesReport ? ["--reports", folder.appending(path: "reports").path] : []
    let code = CommandLineTool.run(words + reports, console: console, kinds: Self.kinds)
    return Result(code: code, output: output.withLock { $0 }, error: error.withLock { $0 })
  }
}
