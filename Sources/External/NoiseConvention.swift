import Formats
import Foundation

/// How a model is told of noise, and what it gives.
///
/// Locus asks for D(x, σ, c) with x = x₀ + σε (EDM). A model of a schedule ᾱ sees x̃ = √ᾱ x₀ + √(1 − ᾱ) ε at
/// a time t, for which σ² = (1 − ᾱ)/ᾱ and x̃ = x / √(1 + σ²), and gives ε, v or x₀. Each of these D is
/// skip · x + out · F(in · x, t, c), with one set of factors a noise level.
package enum NoiseConvention: Sendable, Hashable {
  /// It takes σ and gives D, from `low` to `high`.
  case sigma(low: Double, high: Double)
  /// ᾱ of the times 0, 1, …, falling.
  case schedule(alphas: [Double], predicts: Prediction)

  package enum Prediction: String, Sendable, CaseIterable {
    case epsilon
    /// √ᾱ ε − √(1 − ᾱ) x₀ (Salimans & Ho 2022).
    case velocity = "v"
    case sample
  }

  /// D = skip · x + out · F(in · x, level, c).
  package struct Factors: Sendable, Hashable {
    package var skip: Double
    package var out: Double
    package var input: Double
    /// What the model is told: σ, or t, which may lie between two times.
    package var level: Double
  }

  static let mostTimes = 100_000

  init(_ value: JSONValue?) throws(AnswerFault) {
    switch value?["convention"]?.string {
    case "sigma":
      let low = value?["low"]?.number ?? 0
      let high = value?["high"]?.number ?? .greatestFiniteMagnitude
      guard low >= 0, low < high else {
        throw AnswerFault("`noise` is from \(low) to \(high), accepted: the lower one first")
      }
      self = .sigma(low: low, high: high)
    case "schedule":
      let alphas = value?["alphas"]?.array?.compactMap(\.number) ?? []
      guard (2...Self.mostTimes).contains(alphas.count),
        alphas.count == value?["alphas"]?.array?.count,
        alphas.allSatisfy({ $0 > 0 && $0 < 1 }),
        zip(alphas, alphas.dropFirst()).allSatisfy({ $0 > $1 })
      else {
        throw AnswerFault(
          "`noise.alphas` are not 2 to \(Self.mostTimes) numbers between 0 and 1 that fall: the products ᾱ"
            + " of the times 0, 1, …")
      }
      guard let predicts = value?["predicts"]?.string.flatMap(Prediction.init) else {
        throw AnswerFault("`noise.predicts` is none of epsilon, v, sample")
      }
      self = .schedule(alphas: alphas, predicts: predicts)
    default:
      throw AnswerFault("`noise.convention` is neither sigma nor schedule")
    }
  }

  /// The lowest and the highest σ.
  package var range: (low: Double, high: Double) {
    switch self {
    case .sigma(let low, let high): (low, high)
    case .schedule(let alphas, _):
      (Self.sigma(alphas.first ?? 1), Self.sigma(alphas.last ?? 1))
    }
  }

  static func sigma(_ alpha: Double) -> Double { ((1 - alpha) / alpha).squareRoot() }

  /// - Throws: `PeerError.noiseLevel` outside of the range, but for what float32 rounds off.
  package func factors(_ sigma: Double) throws(PeerError) -> Factors {
    let (low, high) = range
    let slack = 1e-6
    guard sigma >= low * (1 - slack), sigma <= high * (1 + slack) else {
      throw .noiseLevel(sigma, low: low, high: high)
    }
    switch self {
    case .sigma: return Factors(skip: 0, out: 1, input: 1, level: sigma)
    case .schedule(let alphas, let predicts):
      let square = 1 + sigma * sigma
      let root = square.squareRoot()
      let level = Self.time(sigma, alphas)
      switch predicts {
      case .epsilon: return Factors(skip: 1, out: -sigma, input: 1 / root, level: level)
      case .velocity:
        return Factors(skip: 1 / square, out: -sigma / root, input: 1 / root, level: level)
      case .sample: return Factors(skip: 0, out: 1, input: 1 / root, level: level)
      }
    }
  }

  /// The time of a noise level; between two times by ln σ, as samplers of such models do.
  private static func time(_ sigma: Double, _ alphas: [Double]) -> Double {
    var (low, high) = (0, alphas.count - 1)
    while high - low > 1 {
      let middle = (low + high) / 2
      if Self.sigma(alphas[middle]) <= sigma { low = middle } else { high = middle }
    }
    let (a, b) = (log(Self.sigma(alphas[low])), log(Self.sigma(alphas[high])))
    return Double(low) + min(max((log(sigma) - a) / (b - a), 0), 1)
  }
}
