import Formats

/// What went wrong between Locus and a program that computes a model for it.
package enum PeerError: CategorizedError, Hashable, CustomStringConvertible {
  case cannotStart(command: [String], reason: String)
  /// It ended, twice, before it had answered.
  case ended(command: [String], how: String, asked: String, words: String)
  /// It did not answer in time.
  case silent(command: [String], asked: String, seconds: Double, words: String)
  /// It says that it cannot do what it was asked.
  case refused(command: [String], asked: String, said: String)
  /// It answered with something that is no answer.
  case malformed(command: [String], asked: String, reason: String)
  case notFinite(command: [String], asked: String, array: String, picture: Int)
  /// It is another model than the one that was asked before.
  case changed(command: [String], what: String, was: String, found: String)
  /// It has no such ability.
  case cannot(command: [String], ability: String)
  /// It does not tell this activation, but these.
  case noFeature(command: [String], name: String, told: [String])
  /// A noise level outside of those that it was made for.
  case noiseLevel(Double, low: Double, high: Double)

  package var category: ErrorCategory {
    switch self {
    case .cannotStart, .ended, .silent, .refused: .unavailable
    case .malformed, .notFinite, .changed, .cannot, .noFeature, .noiseLevel: .data
    }
  }

  package var description: String {
    switch self {
    case .cannotStart(let command, let reason):
      "\(Self.text(command)) cannot be started: \(reason); try the command by hand"
    case .ended(let command, let how, let asked, let words):
      "\(Self.text(command)) \(how) when it was asked for \(asked), and again when it was started anew and"
        + " asked once more" + Self.said(words)
    case .silent(let command, let asked, let seconds, let words):
      "\(Self.text(command)) did not answer to \(asked) within \(Self.number(seconds)) s; if it needs longer, give"
        + " it more time" + Self.said(words)
    case .refused(let command, let asked, let said):
      "\(Self.text(command)) does not do what it was asked for, \(asked); it says:\n\(Self.end(of: said))"
    case .malformed(let command, let asked, let reason):
      "\(Self.text(command)) was asked for \(asked) and answered otherwise than the protocol says"
        + " (Sources/External/README.md): \(reason)"
    case .notFinite(let command, let asked, let array, let picture):
      "\(Self.text(command)) was asked for \(asked) and gave values in `\(array)` that are no finite numbers,"
        + " the first in picture \(picture)"
    case .changed(let command, let what, let was, let found):
      "\(Self.text(command)) is not the model that it was: its \(what) was \(was) and is \(found); run its stage"
        + " with --force to use what it is now"
    case .cannot(let command, let ability):
      "\(Self.text(command)) does not say in its hello that it can `\(ability)`"
    case .noFeature(let command, let name, let told):
      "\(Self.text(command)) does not tell the activation \"\(Escape.line(name))\", but "
        + (told.isEmpty ? "none" : told.map { Escape.line($0) }.joined(separator: ", "))
        + "; name it where the program is told which it shall tell (`--features` of the adapters)"
    case .noiseLevel(let sigma, let low, let high):
      "sigma \(Self.number(sigma)) lies outside of the model's noise levels, \(Self.number(low)) to"
        + " \(Self.number(high)); ask for others"
    }
  }

  private static func text(_ command: [String]) -> String {
    "the peer `" + Escape.line(command.joined(separator: " ")) + "`"
  }

  private static func said(_ words: String) -> String {
    words.isEmpty ? "; it said nothing" : "; its last words:\n" + end(of: words)
  }

  /// The last lines, which name the error.
  private static func end(of text: String) -> String {
    Escape.terminal(text.count > 2000 ? "… " + text.suffix(2000) : text)
  }

  private static func number(_ value: Double) -> String {
    value == value.rounded() && value.magnitude < 1e9 ? "\(Int(value))" : "\(value)"
  }
}

/// A model of other pictures or conditioners than the stages of Locus know.
package struct MisfitError: CategorizedError, Hashable, CustomStringConvertible {
  private let name: String
  private let found: String
  private let accepted: String

  package init(_ name: String, _ found: String, _ accepted: String) {
    (self.name, self.found, self.accepted) = (name, found, accepted)
  }

  package var category: ErrorCategory { .data }

  package var description: String {
    "the model \(Escape.line(name)) cannot be a denoiser here: its \(found), accepted: \(accepted)"
  }
}
