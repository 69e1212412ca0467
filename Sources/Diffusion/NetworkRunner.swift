import Foundation
import Tensors

/// Takes single pictures through a network, view by view; one thread at a time uses it.
final class NetworkRunner {
  let network: Network
  let workspace: Workspace
  /// c_in x of the picture at hand, (S, S, 3), and its labels, (C).
  private let picture: AlignedBuffer
  private let labels: AlignedBuffer
  private let image: AlignedBuffer
  private let features: AlignedBuffer
  /// F of the last view, (V, V, 3) with V the side of a view; or its gradient.
  let viewOutput: AlignedBuffer
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
    let pixels = network.image.height * network.image.width
    image = AlignedBuffer(count: pixels * network.image.channels)
    features = AlignedBuffer(count: fourierCount)
    viewOutput = AlignedBuffer(count: pixels * PictureShape.channels)
    let shape = network.description.shape
    picture = AlignedBuffer(count: shape.pictureCount)
    labels = AlignedBuffer(count: shape.conditionerCount)
    output = AlignedBuffer(count: shape.pictureCount)
  }

  /// Makes (x, σ, c) the picture at hand; x is (S, S, 3), labels (C).
  func take(
    x: UnsafePointer<Float>, _ scale: Preconditioning, labels told: UnsafePointer<Float>
  ) {
    for i in 0..<picture.count { picture.pointer[i] = x[i] * scale.input }
    labels.pointer.update(from: told, count: labels.count)
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
  }

  /// Takes a view of the picture at hand through the network; F goes into `viewOutput`.
  func pass(_ weights: Weights, _ view: PictureView) {
    show(view)
    workspace.forward(weights)
    workspace.read(network.graph.output, into: viewOutput.pointer)
  }

  /// Computes F(c_in x, ln σ / 4, labels) into `output`; x is (S, S, 3), labels (C).
  func forward(
    _ weights: Weights, x: UnsafePointer<Float>, _ scale: Preconditioning,
    labels told: UnsafePointer<Float>
  ) {
    take(x: x, scale, labels: told)
    for index in 0..<network.viewCount {
      let view = network.view(index)
      pass(weights, view)
      forEachKeptRow(view) {
        (output.pointer + $0).update(from: viewOutput.pointer + $1, count: $2)
      }
    }
  }

  /// What the norms found in the last view.
  var foundMoments: [GroupMoments] { norms.map(workspace.moments) }

  /// What `inputGradients` needs to have been done with a picture, which may then be asked about many times.
  func prepareGradients(
    _ weights: Weights, x: UnsafePointer<Float>, _ scale: Preconditioning,
    labels told: UnsafePointer<Float>
  ) {
    // Of patches only the last one's activations would remain.
    if network.patches == nil {
      forward(weights, x: x, scale, labels: told)
    } else {
      take(x: x, scale, labels: told)
    }
  }

  /// Adds Σ `gradient` · F's gradient to `dx` (S, S, 3; with respect to c_in x) and `dlabels` (C).
  func inputGradients(
    _ weights: Weights, gradient: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>,
    dlabels: UnsafeMutablePointer<Float>
  ) {
    for index in 0..<network.viewCount {
      let view = network.view(index)
      if network.patches != nil {
        // A gradient at few pixels costs few patches.
        if !isAsked(gradient, view) { continue }
        pass(weights, view)
        viewOutput.clear()
      }
      forEachKeptRow(view) {
        (viewOutput.pointer + $1).update(from: gradient + $0, count: $2)
      }
      workspace.writeOutputGradient(viewOutput.pointer)
      workspace.backward(weights, inputGradients: true)
      workspace.readGradient(network.image, into: image.pointer)
      addImageGradient(view, dx: dx, dlabels: dlabels)
    }
  }

  /// Where the rows of a view that are kept lie in the picture and in the view, and their values.
  private func forEachKeptRow(
    _ view: PictureView, _ body: (_ picture: Int, _ view: Int, _ count: Int) -> Void
  ) {
    let count = view.keptColumns.count * PictureShape.channels
    for row in view.keptRows {
      let inPicture = row * network.description.shape.size + view.keptColumns.lowerBound
      body(
        inPicture * PictureShape.channels,
        place(view, row, view.keptColumns.lowerBound) * PictureShape.channels, count)
    }
  }

  /// The pixel of a view where a pixel of the picture lies.
  @inline(__always)
  func place(_ view: PictureView, _ row: Int, _ column: Int) -> Int {
    (row - view.top) * network.image.width + column - view.left
  }

  private func isAsked(_ gradient: UnsafePointer<Float>, _ view: PictureView) -> Bool {
    var isAsked = false
    forEachKeptRow(view) { first, _, count in
      for i in first..<first + count where gradient[i] != 0 { isAsked = true }
    }
    return isAsked
  }

  /// Sets the network's image to a view of the picture at hand.
  func show(_ view: PictureView) {
    let shape = network.description.shape
    let channels = network.image.channels
    let isPatch = network.patches != nil
    if isPatch { image.clear() }
    if network.hasCoordinates {
      for row in 0..<network.image.height {
        for column in 0..<network.image.width {
          let to = image.pointer + (row * network.image.width + column) * channels
          to[4] = coordinate(view.left + column, shape.size)
          to[5] = coordinate(view.top + row, shape.size)
        }
      }
    }
    for row in view.rows {
      for column in view.columns {
        let from = picture.pointer + (row * shape.size + column) * PictureShape.channels
        let to = image.pointer + place(view, row, column) * channels
        for c in 0..<PictureShape.channels { to[c] = from[c] }
        if isPatch { to[6] = 1 }
      }
    }
    switch network.labels {
    case .vector(let value): workspace.write(labels.pointer, to: value)
    case .channels(let value):
      workspace.write(labels.pointer, to: value)
      for pixel in 0..<shape.size * shape.size {
        let to = image.pointer + pixel * channels + PictureShape.channels
        to.update(from: labels.pointer, count: shape.conditionerCount)
      }
    case .map(let grid):
      for row in view.rows {
        for column in view.columns {
          image.pointer[place(view, row, column) * channels + 3] =
            labels.pointer[grid.cell(pixelRow: row, pixelColumn: column)]
        }
      }
    }
    workspace.write(image.pointer, to: network.image)
  }

  /// Adds the gradient of a view's image, which `image` holds, where it comes from.
  private func addImageGradient(
    _ view: PictureView, dx: UnsafeMutablePointer<Float>, dlabels: UnsafeMutablePointer<Float>
  ) {
    let shape = network.description.shape
    let channels = network.image.channels
    for row in view.rows {
      for column in view.columns {
        let from = image.pointer + place(view, row, column) * channels
        let to = dx + (row * shape.size + column) * PictureShape.channels
        for c in 0..<PictureShape.channels { to[c] += from[c] }
      }
    }
    switch network.labels {
    case .map(let grid):
      for row in view.rows {
        for column in view.columns {
          dlabels[grid.cell(pixelRow: row, pixelColumn: column)] +=
            image.pointer[place(view, row, column) * channels + 3]
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

/// The centre of pixel i of n, from −1 to 1; beyond that beside the picture.
private func coordinate(_ index: Int, _ size: Int) -> Float {
  (Float(index) + 0.5) / Float(size) * 2 - 1
}
