import Foundation
import Streams
import Tensors

/// Makes pixels near a label weigh more in the loss.
struct LabelBalance: Sendable {
  let grid: CellGrid
  let weight: Float

  /// Around a label, in pixels.
  private static let radius = 5.0

  /// - Parameters:
  ///   - labels: (G, G).
  ///   - weights: (S, S), which get `weight` within the radius.
  func write(_ labels: UnsafePointer<Float>, to weights: UnsafeMutablePointer<Float>) {
    let size = grid.size
    let radius = Self.radius
    for cell in 0..<grid.count where labels[cell] > 0 {
      let (y, x) = grid.center(cell)
      for row in max(0, Int(y - radius))..<min(size, Int(y + radius) + 1) {
        for column in max(0, Int(x - radius))..<min(size, Int(x + radius) + 1) {
          let dy = Double(row) + 0.5 - y
          let dx = Double(column) + 0.5 - x
          if dx * dx + dy * dy <= radius * radius { weights[row * size + column] = weight }
        }
      }
    }
  }
}

/// One thread's memory for training; `parallel` gives each worker to one thread at a time.
final class TrainingWorker: @unchecked Sendable {
  private let runner: NetworkRunner
  private let noised: AlignedBuffer
  private let clean: AlignedBuffer
  /// Of a view's outputs.
  private let gradient: AlignedBuffer
  private let labels: AlignedBuffer
  private let pixelWeights: AlignedBuffer

  init(_ runner: NetworkRunner) {
    self.runner = runner
    let shape = runner.network.description.shape
    noised = AlignedBuffer(count: shape.pictureCount)
    clean = AlignedBuffer(count: shape.pictureCount)
    gradient = AlignedBuffer(count: runner.viewOutput.count)
    labels = AlignedBuffer(count: shape.conditionerCount)
    pixelWeights = AlignedBuffer(count: shape.size * shape.size)
  }

  /// Adds the gradient of Σ over pixels of the weighted squared error of the picture of the training whose
  /// stream is given; returns the mean weighted squared error.
  ///
  /// Of a patchwise network these are the pixels that its patches show, not their middle cells alone: the
  /// expected picture given the patch is learnt at each, from (2k + 1)² times as many.
  ///
  /// - Parameter patches: the stream that a patchwise network's patches are drawn from.
  func addGradient(
    _ weights: Weights, _ data: TrainingSet, _ settings: TrainingSettings,
    _ balance: LabelBalance?, _ restriction: (any TrainingRestriction)?, stream: RandomStream,
    patches: RandomStream, into gradients: Gradients
  ) -> Float {
    let shape = data.shape
    let count = shape.pictureCount
    var stream = stream
    let picture = stream.integer(below: data.count)
    drawLabels(data, picture, settings, &stream)
    pixelWeights.pointer.update(repeating: 1, count: shape.size * shape.size)
    balance?.write(labels.pointer, to: pixelWeights.pointer)
    restriction?.apply(
      labels: labels.pointer, weights: pixelWeights.pointer, stream: &stream)
    let sigma = Foundation.exp(
      Float(settings.sigmaMean) + Float(settings.sigmaDeviation) * stream.gaussian())
    let scale = Preconditioning(sigma: sigma)
    data.pixels.withUnsafeBufferPointer { pixels in
      for i in 0..<count {
        clean.pointer[i] = TrainingSet.value(pixels[picture * count + i])
      }
    }
    stream.fillGaussian(UnsafeMutableBufferPointer(start: noised.pointer, count: count))
    for i in 0..<count { noised.pointer[i] = clean.pointer[i] + sigma * noised.pointer[i] }
    runner.take(x: noised.pointer, scale, labels: labels.pointer)

    var loss: Float = 0
    var values = 0
    for view in views(patches) {
      runner.pass(weights, view)
      loss += addGradient(view, scale, weights, into: gradients)
      values += view.rows.count * view.columns.count * PictureShape.channels
    }
    return loss / Float(values)
  }

  /// The views of the labelled picture at hand that are trained on.
  private func views(_ patches: RandomStream) -> [PictureView] {
    let network = runner.network
    guard let grid = network.patches else { return [network.view(0)] }
    var stream = patches
    return grid.draw(labels.pointer, &stream).map(grid.view)
  }

  /// The same of the view that has just passed; returns the sum.
  private func addGradient(
    _ view: PictureView, _ scale: Preconditioning, _ weights: Weights, into gradients: Gradients
  ) -> Float {
    let size = runner.network.description.shape.size
    let f = runner.viewOutput.pointer
    var loss: Float = 0
    if runner.network.patches != nil { gradient.clear() }
    for row in view.rows {
      for column in view.columns {
        let pixel = row * size + column
        let place = runner.place(view, row, column)
        let weight = scale.lossWeight * pixelWeights.pointer[pixel]
        for c in 0..<PictureShape.channels {
          let i = pixel * PictureShape.channels + c
          let j = place * PictureShape.channels + c
          let error =
            scale.skip * noised.pointer[i] + scale.out * f[j] - clean.pointer[i]
          loss += weight * error * error
          gradient.pointer[j] = 2 * weight * scale.out * error
        }
      }
    }
    runner.workspace.writeOutputGradient(gradient.pointer)
    runner.workspace.backward(weights, into: gradients)
    return loss
  }

  private func drawLabels(
    _ data: TrainingSet, _ picture: Int, _ settings: TrainingSettings,
    _ stream: inout RandomStream
  ) {
    let count = data.shape.conditionerCount
    data.conditioners.withUnsafeBufferPointer { conditioners in
      guard let counts = conditioners.baseAddress else { return }
      settings.labelling.draw(
        from: counts + picture * count, into: labels.pointer, count: count, stream: &stream)
    }
    if stream.uniform() < settings.labelDropout { labels.clear() }
  }
}
