import Diffusion
import Foundation
import Streams
import Testing

@testable import Analytic

@Suite("The exact posterior by renders")
struct ReferencePosteriorTests {
  @Test("is the sum of its definition, term by term", arguments: [0.5, 5, 80])
  func direct(sigma: Double) {
    let picture = 12 * 12 * 3
    var stream = RandomStream(seed: 3, purpose: .test, index: 0)
    let base = (0..<picture).map { _ in Int(stream.integer(below: 200)) }
    let pixels = (0..<7).flatMap { _ in base.map { UInt8($0 + stream.integer(below: 10)) } }
    let logWeights = (0..<7).map { _ in stream.uniform(-1, 1) }
    let x = base.map { Float(Double($0) / 127.5 - 1) + Float(sigma) * stream.gaussian() }
    let posterior = ReferencePosterior(pixels: pixels, logWeights: logWeights)
    for renders in [0..<7, 2..<5] {
      let weights = renders.map { n in
        let distance = (0..<picture).reduce(0.0) {
          let difference = Double(x[$1]) - (Double(pixels[n * picture + $1]) / 127.5 - 1)
          return $0 + difference * difference
        }
        // About the first render's distance, so that no weight is lost.
        return (n, logWeights[n], distance)
      }
      let nearest = weights.map(\.2).min() ?? 0
      let terms = weights.map { (n: $0.0, w: exp($0.1 - ($0.2 - nearest) / (2 * sigma * sigma))) }
      let total = terms.reduce(0) { $0 + $1.w }
      let found = posterior.estimate(x[...], sigma: sigma, from: renders)
      for i in 0..<picture {
        let mean =
          terms.reduce(0) { $0 + $1.w * (Double(pixels[$1.n * picture + i]) / 127.5 - 1) } / total
        #expect(abs(Double(found.mean[i]) - mean) < 2e-5)
      }
      let effective = total * total / terms.reduce(0) { $0 + $1.w * $1.w }
      #expect(abs(found.effective / effective - 1) < 1e-4)
    }
  }

  @Test("of two pictures it is the logistic function of their distances")
  func twoPoints() {
    let picture = 8 * 8 * 3
    let pixels = [UInt8](repeating: 100, count: picture) + [UInt8](repeating: 110, count: picture)
    let posterior = ReferencePosterior(pixels: pixels, logWeights: [0, log(3)])
    let (a, b) = (100 / 127.5 - 1, 110 / 127.5 - 1)
    for (place, sigma) in [(0.5, 1.0), (0.2, 0.4), (0.9, 3)] {
      let x = a + place * (b - a)
      let exponent =
        log(3) + Double(picture) * ((x - a) * (x - a) - (x - b) * (x - b)) / (2 * sigma * sigma)
      let share = 1 / (1 + exp(-exponent))
      let found = posterior.estimate(
        [Float](repeating: Float(x), count: picture)[...], sigma: sigma, from: 0..<2)
      #expect(abs(Double(found.mean[5]) - (a + share * (b - a))) < 1e-5)
    }
  }

  /// Even pictures whose value is normal, noised: the posterior of the value is normal, too.
  @Test("with more renders it comes to what is known in closed form")
  func converges() {
    let picture = 8 * 8 * 3
    let (center, deviation, sigma) = (128.0, 20.0, 1.5)
    var stream = RandomStream(seed: 8, purpose: .test, index: 1)
    func value() -> UInt8 {
      UInt8(min(max((center + deviation * Double(stream.gaussian())).rounded(), 0), 255))
    }
    let levels = (0..<20_000).map { _ in value() }
    let posterior = ReferencePosterior(
      pixels: levels.flatMap { [UInt8](repeating: $0, count: picture) },
      logWeights: [Double](repeating: 0, count: levels.count))
    let x = (0..<picture).map { _ in Float(0.1) + Float(sigma) * stream.gaussian() }
    let mean = x.reduce(0) { $0 + Double($1) } / Double(picture)
    // In values of pixels: prior N(m, s²), of the mean of x N(value, σ² / picture).
    let (m, s) = (center / 127.5 - 1, deviation / 127.5)
    let noise = sigma * sigma / Double(picture)
    let exact = (m * noise + mean * s * s) / (noise + s * s)
    func error(_ renders: Int) -> Double {
      let errors = (0..<10).map { part in
        Double(
          posterior.estimate(
            x[...], sigma: sigma, from: part * renders..<(part + 1) * renders
          ).mean[0]) - exact
      }
      return (errors.reduce(0) { $0 + $1 * $1 } / 10).squareRoot()
    }
    let (few, many) = (error(50), error(2000))
    #expect(many < 0.005 && few > 3 * many, "\(few), \(many)")
  }
}
