import Foundation
import Streams

/// The law of `makeScene`, conditioned: in each of some cells lies the centre of one of the objects, and these
/// are the ones that a conditioner tells of.
///
/// Scenes are proposed with the objects told of uniform over their cells and everything else as `makeScene` has
/// it, and those that break its rules rejected whole. What a proposal is less, or more, probable than under the
/// law is its weight: `makeScene` places an object at the first of 50 uniform tries that keeps its distance, so
/// that, where a share a of the region is left, each place left has the density (1 − (1 − a)^50) / a.
package struct ConditionedScenes: Sendable {
  package let settings: SceneSettings
  /// Asked, all different.
  private let cells: [Int]
  /// How many objects there may be, each number with its share of the sum of all before it and its own.
  private let numbers: [(count: Int, upTo: Double)]
  /// Of a camera that never moves.
  private let still: View?
  /// Sizes of the cells' objects, a bit a cell (1: large), that leave room for the gap; `nil`: any may.
  private let sizes: [UInt32]?

  /// Tries for one scene.
  private static let attempts = 4_000_000

  /// - Parameters:
  ///   - settings: conditioners are cells; their rules' number of objects is not used.
  ///   - cells: at most 16.
  ///   - numbers: of objects in a scene, at least one a cell, with how probable each is. Scenes that `makeScene`
  ///     begins anew are taken to be as frequent at each of them.
  package init(
    _ settings: SceneSettings, cells: [Int], numbers: [(count: Int, share: Double)]
  ) throws(SceneError) {
    try settings.validate()
    self.settings = settings
    self.cells = cells
    var sum = 0.0
    self.numbers = numbers.map {
      sum += $0.share
      return ($0.count, sum)
    }
    guard !cells.isEmpty, cells.count <= 16, numbers.allSatisfy({ $0.count >= cells.count }),
      sum > 0, Set(cells).count == cells.count,
      cells.allSatisfy((0..<settings.cells * settings.cells).contains)
    else { throw .setting("cells", "\(cells)", "1 to 16 different cells, an object each") }
    if settings.camera == .overhead {
      let view = View(Camera.standard(.overhead), cells, settings)
      still = view
      sizes = Self.roomy(view, settings.rules)
      if sizes?.isEmpty == true { throw unplaced }
    } else {
      still = nil
      sizes = nil
    }
  }

  private var unplaced: SceneError {
    .unplaced(cells: cells.count, gap: settings.rules.gap, margin: settings.rules.margin)
  }

  /// A scene with the logarithm of its weight, up to a constant.
  package func draw(_ stream: inout RandomStream) throws(SceneError) -> (
    scene: Scene, logWeight: Double
  ) {
    for _ in 0..<Self.attempts {
      if let drawn = attempt(&stream) { return drawn }
    }
    throw unplaced
  }

  /// A weight that few scenes exceed: four times the mean of some, as a logarithm.
  package func logBound(of count: Int, _ stream: inout RandomStream) throws(SceneError) -> Double {
    var logWeights: [Double] = []
    for _ in 0..<count { logWeights.append(try draw(&stream).logWeight) }
    let largest = logWeights.max() ?? 0
    let sum = logWeights.reduce(0) { $0 + exp($1 - largest) }
    return largest + log(4 * sum / Double(max(count, 1)))
  }

  /// A scene, taken with the probability of its weight over `bound`, so that little is left to it: beyond the
  /// bound, what exceeds it. Rendering costs more than laying out.
  package func draw(_ stream: inout RandomStream, logBound bound: Double) throws(SceneError) -> (
    scene: Scene, logWeight: Double
  ) {
    while true {
      let (scene, logWeight) = try draw(&stream)
      if stream.uniform() < exp(logWeight - bound) { return (scene, max(0, logWeight - bound)) }
    }
  }

  private func attempt(_ stream: inout RandomStream) -> (scene: Scene, logWeight: Double)? {
    let view = still ?? View(drawCamera(settings.camera, &stream), cells, settings)
    let place = stream.uniform() * (numbers.last?.upTo ?? 0)
    guard let count = numbers.first(where: { place < $0.upTo })?.count else { return nil }
    let sizes =
      sizes.map { $0[stream.integer(below: $0.count)] } ?? stream.nextUInt32()
    // In which turn each cell's object comes; the others are told of by nobody.
    var turns = (0..<count).map { $0 < cells.count ? $0 : nil }
    stream.shuffle(&turns)
    var objects: [SceneObject] = []
    for turn in turns {
      guard let object = object(turn, sizes, view, beside: objects, &stream) else { return nil }
      objects.append(object)
    }
    var logWeight = 0.0
    var room = OpenPlaces(settings.rules, view.directions)
    for (object, turn) in zip(objects, turns) {
      if let turn {
        let open = room.share(object.size)
        logWeight += log(view.boxes[turn][object.size == .large ? 1 : 0].area)
        logWeight += log((1 - pow(1 - open, Double(LayoutRules.attempts))) / open)
      }
      room.close(beside: object)
    }
    let scene = Scene(objects: objects, camera: view.camera, lamps: drawLamps(&stream))
    return (scene, logWeight)
  }

  private func object(
    _ turn: Int?, _ sizes: UInt32, _ view: View, beside objects: [SceneObject],
    _ stream: inout RandomStream
  ) -> SceneObject? {
    guard let turn else {
      let size = ObjectSize.allCases[stream.integer(below: 2)]
      let place = findRoom(size, beside: objects, settings.rules, view.directions, &stream)
      return place.map { drawObject(size, at: $0, &stream) }.flatMap {
        isSeen($0, by: view.camera, settings.size) ? $0 : nil
      }
    }
    let isLarge = sizes >> UInt32(turn) & 1 == 1
    let size = isLarge ? ObjectSize.large : .small
    let box = view.boxes[turn][isLarge ? 1 : 0]
    guard box.area > 0 else { return nil }
    let x = stream.uniform(box.low.x, box.high.x)
    let y = stream.uniform(box.low.y, box.high.y)
    let place = SIMD2(x, y)
    guard
      objects.allSatisfy({
        keepsDistance(place, size.radius, from: $0, settings.rules, view.directions)
      })
    else { return nil }
    let object = drawObject(size, at: place, &stream)
    guard isSeen(object, by: view.camera, settings.size) else { return nil }
    let pixel = view.camera.project(object.center, width: settings.size, height: settings.size)
    let cell = cellIndex(pixel.x, pixel.y, size: settings.size, cells: settings.cells)
    return cell == cells[turn] ? object : nil
  }

  /// The sizes with which no two objects are too near wherever in their cells they lie.
  private static func roomy(_ view: View, _ rules: LayoutRules) -> [UInt32] {
    let boxes = view.boxes
    func fits(_ a: Int, _ sizeA: Int, _ b: Int, _ sizeB: Int) -> Bool {
      let (one, other) = (boxes[a][sizeA], boxes[b][sizeB])
      let dx = max(one.high.x - other.low.x, other.high.x - one.low.x)
      let dy = max(one.high.y - other.low.y, other.high.y - one.low.y)
      let radii = [sizeA, sizeB].reduce(0) { $0 + ($1 == 1 ? ObjectSize.large : .small).radius }
      return (dx * dx + dy * dy).squareRoot() >= max(radii + rules.gap, rules.spacing)
    }
    // Cell by cell, so that what does not fit is left at once.
    var found: [UInt32] = [0]
    for b in boxes.indices {
      found = found.flatMap { sizes in
        [UInt32(0), 1].filter { size in
          (0..<b).allSatisfy { fits($0, Int(sizes >> UInt32($0) & 1), b, Int(size)) }
        }.map { sizes | $0 << UInt32(b) }
      }
    }
    return found
  }

  /// From where a scene is seen, and where on the ground its cells lie.
  private struct View {
    var camera: Camera
    var directions: [SIMD2<Double>]
    /// Of each cell, around the centres of a small and of a large object in it.
    var boxes: [[Box]]

    init(_ camera: Camera, _ cells: [Int], _ settings: SceneSettings) {
      self.camera = camera
      directions = camera.directions.map(\.vector)
      boxes = cells.map { cell in
        [ObjectSize.small, .large].map { Box(cell, $0, camera, settings) }
      }
    }
  }

  private struct Box {
    var low: SIMD2<Double>
    var high: SIMD2<Double>
    var area: Double { max(0, high.x - low.x) * max(0, high.y - low.y) }

    /// Where in the region a centre may lie that falls into a cell, and perhaps a little more.
    init(_ cell: Int, _ size: ObjectSize, _ camera: Camera, _ settings: SceneSettings) {
      let region = SIMD2(repeating: LayoutRules.region)
      let side = Float(settings.size / settings.cells)
      let picture = Float(settings.size)
      var corners: [SIMD2<Double>] = []
      for corner in 0..<4 {
        let x = Float(cell % settings.cells + corner % 2) * side
        let y = Float(cell / settings.cells + corner / 2) * side
        let ray = camera.ray(x: x, y: y, width: picture, height: picture)
        // Above the horizon a cell has no end.
        guard ray.z < -1e-3 else {
          (low, high) = (-region, region)
          return
        }
        let point = camera.position + ray * ((Float(size.radius) - camera.position.z) / ray.z)
        corners.append(SIMD2(Double(point.x), Double(point.y)))
      }
      let slack = 1e-4
      let xs = corners.map(\.x)
      let ys = corners.map(\.y)
      low = SIMD2((xs.min() ?? 0) - slack, (ys.min() ?? 0) - slack).clamped(
        lowerBound: -region, upperBound: region)
      high = SIMD2((xs.max() ?? 0) + slack, (ys.max() ?? 0) + slack).clamped(
        lowerBound: -region, upperBound: region)
    }
  }
}

/// Where in the region an object keeps its distance from all before it, by the middles of 24 × 24 squares.
private struct OpenPlaces {
  private let rules: LayoutRules
  private let directions: [SIMD2<Double>]
  /// Of a small and of a large object.
  private var isClosed: [[Bool]]

  private static let side = 24

  init(_ rules: LayoutRules, _ directions: [SIMD2<Double>]) {
    self.rules = rules
    self.directions = rules.margin > 0 ? directions : []
    isClosed = [[Bool]](repeating: [Bool](repeating: false, count: Self.side * Self.side), count: 2)
  }

  func share(_ size: ObjectSize) -> Double {
    let closed = isClosed[size == .large ? 1 : 0].reduce(0) { $0 + ($1 ? 1 : 0) }
    let all = Self.side * Self.side
    // Where an object lies there was room, however little.
    return max(Double(all - closed), 0.5) / Double(all)
  }

  mutating func close(beside other: SceneObject) {
    let step = 2 * LayoutRules.region / Double(Self.side)
    for (place, size) in [ObjectSize.small, .large].enumerated() {
      let reach = max(size.radius + other.size.radius + rules.gap, rules.spacing)
      for row in 0..<Self.side {
        let dy = (Double(row) + 0.5) * step - LayoutRules.region - other.y
        for column in 0..<Self.side {
          let dx = (Double(column) + 0.5) * step - LayoutRules.region - other.x
          if dx * dx + dy * dy < reach * reach {
            isClosed[place][row * Self.side + column] = true
            continue
          }
          for direction in directions {
            let along = dx * direction.x + dy * direction.y
            if 0 < along && along < rules.margin {
              isClosed[place][row * Self.side + column] = true
            }
          }
        }
      }
    }
  }
}
