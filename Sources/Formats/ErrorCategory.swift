/// Whose turn it is when something failed: what an error says beside its words.
///
/// What the user can change is never `bug`.
package enum ErrorCategory: Sendable, Hashable, CaseIterable {
  /// The command line asks for what there is not.
  case usage
  /// What was read is not what it should be, or settings do not fit together.
  case data
  /// What is needed is not there.
  case missing
  /// Another program that is needed does not answer.
  case unavailable
  /// A fault of Locus.
  case bug
  /// A file cannot be made where it should lie.
  case cannotCreate
  /// Reading or writing failed on the way, or the disk is full.
  case inputOutput
  /// Somebody else is at work there.
  case busy
}

/// An error that says whose turn it is. Every error type of Locus does.
package protocol CategorizedError: Error {
  var category: ErrorCategory { get }
}

extension CategorizedError {
  package var exitCode: Int32 { category.exitCode }
}

/// The exit codes of `sysexits.h` that Locus uses, and those of a process that a signal ended.
package enum ExitCode {
  package static let usage: Int32 = 64
  package static let badData: Int32 = 65
  package static let missingInput: Int32 = 66
  package static let unavailable: Int32 = 69
  package static let bug: Int32 = 70
  package static let cannotCreate: Int32 = 73
  package static let inputOutput: Int32 = 74
  package static let locked: Int32 = 75
  package static let interrupted: Int32 = 130
  package static let terminated: Int32 = 143
}

extension ErrorCategory {
  /// The one table from what went wrong to how the program ends.
  package var exitCode: Int32 {
    switch self {
    case .usage: ExitCode.usage
    case .data: ExitCode.badData
    case .missing: ExitCode.missingInput
    case .unavailable: ExitCode.unavailable
    case .bug: ExitCode.bug
    case .cannotCreate: ExitCode.cannotCreate
    case .inputOutput: ExitCode.inputOutput
    case .busy: ExitCode.locked
    }
  }
}
