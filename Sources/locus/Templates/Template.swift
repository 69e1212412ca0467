import Formats

/// A pipeline file to begin with: `locus init` writes it under a name of its own.
///
/// What a comment says of a parameter is advice; its range and meaning stand in `locus help KIND`.
enum Template: String, CaseIterable {
  case study, masks, analytic, theory, colors

  /// For `--help`.
  var summary: String {
    switch self {
    case .study: "does a network that sees only windows compose where an ordinary one fails?"
    case .masks: "do masks repair a trained network, and what do controls say?"
    case .analytic: "what does locality do without any training?"
    case .theory: "the theorem in worlds that can be enumerated"
    case .colors: "told which colours occur and not where, does a network compose?"
    }
  }

  /// - Parameters:
  ///   - name: of the pipeline; a plain name.
  ///   - path: of the file that it becomes.
  func text(named name: String, path: String) -> String {
    let run = "locus run " + Escape.line(Escape.shellWord(path))
    let uses = [
      ("\(run) --dry-run", "what would run, and why"), (run, "run it, or what is left of it"),
      ("locus help train", "every parameter of a kind of stage, with its range"),
    ]
    let width = uses.map(\.0.count).max() ?? 0
    let commands = uses.map { command, effect in
      "//   \(command)\(String(repeating: " ", count: width - command.count))   \(effect)"
    }.joined(separator: "\n")
    let body =
      switch self {
      case .study: Self.studyText
      case .masks: Self.masksText
      case .analytic: Self.analyticText
      case .theory: Self.theoryText
      case .colors: Self.colorsText
      }
    return """
      // Made by `locus init \(rawValue)`: \(summary)
      //
      \(commands)
      {
        pipeline: "\(name)",

      """ + body
  }
}
