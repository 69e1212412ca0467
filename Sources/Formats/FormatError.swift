/// A file that is not what its format asks for: what was found, and what was expected.
public struct FormatError: CategorizedError, Sendable, Hashable, CustomStringConvertible {
  public var format: String
  public var message: String

  public init(_ format: String, _ message: String) {
    self.format = format
    self.message = message
  }

  public var category: ErrorCategory { .data }

  public var description: String { "not a valid \(format) file: \(message)" }
}
