import Foundation
import Lineage
import Synchronization
import Workflow

/// What git says of where a pipeline file and the program lie: each commit, marked where the checkout holds
/// what the commit does not. Git is asked while other work goes on.
///
/// The pipeline's checkout is dirty when the pipeline file is not as the commit has it, or in no commit;
/// and, where a stage runs, when any file that git tracks differs, as `git describe --dirty` has it. Other
/// files without a commit are nobody's concern: nothing reads them. The program's is dirty when anything
/// that it is built from differs; what no stage runs it made nothing of.
final class Origins: Sendable {
  private let pipeline: Place?
  private let program: Place?
  private let fileName: String
  private let asked = Mutex(Asked())

  private struct Place: Sendable {
    var checkout: Checkout
    var folder: URL
    var environment: [String: String]

    /// `nil` where git is not to be asked.
    func ask(_ words: String...) -> [GitQuestion]? {
      let status = ["status", "--porcelain", "-z", "--ignore-submodules=dirty"]
      return checkout.filters.map {
        [GitQuestion(status + words, in: folder, filters: $0, environment: environment)]
      }
    }
  }

  /// What git has been asked, when somebody first wanted to know.
  private struct Asked: Sendable {
    /// About the pipeline file: cheap.
    var file: [GitQuestion]??
    /// About all that matters to work.
    var work: (pipeline: [GitQuestion]?, program: [GitQuestion]?)?
  }

  /// - Parameter path: of the pipeline file; `nil`: there is none.
  convenience init(pipeline path: String?, _ console: Console) {
    self.init(pipeline: path, program: console.program, environment: console.environment)
  }

  init(pipeline path: String?, program: URL?, environment: [String: String]) {
    let url = path.map { URL(filePath: $0) }
    pipeline = url.flatMap { url in
      let folder = url.deletingLastPathComponent()
      return Checkout(around: folder).map {
        Place(checkout: $0, folder: folder, environment: environment)
      }
    }
    self.program = program.flatMap { program in
      Checkout(around: program.deletingLastPathComponent()).map {
        Place(checkout: $0, folder: $0.top, environment: environment)
      }
    }
    fileName = url?.lastPathComponent ?? ""
  }

  /// What git's own files say, without a statement on what differs.
  var commit: String? { pipeline?.checkout.commit }
  var machine: [String: String] { program.map { [Self.key: $0.checkout.commit] } ?? [:] }

  private static let key = "program_checkout"

  /// `nil` when git has not said all of it after so long.
  func found(isWorking: Bool, within time: Duration) -> RunOrigin? {
    let end = ContinuousClock.now + time
    let file = askOfFile()
    if !isWorking {
      return Self.marked(pipeline, file, "pipeline file", until: end).map {
        RunOrigin(gitCommit: $0.commit, machine: machine, notes: [$0.note].compactMap { $0 })
      }
    }
    let work = askOfWork()
    let all = file.flatMap { file in work.pipeline.map { file + $0 } }
    guard let pipeline = Self.marked(pipeline, all, "pipeline file", until: end),
      let program = Self.marked(program, work.program, "program", until: end)
    else { return nil }
    return RunOrigin(
      gitCommit: pipeline.commit, machine: program.commit.map { [Self.key: $0] } ?? [:],
      notes: [pipeline.note, program.note].compactMap { $0 })
  }

  private func askOfFile() -> [GitQuestion]? {
    asked.withLock { asked in
      let file =
        asked.file ?? pipeline?.ask("--untracked-files=all", "--ignored=matching", "--", fileName)
      asked.file = .some(file)
      return file
    }
  }

  private func askOfWork() -> (pipeline: [GitQuestion]?, program: [GitQuestion]?) {
    asked.withLock { asked in
      let work =
        asked.work
        ?? (
          pipeline?.ask("--untracked-files=no"),
          program?.ask("--untracked-files=normal", "--", "Package.swift", "Sources")
        )
      asked.work = work
      return work
    }
  }

  /// The commit as it is recorded; `nil` before git's answer.
  private static func marked(
    _ place: Place?, _ questions: [GitQuestion]?, _ what: String,
    until end: ContinuousClock.Instant
  ) -> (commit: String?, note: String?)? {
    guard let commit = place?.checkout.commit else { return (nil, nil) }
    switch answer(questions, until: end) {
    case nil: return nil
    case .yes: return (commit + RunRecord.dirtyMark, nil)
    case .no: return (commit, nil)
    case .unknown(let reason):
      let note =
        "whether the checkout of the \(what) is as its commit has it is not known: \(reason)"
      return (commit, note)
    }
  }

  /// Yes as soon as one says so.
  private static func answer(_ questions: [GitQuestion]?, until end: ContinuousClock.Instant)
    -> GitQuestion.Answer?
  {
    guard let questions else { return .unknown("its own settings may name programs") }
    var all: GitQuestion.Answer = .no
    var isWaiting = false
    for question in questions {
      switch question.answer(within: max(.zero, end - .now)) {
      case .yes: return .yes
      case .no: break
      case .unknown(let reason): all = .unknown(reason)
      case nil: isWaiting = true
      }
    }
    return isWaiting ? nil : all
  }
}
