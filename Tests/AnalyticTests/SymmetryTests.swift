import Diffusion
import Foundation
import Streams
import Tensors
import Testing
import Vectors

@testable import Analytic

@Suite("Symmetries of analytic denoisers")
struct SymmetryTests {
  typealias Base = AnalyticDenoiserTests
  static let shape = Base.shape

  static func denoise(
    _ set: TrainingSet, _ settings: MachineSettings, _ batch: NoisedBatch
  ) throws -> [Float] { try AnalyticDenoiser(set, settings).denoise(batch, threads: 2) }

  /// Moves every pixel of a picture, or cell of a conditioner, to where `place` says.
  static func moved<T>(
    _ values: [T], side: Int, depth: Int, to place: (_ row: Int, _ column: Int) -> (Int, Int)
  ) -> [T] {
    var result = values
    let count = side * side * depth
    for i in values.indices {
      let (item, rest) = i.quotientAndRemainder(dividingBy: count)
      let (row, column) = place(rest / depth / side, rest / depth % side)
      result[item * count + (row * side + column) * depth + rest % depth] = values[i]
    }
    return result
  }

  @Test("the equivariant machine moves its output with the picture and its labels")
  func translation() throws {
    let set = try Base.training(6)
    let settings = Base.settings(radius: 1, places: .all, labelling: .single)
    let batch = Base.batch(set, sigma: 0.6, cells: [[5], [5, 6]])
    // A cell to the right and two down; what leaves comes back in at the other side.
    let other = NoisedBatch(
      x: Self.moved(batch.x, side: 8, depth: 3) { (($0 + 4) % 8, ($1 + 2) % 8) },
      sigma: batch.sigma,
      labels: Self.moved(batch.labels, side: 4, depth: 1) { (($0 + 2) % 4, ($1 + 1) % 4) })
    let one = try Self.denoise(set, settings, batch)
    let two = try Self.denoise(set, settings, other)
    var compared = 0
    for n in 0..<2 {
      // Pixels whose windows, of pixels and labels, lie inside before and after.
      for row in 1..<7 where row + 4 < 7 {
        for column in 1..<7 where column + 2 < 7 {
          for c in 0..<3 {
            let here = n * Self.shape.pictureCount + (row * 8 + column) * 3 + c
            let there = n * Self.shape.pictureCount + ((row + 4) * 8 + column + 2) * 3 + c
            #expect(abs(one[here] - two[there]) < 2e-6)
            compared += 1
          }
        }
      }
    }
    #expect(compared == 48)
    // The machine of same places does not: this is a property of the patches, not of the test.
    let same = Base.settings(radius: 1, labelling: .single)
    let still = try Self.denoise(set, same, batch)
    let shifted = try Self.denoise(set, same, other)
    #expect(abs(still[(8 + 1) * 3] - shifted[(5 * 8 + 3) * 3]) > 1e-3)
  }

  @Test("mirroring training pictures, picture and labels mirrors the output", arguments: [0, 2, 7])
  func mirror(radius: Int) throws {
    let set = try Base.training(11)
    for places in MachineSettings.Places.allCases {
      let settings = Base.settings(radius: radius, places: places, labelling: .all)
      let batch = Base.batch(set, sigma: 0.6, cells: [[5], [2, 6]])
      func flip<T>(_ values: [T], _ side: Int, _ depth: Int) -> [T] {
        Self.moved(values, side: side, depth: depth) { ($0, side - 1 - $1) }
      }
      let mirrored = try TrainingSet(
        shape: Self.shape, pixels: flip(set.pixels, 8, 3),
        conditioners: flip(set.conditioners, 4, 1)
      )
      let other = NoisedBatch(
        x: flip(batch.x, 8, 3), sigma: batch.sigma, labels: flip(batch.labels, 4, 1))
      let one = try flip(Self.denoise(set, settings, batch), 8, 3)
      let two = try Self.denoise(mirrored, settings, other)
      for (a, b) in zip(one, two) { #expect(abs(a - b) < 2e-6) }
    }
  }

  @Test("neither the order of training pictures nor the naming of the colours matters")
  func relabelling() throws {
    let set = try Base.training(13)
    let settings = Base.settings(radius: 2)
    let batch = Base.batch(set, sigma: 0.6, cells: [[5], []])
    func recolour<T>(_ values: [T]) -> [T] {
      values.indices.map { values[$0 / 3 * 3 + ($0 % 3 + 1) % 3] }
    }
    let count = Self.shape.pictureCount
    let cells = Self.shape.conditionerCount
    let order = (0..<13).reversed()
    let other = try TrainingSet(
      shape: Self.shape,
      pixels: recolour(order.flatMap { set.pixels[$0 * count..<($0 + 1) * count] }),
      conditioners: order.flatMap { set.conditioners[$0 * cells..<($0 + 1) * cells] })
    let one = try recolour(Self.denoise(set, settings, batch))
    let two = try Self.denoise(
      other, settings,
      NoisedBatch(x: recolour(batch.x), sigma: batch.sigma, labels: batch.labels))
    for (a, b) in zip(one, two) { #expect(abs(a - b) < 2e-6) }
  }

  @Test("box sums equal sums over windows, from and to any part of a line")
  func boxSums() {
    var stream = RandomStream(seed: 2, purpose: .test4, index: 0)
    for _ in 0..<200 {
      let size = 12
      let radius = stream.integer(below: 13)
      let low = stream.integer(below: size)
      let from = low...low + stream.integer(below: size - low)
      let first = max(0, from.lowerBound - stream.integer(below: radius + 1))
      let last = min(size - 1, from.upperBound + stream.integer(below: radius + 1))
      let width = 2
      let stride = width * lanes
      let count = (size + 1) * stride
      let values = AlignedBuffer(count: count)
      let scratch = AlignedBuffer(count: count)
      let target = AlignedBuffer(count: count)
      for i in 0..<size * stride where from.contains(i / stride) {
        values.pointer[i] = Float(stream.uniform())
      }
      let before = values.array
      BoxPlan(from: from, to: first...last, radius: radius, zero: size).sumRows(
        values.pointer, scratch: scratch.pointer, into: target.pointer, stride: stride, width: width
      )
      for i in first...last {
        for j in 0..<stride {
          let expected = (0..<size).filter { abs($0 - i) <= radius }.reduce(Float(0)) {
            $0 + before[$1 * stride + j]
          }
          #expect(abs(target.pointer[i * stride + j] - expected) < 1e-5)
        }
      }
    }
  }

  @Test("a window next to huge differences keeps its own small sum to a float's precision")
  func noResidue() {
    let size = 32
    let values = AlignedBuffer(count: (size + 1) * lanes)
    let scratch = AlignedBuffer(count: (size + 1) * lanes)
    let target = AlignedBuffer(count: (size + 1) * lanes)
    for i in 0..<size * lanes { values.pointer[i] = i / lanes < 16 ? 1e7 : 1e-3 }
    BoxPlan(from: 0...31, to: 0...31, radius: 3, zero: size).sumLine(
      values.pointer, scratch: scratch.pointer, into: target.pointer)
    #expect(abs(target.pointer[25 * lanes] - 7e-3) < 1e-8)
  }

  @Test("schedules: nearest in ln σ, published ones as published, steps in any order refused")
  func schedules() throws {
    let schedule = try WindowSchedule(sigmas: [10, 0.1, 1], radii: [9, 1, 4])
    #expect([0.001, 0.3, 0.4, 3, 3.3, 80].map { schedule.radius(at: $0) } == [1, 1, 4, 4, 9, 9])
    let published = try PublishedSchedule.niedobaCIFAR10.schedule(size: 32, cellSize: 2)
    // EDM's levels 80, …, 8.4 (the 7th), 5.3 (the 8th), …, 0.002 and their published sides.
    #expect(published.radius(at: 80) == 31)
    #expect(published.radius(at: 0.002) == 1)
    #expect(published.steps.map(\.radius) == [1, 2, 3, 5, 7, 11, 31])
    #expect(
      try PublishedSchedule.bradley.schedule(size: 32, cellSize: 2) == WindowSchedule(radius: 5))
    let step = WindowSchedule.Step(from: 1, radius: 2)
    #expect(throws: AnalyticError.self) { try WindowSchedule(steps: [step, step]) }
    #expect(throws: AnalyticError.self) { try WindowSchedule(steps: []) }
    let data = try JSONEncoder().encode(published)
    #expect(try JSONDecoder().decode(WindowSchedule.self, from: data) == published)
  }
}
