/// Whose turn it is when something failed: what an error says beside its words.
///
/// What the user can change is never `bug`.
public enum ErrorCategory: Sendable, Hashable, CaseIterable {
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
public protocol CategorizedError: Error {
  var category: ErrorCategory { get }
}

extension CategorizedError {
  public var exitCode: Int32 { category.exitCode }
}

/// The exit codes of `sysexits.h` that Locus uses, and those of a process that a signal ended.
public enum ExitCode {
  public static let usage: Int32 = 64
  public static let badData: Int32 = 65
  public static let missingInput: Int32 = 66
  public static let unavailable: Int32 = 69
  public static let bug: Int32 = 70
  public static let cannotCreate: Int32 = 73
  public static let inputOutput: Int32 = 74
  public static let locked: Int32 = 75
  public static let interrupted: Int32 = 130
  public static let terminated: Int32 = 143
}

extension ErrorCategory {
  /// The one table from what went wrong to how the program ends.
  public var exitCode: Int32 {
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
