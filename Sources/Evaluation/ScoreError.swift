import Diffusion
import Foundation
import Statistics

/// How far a denoiser's answers lie from exact ones of which there are two independent estimates.
///
/// With D the answer, A and B the estimates of the exact one, D*, and m the mean training picture: ⟨D − A, D − B⟩
/// is ‖D − D*‖² but for noise of mean 0, where ‖D − A‖² would be larger by the variance of A. It is told over
/// ⟨A − m, B − m⟩, an estimate of ‖D* − m‖², which no denoiser has a part in: an error of 1 is that of answering
/// with the mean training picture. Over (D − x) / σ², the score, both are divided by σ⁴, so that the ratio is the
/// relative squared error of the score too.
package struct ScoreError: Sendable {
  /// What was asked for.
  package struct Input: Sendable, Hashable {
    package var k: Int
    package var layout: Int
    package var sigma: Double
    /// Whether both estimates of the exact answer can be relied on.
    package var isKept: Bool

    package init(k: Int, layout: Int, sigma: Double, isKept: Bool) {
      self.k = k
      self.layout = layout
      self.sigma = sigma
      self.isKept = isKept
    }
  }

  /// Inner products at one input.
  package struct Products: Sendable, Hashable {
    /// ⟨D − A, D − B⟩, over all values and over those at labelled objects.
    package var error = 0.0
    package var atObjects = 0.0
    /// ⟨A − m, B − m⟩.
    package var scale = 0.0
    /// ‖A − B‖².
    package var noise = 0.0

    package init() {}

    /// - Parameters:
    ///   - answer: D; all are pictures (S, S, 3).
    ///   - isAtObject: (S, S).
    package init(
      _ answer: ArraySlice<Float>, _ first: ArraySlice<Float>, _ second: ArraySlice<Float>,
      mean: [Float], isAtObject: [Bool]
    ) {
      for i in mean.indices {
        let d = Double(answer[answer.startIndex + i])
        let a = Double(first[first.startIndex + i])
        let b = Double(second[second.startIndex + i])
        let m = Double(mean[i])
        let product = (d - a) * (d - b)
        error += product
        if isAtObject[i / PictureShape.channels] { atObjects += product }
        scale += (a - m) * (b - m)
        noise += (a - b) * (a - b)
      }
    }
  }

  private let inputs: [Input]
  private let products: [Products]
  private let seed: UInt64

  /// - Parameters:
  ///   - products: of each input; not looked at where it is not kept.
  ///   - seed: of the resamples.
  package init(_ inputs: [Input], _ products: [Products], seed: UInt64) {
    self.inputs = inputs
    self.products = products
    self.seed = seed
  }

  /// Inputs of a K at a noise level, and the share of them that are left out.
  package func leftOut(k: Int, sigma: Double) -> (share: Double, n: Int) {
    let own = inputs.filter { $0.k == k && $0.sigma == sigma }
    return (Double(own.count { !$0.isKept }) / Double(max(own.count, 1)), own.count)
  }

  /// One K at one noise level, over `scale`, with its bootstrap interval over layouts; `nil` where nothing was kept.
  package func relative(
    _ part: KeyPath<Products, Double> & Sendable, k: Int, sigma: Double
  ) -> Interval? {
    folded(part, counts: [k], sigmas: [sigma])
  }

  /// The noise levels at which no K has more than half of its inputs left out: what is told over noise levels
  /// is told over these, of each K over the same.
  package var reliable: [Double] {
    let counts = Set(inputs.map(\.k))
    return Set(inputs.map(\.sigma)).sorted().filter { sigma in
      counts.allSatisfy { leftOut(k: $0, sigma: sigma).share <= 0.5 }
    }
  }

  /// The mean over some K of the mean over noise levels; layouts are drawn within their K.
  ///
  /// - Returns: `nil` without any noise level, or where nothing was kept.
  package func folded(
    _ part: KeyPath<Products, Double> & Sendable, counts: [Int], sigmas: [Double]
  ) -> Interval? {
    // By K, layout and noise level, over draws.
    var units: [[(part: Double, scale: Double)]] = []
    var strata: [Range<Int>] = []
    for k in counts.sorted() {
      let start = units.count
      let own = inputs.indices.filter {
        inputs[$0].k == k && inputs[$0].isKept && sigmas.contains(inputs[$0].sigma)
      }
      for layout in Set(own.map { inputs[$0].layout }).sorted() {
        units.append(
          sigmas.map { sigma in
            own.filter { inputs[$0].layout == layout && inputs[$0].sigma == sigma }
              .reduce((0, 0)) {
                ($0.0 + products[$1][keyPath: part], $0.1 + products[$1].scale)
              }
          })
      }
      if units.count == start { return nil }
      strata.append(start..<units.count)
    }
    if units.isEmpty || sigmas.isEmpty { return nil }
    return Bootstrap(seed: seed).interval(strata: strata, count: units.count, n: units.count) {
      weights in
      let means = strata.map { stratum -> Double in
        var (sum, levels) = (0.0, 0)
        for level in sigmas.indices {
          var (over, under) = (0.0, 0.0)
          for unit in stratum where weights[unit] > 0 {
            over += Double(weights[unit]) * units[unit][level].part
            under += Double(weights[unit]) * units[unit][level].scale
          }
          // A resample may have no layout that was kept at this level.
          if under > 0 {
            sum += over / under
            levels += 1
          }
        }
        return levels > 0 ? sum / Double(levels) : 0
      }
      return means.reduce(0, +) / Double(means.count)
    }
  }
}

/// (S, S): the pixels no farther than `reach` px, along rows and columns, from the centre of a labelled cell.
package func pixelsAtLabels(_ labels: ArraySlice<Float>, reach: Double, grid: CellGrid) -> [Bool] {
  var result = [Bool](repeating: false, count: grid.size * grid.size)
  for cell in 0..<grid.count where labels[labels.startIndex + cell] > 0 {
    let (y, x) = grid.center(cell)
    for row in 0..<grid.size where abs(Double(row) + 0.5 - y) <= reach {
      for column in 0..<grid.size where abs(Double(column) + 0.5 - x) <= reach {
        result[row * grid.size + column] = true
      }
    }
  }
  return result
}
