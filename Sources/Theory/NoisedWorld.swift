/// The coordinates in which a world is looked at, and the noise in them.
///
/// With features z (the cells' patches) and pixels x = A⁻¹z, noise of covariance σ²I may be added to
/// either, and windows and composition may be defined in either. `noise` is Σ in the coordinates
/// looked at.
package struct View: Sendable {
  /// From the cells' patches to these coordinates; `nil` is the identity.
  package let map: Matrix?
  /// `nil` is the identity.
  package let noise: Matrix?

  package init(map: Matrix? = nil, noise: Matrix? = nil) {
    self.map = map
    self.noise = noise
  }

  /// The cells' own pixels, noised as they are.
  package static let plain = View()

  /// Where noise is added, and where windows are laid.
  package enum Space: String, Sendable, CaseIterable { case features, pixels }

  /// The view of a world whose features are z = A x.
  package init(features a: Matrix, looking: Space, noised: Space) throws(TheoryError) {
    let inverse = try a.inverse()
    map = looking == .features ? nil : inverse
    switch (looking, noised) {
    case (.features, .features), (.pixels, .pixels): noise = nil
    case (.features, .pixels): noise = a * a.transposed
    case (.pixels, .features): noise = inverse * inverse.transposed
    }
  }
}

/// A world at one noise level: the mixture of every conditioner, exactly.
package struct NoisedWorld: Sendable {
  package let world: CellWorld
  package let view: View
  package let sigma: Double
  /// p_σ(x ∣ c), in the order of the world's conditioners.
  package let mixtures: [GaussianMixture]

  package init(_ world: CellWorld, view: View = .plain, sigma: Double) throws(TheoryError) {
    self.world = world
    self.view = view
    self.sigma = sigma
    var mixtures: [GaussianMixture] = []
    for pictures in world.pictures {
      mixtures.append(
        try GaussianMixture(
          means: pictures.map { Self.coordinates($0.states, world, view) },
          weights: pictures.map(\.probability), sigma: sigma, noise: view.noise))
    }
    self.mixtures = mixtures
  }

  private static func coordinates(_ states: [Int], _ world: CellWorld, _ view: View) -> [Double] {
    let pixels = world.pixels(states)
    return view.map.map { $0 * pixels } ?? pixels
  }

  /// The coordinates of some cells, in order.
  func coordinates(of cells: [Int]) -> [Int] {
    let d = world.cellDimension
    return cells.flatMap { $0 * d..<($0 + 1) * d }
  }

  /// p_σ(x_cells ∣ c): the other coordinates are integrated out, which only leaves out their means.
  package func marginal(_ conditioner: Int, cells: [Int]) throws(TheoryError) -> GaussianMixture {
    let kept = coordinates(of: cells)
    let noise = view.noise?.block(kept)
    if view.map == nil {
      let rows = world.marginal(conditioner, cells: cells)
      return try GaussianMixture(
        means: rows.map { world.pixels($0.states) }, weights: rows.map(\.probability),
        sigma: sigma, noise: noise)
    }
    // Mapped coordinates depend on every cell.
    let pictures = world.pictures[conditioner]
    return try GaussianMixture(
      means: pictures.map { picture in
        let all = Self.coordinates(picture.states, world, view)
        return kept.map { all[$0] }
      }, weights: pictures.map(\.probability), sigma: sigma, noise: noise)
  }

  /// Mean of x given a conditioner: that of x₀, for the noise has none.
  func mean(_ conditioner: Int) -> [Double] {
    let mixture = mixtures[conditioner]
    var mean = [Double](repeating: 0, count: mixture.dimension)
    for (weight, row) in zip(mixture.weights, mixture.plainMeans) {
      for i in mean.indices { mean[i] += weight * row[i] }
    }
    return mean
  }
}
