import Scenes

/// Which words are true of what is found in a picture, by two opinions.
package struct WordsSeen: Sendable, Hashable {
  /// Numbers of the words that are true of the judge's finds, by the renders that look most alike; of those of
  /// opacity ½ or more; and of the background detector's finds, their colours by chromaticity.
  package var judge: Set<Int>
  package var solid: Set<Int>
  package var plain: Set<Int>
  /// Of each of the judge's finds, the words that are true of it.
  package var finds: [Set<Int>]
  /// How many of them have a colour that is none of the eight.
  package var mixed: Int

  /// Finds of which no word is true that was asked for.
  package func unrequested(_ asked: Set<Int>) -> Int { finds.count { $0.isDisjoint(with: asked) } }
}

/// Tells words from what detectors find.
package struct WordReader: Sendable {
  package let words: PictureWords
  private let examples: ObjectExamples
  private let colors: ColorReader
  /// By the colour that is read, the distance from it that renders hardly exceed.
  private let reach: [ObjectColor: Double]

  init(
    words: PictureWords, examples: ObjectExamples, colors: ColorReader,
    reach: [ObjectColor: Double]
  ) {
    self.words = words
    self.examples = examples
    self.colors = colors
    self.reach = reach
  }

  /// - Parameters:
  ///   - looks: of the judge's finds, in their order.
  ///   - plain: what the background detector finds.
  package func seen(
    _ picture: [Float], finds: [Find], looks: [Look?], plain: [Find]
  ) -> WordsSeen {
    let told = looks.map { look in
      look.map { met(color: $0.attributes.color, shape: $0.attributes.shape) } ?? []
    }
    let isSolid = looks.map { ($0?.opacity ?? 0) >= LookCalibration.solid }
    let solid = zip(told, isSolid).filter { $0.1 }.map(\.0)
    let second = plain.compactMap { find -> Set<Int>? in
      guard let color = colors.read(picture, at: find.place)?.color,
        let look = examples.look(picture, at: find.place)
      else { return nil }
      return met(color: color, shape: look.attributes.shape)
    }
    return WordsSeen(
      judge: all(told), solid: all(solid), plain: all(second), finds: told,
      mixed: finds.count { find in
        colors.read(picture, at: find.place).map(isMixed) ?? false
      })
  }

  func isMixed(_ reading: ColorReader.Reading) -> Bool {
    reading.distance > reach[reading.color] ?? .infinity
  }

  private func met(color: ObjectColor, shape: ObjectShape) -> Set<Int> {
    Set(
      words.meanings.indices.filter {
        words.meanings[$0].describes(color: color, shape: shape, material: nil)
      })
  }

  /// Of a picture with such objects.
  private func all(_ objects: [Set<Int>]) -> Set<Int> {
    if objects.isEmpty, let nothing = words.nothing { return [nothing] }
    return objects.reduce(into: []) { $0.formUnion($1) }
  }
}
