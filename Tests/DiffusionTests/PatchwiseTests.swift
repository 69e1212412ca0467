// Proves that a patchwise network sees what is published, no more and no less, and that its gradients are its own.
import Formats
import Foundation
import Streams
import Testing

@testable import Diffusion
@testable import Tensors

@Suite("Patchwise networks")
struct PatchwiseTests {
  private typealias Kind = NetworkDescription.Normalization

  private static func description(
    reach: Int, _ shape: PictureShape, _ normalization: Kind = .pixel
  ) -> NetworkDescription {
    NetworkDescription(
      .patchwise(width: 8, reach: reach, normalization: normalization, attention: true),
      shape: shape)
  }

  private static func noise(_ count: Int, _ index: UInt64) -> [Float] {
    var stream = RandomStream(seed: 1, purpose: .test, index: index)
    return (0..<count).map { _ in stream.gaussian() }
  }

  /// A label in every seventh cell.
  private static func batch(_ shape: PictureShape, sigmas: [Float] = [0.4, 3]) -> NoisedBatch {
    var labels = [Float](repeating: 0, count: sigmas.count * shape.conditionerCount)
    for entry in stride(from: 3, to: labels.count, by: 7) { labels[entry] = entry % 2 == 0 ? 1 : 2 }
    return NoisedBatch(
      x: noise(sigmas.count * shape.pictureCount, 0), sigma: sigmas, labels: labels)
  }

  @Test(
    "patches of 2k + 1 cells, at 16 × 16 cells and any k that was published",
    arguments: [(0, 2, 4, 2), (1, 6, 8, 6), (2, 10, 12, 10), (4, 18, 20, 18), (8, 34, 36, 32)])
  func sizes(reach: Int, side: Int, networkSide: Int, window: Int) throws {
    let shape = PictureShape(size: 32, cells: 16)
    let description = Self.description(reach: reach, shape)
    let patches = try #require(description.patches)
    #expect(patches.side == side && patches.networkSide == networkSide)
    #expect(description.window == window)
    let bound = try #require(description.architecture.reach(cellSize: 2))
    #expect(bound.pixels == 2 * reach + 1 && bound.labels == 2 * reach)
    let network = try Network(description)
    #expect(network.viewCount == 256 && network.image.height == networkSide)
    // The patches' middle cells make the picture, each pixel once.
    var kept = [Int](repeating: 0, count: 1024)
    for cell in 0..<256 {
      let view = network.view(cell)
      for row in view.keptRows { for column in view.keptColumns { kept[row * 32 + column] += 1 } }
      #expect(view.rows.contains(view.keptRows.lowerBound) && view.rows.count <= side)
    }
    #expect(kept.allSatisfy { $0 == 1 })
    // All that a larger reach shows is beside the picture.
    let largest = Self.description(reach: 64, shape)
    #expect(largest.patches == Self.description(reach: 15, shape).patches)
  }

  @Test(
    "a cell is what the network makes of its patch alone, with zeros and no label beside the picture",
    arguments: [0, 1, 2, 4, 8])
  func assembly(reach: Int) throws {
    // Cells of 1 px have patches of odd sides, of 2 px even ones.
    for shape in [PictureShape(size: 8, cells: 8), PictureShape(size: 8, cells: 4)] {
      let denoiser = try untrainedDenoiser(Self.description(reach: reach, shape), seed: 2)
      let batch = Self.batch(shape)
      let dense = try denoiser.denoise(batch, threads: 2)
      let grid = try shape.places()
      let network = denoiser.network
      let v = network.image.height
      let workspace = network.graph.makeWorkspace(gradients: false)
      let k = min(reach, grid.cells - 1)
      var expected = dense.map { _ in Float.nan }
      let frame = (v - (2 * k + 1) * grid.cellSize) / 2
      for n in 0..<2 {
        let scale = Preconditioning(sigma: batch.sigma[n])
        let runner = NetworkRunner(network, gradients: false)
        runner.take(x: batch.x, scale, labels: batch.labels)
        var fourier = [Float](repeating: 0, count: fourierCount)
        runner.workspace.read(network.fourier, into: &fourier)
        workspace.write(fourier, to: network.fourier)
        for cell in 0..<grid.count {
          var image = [Float](repeating: 0, count: v * v * 7)
          let (top, left) = (
            (grid.row(cell) - k) * grid.cellSize - frame,
            (grid.column(cell) - k) * grid.cellSize - frame
          )
          for row in 0..<v {
            for column in 0..<v {
              let (y, x) = (top + row, left + column)
              let at = (row * v + column) * 7
              image[at + 4] = (Float(x) + 0.5) / 8 * 2 - 1
              image[at + 5] = (Float(y) + 0.5) / 8 * 2 - 1
              guard (0..<8).contains(y), (0..<8).contains(x),
                abs(y / grid.cellSize - grid.row(cell)) <= k,
                abs(x / grid.cellSize - grid.column(cell)) <= k
              else { continue }
              let from = n * 192 + (y * 8 + x) * 3
              for c in 0..<3 { image[at + c] = batch.x[from + c] * scale.input }
              image[at + 3] =
                batch.labels[n * grid.count + grid.cell(pixelRow: y, pixelColumn: x)]
              image[at + 6] = 1
            }
          }
          workspace.write(image, to: network.image)
          workspace.forward(denoiser.weights)
          var f = [Float](repeating: 0, count: v * v * 3)
          workspace.read(network.graph.output, into: &f)
          for row in 0..<grid.cellSize {
            for column in 0..<grid.cellSize {
              let y = grid.row(cell) * grid.cellSize + row
              let x = grid.column(cell) * grid.cellSize + column
              let (inRow, inColumn) = (y - top, x - left)
              let inPatch = inRow * v + inColumn
              for c in 0..<3 {
                let i = n * 192 + (y * 8 + x) * 3 + c
                expected[i] = scale.skip * batch.x[i] + scale.out * f[inPatch * 3 + c]
              }
            }
          }
        }
      }
      #expect(dense == expected)
    }
  }

  @Test(
    "a cell is the same bit for bit whatever is outside of its patch, and another for what is inside",
    arguments: [0, 1, 2])
  func locality(reach: Int) throws {
    let shape = PictureShape(size: 16, cells: 8)
    let grid = try shape.places()
    for normalization in Kind.allCases {
      let denoiser = try untrainedDenoiser(
        Self.description(reach: reach, shape, normalization), seed: 3)
      let plain = Self.batch(shape, sigmas: [2])
      let before = try denoiser.denoise(plain, threads: 1)
      for cell in [0, 27] {
        func isInPatch(_ other: Int) -> Bool {
          abs(grid.row(other) - grid.row(cell)) <= reach
            && abs(grid.column(other) - grid.column(cell)) <= reach
        }
        func pixels(of cell: Int) -> [Int] {
          (0..<256).filter { grid.cell(pixelRow: $0 / 16, pixelColumn: $0 % 16) == cell }
        }
        func output(_ values: [Float]) -> [Float] {
          pixels(of: cell).flatMap { values[$0 * 3..<$0 * 3 + 3] }
        }
        func changed(where isChanged: (Int) -> Bool, labels: Bool) throws -> [Float] {
          var batch = plain
          for other in 0..<grid.count where isChanged(other) {
            if labels {
              batch.labels[other] += 1
            } else {
              for pixel in pixels(of: other) { batch.x[pixel * 3 + 1] -= 5 }
            }
          }
          return output(try denoiser.denoise(batch, threads: 1))
        }
        for labels in [true, false] {
          #expect(try changed(where: { !isInPatch($0) }, labels: labels) == output(before))
          // The cells in the corners of the patch tell.
          for other in 0..<grid.count
          where abs(grid.row(other) - grid.row(cell)) == reach
            && abs(grid.column(other) - grid.column(cell)) == reach
          {
            #expect(try changed(where: { $0 == other }, labels: labels) != output(before))
          }
        }
      }
    }
  }

  @Test(
    "the vector–Jacobian product is the finite difference of denoising, for pixels and labels",
    arguments: [0, 1, 2, 8])
  func inputGradients(reach: Int) throws {
    let shape = PictureShape(size: 8, cells: 4)
    for normalization in Kind.allCases {
      let denoiser = try untrainedDenoiser(
        Self.description(reach: reach, shape, normalization), seed: 4)
      let batch = Self.batch(shape, sigmas: [0.7])
      // All pixels, one, and one beside another of another cell: cells that are not asked about are left out.
      let whole = Self.noise(shape.pictureCount, 5)
      for asked in [Set(0..<64), [27], [27, 28]] {
        let cotangent = whole.indices.map { asked.contains($0 / 3) ? whole[$0] : 0 }
        let gradient = try denoiser.vectorJacobian(batch, cotangent: cotangent, threads: 1)
        func slope(_ move: (inout NoisedBatch, Float) -> Void) throws -> Double {
          let step: Float = 1 / 128
          let sides = try [step, -step].map { step in
            var moved = batch
            move(&moved, step)
            return zip(try denoiser.denoise(moved, threads: 2), cotangent).reduce(0.0) {
              $0 + Double($1.0) * Double($1.1)
            }
          }
          return (sides[0] - sides[1]) / Double(2 * step)
        }
        func product(_ a: [Float], _ b: [Float]) -> Double {
          zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
        func norm(_ a: [Float]) -> Double { product(a, a).squareRoot() }
        let direction = Self.noise(shape.pictureCount, 6)
        let pixels = try slope { batch, step in
          for i in direction.indices { batch.x[i] += step * direction[i] }
        }
        #expect(
          abs(pixels - product(gradient.x, direction)) < 2e-3 * norm(gradient.x) * 3,
          "\(normalization) \(asked.count) \(pixels), \(product(gradient.x, direction))")
        let told = Self.noise(shape.conditionerCount, 7)
        let labels = try slope { batch, step in
          for i in told.indices { batch.labels[i] += step * told[i] }
        }
        #expect(
          abs(labels - product(gradient.labels, told)) < 2e-3 * norm(gradient.labels) * 3,
          "\(labels), \(product(gradient.labels, told))")
      }
    }
  }

  @Test(
    "the gradient of every weight is the derivative in double precision, at all sizes of patches",
    arguments: [0, 1, 2])
  func weightGradients(reach: Int) throws {
    let shape = PictureShape(size: 16, cells: 8)
    for normalization in Kind.allCases {
      let denoiser = try untrainedDenoiser(
        Self.description(reach: reach, shape, normalization), seed: 5)
      let network = denoiser.network
      let batch = Self.batch(shape, sigmas: [0.7])
      let runner = NetworkRunner(network, gradients: true)
      let gradients = Gradients(for: denoiser.weights)
      runner.take(x: batch.x, Preconditioning(sigma: 0.7), labels: batch.labels)
      var (inputs, cotangents): ([[Value: [Double]]], [[Float]]) = ([], [])
      // At a corner, and in the middle.
      for cell in [0, 27] {
        runner.pass(denoiser.weights, network.view(cell))
        let cotangent = Self.noise(runner.viewOutput.count, UInt64(10 + cell))
        runner.workspace.writeOutputGradient(cotangent)
        runner.workspace.backward(denoiser.weights, into: gradients)
        var read: [Value: [Double]] = [:]
        for value in [network.image, network.fourier] {
          var values = [Float](repeating: 0, count: value.height * value.width * value.channels)
          runner.workspace.read(value, into: &values)
          read[value] = values.map(Double.init)
        }
        inputs.append(read)
        cotangents.append(cotangent)
      }
      // Along all weights at once, each parameter as much as the others.
      let tensors = gradients.tensors(of: denoiser.weights)
      var direction = [Double](repeating: 0, count: denoiser.weights.values.count)
      var mine = 0.0
      for (place, tensor) in tensors.enumerated() {
        let noise = Self.noise(tensor.values.count, 100 + UInt64(place))
        let norm = tensor.values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
        #expect(norm > 1e-6, "\(tensor.name)")
        let values = noise.map { Double($0) / max(norm, 1e-6) }
        for (value, slope) in zip(values, tensor.values) { mine += value * Double(slope) }
        let parameter = try #require(network.graph.parameters.first { $0.name == tensor.name })
        parameter.shape.forEachPlace { direction[parameter.offset + $0] = values[$1] }
      }
      let start = denoiser.weights.values.array.map(Double.init)
      let step = 1e-6
      let sides = [step, -step].map { step -> Double in
        let moved = zip(start, direction).map { $0 + step * $1 }
        let graph = Float64Graph(network.graph, weights: moved)
        var sum = 0.0
        for (inputs, cotangent) in zip(inputs, cotangents) {
          for (output, slope) in zip(graph.output(inputs), cotangent) {
            sum += output * Double(slope)
          }
        }
        return sum
      }
      let real = (sides[0] - sides[1]) / (2 * step)
      #expect(
        abs(mine - real) < 1e-4 * Double(tensors.count), "\(normalization) \(mine), \(real)")
    }
  }

  @Test("a training picture is seen on a patch with a label and on one without, each alike often")
  func draw() throws {
    let grid = CellGrid(size: 16, cells: 8)
    let patches = PatchGrid(grid: grid, reach: 1)
    var labels = [Float](repeating: 0, count: 64)
    labels[grid.cell(row: 0, column: 3)] = 1
    labels[grid.cell(row: 1, column: 4)] = 2
    // By the definition: some label at most a cell away.
    let told = Set(
      (0..<64).filter { cell in
        labels.indices.contains {
          labels[$0] != 0 && abs(grid.row($0) - grid.row(cell)) <= 1
            && abs(grid.column($0) - grid.column(cell)) <= 1
        }
      })
    #expect(told.count == 11)
    var stream = RandomStream(seed: 1, purpose: .test, index: 0)
    var hits = [Int](repeating: 0, count: 64)
    for _ in 0..<6400 {
      let drawn = patches.draw(labels, &stream)
      #expect(drawn.count == 2 && told.contains(drawn[0]) && !told.contains(drawn[1]))
      for cell in drawn { hits[cell] += 1 }
    }
    for cell in 0..<64 {
      let expected = 6400 / Double(told.contains(cell) ? told.count : 64 - told.count)
      #expect(abs(Double(hits[cell]) - expected) < 5 * expected.squareRoot())
    }
    let none = [Float](repeating: 0, count: 64)
    #expect(Set((0..<600).flatMap { _ in patches.draw(none, &stream) }).count == 64)
    // Every patch has the label in it.
    let wide = PatchGrid(grid: grid, reach: 7)
    #expect(Set((0..<600).flatMap { _ in wide.draw(labels, &stream) }).count == 64)
  }

  @Test("a training that stopped goes on to the same bytes")
  func resumed() throws {
    let architecture = TrainingTests.patchwise
    let whole = try TrainingTests.trainer(architecture)
    while !whole.isFinished { _ = try whole.step(threads: 2) }
    let first = try TrainingTests.trainer(architecture)
    for _ in 0..<3 { _ = try first.step(threads: 1) }
    let second = try TrainingTests.trainer(architecture)
    try second.restore(try TrainingState(data: first.state.data()))
    while !second.isFinished { _ = try second.step(threads: 3) }
    #expect(try second.denoiser().weights.tensors() == whole.denoiser().weights.tensors())
  }

  @Test("what a weights file says of a patch is held against what there is")
  func weightsFile() throws {
    let denoiser = try TrainingTests.trainer(TrainingTests.patchwise).denoiser()
    let origin = TrainingOrigin(labelling: .single, objects: 1...3)
    var file = try Safetensors(data: WeightsFile(denoiser: denoiser, origin: origin).data())
    #expect(file.metadata["network"] == "patchwise" && file.metadata["reach"] == "1")
    file.metadata["reach"] = "65"
    #expect { try WeightsFile(data: file.data()) } throws: {
      "\($0)".contains("reach = \"65\", accepted: a whole number from 0 to 64")
    }
    file.metadata["reach"] = nil
    #expect { try WeightsFile(data: file.data()) } throws: { "\($0)".contains("lacks reach") }
    // Conditioners without places have no patches.
    let words = PictureShape(size: 8, space: .set(words: ["red"]))
    #expect(throws: NoPlaces.self) { try Network(Self.description(reach: 1, words)) }
  }
}
