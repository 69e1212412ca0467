import Diffusion
import Foundation
import Scenes
import Statistics
import Streams
import Testing

@testable import Evaluation

@Suite("What a find looks like")
struct LookTests {
  private static let size = 32

  private struct Renders {
    /// (N, S, S, 3).
    var pictures: [Float]
    var places: [[Place]]
    var attributes: [[ObjectAttributes]]
  }

  private func renders(_ indices: Range<Int>, count: Int = 3) throws -> Renders {
    let set = try renderSet(
      SceneSettings(
        camera: .overhead, size: Self.size, cells: 16,
        rules: LayoutRules(objects: count...count, margin: 0)),
      seed: 5, indices: indices, threads: 2)
    return Renders(
      pictures: set.pixels.map(TrainingSet.value),
      places: set.scenes.map { scene in
        scene.objects.map {
          let pixel = scene.pixelPosition(of: $0, size: Self.size)
          return Place(x: pixel.x, y: pixel.y)
        }
      }, attributes: set.scenes.map { $0.objects.map { ObjectAttributes($0) } })
  }

  private func examples() throws -> ObjectExamples {
    let count = Self.size * Self.size * 3
    let empty = try renders(0..<31, count: 1).pictures
    let ground = (0..<count).map { i in
      (0..<31).map { empty[$0 * count + i] }.sorted()[15]
    }
    let known = try renders(100..<400)
    return ObjectExamples(
      size: Self.size, ground: ground, pictures: known.pictures, places: known.places,
      attributes: known.attributes, most: 900)
  }

  @Test(
    "held-out objects have the opacity at which they are blended, and the colour and size that they have"
  )
  func blends() throws {
    let examples = try examples()
    let held = try renders(1000..<1040)
    let count = Self.size * Self.size * 3
    for share in [Float(0.25), 0.5, 1] {
      var opacities: [Double] = []
      var told: [ObjectAttributes.Kind: Int] = [:]
      for (n, own) in zip(held.places, held.attributes).enumerated() {
        let picture = (0..<count).map { i in
          examples.ground[i] + share * (held.pictures[n * count + i] - examples.ground[i])
        }
        for (place, attributes) in zip(own.0, own.1) {
          let look = try #require(examples.look(picture, at: place))
          opacities.append(look.opacity)
          for kind in ObjectAttributes.Kind.allCases where look.attributes[kind] == attributes[kind]
          {
            told[kind, default: 0] += 1
          }
        }
      }
      let number = Double(opacities.count)
      let mean = opacities.reduce(0, +) / number
      #expect(abs(mean / Double(share) - 1) < 0.15, "\(share): \(mean)")
      let solid = Double(opacities.count { $0 >= LookCalibration.solid }) / number
      if share == 1 { #expect(solid > 0.9, "\(solid)") }
      if share == 0.25 { #expect(solid < 0.1, "\(solid)") }
      // Of eight, two and three.
      #expect(Double(told[.color, default: 0]) / number > 0.7, "\(told)")
      #expect(Double(told[.size, default: 0]) / number > 0.8, "\(told)")
      #expect(Double(told[.shape, default: 0]) / number > 0.4, "\(told)")
    }
  }

  @Test("empty ground has none, and the edge of a picture is no trap")
  func nothing() throws {
    let examples = try examples()
    for place in [Place(x: 16, y: 16), Place(x: 0, y: 0), Place(x: 31.9, y: 31.9)] {
      #expect(examples.look(examples.ground, at: place) == nil)
    }
    var corner = examples.ground
    for i in 0..<3 { corner[i] += 0.5 }
    #expect(examples.look(corner, at: Place(x: 0, y: 0)) != nil)
    let none = ObjectExamples(
      size: Self.size, ground: examples.ground, differences: [], attributes: [])
    #expect(none.look(corner, at: Place(x: 0, y: 0)) == nil)
  }
}

@Suite("Composed attributes")
struct AttributeTests {
  /// Pictures of two pairs of neighbours, far from each other.
  private func pictures(_ count: Int, copies: Bool) -> [ObjectsFound] {
    var stream = RandomStream(seed: 7, purpose: .test, index: copies ? 1 : 0)
    func drawn() -> ObjectAttributes {
      ObjectAttributes(
        color: ObjectColor.allCases[stream.integer(below: 8)],
        size: ObjectSize.allCases[stream.integer(below: 2)],
        shape: ObjectShape.allCases[stream.integer(below: 3)])
    }
    return (0..<count).map { _ in
      let (a, b) = (drawn(), drawn())
      return ObjectsFound(
        places: [(0, 0), (3, 0), (20, 20), (23, 20)].map { Place(x: $0.0, y: $0.1) },
        attributes: [a, copies ? a : drawn(), b, copies ? b : drawn()])
    }
  }

  @Test("independent neighbours are told from copied ones; a law from another")
  func dependence() throws {
    for kind in ObjectAttributes.Kind.allCases {
      let free = try #require(neighbourDependence(pictures(400, copies: false), kind, seed: 1))
      #expect(free.low < 0 && free.high > 0 && abs(free.value) < 0.06, "\(free)")
      let copied = try #require(neighbourDependence(pictures(400, copies: true), kind, seed: 1))
      #expect(abs(copied.value - (1 - 1 / Double(kind.count))) < 0.03, "\(copied)")
      #expect(copied.low > 0.3 && copied.n == 400)
      let even = [Int](repeating: 100, count: kind.count)
      let same = try #require(
        lawDistance(pictures(400, copies: false), kind, renders: even, seed: 1))
      #expect(same.value < 0.05)
      let first = [100] + [Int](repeating: 0, count: kind.count - 1)
      let other = try #require(
        lawDistance(pictures(400, copies: false), kind, renders: first, seed: 1))
      #expect(abs(other.value - (1 - 1 / Double(kind.count))) < 0.05)
    }
    let lonely = [
      ObjectsFound(
        places: [Place(x: 1, y: 1)], attributes: [pictures(1, copies: true)[0].attributes[0]])
    ]
    #expect(neighbourDependence(lonely, .color, seed: 1) == nil)
    #expect(neighbourDependence([], .color, seed: 1) == nil)
    #expect(lawDistance([], .color, renders: [1, 1, 1, 1, 1, 1, 1, 1], seed: 1) == nil)
  }

  @Test("of three in a row the middle one's pair counts once, and the third has its own")
  func pairs() throws {
    let red = ObjectAttributes(color: .red, size: .small, shape: .cube)
    let blue = ObjectAttributes(color: .blue, size: .small, shape: .cube)
    let found = ObjectsFound(
      places: [Place(x: 0, y: 0), Place(x: 1, y: 0), Place(x: 3, y: 0)],
      attributes: [red, red, blue])
    // Pairs: (0, 1) both ways, (2, 1): one of two is equal; values: red 3, blue 1.
    let value = try #require(neighbourDependence([found], .color, seed: 1)).value
    #expect(abs(value - (0.5 - (9.0 / 16 + 1.0 / 16))) < 1e-12)
  }
}

@Suite("Layouts that ask something new")
struct LayoutFamilyTests {
  private let shape = PictureShape(size: 32, cells: 16)

  @Test("spaced layouts keep their distance at every K, CLEVR's do not", arguments: [2, 7, 12])
  func spaced(k: Int) throws {
    func nearest(_ spacing: LayoutSpacing) throws -> Double {
      try (0..<30).map { layout in
        let request = try requestedLayout(
          k: k, layout: layout, shape: shape, camera: .overhead, spacing: spacing, seed: 3)
        return request.places.indices.map { request.nearest($0, beyond: .infinity) }.min()
          ?? .infinity
      }.min() ?? .infinity
    }
    // 1.65 units are about 7.6 px here; places are told as centres of cells of 2 px.
    #expect(try nearest(.spaced) > 5.5)
    if k > 2 { #expect(try nearest(.clevr) < 5) }
  }

  @Test("a layout of training is passed over, but for a single place; others stay as they were")
  func seen() throws {
    func layout(_ k: Int, _ index: Int, unlike seen: SeenLayouts? = nil) throws -> RequestedLayout {
      try requestedLayout(
        k: k, layout: index, shape: shape, camera: .overhead, unlike: seen, seed: 3)
    }
    for k in [1, 2, 5] {
      let plain = try layout(k, 4)
      let seen = SeenLayouts(conditioners: plain.labels.map { UInt8($0) }, count: 256)
      #expect(seen.contains(plain))
      let new = try layout(k, 4, unlike: seen)
      #expect((new.labels == plain.labels) == (k == 1))
      #expect(new.passedOver == (k == 1 ? 0 : 1))
      #expect(seen.contains(new) == (k == 1))
      let other = try layout(k, 5, unlike: seen)
      #expect(try other.labels == layout(k, 5).labels && other.passedOver == 0)
    }
    // Two objects in one cell are the layout of one place with that cell.
    #expect(
      SeenLayouts(conditioners: [0, 2, 0, 1], count: 4).contains(
        RequestedLayout(k: 2, layout: 0, labels: [0, 1, 0, 1], places: [])))
  }
}
