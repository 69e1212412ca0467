/// A file that is not what its format asks for: what was found, and what was expected.
package struct FormatError: CategorizedError, Sendable, Hashable, CustomStringConvertible {
  package var format: String
  package var message: String

  package init(_ format: String, _ message: String) {
    self.format = format
    self.message = message
  }

  package var category: ErrorCategory { .data }

  package var description: String { "not a valid \(format) file: \(message)" }
}
