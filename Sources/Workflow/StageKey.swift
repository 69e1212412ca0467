import Formats
import Foundation
import Lineage

/// What decides a stage's result, and with it whether an earlier result may be reused.
///
/// Names, comments and the order of keys, axes or gathered inputs are no part of it.
struct StageSpecification: Sendable {
  var kind: String
  var version: Int
  /// Normalised.
  var parameters: JSONValue
  var seed: UInt64
  /// By input role, for each stage it names the hashes of its outputs by their role.
  var inputs: [String: [[String: String]]]

  /// SHA-256 over the canonical JSON of all of it.
  var key: String {
    let gathered = inputs.mapValues { stages in
      JSONValue.array(Self.ordered(stages).map { .object($0.mapValues { .string($0) }) })
    }
    let value = JSONValue.object([
      "kind": .string(kind), "version": .integer(version), "parameters": parameters,
      "seed": .string("\(seed)"), "inputs": .object(gathered),
    ])
    return SHA256.hash(Data(value.canonicalText().utf8))
  }

  /// Gathered stages in the order of their content, so that the order in the file cannot change
  /// a result: the order that keys and stages see.
  static func ordered(_ stages: [[String: String]]) -> [[String: String]] {
    stages.map { (sortText($0), $0) }.sorted { $0.0 < $1.0 }.map(\.1)
  }

  static func sortText(_ outputs: [String: String]) -> String {
    outputs.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: "\n")
  }
}
