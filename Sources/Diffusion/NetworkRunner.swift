import Foundation
import Tensors

/// Takes single pictures through a network; one thread at a time uses it.
final class NetworkRunner {
  let network: Network
  let workspace: Workspace
  private let image: AlignedBuffer
  private let features: AlignedBuffer
  /// F of the last picture, (S, S, 3).
  let output: AlignedBuffer
  /// What frozen norms take for granted, where the network has such.
  private let moments: NormMoments?
  private let norms: [GroupNorm]

  init(_ network: Network, gradients: Bool, moments: NormMoments? = nil) {
    self.network = network
    self.moments = moments
    norms = network.graph.groupNorms
    workspace = network.graph.makeWorkspace(gradients: gradients)
    image = AlignedBuffer(
      count: network.image.height * network.image.width * network.image.channels)
    features = AlignedBuffer(count: fourierCount)
    output = AlignedBuffer(count: network.description.shape.pictureCount)
  }

  /// Computes F(c_in x, ln σ / 4, labels) into `output`; x is (S, S, 3), labels (C).
  func forward(
    _ weights: Weights, x: UnsafePointer<Float>, _ scale: Preconditioning,
    labels: UnsafePointer<Float>
  ) {
    let shape = network.description.shape
    let channels = network.image.channels
    for row in 0..<shape.size {
      for column in 0..<shape.size {
        let from = x + (row * shape.size + column) * PictureShape.channels
        let to = image.pointer + (row * shape.size + column) * channels
        for c in 0..<PictureShape.channels { to[c] = from[c] * scale.input }
        if network.hasCoordinates {
          to[4] = coordinate(column, shape.size)
          to[5] = coordinate(row, shape.size)
        }
      }
    }
    switch network.labels {
    case .vector(let value): workspace.write(labels, to: value)
    case .channels(let value):
      workspace.write(labels, to: value)
      for pixel in 0..<shape.size * shape.size {
        let to = image.pointer + pixel * channels + PictureShape.channels
        to.update(from: labels, count: shape.conditionerCount)
      }
    case .map(let grid):
      for row in 0..<shape.size {
        for column in 0..<shape.size {
          image.pointer[(row * shape.size + column) * channels + 3] =
            labels[grid.cell(pixelRow: row, pixelColumn: column)]
        }
      }
    }
    workspace.write(image.pointer, to: network.image)
    for i in 0..<fourierCount / 2 {
      // Frequencies from 1 to 100, evenly in the logarithm.
      let angle = scale.noise * Foundation.exp(Foundation.log(Float(100)) * Float(i) / 15)
      features.pointer[i] = Foundation.sin(angle)
      features.pointer[fourierCount / 2 + i] = Foundation.cos(angle)
    }
    workspace.write(features.pointer, to: network.fourier)
    if let moments {
      for (norm, values) in zip(norms, moments.at(logSigma: scale.logSigma)) {
        workspace.freeze(norm, at: values)
      }
    }
    workspace.forward(weights)
    workspace.read(network.graph.output, into: output.pointer)
  }

  /// What the norms found in the last forward pass.
  var foundMoments: [GroupMoments] { norms.map(workspace.moments) }

  /// Adds Σ `gradient` · F's gradient to `dx` (S, S, 3; with respect to c_in x) and `dlabels` (C).
  func inputGradients(
    _ weights: Weights, gradient: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>,
    dlabels: UnsafeMutablePointer<Float>
  ) {
    let shape = network.description.shape
    workspace.writeOutputGradient(gradient)
    workspace.backward(weights, inputGradients: true)
    workspace.readGradient(network.image, into: image.pointer)
    let channels = network.image.channels
    for row in 0..<shape.size {
      for column in 0..<shape.size {
        let from = image.pointer + (row * shape.size + column) * channels
        let to = dx + (row * shape.size + column) * PictureShape.channels
        for c in 0..<PictureShape.channels { to[c] += from[c] }
      }
    }
    switch network.labels {
    case .map(let grid):
      for row in 0..<shape.size {
        for column in 0..<shape.size {
          dlabels[grid.cell(pixelRow: row, pixelColumn: column)] +=
            image.pointer[(row * shape.size + column) * channels + 3]
        }
      }
    case .channels(let value):
      for pixel in 0..<shape.size * shape.size {
        let from = image.pointer + pixel * channels + PictureShape.channels
        for i in 0..<shape.conditionerCount { dlabels[i] += from[i] }
      }
      addGradient(value, to: dlabels)
    case .vector(let value): addGradient(value, to: dlabels)
    }
  }

  private func addGradient(_ value: Value, to dlabels: UnsafeMutablePointer<Float>) {
    let count = network.description.shape.conditionerCount
    withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { buffer in
      guard let base = buffer.baseAddress else { return }
      workspace.readGradient(value, into: base)
      for i in 0..<count { dlabels[i] += base[i] }
    }
  }
}

/// The centre of pixel i of n, from −1 to 1.
private func coordinate(_ index: Int, _ size: Int) -> Float {
  (Float(index) + 0.5) / Float(size) * 2 - 1
}
