import Diffusion
import Foundation
import Scenes
import Statistics
import Streams
import Testing

@testable import Evaluation

/// Words that are asked for, and how they are told from what is found.
@Suite("Words asked for and met")
struct WordTests {
  private static let colors = PictureConditioner.colors.words

  @Test("requests keep to what training showed together while so many words can do without")
  func seen() throws {
    let words = try #require(
      PictureWords(Self.colors, heldOut: [["red", "blue"], ["green", "gray", "cyan"]]))
    for k in 0...8 {
      var asked: Set<Set<Int>> = []
      for layout in 0..<60 {
        let request = try words.request(k: k, layout: layout, asked: .seen, seed: 1)
        #expect(request.asked.count == k && request.places.isEmpty && request.k == k)
        #expect(request.labels.count == 8)
        if k <= 6 { #expect(!words.isHeldOut(request.asked.contains)) }
        asked.insert(request.asked)
        #expect(
          try words.request(k: k, layout: layout, asked: .seen, seed: 1).asked == request.asked)
      }
      #expect(asked.count > (k == 0 || k == 8 ? 0 : 5))
    }
    #expect(throws: EvaluationError.self) {
      try words.request(k: 9, layout: 0, asked: .seen, seed: 1)
    }
  }

  @Test("what was held out is asked for in turn, alone and among others")
  func heldOut() throws {
    let words = try #require(
      PictureWords(Self.colors, heldOut: [["red", "blue"], ["green", "gray", "cyan"]]))
    let pair: Set = [1, 2]
    let triple: Set = [0, 3, 6]
    for layout in 0..<20 {
      func asked(_ k: Int) throws -> Set<Int> {
        try words.request(k: k, layout: layout, asked: .heldOut, seed: 2).asked
      }
      #expect(try asked(2) == pair)
      let own = layout % 2 == 0 ? pair : triple
      #expect(try asked(3).isSuperset(of: own) && asked(3).count == 3)
      #expect(try asked(5).isSuperset(of: own) && asked(5).count == 5)
    }
    #expect(throws: EvaluationError.self) {
      try words.request(k: 1, layout: 0, asked: .heldOut, seed: 2)
    }
  }

  @Test("that nothing is there is asked for by its own word, and by no other request")
  func nothing() throws {
    let words = try #require(PictureWords(["red", "blue", ObjectWord.nothing]))
    let request = try words.request(k: 0, layout: 4, asked: .nothing, seed: 1)
    #expect(request.labels == [0, 0, 1])
    #expect(try words.request(k: 0, layout: 4, asked: .seen, seed: 1).labels == [0, 0, 0])
    for layout in 0..<20 {
      #expect(try words.request(k: 2, layout: layout, asked: .seen, seed: 1).labels == [1, 1, 0])
    }
    let others = try #require(PictureWords(["red", "blue"]))
    #expect(throws: EvaluationError.self) {
      try others.request(k: 0, layout: 0, asked: .nothing, seed: 1)
    }
  }

  @Test("chance is what other requests would have met")
  func chance() {
    #expect(chanceCount([[0, 1], [1, 2], [3, 4]], seen: [1, 2, 7]) == 1)
    #expect(chanceCount([], seen: [1]) == 0)
  }

  private struct Renders {
    var pictures: [[Float]]
    var scenes: [Scene]
    var places: [[Place]]
  }

  private func renders(_ indices: Range<Int>, _ objects: ClosedRange<Int>) throws -> Renders {
    let set = try renderSet(
      SceneSettings(
        camera: .overhead, size: 32, cells: 16, rules: LayoutRules(objects: objects, margin: 0)),
      seed: 9, indices: indices, threads: 2)
    let area = 32 * 32 * 3
    return Renders(
      pictures: indices.indices.map { n in
        let start = (n - indices.lowerBound) * area
        return set.pixels[start..<start + area].map(TrainingSet.value)
      }, scenes: set.scenes,
      places: set.scenes.map { scene in
        scene.objects.map {
          let pixel = scene.pixelPosition(of: $0, size: 32)
          return Place(x: pixel.x, y: pixel.y)
        }
      })
  }

  private func ground() throws -> [Float] {
    let empty = try renders(0..<1, 0...0).pictures[0]
    return empty
  }

  /// Prototyped on 8,000 objects: .996 of large ones, .986 of small ones.
  @Test("chromaticity tells nearly all colours of renders, and knows nothing of them")
  func chromaticity() throws {
    let reader = ColorReader(size: 32, camera: .overhead, ground: try ground())
    let held = try renders(100..<400, 1...3)
    for size in ObjectSize.allCases {
      var (right, all) = (0, 0)
      for (n, scene) in held.scenes.enumerated() {
        for (object, place) in zip(scene.objects, held.places[n]) where object.size == size {
          all += 1
          if reader.read(held.pictures[n], at: place)?.color == object.color { right += 1 }
        }
      }
      #expect(all > 200 && Double(right) > (size == .large ? 0.98 : 0.95) * Double(all))
    }
  }

  @Test("a colour is read from a picture's edge, of nothing but ground, and not of black")
  func edges() throws {
    let ground = try ground()
    let reader = ColorReader(size: 32, camera: .overhead, ground: ground)
    for place in [Place(x: 0, y: 0), Place(x: 31.9, y: 31.9), Place(x: 32, y: -0.5)] {
      #expect(reader.read(ground, at: place)?.color == .gray)
    }
    #expect(reader.read(ground.map { _ in -1 }, at: Place(x: 5, y: 5)) == nil)
  }

  @Test("words that are true of finds, by both opinions, and colours that are none of the eight")
  func reader() throws {
    let known = try renders(500..<800, 3...3)
    let ground = try ground()
    let examples = ObjectExamples(
      size: 32, ground: ground, pictures: known.pictures.flatMap { $0 }, places: known.places,
      attributes: known.scenes.map { $0.objects.map { ObjectAttributes($0) } }, most: 900)
    let colors = ColorReader(size: 32, camera: .overhead, ground: ground)
    let words = try #require(PictureWords(Self.colors + ["nothing"]))
    let reader = WordReader(
      words: words, examples: examples, colors: colors,
      reach: Dictionary(uniqueKeysWithValues: ObjectColor.allCases.map { ($0, 0.12) }))
    let held = try renders(900..<1000, 2...2)
    var (judge, plain, mixed) = (0, 0, 0)
    for (n, scene) in held.scenes.enumerated() {
      let finds = held.places[n].map { Find(place: $0, score: 1) }
      let looks = finds.map { examples.look(held.pictures[n], at: $0.place) }
      let seen = reader.seen(held.pictures[n], finds: finds, looks: looks, plain: finds)
      let flags = words.flags(scene.objects)
      let truth = Set(flags.indices.filter { flags[$0] > 0 })
      if seen.judge == truth { judge += 1 }
      if seen.plain == truth { plain += 1 }
      #expect(seen.solid.isSubset(of: seen.judge) && seen.finds.count == 2)
      #expect(seen.unrequested(seen.judge) == 0 && seen.unrequested([]) == 2)
      mixed += seen.mixed
    }
    #expect(judge > 90 && plain > 90 && mixed < 20, "\(judge) \(plain) \(mixed)")
    let none = reader.seen(ground, finds: [], looks: [], plain: [])
    #expect(none.judge == [8] && none.plain == [8] && none.mixed == 0)
    // A green object in which red turns blue, half and half, is of no colour of the eight.
    let blue = try #require(colors.blend(.blue, .green))
    #expect(blue.distance > 0.12 && reader.isMixed(blue))
    #expect(!reader.isMixed(ColorReader.Reading(color: .red, distance: 0.01)))
  }
}
