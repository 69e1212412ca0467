import Scenes
import Statistics
import Streams

/// What telling words is worth on renders that nothing was trained on.
package struct WordCalibration: Sendable {
  /// One rendered object, and the colour that it is told for; `nil`: it was not found.
  package struct Told: Sendable, Hashable {
    package var color: ObjectColor
    package var size: ObjectSize
    package var told: ObjectColor?
  }

  package let reader: WordReader
  /// By the judge and the renders that look most alike, and by the background detector and chromaticity.
  package let judge: [Told]
  package let plain: [Told]
  /// Share of the words of a render that are told, and of what is told that is true.
  package let judgeWords: [(word: Int, isTold: Bool)]
  package let plainWords: [(word: Int, isTold: Bool)]
  package let reach: [ObjectColor: Double]
  /// Share of other rendered objects that are beyond the reach.
  package let renderedMixing: Interval
  /// Share of half-and-half blends of two of the eight colours that are.
  package let blendMixing: Double

  /// Of the objects that are read as a colour, so many lie within its reach.
  static let within = 0.99

  /// - Parameters:
  ///   - objects: fewest and most of a render.
  ///   - count: renders, of which one half makes the reach and the other says what it is worth.
  ///   - tolerance: in pixels.
  package init(
    _ file: JudgeFile, words: PictureWords, objects: ClosedRange<Int>, count: Int,
    tolerance: Double, seed: UInt64, threads: Int
  ) throws {
    let settings = SceneSettings(
      camera: file.camera, size: file.size, cells: 1,
      rules: LayoutRules(objects: objects, margin: 0))
    let set = try renderSet(
      settings, seed: seed, indices: 0..<count, purpose: .wordRenders, threads: threads)
    let colors = ColorReader(size: file.size, camera: file.camera, ground: file.background.ground)
    let pictures = set.pixels.map { Float($0) / 127.5 - 1 }
    let found = file.judge.detect(pictures, threads: threads)
    let plainly = file.background.detect(pictures)
    let area = file.size * file.size * 3

    var readings: [[ColorReader.Reading]] = [[], []]
    var (judge, plain): ([Told], [Told]) = ([], [])
    for (n, scene) in set.scenes.enumerated() {
      let picture = Array(pictures[n * area..<(n + 1) * area])
      let places = scene.objects.map { object in
        let pixel = scene.pixelPosition(of: object, size: file.size)
        return Place(x: pixel.x, y: pixel.y)
      }
      func tell(_ finds: [Find], _ color: (Place) -> ObjectColor?) -> [Told] {
        let assigned = assignments(
          requested: places, detected: finds.map(\.place), tolerance: tolerance)
        return zip(scene.objects, assigned).map { object, find in
          Told(
            color: object.color, size: object.size,
            told: find.flatMap { color(finds[$0].place) })
        }
      }
      judge += tell(found[n]) { file.examples.look(picture, at: $0)?.attributes.color }
      plain += tell(plainly[n]) { colors.read(picture, at: $0)?.color }
      readings[n % 2] += found[n].compactMap { colors.read(picture, at: $0.place) }
    }
    let reach = Self.reach(readings[0])
    let reader = WordReader(words: words, examples: file.examples, colors: colors, reach: reach)
    var told: (judge: [(word: Int, isTold: Bool)], plain: [(word: Int, isTold: Bool)]) = ([], [])
    for (n, scene) in set.scenes.enumerated() {
      let picture = Array(pictures[n * area..<(n + 1) * area])
      let seen = reader.seen(
        picture, finds: found[n],
        looks: found[n].map { file.examples.look(picture, at: $0.place) }, plain: plainly[n])
      for (word, flag) in words.flags(scene.objects).enumerated() where flag > 0 {
        told.judge.append((word, seen.judge.contains(word)))
        told.plain.append((word, seen.plain.contains(word)))
      }
    }
    self.judge = judge
    self.plain = plain
    judgeWords = told.judge
    plainWords = told.plain
    self.reach = reach
    self.reader = reader
    renderedMixing = wilson(
      successes: readings[1].count(where: reader.isMixed), trials: readings[1].count)
    let blends = ObjectColor.allCases.indices.flatMap { i in
      ObjectColor.allCases[..<i].compactMap { colors.blend($0, ObjectColor.allCases[i]) }
    }
    blendMixing = Double(blends.count(where: reader.isMixed)) / Double(max(blends.count, 1))
  }

  /// A colour that is hardly read has that of all.
  private static func reach(_ readings: [ColorReader.Reading]) -> [ObjectColor: Double] {
    func end(_ some: [ColorReader.Reading]) -> Double {
      let distances = some.map(\.distance).sorted()
      return distances.isEmpty
        ? .infinity : distances[min(Int(Double(distances.count) * within), distances.count - 1)]
    }
    let all = end(readings)
    return Dictionary(
      uniqueKeysWithValues: ObjectColor.allCases.map { color in
        let own = readings.filter { $0.color == color }
        return (color, own.count < 10 ? all : end(own))
      })
  }

  /// Share of the objects of a colour and a size that are found and told for it.
  package static func accuracy(_ told: [Told], _ color: ObjectColor, _ size: ObjectSize)
    -> Interval?
  {
    let own = told.filter { $0.color == color && $0.size == size }
    return own.isEmpty
      ? nil : wilson(successes: own.count { $0.told == color }, trials: own.count)
  }
}
