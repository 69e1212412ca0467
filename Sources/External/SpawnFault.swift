import Formats

/// Why a program cannot be started.
struct SpawnFault: CategorizedError {
  var reason: String
  var category: ErrorCategory { .unavailable }
  init(_ reason: String) { self.reason = reason }
}
