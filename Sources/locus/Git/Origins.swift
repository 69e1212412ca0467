import Foundation
import Lineage
import Workflow

/// What git says of where a pipeline file and the program lie: each commit, marked where the checkout holds
/// what the commit does not. Git is asked at once and answers while other work goes on.
///
/// The pipeline's checkout is dirty, as `git describe --dirty` has it, when a file that git tracks differs
/// from the commit, and when the pipeline file itself is not tracked. Other files without a commit are
/// nobody's concern: nothing reads them. The program's is dirty when anything that it is built from differs.
struct Origins: Sendable {
  private let pipeline: Asked?
  private let program: Asked?

  /// A checkout with what was asked about it.
  private struct Asked: Sendable {
    var checkout: Checkout
    /// None where it is not to be asked.
    var questions: [GitQuestion]?
  }

  /// - Parameter path: of the pipeline file; `nil`: there is none.
  init(pipeline path: String?, _ console: Console) {
    self.init(pipeline: path, program: console.program, environment: console.environment)
  }

  init(pipeline path: String?, program: URL?, environment: [String: String]) {
    func asked(_ folder: URL, _ questions: [[String]]) -> Asked? {
      guard let checkout = Checkout(around: folder) else { return nil }
      return Asked(
        checkout: checkout,
        questions: checkout.filters.map { filters in
          questions.map {
            GitQuestion($0, in: folder, filters: filters, environment: environment)
          }
        })
    }
    let status = ["status", "--porcelain", "-z", "--ignore-submodules=dirty"]
    pipeline = path.flatMap { path in
      let file = URL(filePath: path)
      return asked(
        file.deletingLastPathComponent(),
        [
          status + ["--untracked-files=no"],
          ["ls-files", "-z", "--others", "--", file.lastPathComponent],
        ])
    }
    self.program = program.flatMap { program in
      guard let top = Checkout(around: program.deletingLastPathComponent())?.top else { return nil }
      return asked(top, [status + ["--untracked-files=normal", "--", "Package.swift", "Sources"]])
    }
  }

  /// What git's own files say, without a statement on what differs.
  var commit: String? { pipeline?.checkout.commit }
  var machine: [String: String] { program.map { [Self.key: $0.checkout.commit] } ?? [:] }

  private static let key = "program_checkout"

  /// `nil` when git has not said all of it after so long.
  func found(within time: Duration) -> RunOrigin? {
    let end = ContinuousClock.now + time
    guard let pipeline = Self.marked(pipeline, "pipeline file", until: end),
      let program = Self.marked(program, "program", until: end)
    else { return nil }
    return RunOrigin(
      gitCommit: pipeline.commit, machine: program.commit.map { [Self.key: $0] } ?? [:],
      notes: [pipeline.note, program.note].compactMap { $0 })
  }

  /// The commit as it is recorded; `nil` before git's answer.
  private static func marked(_ asked: Asked?, _ what: String, until end: ContinuousClock.Instant)
    -> (commit: String?, note: String?)?
  {
    guard let asked else { return (nil, nil) }
    let commit = asked.checkout.commit
    switch answer(asked.questions, until: end) {
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
