import Foundation

/// A family of worlds with a coupling γ from 0 to 1. At γ = 0 CPC holds in all of them; in a
/// control it holds at every γ, though the cells look coupled.
package enum WorldFamily: String, Sendable, Codable, CaseIterable {
  /// `single` labels, and pictures with more than `bound` objects are rarer by 1 − γ.
  case boundedCount = "bounded-count"
  /// `single` labels, and each object more or less than `bound` costs a factor 1 − γ.
  case fixedCount = "fixed-count"
  /// Objects in neighbouring cells cost a factor 1 − γ, and half of the objects are labelled.
  case exclusion
  /// `all` labels; an object copies the pattern of the object before it with probability γ.
  case copiedColor = "copied-color"
  /// `all` labels; every cell shows its background beside the object, and copies one that is common
  /// to the picture with probability γ.
  case sharedBackground = "shared-background"
  /// `single` labels on independent cells; a share γ of the pictures without a label are pictures
  /// whose label was dropped, as in training with label dropout.
  case droppedLabels = "dropped-labels"
  /// Control: neighbour exclusion under `all` labels, which leave nothing of it open.
  case exclusionAllLabels = "exclusion-all-labels"
  /// Control: independent cells, each label wrong with probability γ/2.
  case noisyLabels = "noisy-labels"
  /// Control for the window of the background: as `shared-background`, but an object covers its
  /// cell's. The background is coupled within itself, and CPC allows that.
  case coveredBackground = "covered-background"
  /// `all` labels on independent cells; a share γ/2 of the conditioners is blanked, as in training with
  /// label dropout: then ∅ means every picture, and a label means that nothing else is there. Cells are
  /// words here, such as colours, each with features of its own.
  case blankedLabels = "blanked-labels"

  /// Whether an object stands before one of two backgrounds.
  package var hasBackgrounds: Bool { self == .sharedBackground || self == .coveredBackground }

  /// Whether CPC holds at every coupling, by construction.
  package var isControl: Bool {
    switch self {
    case .exclusionAllLabels, .noisyLabels, .coveredBackground: true
    default: false
    }
  }
}

/// The parameters of a world.
package struct WorldSettings: Sendable {
  package var rows: Int
  package var columns: Int
  /// The patterns an object may show, each of D values; an empty cell shows zeros.
  package var patterns: [[Double]]
  /// The probability of an object in a cell, before any coupling; in (0, 1).
  package var occupancy: Double
  /// The count that `bounded-count` rarely exceeds and `fixed-count` rarely misses.
  package var bound: Int
  /// Subtracted from every pixel of a cell whose background is the second one.
  package var shade: Double

  package init(
    rows: Int, columns: Int, patterns: [[Double]], occupancy: Double = 0.4, bound: Int = 2,
    shade: Double = 0.6
  ) {
    self.rows = rows
    self.columns = columns
    self.patterns = patterns
    self.occupancy = occupancy
    self.bound = bound
    self.shade = shade
  }

  package var cells: Int { rows * columns }

  /// Pairs of cells that touch, each once.
  var neighbours: [(Int, Int)] {
    (0..<cells).flatMap { i -> [(Int, Int)] in
      var pairs: [(Int, Int)] = []
      if i % columns + 1 < columns { pairs.append((i, i + 1)) }
      if i / columns + 1 < rows { pairs.append((i, i + columns)) }
      return pairs
    }
  }
}

extension CellWorld {
  /// The world of a family at coupling γ in 0...1.
  ///
  /// The distribution is prior(s) · P(c ∣ s). Under `single` labels P(c = j ∣ s) = 1/(|s| + 1) for
  /// each object j and 1/(|s| + 1) for ∅, and the prior has |s| + 1 as a factor: then
  /// p(s ∣ c = j) ∝ 1[s_j] f(|s|) Π_i b(s_i), and with f = 1 the other cells are independent. With a
  /// prior without that factor, `single` labels alone couple the cells: a picture with few objects
  /// is more likely to have its label at j.
  package init(_ family: WorldFamily, _ settings: WorldSettings, coupling: Double)
    throws(TheoryError)
  {
    let law = Law(family, settings, coupling)
    try self.init(cells: settings.cells, states: law.states, joint: law.joint)
  }
}

/// The weights of a family.
private struct Law {
  let family: WorldFamily
  let settings: WorldSettings
  let coupling: Double
  let states: [CellState]
  /// Of each state: its pattern, −1 when empty, and its background.
  private let pattern: [Int]
  private let background: [Int]

  init(_ family: WorldFamily, _ settings: WorldSettings, _ coupling: Double) {
    self.family = family
    self.settings = settings
    self.coupling = coupling
    let empty = [Double](repeating: 0, count: settings.patterns.first?.count ?? 0)
    let shown = [empty] + settings.patterns
    let backgrounds =
      family == .sharedBackground || family == .coveredBackground ? 2 : 1
    var states: [CellState] = []
    var pattern: [Int] = []
    var background: [Int] = []
    for (index, patch) in shown.enumerated() {
      for b in 0..<backgrounds {
        let isVisible = index == 0 || family == .sharedBackground
        // A covered background is no state of its own: the object hides it.
        if b > 0 && !isVisible { continue }
        states.append(
          CellState(
            patch: patch.map { $0 - (b == 1 ? settings.shade : 0) }, isOccupied: index > 0))
        pattern.append(index - 1)
        background.append(isVisible ? b : -1)
      }
    }
    self.states = states
    self.pattern = pattern
    self.background = background
  }

  private func isOccupied(_ state: Int) -> Bool { states[state].isOccupied }

  func joint(_ cells: [Int], _ labels: Labels) -> Double {
    switch family {
    case .boundedCount, .fixedCount:
      return base(cells) * countFactor(cells.count(where: isOccupied)) * single(cells, labels)
    case .exclusion:
      return base(cells) * exclusion(cells) * partial(cells, labels)
    case .exclusionAllLabels:
      return base(cells) * exclusion(cells) * all(cells, labels)
    case .copiedColor:
      return occupancy(cells) * copiedColors(cells) * all(cells, labels)
    case .sharedBackground, .coveredBackground:
      return base(cells) * backgrounds(cells) * all(cells, labels)
    case .noisyLabels:
      return base(cells) * noisy(cells, labels)
    case .blankedLabels:
      let blank = labels.count == 0 ? coupling / 2 : 0
      return base(cells) * ((1 - coupling / 2) * all(cells, labels) + blank)
    case .droppedLabels:
      if labels.count > 1 { return 0 }
      if labels.count == 1 { return labelled(cells, labels) }
      let dropped = (0..<cells.count).reduce(0) { $0 + labelled(cells, Labels([$1])) }
      return (1 - coupling) * base(cells) + coupling * dropped / Double(cells.count)
    }
  }

  /// Independent cells: an object with probability q, each pattern alike.
  private func base(_ cells: [Int]) -> Double {
    occupancy(cells)
      * pow(1 / Double(settings.patterns.count), Double(cells.count(where: isOccupied)))
  }

  private func occupancy(_ cells: [Int]) -> Double {
    cells.reduce(1) {
      $0 * (isOccupied($1) ? settings.occupancy : 1 - settings.occupancy)
    }
  }

  /// An object in the labelled cell, the others independent.
  private func labelled(_ cells: [Int], _ labels: Labels) -> Double {
    single(cells, labels) * base(cells) / settings.occupancy
  }

  private func countFactor(_ count: Int) -> Double {
    if family == .boundedCount { return count <= settings.bound ? 1 : 1 - coupling }
    return pow(1 - coupling, Double(abs(count - settings.bound)))
  }

  private func exclusion(_ cells: [Int]) -> Double {
    let pairs = settings.neighbours.count { isOccupied(cells[$0.0]) && isOccupied(cells[$0.1]) }
    return pow(1 - coupling, Double(pairs))
  }

  private func copiedColors(_ cells: [Int]) -> Double {
    let colors = cells.map { pattern[$0] }.filter { $0 >= 0 }
    let fresh = 1 / Double(settings.patterns.count)
    return zip(colors, colors.dropFirst()).reduce(colors.isEmpty ? 1 : fresh) {
      $0 * ((1 - coupling) * fresh + ($1.0 == $1.1 ? coupling : 0))
    }
  }

  /// Σ_z ½ Π_i P(b_i ∣ z) over the visible backgrounds.
  private func backgrounds(_ cells: [Int]) -> Double {
    (0..<2).reduce(0) { sum, common in
      sum
        + cells.reduce(0.5) { product, state in
          switch background[state] {
          case -1: product
          case common: product * (0.5 + 0.5 * coupling)
          default: product * (0.5 - 0.5 * coupling)
          }
        }
    }
  }

  /// Every object is labelled.
  private func all(_ cells: [Int], _ labels: Labels) -> Double {
    cells.indices.allSatisfy { isOccupied(cells[$0]) == labels.contains($0) } ? 1 : 0
  }

  /// Each object is labelled with probability ½, for itself.
  private func partial(_ cells: [Int], _ labels: Labels) -> Double {
    cells.indices.reduce(1) { product, i in
      if isOccupied(cells[i]) { return product * 0.5 }
      return labels.contains(i) ? 0 : product
    }
  }

  /// P(c ∣ s) · (|s| + 1): one object at random or none.
  private func single(_ cells: [Int], _ labels: Labels) -> Double {
    if labels.count > 1 { return 0 }
    return labels.cells(of: cells.count).allSatisfy { isOccupied(cells[$0]) } ? 1 : 0
  }

  private func noisy(_ cells: [Int], _ labels: Labels) -> Double {
    cells.indices.reduce(1) {
      $0 * (isOccupied(cells[$1]) == labels.contains($1) ? 1 - coupling / 2 : coupling / 2)
    }
  }
}
