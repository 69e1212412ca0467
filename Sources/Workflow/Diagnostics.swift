import Formats
import Foundation

/// One fault of a pipeline file or of an override of it, with its place.
package struct PipelineProblem: Sendable, Hashable {
  package var position: SourcePosition
  /// The override on the command line that caused it, as typed; `nil`: the file itself.
  package var override: String?
  /// The path of the key, for example `stages.baseline.network.width`; empty for the whole file.
  package var path: String
  package var fault: PipelineFault

  package init(
    position: SourcePosition, override: String? = nil, path: String, fault: PipelineFault
  ) {
    self.position = position
    self.override = override
    self.path = path
    self.fault = fault
  }

  /// `file:line:column: path: what was found; what is accepted`.
  package func text(file: String) -> String {
    let place = override.map { "--set \($0)" } ?? "\(file):\(position.line):\(position.column)"
    // A key of the file may hold anything; a problem is one line.
    return Escape.line("\(place): \(path.isEmpty ? "" : "\(path): ")\(fault.message)")
  }
}

/// What can be wrong in a pipeline file.
package enum PipelineFault: Sendable, Hashable {
  case empty
  case syntax(String)
  case notUTF8
  case tooLarge(limit: Int)
  case wrongType(found: String, accepted: String)
  case unknownKey(String, accepted: [String])
  case missingKey(accepted: String)
  case missingParameter(accepted: String, help: String)
  case unknownKind(String, known: [String])
  case badName(String)
  case noStages
  case tooManyStages(limit: Int)
  case cycle([String])
  case unknownRole(String, accepted: [String])
  case missingInput(from: [String], help: String)
  case listForOne
  case emptyList
  case unknownStage(String, known: [String])
  case wrongKind(stage: String, kind: String, accepted: [String])
  case badReference(String)
  case notAnAxis(String, stage: String, axes: [String])
  case noSuchValue(String, axis: String, values: [String])
  case nothingSelected(String)
  case gatheredTwice(String)
  case emptyAxis
  case noAxes
  case axisIsNoParameter(String, accepted: [String])
  case axisIsAlsoGiven(String)
  case axisInsideAxis(String, String)
  case valueHasNoName(String)
  case valueTwice(String)
  case excludesNothing
  case excludesEverything
  case nothingToJoin(String)
  case tooManyInstances(limit: Int)
  case hasNoKeys(found: String, key: String)
  case unknownMetric(String, k: Int?, known: [String])
  case checkFailed(String)

  package var message: String {
    switch self {
    case .empty:
      "the file is empty; an object with `pipeline`, `question`, `seed` and `stages` is accepted"
    case .syntax(let message): message
    case .notUTF8: "the bytes are not UTF-8; a JSON5 text in UTF-8 is accepted"
    case .tooLarge(let limit): "the file is larger than \(limit >> 20) MiB, the most accepted"
    case .wrongType(let found, let accepted): "found \(found); accepted: \(accepted)"
    case .unknownKey(let key, let accepted):
      "unknown key `\(key)`\(hint(key, accepted)); accepted: \(listed(accepted))"
    case .missingKey(let accepted): "missing; accepted: \(accepted)"
    case .missingParameter(let accepted, let help):
      "missing parameter (\(help)); accepted: \(accepted)"
    case .unknownKind(let kind, let known):
      "unknown kind \(Escape.message(kind))\(hint(kind, known)); accepted: \(listed(known))"
    case .badName(let name):
      "the name \(Escape.message(name)) cannot be used; accepted: 1 to 64 letters A-Z a-z, digits, `_`, `-`"
    case .noStages: "there are no stages; accepted: an object with at least one stage"
    case .tooManyStages(let limit): "there are more than \(limit) stages, the most accepted"
    case .cycle(let names):
      "the stages wait for each other: \(names.joined(separator: " ← ")); break the circle"
    case .unknownRole(let role, let accepted):
      accepted.isEmpty
        ? "unknown input `\(role)`; this kind takes no inputs"
        : "unknown input `\(role)`\(hint(role, accepted)); accepted: \(listed(accepted))"
    case .missingInput(let from, let help):
      "missing input (\(help)); accepted: a stage of kind \(listed(from))"
    case .listForOne:
      "found a list, which gathers every instance into one stage; this input takes one stage:"
        + " name it without the brackets and the stage fans out over its instances"
    case .emptyList: "found an empty list; accepted: at least one stage"
    case .unknownStage(let name, let known):
      "there is no stage \(Escape.message(name))\(hint(name, known)); stages: \(listed(known))"
    case .wrongKind(let stage, let kind, let accepted):
      "`\(stage)` is of kind `\(kind)`; accepted: a stage of kind \(listed(accepted))"
    case .badReference(let text):
      "\(Escape.message(text)) names no stage; accepted: \"stage\" or \"stage[axis=value,…]\""
    case .notAnAxis(let axis, let stage, let axes):
      axes.isEmpty
        ? "`\(stage)` has no axis `\(axis)`: it has one instance only"
        : "`\(stage)` has no axis `\(axis)`\(hint(axis, axes)); axes: \(listed(axes))"
    case .noSuchValue(let value, let axis, let values):
      "axis `\(axis)` has no value \(Escape.message(value))\(hint(value, values)); values: \(listed(values))"
    case .nothingSelected(let text): "no instance is named \(Escape.message(text)): it is excluded"
    case .gatheredTwice(let name): "`\(name)` is gathered twice; name it once"
    case .emptyAxis: "found an axis without values; accepted: a list of at least one value"
    case .noAxes: "found a matrix without an axis; accepted: at least one, or no `matrix`"
    case .axisIsNoParameter(let axis, let accepted):
      "`\(axis)` is no parameter of this kind\(hint(axis, accepted));"
        + " accepted: \(listed(["seed"] + accepted))"
    case .axisIsAlsoGiven(let axis):
      "`\(axis)` is an axis of the matrix and a parameter of the stage; give it once"
    case .axisInsideAxis(let inner, let outer):
      "axis `\(inner)` lies inside axis `\(outer)`; accepted: axes that do not overlap"
    case .valueHasNoName(let found):
      "found \(found), which cannot be part of an instance's name; accepted: true, false, numbers,"
        + " text of letters, digits and `_ . + -`, and lists of these"
    case .valueTwice(let label): "the value `\(label)` occurs twice; give it once"
    case .excludesNothing: "no instance is excluded by this; take it out or correct it"
    case .excludesEverything: "every instance is excluded; leave at least one"
    case .nothingToJoin(let what): "\(what); inputs join on axes of the same name"
    case .tooManyInstances(let limit):
      "the pipeline expands to more than \(limit) instances; use fewer values or `exclude`"
    case .hasNoKeys(let found, let key):
      "found \(found), in which there is no key `\(key)` to set; accepted: the whole value"
    case .unknownMetric(let name, let k, let known):
      "no finished stage has a metric \(Escape.message(name))\(k.map { " with k = \($0)" } ?? " without a k")"
        + "\(known.contains(name) ? "" : hint(name, known)); metrics: \(listed(known))"
    case .checkFailed(let message): message
    }
  }
}

/// What stops a run, a plan or the reading of a pipeline.
package enum WorkflowError: CategorizedError, Sendable, Hashable, CustomStringConvertible {
  case missingFile(String)
  case isFolder(String)
  case unreadable(String, reason: String)
  case invalid(file: String, problems: [PipelineProblem])
  case badOverride(String, reason: String)
  case badSelection(option: String, name: String, known: [String])
  case missingObject(stage: String, NeededObject)
  case outside(stage: String, parameter: String, path: String, reason: String, remedy: String)
  case misfits([StageMisfit])
  case locked(LockOwner, path: String)
  case cannotLock(String, reason: String)
  case noThreads(wanted: Int, made: Int, reason: String)
  case noMemory(needed: Int, free: Int, limit: String)
  case noOutput(stage: String, role: String, path: String)
  case roleTwice(stage: String, role: String)
  case noScheduler(String)
  case jobRefused(stage: String, reason: String)
  case jobLost(stage: String, reason: String, retries: Int, log: String)
  case jobCancelled(stage: String)
  case jobsAtWork(String)
  case badOrder(String, reason: String)
  case otherNumerics(found: String, expected: String)

  package var description: String {
    switch self {
    case .missingFile(let path): "\(path): there is no such file"
    case .isFolder(let path): "\(path): this is a folder; a pipeline file (JSON5) is accepted"
    case .unreadable(let path, let reason): "\(path): cannot be read: \(reason)"
    case .invalid(let file, let problems):
      (problems.prefix(Self.problemLimit).map { $0.text(file: file) }
        + (problems.count > Self.problemLimit
          ? ["\(file): … and \(problems.count - Self.problemLimit) more"] : []))
        .joined(separator: "\n")
    case .badOverride(let text, let reason):
      "--set \(text): \(reason); accepted: seed=VALUE, scale=VALUE, replicate.KEY=VALUE, executor.KEY=VALUE or STAGE.PARAMETER=VALUE,"
        + " for example"
        + " --set baseline.network.width=32"
    case .badSelection(let option, let name, let known):
      "\(option) \(name): there is no such stage or instance\(hint(name, known));"
        + " stages: \(listed(known))"
    case .missingObject(let stage, let object):
      "stage `\(stage)`: this store holds no object \(object.sha256); \(object.remedy)"
    case .outside(let stage, let parameter, let path, let reason, let remedy):
      "stage `\(stage)`: \(parameter): \(path) \(reason); \(remedy)"
    case .misfits(let misfits):
      misfits.map { "stage `\($0.stage)`: \($0.problem.path): \($0.problem.message)" }
        .joined(separator: "\n")
    case .locked(.named(let holder), let path):
      "\(path): another run holds the lock: \(holder.description); wait for it (`locus run --wait`)"
        + " or take another store (--store DIR)"
    case .locked(let owner, let path): "\(path): the lock is held by \(owner.description)"
    case .cannotLock(let path, let reason): "\(path): the lock cannot be taken: \(reason)"
    case .noThreads(let wanted, let made, let reason):
      "only \(made) of \(wanted) threads can be made (\(reason)): take --threads \(made), or raise"
        + " the limit (ulimit -u, or ulimit -v for their stacks)"
    case .noMemory(let needed, let free, let limit):
      "this needs \(needed >> 20) MiB of memory at least, and \(limit) leaves \(free >> 20) MiB: take"
        + " fewer --threads, or raise the limit"
    case .noOutput(let stage, let role, let path):
      "stage `\(stage)` promised the output `\(role)` but left no file at \(path);"
        + " this is a fault of Locus"
    case .roleTwice(let stage, let role):
      "stage `\(stage)` gave the output `\(role)` twice; this is a fault of Locus"
    case .noScheduler(let reason):
      "Slurm cannot be used here: \(Escape.line(reason)); run this where `sinfo` works, or with"
        + " --executor local"
    case .jobRefused(let stage, let reason):
      "the scheduler refuses stage `\(stage)`: \(Escape.line(reason)); correct `executor` in the pipeline"
        + " file, or --set executor.KEY=VALUE"
    case .jobLost(let stage, let reason, let retries, let log):
      "stage `\(stage)` was lost \(retries + 1) times, the last time: \(reason); its last words are in"
        + " \(log), and `executor.retries` allows more"
    case .jobCancelled(let stage):
      "stage `\(stage)` was cancelled by `locus cancel`; the same command orders it anew"
    case .jobsAtWork(let jobs):
      "Slurm is at work on \(jobs), which an earlier run submitted: take them up with --executor slurm, or"
        + " end them (`locus cancel`)"
    case .badOrder(let path, let reason): "\(path): \(reason); orders are made by `locus run`"
    case .otherNumerics(let found, let expected):
      "this node computes by `\(found)`, and the order is for `\(expected)`: last bits would differ; let"
        + " `executor.constraint` choose nodes of one kind, or build Locus with LOCUS_CPU for all of them"
    }
  }

  /// More problems than this are counted only.
  private static let problemLimit = 100

  package var category: ErrorCategory {
    switch self {
    case .missingFile, .isFolder, .unreadable, .missingObject, .outside: .missing
    case .invalid, .misfits: .data
    case .badOverride, .badSelection: .usage
    case .locked, .jobsAtWork: .busy
    case .cannotLock: .cannotCreate
    case .noThreads, .noMemory: .inputOutput
    case .noOutput, .roleTwice: .bug
    case .noScheduler, .jobRefused, .jobLost, .jobCancelled, .otherNumerics: .unavailable
    case .badOrder: .data
    }
  }
}

/// `, did you mean `x`?` or nothing.
private func hint(_ word: String, _ known: [String]) -> String {
  closestMatch(word, in: known).map { " (did you mean `\($0)`?)" } ?? ""
}

/// At most this many names are listed in a message.
private let listLimit = 12

private func listed(_ names: [String]) -> String {
  let shown = names.prefix(listLimit).map { "`\($0)`" }.joined(separator: ", ")
  return names.count > listLimit ? "\(shown), … (\(names.count) in all)" : shown
}
