import Formats
import Foundation
import Lineage
import Measures
import Workflow

/// `import`: a denoiser that was trained elsewhere, by the hash that `locus import weights` gave it.
///
/// The command does the work, under the key that a pipeline's stage with the same hash has; so the
/// stage finds it done, as any other stage finds an earlier execution.
public enum ImportStage {
  public static let kind = StageKind(
    name: "import", version: 1,
    summary: "Uses weights that `locus import weights` brought into the store.",
    parameters: [
      Parameter("weights", .text, help: "the SHA-256 that `locus import weights` printed")
    ],
    inputs: [], isSeeded: false, check: check,
    run: { throw NotImported(sha256: try $0.parameters.text("weights")) })

  struct NotImported: ErrorWithExitCode, CustomStringConvertible {
    var sha256: String

    var exitCode: Int32 { ExitCode.missingInput }
    var description: String {
      "this store holds no weights \(sha256); bring them in with `locus import weights FILE`"
    }
  }

  private static func check(_ parameters: JSONValue) -> [ParameterProblem] {
    guard let text = parameters["weights"]?.string, !SHA256.isHash(text) else { return [] }
    return [
      ParameterProblem(
        path: "weights",
        message: "accepted: 64 hexadecimal digits, as `locus import weights` prints them")
    ]
  }

  /// The kind, with the file's content at hand.
  ///
  /// - Parameters:
  ///   - content: a weights file as Locus writes it.
  ///   - count: values in it.
  public static func kind(importing content: Data, count: Int) -> StageKind {
    var kind = kind
    kind.run = { context in
      StageOutput(
        files: [try context.output("weights", kind: "weights", .safetensors, content)],
        metrics: [Measure.parameters.row(Double(count))])
    }
    return kind
  }
}
