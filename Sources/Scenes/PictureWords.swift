/// What the conditioner of a picture says: in which cells objects are, or which words are true of its objects.
///
/// A set of words is one case here and the attributes that its words name: everything else follows from them.
package enum PictureConditioner: String, Sendable, Codable, CaseIterable {
  case grid, colors, shapes, materials
  /// `red cube`: a word for every pair.
  case colorShape = "color-shape"
  /// `red`, `cube`: two words an object.
  case colorsAndShapes = "colors+shapes"

  /// What its words name: a list for each kind of word; none where conditioners are cells.
  private var kinds: [[NamedAttribute]] {
    switch self {
    case .grid: []
    case .colors: [[.color]]
    case .shapes: [[.shape]]
    case .materials: [[.material]]
    case .colorShape: [[.color, .shape]]
    case .colorsAndShapes: [[.color], [.shape]]
    }
  }

  /// Empty where conditioners are cells.
  package var words: [String] {
    kinds.flatMap { attributes in
      attributes.reduce([""]) { words, attribute in
        words.flatMap { word in attribute.values.map { word.isEmpty ? $0 : word + " " + $0 } }
      }
    }
  }
}

/// What words can name of an object.
private enum NamedAttribute {
  case color, shape, material

  var values: [String] {
    switch self {
    case .color: ObjectColor.allCases.map(\.rawValue)
    case .shape: ObjectShape.allCases.map(\.rawValue)
    case .material: Material.allCases.map(\.rawValue)
    }
  }
}

/// A word that is true of some objects, `red`, `cube` or `red cube`, or of a picture without any, `nothing`.
package struct ObjectWord: Sendable, Hashable {
  /// True where there is no object: an empty conditioner says nothing, this one says that nothing is there.
  package static let nothing = "nothing"

  /// What it names; `nil` where it does not say.
  package let color: ObjectColor?
  package let shape: ObjectShape?
  package let material: Material?

  /// - Returns: `nil` for a text that is no word, or names an attribute twice.
  package init?(_ text: String) {
    var (color, shape, material): (ObjectColor?, ObjectShape?, Material?)
    for part in text == Self.nothing ? [] : text.split(separator: " ") {
      let part = String(part)
      if color == nil, let value = ObjectColor(rawValue: part) {
        color = value
      } else if shape == nil, let value = ObjectShape(rawValue: part) {
        shape = value
      } else if material == nil, let value = Material(rawValue: part) {
        material = value
      } else {
        return nil
      }
    }
    if text.isEmpty { return nil }
    (self.color, self.shape, self.material) = (color, shape, material)
  }

  package var isNothing: Bool { color == nil && shape == nil && material == nil }

  /// Whether it is true of an object of which this much is known.
  package func describes(color: ObjectColor, shape: ObjectShape, material: Material?) -> Bool {
    !isNothing && self.color ?? color == color && self.shape ?? shape == shape
      && self.material == (self.material == nil ? nil : material)
  }
}

/// The words of a conditioner, an entry each, and what is held out of them.
package struct PictureWords: Sendable, Hashable {
  package let texts: [String]
  package let meanings: [ObjectWord]
  /// Combinations that no picture has, by the words' numbers.
  package let heldOut: [[Int]]

  /// - Returns: `nil` where a text is no word, or a combination has a word that is not among the texts.
  package init?(_ texts: [String], heldOut: [[String]] = []) {
    self.texts = texts
    meanings = texts.compactMap(ObjectWord.init)
    self.heldOut = heldOut.map { $0.compactMap(texts.firstIndex) }
    if meanings.count < texts.count
      || zip(heldOut, self.heldOut).contains(where: { $0.count > $1.count })
    {
      return nil
    }
  }

  /// The most words that are true of one object.
  package var perObject: Int {
    ObjectColor.allCases.flatMap { color in
      ObjectShape.allCases.flatMap { shape in
        Material.allCases.map { material in
          meanings.count { $0.describes(color: color, shape: shape, material: material) }
        }
      }
    }.max() ?? 0
  }

  /// An entry a word: 1 where it is true of the picture.
  package func flags(_ objects: [SceneObject]) -> [UInt8] {
    meanings.map { word in
      let isTrue =
        word.isNothing
        ? objects.isEmpty
        : objects.contains {
          word.describes(color: $0.color, shape: $0.shape, material: $0.material)
        }
      return isTrue ? 1 : 0
    }
  }

  /// Whether all words of a combination that is held out are true.
  package func isHeldOut(_ isTrue: (Int) -> Bool) -> Bool {
    heldOut.contains { $0.allSatisfy(isTrue) }
  }
}
