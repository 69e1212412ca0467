/// What a conditioner says of a picture: a vector of counts, and what each entry stands for.
package enum ConditionerSpace: Sendable, Hashable {
  /// How many objects have their centre in each of `cells` × `cells` cells: entry row · cells + column.
  case grid(cells: Int)
  /// Which of these words occur, not where: an entry a word.
  case set(words: [String])

  /// Entries of one conditioner.
  package var count: Int {
    switch self {
    case .grid(let cells): cells * cells
    case .set(let words): words.count
    }
  }

  /// One conditioner as an array: (G, G), row then column, or (words).
  package var dimensions: [Int] {
    switch self {
    case .grid(let cells): [cells, cells]
    case .set(let words): [words.count]
    }
  }

  /// In a sentence: `conditioners are …`.
  package var text: String {
    switch self {
    case .grid(let cells): "of \(cells)×\(cells) cells"
    case .set(let words): "of a set of \(words.count) words"
    }
  }

  /// Whether an entry stands for a place in the picture: masks, probes and layouts that go by places need it.
  package var hasPlaces: Bool {
    switch self {
    case .grid: true
    case .set: false
    }
  }

  /// Cells on a side, where entries are places.
  package var cells: Int? {
    switch self {
    case .grid(let cells): cells
    case .set: nil
    }
  }
}

/// `{"grid": 16}` or `{"set": ["red", …]}`.
extension ConditionerSpace: Codable {
  private enum Key: String, CodingKey { case grid, set }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    if let cells = try container.decodeIfPresent(Int.self, forKey: .grid) {
      self = .grid(cells: cells)
    } else {
      self = .set(words: try container.decode([String].self, forKey: .set))
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    switch self {
    case .grid(let cells): try container.encode(cells, forKey: .grid)
    case .set(let words): try container.encode(words, forKey: .set)
    }
  }
}
