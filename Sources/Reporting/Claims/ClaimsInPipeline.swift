import Artifacts
import Formats
import Measures
import Workflow

extension PipelineExtension {
  /// `claims:` of a pipeline file.
  package static let claims = PipelineExtension(
    key: "claims",
    parameters: [
      list(
        "statements",
        [
          Parameter("name", .text, help: "what claims call it"),
          Parameter("says", .text, help: "the sentence"),
        ], "sentences that claims support or refute, shown together with what these come to"),
      list(
        "fails", [model, against, counts, guidance, family] + statement,
        "models that fail where others compose"),
      list(
        "composes", [model, against, counts, guidance, family] + statement,
        "models that compose where others fail"),
      list(
        "local",
        [
          model, against,
          Parameter(
            "space", .choice([Measure.Space.pixel, .conditioner].map(\.rawValue)),
            default: .string(Measure.Space.pixel.rawValue),
            help: "sensitivity to what"),
          Parameter(
            "window", .integer(1...4096), default: .integer(Claims.window),
            help: "side of the window in px, an odd number"),
          Parameter(
            "sigma", .number(1e-6...1e6), default: .number(Claims.sigma),
            help: "the noise level that was probed"),
          Parameter(
            "objects", .integer(0...4096), default: .null,
            help: "the K that was probed; the largest in training when left out"),
        ], "models whose score is more local than others'"),
      list(
        "remote", [model, against] + probed + [family] + statement,
        "models whose output at an object depends on remote labels more than others'"),
      list(
        "number", [model] + probed + [family] + statement,
        "models for which how many remote labels there are counts for more than where they are"),
      list(
        "pixels", [model, against] + probed + [family] + statement,
        "models whose output at an object depends on pixels outside its window more than others'"),
      list(
        "repairs",
        [
          Parameter("mask", .text, help: "the intervention, named beforehand"),
          Parameter("of", .text, help: "the denoiser that it masks"),
          Parameter(
            "control", .text, default: .null,
            help: "the intervention that keeps the mechanism and must do less"),
          counts, guidance, family,
        ] + statement, "masks that repair models without training them"),
    ], check: { ClaimsCheck($1).problems($0) })

  private static let model = Parameter("model", .text, help: "an instance that makes a denoiser")
  private static let against = Parameter("against", .text, help: "the instance to compare it with")
  private static let counts = Parameter(
    "k", .list(.integer(1...4096), count: 2...2), default: .null,
    help: "the least and the most K; all beyond the training range when left out")
  private static let guidance = Parameter(
    "guidance", .number(0...100), default: .null,
    help: "of several evaluations of a denoiser, those with this guidance; the first when left out")
  /// Where remote labels, or pixels, were probed.
  private static let probed = [
    Parameter(
      "objects", .integer(1...4096), default: .null,
      help: "the K that was probed; the largest when left out"),
    Parameter(
      "sigma", .list(.number(1e-6...1e6), count: 2...2), default: .null,
      help: "the least and the highest noise level; all that were probed when left out"),
  ]
  private static let statement = [
    Parameter(
      Claims.Statement.Side.supports.rawValue, .text, default: .null,
      help: "the statement, by its name, that stands if the claim does"),
    Parameter(
      Claims.Statement.Side.refutes.rawValue, .text, default: .null,
      help: "the statement that falls if the claim stands"),
  ]
  private static let family = Parameter(
    "family", .text, default: .null,
    help: "claims of one name are corrected together; the report's answer is about `primary`")

  private static func list(_ name: String, _ members: [Parameter], _ help: String) -> Parameter {
    Parameter(name, .list(.object(members), count: 0...1000), default: .array([]), help: help)
  }
}
