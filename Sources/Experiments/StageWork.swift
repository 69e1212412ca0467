import Artifacts
import Formats
import Foundation
import Lineage
import Measures
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

/// What a stage stored in the table `metric`, as a file for people: by name, K and noise level.
func metricTable(_ rows: [MetricRow]) -> Data {
  let table = JSONValue.array(
    rows.map { row in
      .object([
        "name": .string(row.name), "value": .number(row.value),
        "k": row.k.map(JSONValue.integer) ?? .null,
        "sigma": row.sigma.map(JSONValue.number) ?? .null,
        "ci_low": row.ciLow.map(JSONValue.number) ?? .null,
        "ci_high": row.ciHigh.map(JSONValue.number) ?? .null,
        "n": row.n.map(JSONValue.integer) ?? .null,
      ])
    })
  return Data(table.prettyText().utf8)
}

/// What does not fit and could not be known before the work began, because an input's facts were not.
struct MismatchError: CategorizedError, CustomStringConvertible {
  var description: String
  var category: ErrorCategory { .data }

  init(_ description: String) { self.description = description }
}
