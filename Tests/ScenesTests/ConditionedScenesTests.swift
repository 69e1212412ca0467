import Foundation
import Streams
import Testing

@testable import Scenes

@Suite("Scenes on a condition")
struct ConditionedScenesTests {
  private static func settings(
    _ camera: CameraKind = .overhead, size: Int = 32, cells: Int, objects: ClosedRange<Int>,
    gap: Double = 0.25,
    margin: Double = 0
  ) -> SceneSettings {
    SceneSettings(
      camera: camera, size: size, cells: cells,
      rules: LayoutRules(objects: objects, gap: gap, margin: margin))
  }

  @Test("each asked cell has an object, and CLEVR's rules hold", arguments: CameraKind.allCases)
  func rules(camera: CameraKind) throws {
    let settings = Self.settings(camera, cells: 8, objects: 3...5, margin: 0.4)
    let scene = try makeScene(
      Self.settings(camera, cells: 8, objects: 3...3, margin: 0.4), seed: 4, index: 1,
      purpose: .test)
    let counts = scene.conditioner(size: 32, cells: 8)
    let cells = counts.indices.filter { counts[$0] > 0 }
    let law = try ConditionedScenes(settings, cells: cells, numbers: [(3, 1), (5, 1)])
    var numbers: Set<Int> = []
    for index in 0..<60 {
      var stream = RandomStream(seed: 1, purpose: .test2, index: UInt64(index))
      let (scene, logWeight) = try law.draw(&stream)
      #expect(logWeight.isFinite)
      numbers.insert(scene.objects.count)
      let found = scene.conditioner(size: 32, cells: 8)
      #expect(cells.allSatisfy { found[$0] > 0 })
      for (i, a) in scene.objects.enumerated() {
        #expect(abs(a.x) <= 3 && abs(a.y) <= 3)
        for b in scene.objects[..<i] {
          #expect(hypot(a.x - b.x, a.y - b.y) - a.size.radius - b.size.radius >= 0.25)
          for direction in scene.camera.directions.map(\.vector) {
            let along = (a.x - b.x) * direction.x + (a.y - b.y) * direction.y
            #expect(!(along > 0 && along < 0.4))
          }
        }
      }
    }
    #expect(numbers == [3, 5])
  }

  /// What a scene is compared by: sizes and places of what lies in the two cells.
  private static func features(_ scene: Scene, cells: [Int], side: Int) -> [Double] {
    let own = cells.map { cell in
      scene.objects.first {
        let pixel = scene.pixelPosition(of: $0, size: 36)
        return cellIndex(pixel.x, pixel.y, size: 36, cells: side) == cell
      }
    }
    guard let a = own[0], let b = own[1] else { return [] }
    let large = [a, b].count { $0.size == .large }
    return [
      large == 2 ? 1 : 0, large == 0 ? 1 : 0, hypot(a.x - b.x, a.y - b.y), a.x, b.y,
      Double(scene.objects.count { $0.size == .large }),
    ]
  }

  @Test(
    "weighted, they are the scenes of the plain law that happen to fulfil the condition",
    arguments: [CameraKind.overhead, .clevr])
  func law(camera: CameraKind) throws {
    // Three objects in a region that they nearly fill: weights matter.
    let settings = Self.settings(camera, size: 36, cells: 3, objects: 3...3, gap: 1, margin: 0)
    let cells = camera == .overhead ? [0, 4] : [4, 5]
    var plain: [[Double]] = []
    for index in 0..<40_000 {
      let scene = try makeScene(settings, seed: 5, index: index, purpose: .test)
      let counts = scene.conditioner(size: 36, cells: 3)
      // With one object in each, every scene tells of these two in one way.
      if counts[cells[0]] == 1, counts[cells[1]] == 1 {
        plain.append(Self.features(scene, cells: cells, side: 3))
      }
    }
    let law = try ConditionedScenes(settings, cells: cells, numbers: [(3, 1)])
    func draw(
      _ count: Int, _ purpose: RandomPurpose,
      _ body: (inout RandomStream) throws -> (scene: Scene, logWeight: Double)
    ) rethrows -> [(features: [Double], weight: Double)] {
      try (0..<count).compactMap { index in
        var stream = RandomStream(seed: 1, purpose: purpose, index: UInt64(index))
        let (scene, logWeight) = try body(&stream)
        let counts = scene.conditioner(size: 36, cells: 3)
        return counts[cells[0]] == 1 && counts[cells[1]] == 1
          ? (Self.features(scene, cells: cells, side: 3), exp(logWeight)) : nil
      }
    }
    let drawn = try draw(20_000, .test2) { try law.draw(&$0) }
    // Taken by their weights, little is left to them.
    var pilot = RandomStream(seed: 1, purpose: .test3, index: 0)
    let bound = try law.logBound(of: 200, &pilot)
    let taken = try draw(4000, .test4) { try law.draw(&$0, logBound: bound) }
    #expect(taken.count { $0.weight > 1 } < taken.count / 5)
    #expect(plain.count > 1000 && drawn.count > 5000 && taken.count > 1000)
    var unlike = 0
    for feature in plain[0].indices {
      let values = plain.map { (features: $0, weight: 1.0) }
      let (mean, error) = Self.mean(values, feature)
      for sample in [drawn, taken] {
        let (weighted, own) = Self.mean(sample, feature)
        let both = (error * error + own * own).squareRoot()
        #expect(abs(weighted - mean) < 3.5 * both, "\(feature): \(weighted), \(mean) ± \(both)")
      }
      let (unweighted, own) = Self.mean(drawn.map { ($0.features, 1) }, feature)
      if abs(unweighted - mean) > 5 * (error * error + own * own).squareRoot() { unlike += 1 }
    }
    // Had weights no part in it, the comparison would show nothing.
    #expect(unlike > 0)
  }

  /// A weighted mean with its standard error.
  private static func mean(_ sample: [(features: [Double], weight: Double)], _ feature: Int) -> (
    value: Double, error: Double
  ) {
    let total = sample.reduce(0) { $0 + $1.weight }
    let value = sample.reduce(0) { $0 + $1.weight * $1.features[feature] } / total
    let variance = sample.reduce(0) {
      $0 + pow($1.weight * ($1.features[feature] - value) / total, 2)
    }
    return (value, variance.squareRoot())
  }

  @Test("cells that no objects fit into, or that are none, are refused")
  func refused() throws {
    let settings = Self.settings(cells: 16, objects: 2...2, gap: 0.5)
    #expect(throws: SceneError.unplaced(cells: 2, gap: 0.5, margin: 0)) {
      try ConditionedScenes(settings, cells: [100, 101], numbers: [(2, 1)])
    }
    for (cells, numbers) in [
      ([], [(1, 1.0)]), ([3, 3], [(2, 1)]), ([256], [(1, 1)]), ([3, 90], [(1, 1)]),
    ]
      as [([Int], [(count: Int, share: Double)])]
    {
      #expect(throws: SceneError.self) {
        try ConditionedScenes(settings, cells: cells, numbers: numbers)
      }
    }
  }
}
