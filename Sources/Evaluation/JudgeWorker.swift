import Diffusion
import Foundation
import Streams
import Tensors

/// One thread's memory for training a judge; `parallel` gives each worker to one thread at a time.
final class JudgeWorker: @unchecked Sendable {
  private let network: JudgeNetwork
  private let workspace: Workspace
  private let picture: AlignedBuffer
  private let blurred: AlignedBuffer
  private let logits: AlignedBuffer
  private let gradient: AlignedBuffer

  init(_ network: JudgeNetwork) {
    self.network = network
    workspace = network.graph.makeWorkspace(gradients: true)
    picture = AlignedBuffer(count: network.size * network.size * 3)
    blurred = AlignedBuffer(count: network.size * network.size * 3)
    logits = AlignedBuffer(count: network.mapSize * network.mapSize)
    gradient = AlignedBuffer(count: network.mapSize * network.mapSize)
  }

  /// Adds the gradient of one picture's loss and returns the loss.
  ///
  /// Penalty-reduced focal loss (Zhou et al. 2019, "Objects as points", eq. 1) against a Gaussian of
  /// deviation 1 cell around each centre.
  func addGradient(
    _ weights: Weights, _ data: JudgeRenders, seed: UInt64, index: UInt64, into gradients: Gradients
  ) -> Float {
    var stream = RandomStream(seed: seed, purpose: .judgeTraining, index: index)
    let chosen = stream.integer(below: data.count)
    augment(data, chosen, &stream)
    workspace.write(picture.pointer, to: network.image)
    workspace.forward(weights)
    workspace.read(network.graph.output, into: logits.pointer)
    let side = network.mapSize
    let scale = Double(network.stride)
    let centers = data.places[chosen].map { Place(x: $0.x / scale, y: $0.y / scale) }
    let normalizer = Float(max(1, centers.count))
    var loss: Float = 0
    for row in 0..<side {
      for column in 0..<side {
        let cell = row * side + column
        var target = 0.0
        var isCenter = false
        for center in centers {
          let dx = Double(column) + 0.5 - center.x
          let dy = Double(row) + 0.5 - center.y
          target = max(target, exp(-(dx * dx + dy * dy) / 2))
          if Int(center.x) == column && Int(center.y) == row { isCenter = true }
        }
        let z = min(max(logits.pointer[cell], -15), 15)
        let p = 1 / (1 + exp(-z))
        let slope: Float
        if isCenter {
          loss -= (1 - p) * (1 - p) * log(p)
          slope = 2 * (1 - p) * log(p) - (1 - p) * (1 - p) / p
        } else {
          let weight = Float(pow(1 - target, 4))
          loss -= weight * p * p * log(1 - p)
          slope = weight * (p * p / (1 - p) - 2 * p * log(1 - p))
        }
        gradient.pointer[cell] = slope * p * (1 - p) / normalizer
      }
    }
    workspace.writeOutputGradient(gradient.pointer)
    workspace.backward(weights, into: gradients)
    return loss / normalizer
  }

  /// Softness, noise and contrast as generated pictures have them; never a generated picture itself.
  private func augment(_ data: JudgeRenders, _ chosen: Int, _ stream: inout RandomStream) {
    let size = network.size
    let count = size * size * 3
    let blur = Float(stream.uniform(0, 0.6))
    let contrast = Float(stream.uniform(0.85, 1.15))
    let shift = Float(stream.uniform(-0.1, 0.1))
    let noise = Float(stream.uniform(0, 0.1))
    for i in 0..<count {
      picture.pointer[i] = TrainingSet.value(data.pixels[chosen * count + i])
    }
    for row in 0..<size {
      for column in 0..<size {
        for c in 0..<3 {
          var sum: Float = 0
          for (r, q) in [
            (row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1),
          ] {
            let y = min(max(r, 0), size - 1)
            let x = min(max(q, 0), size - 1)
            sum += picture.pointer[(y * size + x) * 3 + c]
          }
          let i = (row * size + column) * 3 + c
          blurred.pointer[i] = (1 - blur) * picture.pointer[i] + blur * sum / 4
        }
      }
    }
    for i in 0..<count {
      picture.pointer[i] = blurred.pointer[i] * contrast + shift + noise * stream.gaussian()
    }
  }
}
