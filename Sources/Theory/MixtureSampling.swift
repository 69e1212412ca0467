import Streams

extension GaussianMixture {
  /// Writes a draw of x ~ p_σ into D values: a component, then noise.
  func draw(_ stream: inout RandomStream, into x: UnsafeMutablePointer<Double>) {
    let mean = plainMeans[component(stream.uniform())]
    let noise = (0..<dimension).map { _ in sigma * Double(stream.gaussian()) }
    if let coloring {
      for i in 0..<dimension {
        x[i] = (0...i).reduce(mean[i]) { $0 + coloring[i, $1] * noise[$1] }
      }
    } else {
      for i in 0..<dimension { x[i] = mean[i] + noise[i] }
    }
  }

  /// The component that a uniform number in [0, 1) falls on.
  private func component(_ uniform: Double) -> Int {
    var rest = uniform
    for (s, weight) in weights.enumerated() {
      rest -= weight
      if rest < 0 { return s }
    }
    // The weights sum to 1 but for rounding.
    return weights.count - 1
  }
}
