// Proves that every error of Locus says whose turn it is, and that what a user can change is no fault of
// Locus.
import Analytic
import Benchmarks
import Diffusion
import Evaluation
import Features
import Formats
import Foundation
import Interventions
import Lineage
import Probing
import Scenes
import Tensors
import Testing
import Theory
import Workflow

@testable import Artifacts
@testable import Experiments
@testable import External
@testable import locus

@Suite("categories of errors")
struct ErrorCategoryTests {
  private static let file = StageFile(url: URL(filePath: "f"), sha256: "")

  /// Every error type of the package, with the cases that tell its categories apart.
  private static let table: [(any CategorizedError, ErrorCategory)] = [
    (FormatError("npy", "is not"), .data),
    (JSON5Error(position: SourcePosition(line: 1, column: 1), message: "is not"), .data),

    (StoreError.missing(path: "p"), .missing),
    (StoreError.notAFolder(path: "p"), .data), (StoreError.notADatabase(path: "p"), .data),
    (StoreError.foreign(path: "p", found: "f"), .data),
    (StoreError.newer(path: "p", version: 2, known: 1), .data),
    (StoreError.newerReceipt(path: "p", format: 2, known: 1), .data),
    (StoreError.undeclared("d", execution: "e"), .data), (StoreError.link(path: "p"), .data),
    (StoreError.damaged(path: "p", reason: "r"), .data),
    (StoreError.wrongKind(path: "p", found: "a", needed: "b"), .data),
    (StoreError.notAStore(path: "p", holds: ["h"]), .data),
    (StoreError.lostReceipts(path: "p", ["r"]), .data),
    (StoreError.cannotRead(path: "p", reason: "r"), .inputOutput),
    (StoreError.cannotWrite(path: "p", reason: "r"), .cannotCreate),
    (StoreError.inputOutput(path: "p", reason: "r"), .inputOutput),
    (StoreError.full(path: "p", reason: "r", needed: nil, free: nil), .inputOutput),
    (StoreError.busy(path: "p"), .busy), (StoreError.sql(statement: "s", reason: "r"), .usage),
    (StoreError.timeLimit(seconds: 1), .usage),
    (StoreError.refused(what: "w", statement: "s"), .usage),
    (StoreError.tooLarge("w", most: 1), .usage), (StoreError.noThread(reason: "r"), .inputOutput),
    (StoreError.reference("r"), .usage),
    (StoreError.noMemory(path: "p"), .inputOutput),
    (StoreError.keepsNothing(.last(1), pipelines: []), .usage),
    (StoreError.network(path: "p", type: "nfs4"), .cannotCreate),
    (StoreError.elsewhere(path: "p", host: "h"), .missing),
    (StoreError.notSplit(path: "p", reason: "r"), .usage),
    (StoreError.metric(name: "m", value: .nan), .bug),
    (StoreError.manifest(role: "m", reason: "r"), .bug),
    (StoreError.column("c", problem: "p"), .bug),

    (WorkflowError.missingFile("p"), .missing), (WorkflowError.isFolder("p"), .missing),
    (WorkflowError.unreadable("p", reason: "r"), .missing),
    (WorkflowError.invalid(file: "p", problems: []), .data),
    (WorkflowError.badOverride("o", reason: "r"), .usage),
    (WorkflowError.badSelection(option: "o", name: "n", known: []), .usage),
    (
      WorkflowError.missingObject(stage: "s", NeededObject(sha256: "h", remedy: "r")), .missing
    ),
    (
      WorkflowError.outside(stage: "s", parameter: "p", path: "p", reason: "r", remedy: "r"),
      .missing
    ), (WorkflowError.locked(.unnamed, path: "p"), .busy),
    (WorkflowError.cannotLock("p", reason: "r"), .cannotCreate),
    (WorkflowError.noThreads(wanted: 2, made: 1, reason: "r"), .inputOutput),
    (WorkflowError.noMemory(needed: 2, free: 1, limit: "l"), .inputOutput),
    (WorkflowError.noOutput(stage: "s", role: "r", path: "p"), .bug),
    (WorkflowError.roleTwice(stage: "s", role: "r"), .bug),
    (WorkflowError.noScheduler("r"), .unavailable),
    (WorkflowError.jobRefused(stage: "s", reason: "r"), .unavailable),
    (WorkflowError.jobLost(stage: "s", reason: "r", retries: 3, log: "l"), .unavailable),
    (WorkflowError.jobCancelled(stage: "s"), .unavailable),
    (WorkflowError.jobsAtWork("s as job 17"), .busy),
    (WorkflowError.badOrder("p", reason: "r"), .data),
    (WorkflowError.otherNumerics(found: "a", expected: "b"), .unavailable),

    (ParameterMismatch.missing(["w"]), .data),
    (WeightsFileError.unstated(["size"]), .data),
    (TrainingError.diverged(pictures: 1), .data),
    (NoPlaces(.set(words: ["red"])), .data),
    (NetworkPathError.missing(.attention, found: []), .data),
    (NetworkLevelError.missing(.encoder2, found: []), .data),
    (NetworkLevelError.count(.encoder2, found: 1, expected: 2), .bug),
    (DenoiserError.sigma(index: 0, value: 0), .data), (DenoiserError.notFinite(picture: 0), .data),
    (DenoiserError.count(array: "x", found: 1, expected: 2), .bug),
    (SceneError.crowded(objects: 12, gap: 1, margin: 1), .data),
    (SceneMisfit.value(path: "p", "m"), .data),
    (AnalyticError.schedule("none"), .data), (AnalyticError.label(index: 0, value: -1), .data),
    (MaskError.block(block: 5, size: 32), .data), (MaskError.changedNothing(.pixel), .data),
    (MaskError.identityChanged(.identity, largest: 1), .bug),
    (MaskError.changedOutside(.pixel, largest: 1), .bug),
    (MaskError.baseResult(found: 1, expected: 2), .bug),
    (ProbeError.insensitive(sigma: 1), .data),
    (ProbeError.setting(name: "n", found: "f", accepted: "a"), .data),
    (ProbeError.pictures(found: 1, expected: 2), .bug),
    (BlindSheetError.sizes, .data), (BlindSheetError.header(found: "x"), .data),
    (EvaluationError.noCommonLayouts, .data), (EvaluationError.judge("r"), .data),
    (TheoryError.notInvertible, .data),
    (FeatureError.words(1), .data), (FeatureError.rows(found: 1, expected: 2), .bug),
    (TheoryError.tooManyPictures(cells: 9, states: 9), .data),

    (SamplingError.noTimes, .data), (SamplingError.range(low: 0, high: 1), .data),
    (PeerError.cannotStart(command: ["c"], reason: "r"), .unavailable),
    (PeerError.ended(command: ["c"], how: "h", asked: "a", words: "w"), .unavailable),
    (PeerError.silent(command: ["c"], asked: "a", seconds: 1, words: "w"), .unavailable),
    (PeerError.refused(command: ["c"], asked: "a", said: "s"), .unavailable),
    (PeerError.malformed(command: ["c"], asked: "a", reason: "r"), .data),
    (PeerError.notFinite(command: ["c"], asked: "a", array: "x", picture: 1), .data),
    (PeerError.changed(command: ["c"], what: "w", was: "a", found: "b"), .data),
    (PeerError.cannot(command: ["c"], ability: "vjp"), .data),
    (PeerError.noFeature(command: ["c"], name: "n", told: []), .data),
    (PeerError.noiseLevel(80, low: 0, high: 1), .data), (MisfitError("m", "f", "a"), .data),
    (SpawnFault("r"), .unavailable), (AnswerFault("t"), .data),
    (AnswerFault("t", .refused), .unavailable), (ExchangeFailure.closed, .unavailable),
    (ExchangeFailure.notFinite(array: "x", index: 0), .data),

    (ArtifactError(file: file, reason: "r"), .data),
    (ArtifactError(file: file, reason: "r", category: .missing), .missing),
    (MissingFile(role: "r", found: []), .missing),
    (OutsideError(URL(filePath: "f"), reason: "r"), .data),
    (MismatchError("m"), .data), (SamplingError(k: 1, layout: 1), .data),

    (UsageError.unknownCommand("c", known: []), .usage),
    (UsageError.cannotWrite("p", reason: "r"), .cannotCreate),
    (UsageError.badFile("p", reason: "r"), .data),
    (UsageError.missingFile("p", reason: "r"), .missing),
    (Console.ClosedPipe(), .inputOutput), (Console.Failed(code: ENOSPC), .inputOutput),
    (OpenBLAS.Missing(reason: "r"), .unavailable),
    (ProcessorError(built: "b", missing: []), .unavailable),
  ]

  @Test("each error is of the category that is true")
  func categories() {
    for (error, category) in Self.table {
      #expect(error.category == category, "\(error)")
      #expect(Workflow.category(of: error) == category)
      #expect(exitCode(of: error) == category.exitCode)
    }
  }

  @Test("one table leads from categories to exit codes")
  func codes() {
    let codes = ErrorCategory.allCases.map { "\($0) \($0.exitCode)" }
    #expect(
      codes == [
        "usage 64", "data 65", "missing 66", "unavailable 69", "bug 70", "cannotCreate 73",
        "inputOutput 74", "busy 75",
      ])
  }

  @Test("no error type of the package lacks a category, or a line in the table above")
  func everyType() throws {
    let sources = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../Sources").standardizedFileURL
    let files = FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil)
    let declaration = #/\b(?:struct|enum|class|actor|extension)\s+([\w.]+)\s*:([^{]*)\{/#
    var found: Set<String> = []
    while let url = files?.nextObject() as? URL {
      guard url.pathExtension == "swift" else { continue }
      let text = try String(contentsOf: url, encoding: .utf8)
      for match in text.matches(of: declaration) {
        let names = match.2.split(whereSeparator: { ",&".contains($0) || $0.isWhitespace })
        let bare = names.contains { ["Error", "LocalizedError", "CustomNSError"].contains($0) }
        #expect(!bare, "\(url.lastPathComponent): \(match.1) is an error without a category")
        if names.contains("CategorizedError") { found.insert(String(match.1)) }
      }
    }
    #expect(found == Set(Self.table.map { "\(type(of: $0.0))" }))
  }
}
