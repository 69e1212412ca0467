import Artifacts
import Formats
import Streams
import Workflow

extension StageContext {
  /// Hands the stage's checkpoint on to the science; asked for once, for it reads what was saved.
  func checkpointing() throws -> Checkpointing {
    Checkpointing(
      saved: try checkpoint.restore(), isDue: { [checkpoint] in checkpoint.isDue },
      save: { [checkpoint] in try checkpoint.save($0) },
      discard: { [checkpoint] in checkpoint.discard($0) }, checkCancellation: checkCancellation)
  }
}

/// What does not fit and could not be known before the work began, because an input's facts were not.
struct MismatchError: CategorizedError, CustomStringConvertible {
  var description: String
  var category: ErrorCategory { .data }

  init(_ description: String) { self.description = description }
}
