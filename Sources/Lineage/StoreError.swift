import Formats
import Foundation

/// What can go wrong with a store; every message says what to do.
package enum StoreError: CategorizedError, Sendable, Hashable, CustomStringConvertible {
  case missing(path: String)
  case notAFolder(path: String)
  case notADatabase(path: String)
  case foreign(path: String, found: String)
  case newer(path: String, version: Int, known: Int)
  case newerReceipt(path: String, format: Int, known: Int)
  case link(path: String)
  /// A store that was to be merged into itself.
  case sameStore(path: String)
  /// A table, index, view or trigger in the database that nobody of ours made.
  case stranger(path: String, type: String, name: String, more: Int)
  /// Something else lies where a file or a folder of a store belongs.
  case wrongKind(path: String, found: String, needed: String)
  /// A folder that is neither empty nor a store.
  case notAStore(path: String, holds: [String])
  /// What the database knows and has no receipt: paths within the store.
  case lostReceipts(path: String, [String])
  case cannotRead(path: String, reason: String)
  case cannotWrite(path: String, reason: String)
  case inputOutput(path: String, reason: String)
  /// Sizes in bytes, where they are known.
  case full(path: String, reason: String, needed: Int?, free: Int?)
  case busy(path: String)
  case damaged(path: String, reason: String)
  case sql(statement: String, reason: String)
  case timeLimit(seconds: Double)
  case refused(what: String, statement: String)
  /// A query that goes beyond a limit of so many bytes.
  case tooLarge(String, most: Int)
  case noThread(reason: String)
  case noMemory(path: String)
  case metric(name: String, value: Double)
  /// A receipt names what the vocabulary does not have.
  case undeclared(String, execution: String)
  case manifest(role: String, reason: String)
  case column(String, problem: String)
  case reference(String)
  case keepsNothing(Keep, pipelines: [String])
  /// A database on a file system over a network.
  case network(path: String, type: String)
  /// A database on another machine.
  case elsewhere(path: String, host: String)
  case notSplit(path: String, reason: String)

  package var description: String {
    switch self {
    case .missing(let path):
      "\(path): there is no store here; `locus run` makes one, --store DIR names another"
    case .notAFolder(let path): "\(path): not a folder; --store takes the folder of a store"
    case .notADatabase(let path):
      "\(path): not an SQLite database; move it away, `locus run` makes a new one"
    case .foreign(let path, let found):
      "\(path): a database of another program (\(found)); choose another folder with --store"
    case .newer(let path, let version, let known):
      "\(path): made by a newer Locus (schema \(version), this one knows \(known)); use that version"
    case .newerReceipt(let path, let format, let known):
      "\(path): made by a newer Locus (format \(format), this one knows \(known)); use that version"
    case .link(let path):
      "\(path): a symbolic link; what a store holds lies in its own folder: move it there"
    case .sameStore(let path): "\(path): is the store itself; name another one, or --store DIR"
    case .stranger(let path, let type, let name, let more):
      "\(path): holds the \(type) `\(name)`\(more > 0 ? " and \(more) more" : "") that Locus did not make;"
        + " drop it, or name it \(SchemaItem.personalPrefix)… (as well as the table that an index or a"
        + " trigger belongs to): what is named so is kept"
    case .wrongKind(let path, let found, let needed):
      "\(path): \(found) where \(needed) of a store belongs; move it away"
    case .notAStore(let path, let holds):
      "\(path): holds \(Self.list(holds)) and neither a database nor receipts of Locus; nothing was"
        + " changed, choose an empty or a new folder with --store"
    case .lostReceipts(let path, let lost):
      "\(path): \(Self.list(lost)) missing, of \(lost.count) executions and runs that the database"
        + " knows; nothing was changed. Restore from a backup what is missing; without one, `locus verify`"
        + " and then `locus run` write it again from the database"
    case .cannotRead(let path, let reason):
      "\(path): cannot be read (\(reason)); nothing was set aside or made again for it. Mend that"
        + " (permissions, the disk, the limit of open files) and try again"
    case .cannotWrite(let path, let reason):
      "\(path): cannot be written (\(reason)); check permissions or choose another --store"
    case .inputOutput(let path, let reason):
      "\(path): \(reason); nothing half-written is visible, free some room and run again"
    case .full(let path, let reason, let needed, let free):
      "\(path): \(reason) (needed: \(Self.size(needed)), free: \(Self.size(free)));"
        + " nothing half-written is visible, make room and run again"
    case .busy(let path): "\(path): another program holds the database; try again"
    case .damaged(let path, let reason): "\(path): damaged (\(reason)); `locus verify` says more"
    case .sql(let statement, let reason): "SQL: \(reason), in: \(statement)"
    case .timeLimit(let seconds):
      "the query took longer than \(seconds.formatted()) s and was stopped; --limit allows more"
    case .refused(let what, let statement):
      "a query is one statement that only reads; \(what) is refused, in: \(statement)"
    case .tooLarge(let what, let most):
      "the query \(what) than \(most >> 20) MiB and was stopped; ask for less at once, with substr(…) or LIMIT"
    case .noMemory(let path): "\(path): there is not enough memory to read it; raise `ulimit -v`"
    case .noThread(let reason):
      "a thread cannot be made (\(reason)); `ulimit -u` or `ulimit -v` leave no room for one"
    case .metric(let name, let value): "metric \(name) is \(value), not a finite number"
    case .undeclared(let what, let execution):
      "\(what), in execution \(execution), is unknown; was it made by a newer Locus? Use that version"
    case .manifest(let role, let reason): "output `\(role)` is no manifest: \(reason)"
    case .network(let path, let type):
      "\(path): is on \(type), a file system over a network, where SQLite's log does not work and the"
        + " database would be damaged; take --store DIR on a disk of this machine, and --objects \(path)"
        + " for objects and receipts"
    case .elsewhere(let path, let host):
      "the database of this store is on \(host), in \(path); use it there, or give that folder's copy"
        + " here with --store DIR --objects DIR"
    case .notSplit(let path, let reason):
      "\(path): \(reason); --store and --objects take two folders that are new, or were given so before"
    case .column(let name, let problem): "column \(name): \(problem)"
    case .keepsNothing(let rule, let pipelines):
      "--keep \(rule) keeps no run; pipelines in this store: \(pipelines.joined(separator: ", "))"
    case .reference(let text): "\(text) names nothing in the store, or more than one thing"
    }
  }

  private static func list(_ names: [String]) -> String {
    let shown = names.prefix(3).map { "`\($0)`" }.joined(separator: ", ")
    return names.count > 3 ? "\(shown) and \(names.count - 3) more" : shown
  }

  private static func size(_ bytes: Int?) -> String {
    guard let bytes else { return "unknown" }
    return bytes < 10_000 ? "\(bytes) B" : "\((bytes + 999) / 1000) kB"
  }

  package var category: ErrorCategory {
    switch self {
    case .missing, .elsewhere: .missing
    case .notAFolder, .notADatabase, .foreign, .newer, .newerReceipt, .link, .sameStore, .stranger,
      .wrongKind,
      .notAStore, .lostReceipts, .damaged, .undeclared:
      .data
    case .cannotWrite, .network: .cannotCreate
    case .inputOutput, .full, .cannotRead, .noThread, .noMemory: .inputOutput
    case .busy: .busy
    case .sql, .timeLimit, .refused, .tooLarge, .reference, .keepsNothing, .notSplit: .usage
    case .metric, .manifest, .column: .bug
    }
  }
}
