import Diffusion
import Foundation
import Scenes
import Testing

@testable import Evaluation

@Suite("Outcomes, layouts and detectors")
struct OutcomeTests {
  @Test("each detection serves one request, the nearest pairs first")
  func matching() {
    let requested = [Place(x: 0, y: 0), Place(x: 3, y: 0)]
    func count(_ detected: [Place]) -> Int {
      matchCount(requested: requested, detected: detected, tolerance: 2)
    }
    #expect(count([]) == 0)
    #expect(count([Place(x: 1.5, y: 0)]) == 1)
    #expect(count([Place(x: 0.5, y: 0), Place(x: 2.5, y: 0)]) == 2)
    #expect(count([Place(x: 0, y: 2.1), Place(x: 9, y: 9)]) == 0)
    #expect(
      matches(requested: requested, detected: [Place(x: 2.5, y: 0)], tolerance: 2)
        == [false, true])
    // Three detections at one request are still one find.
    #expect(count([Place(x: 0, y: 0), Place(x: 0, y: 1), Place(x: 0, y: -1)]) == 1)
  }

  @Test("summaries add up")
  func summaries() throws {
    let rows = [(2, 2), (1, 3), (2, 4)].enumerated().map {
      Outcome(
        seed: 1, k: 2, layout: $0.offset, requested: 2, found: $0.element.0, drawn: $0.element.1)
    }
    let summary = try #require(summarize(rows, seed: 1).first)
    #expect(summary.recall.map { abs($0.value - 5.0 / 6) < 1e-12 && $0.n == 6 } == true)
    #expect(summary.precision.map { abs($0.value - 5.0 / 9) < 1e-12 } == true)
    #expect(abs(summary.countError.value - 1) < 1e-12)
    #expect(abs(summary.exact.value - 1.0 / 3) < 1e-12)
    #expect(summary.drawn.value == 3)
    let empty = Outcome(seed: 1, k: 0, layout: 0, requested: 0, found: 0, drawn: 0)
    #expect(empty.exact)
    #expect(summarize([empty], seed: 1).first?.recall == nil)
  }

  @Test("every K has at least 192 requested places and 24 layouts")
  func layoutRule() {
    #expect((0...12).map(layoutsNeeded) == [24, 192, 96, 64, 48, 39, 32, 28, 24, 24, 24, 24, 24])
  }

  @Test(
    "test layouts request K different cells, the same for the same seed", arguments: [0, 1, 6, 12])
  func layouts(k: Int) throws {
    let shape = PictureShape(size: 32, cells: 16)
    for layout in 0..<20 {
      let one = try requestedLayout(k: k, layout: layout, shape: shape, camera: .overhead, seed: 3)
      #expect(one.labels.reduce(0, +) == Float(k))
      #expect(one.labels.allSatisfy { $0 == 0 || $0 == 1 })
      #expect(one.places.count == k)
      let again = try requestedLayout(
        k: k, layout: layout, shape: shape, camera: .overhead, seed: 3)
      #expect(one.labels == again.labels)
    }
    let first = startingNoise(k: k, layout: 0, shape: shape, seed: 3)
    #expect(first == startingNoise(k: k, layout: 0, shape: shape, seed: 3))
    #expect(first != startingNoise(k: k, layout: 1, shape: shape, seed: 3))
  }

  /// A short training at 16 px: far from the calibrated one, but above guessing and the same for any
  /// number of threads, and its file gives the same detector back.
  @Test("a judge learns to find objects, the same for 1 and 2 threads, and survives its file")
  func judge() throws {
    let settings = JudgeSettings(
      camera: .overhead, size: 16, cells: 8, renders: 400, pictures: 3200, heldOut: 6,
      tolerance: 0.1)
    let one = try trainJudge(settings, seed: 1, threads: 1) { _, _, _ in }
    let two = try trainJudge(settings, seed: 1, threads: 2) { _, _, _ in }
    #expect(one.judge.weights.tensors() == two.judge.weights.tensors())
    #expect(one.judge.threshold == two.judge.threshold)
    let recalls = one.judgeCalibration.compactMap(\.recall?.value)
    #expect(recalls.count == 12)
    #expect(recalls.reduce(0, +) / 12 > 0.5)
    #expect(one.curve.last.map { $0.loss < one.curve[0].loss / 2 } == true)

    let file = JudgeFile(one, settings: settings)
    let back = try JudgeFile(data: file.data())
    let set = try renderSet(
      SceneSettings(
        camera: .overhead, size: 16, cells: 8, rules: LayoutRules(objects: 3...3, margin: 0)),
      seed: 99, indices: 0..<4, threads: 1)
    let pictures = set.pixels.map(TrainingSet.value)
    #expect(back.judge.detect(pictures, threads: 1) == one.judge.detect(pictures, threads: 2))
    #expect(back.background.detect(pictures) == one.background.detect(pictures))
    #expect(back.examples.attributes == one.examples.attributes)
    #expect(back.renderedValues == one.looks.values && !one.examples.attributes.isEmpty)
    let place = Place(x: 8, y: 8)
    let first = Array(pictures[..<768])
    #expect(back.examples.look(first, at: place) == one.examples.look(first, at: place))
    #expect(one.looks.solidShare.value > 0.7 && one.looks.faintShare.value < 0.3)
    #expect(one.looks.accuracy(.color).value > 0.5)
    #expect(one.looks.judgeRecall.n == 12 * 13 / 2 * 6)
    #expect(throws: EvaluationError.self) { try JudgeFile(data: Data("no".utf8)) }
  }

  @Test("the background detector finds separate squares where they are")
  func background() {
    let detector = BackgroundDetector(
      size: 16, ground: [Float](repeating: 0, count: 768), threshold: 0.3)
    var picture = [Float](repeating: 0, count: 768)
    for (row, column) in [(3, 4), (10, 12)] {
      for r in row..<row + 3 {
        for c in column..<column + 2 { picture[(r * 16 + c) * 3 + 1] = 0.8 }
      }
    }
    // A single pixel is noise.
    #expect(
      detector.detect(picture)[0].map(\.place) == [Place(x: 5, y: 4.5), Place(x: 13, y: 11.5)])
  }

  @Test("sample grids draw the requested cells and nothing outside the image")
  func grid() throws {
    let shape = PictureShape(size: 16, cells: 8)
    let row = SampleGrid.Row(
      label: 12, pictures: [[Float](repeating: -1, count: 768)],
      places: [[Place(x: 1, y: 1), Place(x: 15, y: 15)]])
    let image = try SampleGrid.draw([row], shape: shape)
    #expect(image.width > 16 * 4 && image.height > 16 * 4)
    #expect(image.pixels.contains(255))
    #expect(try SampleGrid.draw([row], shape: shape) == image)
  }

  @Test("missed places are crossed, found ones and those at which nobody looked are not")
  func missed() throws {
    let shape = PictureShape(size: 16, cells: 8)
    func pixels(_ isFound: [[Bool]]?) throws -> [UInt8] {
      try SampleGrid.draw(
        [
          SampleGrid.Row(
            label: 2, pictures: [[Float](repeating: -1, count: 768)],
            places: [[Place(x: 5, y: 5), Place(x: 11, y: 11)]], isFound: isFound)
        ], shape: shape
      ).pixels
    }
    func changed(_ isFound: [Bool]) throws -> [Int] {
      zip(try pixels(nil), try pixels([isFound])).enumerated().filter {
        $0.element.0 != $0.element.1
      }
      .map(\.offset)
    }
    #expect(try changed([true, true]).isEmpty)
    let (first, second) = (try changed([false, true]), try changed([true, false]))
    #expect(!first.isEmpty && first.count == second.count)
    #expect(Set(first).isDisjoint(with: second))
    #expect(try changed([false, false]) == (first + second).sorted())
  }

  @Test("places cannot be requested of words; nothing can, and pictures of them have no outlines")
  func words() throws {
    let shape = PictureShape(size: 16, space: .set(words: ["red", "blue", "green"]))
    #expect(throws: NoPlaces(shape.space)) {
      try requestedLayout(k: 1, layout: 0, shape: shape, camera: .overhead, seed: 3)
    }
    let request = emptyRequest(layout: 4, shape: shape)
    #expect(request.labels == [0, 0, 0] && request.k == 0 && request.places.isEmpty)
    let row = SampleGrid.Row(
      label: 0, pictures: [[Float](repeating: -1, count: 768)], places: [request.places])
    #expect(try SampleGrid.draw([row], shape: shape).width > 16 * 4)
  }
}
