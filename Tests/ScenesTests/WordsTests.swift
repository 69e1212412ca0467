import Foundation
import Streams
import Testing

@testable import Scenes

/// Conditioners that say which words are true of a picture.
@Suite("Words of pictures")
struct WordsTests {
  private static func settings(
    _ conditioner: PictureConditioner?, objects: ClosedRange<Int> = 1...3,
    heldOut: [[String]] = []
  ) throws -> SceneSettings {
    var settings = SceneSettings(
      camera: .overhead, size: 16, cells: 8, rules: LayoutRules(objects: objects), supersample: 1)
    if let conditioner {
      settings.words = PictureWords(conditioner.words, heldOut: heldOut)
      try #require(settings.words != nil)
    }
    return settings
  }

  static let wordSets = PictureConditioner.allCases.filter { $0 != .grid }

  /// Holds for a set that is added, too.
  @Test(
    "every word set tells each object by as many words, and no two words say the same",
    arguments: wordSets)
  func sets(set: PictureConditioner) throws {
    let words = try #require(PictureWords(set.words))
    #expect(Set(words.meanings).count == set.words.count && set.words.count > 1)
    for color in ObjectColor.allCases {
      for shape in ObjectShape.allCases {
        for material in Material.allCases {
          let object = SceneObject(
            shape: shape, size: .large, material: material, color: color, x: 0, y: 0, rotation: 0)
          let flags = words.flags([object])
          #expect(flags.reduce(0) { $0 + Int($1) } == words.perObject)
          for (text, flag) in zip(set.words, flags) {
            let named = text.split(separator: " ").map(String.init)
            let own = Set([color.rawValue, shape.rawValue, material.rawValue])
            #expect((flag == 1) == own.isSuperset(of: named))
          }
        }
      }
    }
  }

  @Test("README and the template name every word set", arguments: wordSets)
  func named(set: PictureConditioner) throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let readme = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
    let row = try #require(readme.split(separator: "\n").first { $0.hasPrefix("| `generate` |") })
    #expect(row.contains("`\(set.rawValue)`"))
    let template = try String(
      contentsOf: root.appending(path: "Sources/locus/Templates/ColorTemplates.swift"),
      encoding: .utf8)
    #expect(template.contains("\"\(set.rawValue)\""))
  }

  @Test("what is no word is refused, and so is a combination of other words")
  func refused() {
    for text in ["", "mauve", "red blue", "red  mauve", "nothing cube"] {
      #expect(ObjectWord(text) == nil, "\(text)")
    }
    #expect(PictureWords(["red", "mauve"]) == nil)
    #expect(PictureWords(["red", "blue"], heldOut: [["red", "cube"]]) == nil)
    #expect(PictureWords(["red", "blue"], heldOut: [["red", "blue"]])?.heldOut == [[0, 1]])
  }

  @Test("the pictures are those of a grid, the conditioners flags of what occurs")
  func flags() throws {
    let grid = try renderSet(Self.settings(nil), seed: 2, indices: 0..<40, threads: 2)
    let words = try renderSet(Self.settings(.colors), seed: 2, indices: 0..<40, threads: 2)
    #expect(words.pixels == grid.pixels && words.scenes == grid.scenes)
    for (n, scene) in words.scenes.enumerated() {
      let colors = Set(scene.objects.map(\.color))
      #expect(
        Array(words.conditioners[n * 8..<(n + 1) * 8])
          == ObjectColor.allCases.map { colors.contains($0) ? 1 : 0 })
    }
  }

  /// An empty conditioner says nothing; this word says that nothing is there.
  @Test("an empty scene has a word of its own")
  func nothing() throws {
    let words = try #require(PictureWords(["red", "cube", ObjectWord.nothing]))
    #expect(words.flags([]) == [0, 0, 1])
    let object = SceneObject(
      shape: .cube, size: .small, material: .rubber, color: .blue, x: 0, y: 0, rotation: 0)
    #expect(words.flags([object]) == [0, 1, 0])
  }

  @Test("what is held out occurs in no picture, and pictures have as many objects as before")
  func heldOut() throws {
    let held = [["red", "blue"], ["red", "green", "gray"]]
    let settings = try Self.settings(.colors, objects: 3...3, heldOut: held)
    let free = try Self.settings(.colors, objects: 3...3)
    var excluded = 0
    for index in 0..<1000 {
      let scene = try makeScene(settings, seed: 1, index: index, purpose: .scenes)
      let plain = try makeScene(free, seed: 1, index: index, purpose: .scenes)
      #expect(scene.objects.count == 3)
      func has(_ combination: [String], _ scene: Scene) -> Bool {
        Set(scene.objects.map(\.color.rawValue)).isSuperset(of: combination)
      }
      #expect(!held.contains { has($0, scene) })
      if held.contains(where: { has($0, plain) }) { excluded += 1 } else { #expect(scene == plain) }
    }
    // Of 512 triples of colours 36 have red and blue, and 6 more are the three.
    #expect((50...120).contains(excluded))
  }

  @Test("what cannot be without a combination that is held out is said")
  func impossible() throws {
    // Of one object a colour and a shape are always true.
    let pairs = ObjectColor.allCases.flatMap { color in
      ObjectShape.allCases.map { [color.rawValue, $0.rawValue] }
    }
    let settings = try Self.settings(.colorsAndShapes, objects: 1...1, heldOut: pairs)
    #expect(throws: SceneError.heldOut(objects: 1)) {
      try makeScene(settings, seed: 1, index: 0, purpose: .scenes)
    }
  }
}
