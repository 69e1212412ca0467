import Formats
import Foundation
import Streams
import Synchronization
import Tensors

/// A batch that does not fit a denoiser, or what it makes of one.
package enum DenoiserError: CategorizedError, Hashable, CustomStringConvertible {
  case count(array: String, found: Int, expected: Int)
  case sigma(index: Int, value: Float)
  case notFinite(picture: Int)

  package var category: ErrorCategory {
    switch self {
    case .sigma, .notFinite: .data
    case .count: .bug
    }
  }

  package var description: String {
    switch self {
    case .count(let array, let found, let expected):
      "the batch's \(array) has \(found) values, expected \(expected)"
    case .sigma(let index, let value):
      "sigma[\(index)] is \(value); noise levels are finite and above 0"
    case .notFinite(let picture):
      "the denoiser gives picture \(picture) values that are no finite numbers: what it was given or its"
        + " weights are too large or too small for float32"
    }
  }
}

/// What a denoiser made, if it is pictures: what is no number would go on into every result.
package func requireFinite(_ values: [Float], _ shape: PictureShape) throws(DenoiserError)
  -> [Float]
{
  if let place = values.firstIndex(where: { !$0.isFinite }) {
    throw .notFinite(picture: place / shape.pictureCount)
  }
  return values
}

extension NoisedBatch {
  /// Throws unless every array has the size that `shape` and the number of noise levels ask for.
  package func validate(_ shape: PictureShape, cotangent: [Float]? = nil) throws(DenoiserError) {
    let pictures = count * shape.pictureCount
    if x.count != pictures { throw .count(array: "x", found: x.count, expected: pictures) }
    let conditioners = count * shape.conditionerCount
    if labels.count != conditioners {
      throw .count(array: "labels", found: labels.count, expected: conditioners)
    }
    if draws.count != count {
      throw .count(array: "draws", found: draws.count, expected: count)
    }
    if let cotangent, cotangent.count != pictures {
      throw .count(array: "cotangent", found: cotangent.count, expected: pictures)
    }
    for (index, value) in sigma.enumerated() where !(value > 0 && value.isFinite) {
      throw .sigma(index: index, value: value)
    }
  }
}

/// A trained network with its weights.
package final class NetworkDenoiser: Denoiser {
  package let network: Network
  package let weights: Weights
  /// Of a network whose norms are frozen.
  private let moments: NormMoments?
  // Workspaces are kept between calls: a sampler asks for dozens of passes in a row.
  private let idle = Mutex<[Bool: [SendableRunner]]>([:])

  package init(network: Network, weights: Weights, moments: NormMoments? = nil) {
    self.network = network
    self.weights = weights
    self.moments = moments
  }

  package var shape: PictureShape { network.description.shape }

  package var labelWindowArea: Double {
    let window = Double(network.description.window)
    return window * window
  }

  package func denoise(_ batch: NoisedBatch, threads: Int) throws -> [Float] {
    let count = shape.pictureCount
    return try onePass(batch, threads: threads, output: count) { runner, item, to in
      runner.forward(weights, x: item.x, item.scale, labels: item.labels)
      let f = runner.output.pointer
      for i in 0..<count { to[i] = item.scale.skip * item.x[i] + item.scale.out * f[i] }
    }
  }

  /// What `body` makes of every picture of a batch, (N, `output`): it sets each of its values.
  func onePass(
    _ batch: NoisedBatch, threads: Int, output: Int,
    _ body: @Sendable (NetworkRunner, RunnerInput, UnsafeMutablePointer<Float>) -> Void
  ) throws -> [Float] {
    try batch.validate(shape)
    let count = shape.pictureCount
    let conditioners = shape.conditionerCount
    let runners = borrow(threads, gradients: false)
    defer { giveBack(runners, gradients: false) }
    let values = batch.count * output
    return [Float](unsafeUninitializedCapacity: values) { buffer, initialized in
      nonisolated(unsafe) let result = buffer
      batch.x.withUnsafeBufferPointer { pictures in
        batch.labels.withUnsafeBufferPointer { labels in
          nonisolated(unsafe) let pictures = pictures
          nonisolated(unsafe) let labels = labels
          parallel(batch.count, threads: threads) { item, worker in
            guard let x = pictures.baseAddress, let c = labels.baseAddress,
              let d = result.baseAddress
            else { return }
            body(
              runners[worker].runner,
              RunnerInput(
                index: item, x: x + item * count, labels: c + item * conditioners,
                scale: Preconditioning(sigma: batch.sigma[item])), d + item * output)
          }
        }
      }
      initialized = values
    }
  }

  package func vectorJacobian(_ batch: NoisedBatch, cotangent: [Float], threads: Int) throws
    -> (x: [Float], labels: [Float])
  {
    try batch.validate(shape, cotangent: cotangent)
    let count = shape.pictureCount
    let conditioners = shape.conditionerCount
    let runners = borrow(threads, gradients: true)
    defer { giveBack(runners, gradients: true) }
    let first = firstOfRun(batch)
    // The input whose activations a worker holds; each entry belongs to one worker.
    let held = UnsafeMutableBufferPointer<Int>.allocate(capacity: runners.count)
    held.initialize(repeating: -1)
    defer { held.deallocate() }
    nonisolated(unsafe) let holds = held
    let dx = AlignedBuffer(count: batch.x.count)
    let dlabels = AlignedBuffer(count: batch.labels.count)
    batch.x.withUnsafeBufferPointer { pictures in
      batch.labels.withUnsafeBufferPointer { labels in
        cotangent.withUnsafeBufferPointer { cotangents in
          nonisolated(unsafe) let pictures = pictures
          nonisolated(unsafe) let labels = labels
          nonisolated(unsafe) let cotangents = cotangents
          parallel(batch.count, threads: threads) { item, worker in
            guard let x = pictures.baseAddress, let c = labels.baseAddress,
              let v = cotangents.baseAddress
            else { return }
            let runner = runners[worker].runner
            let scale = Preconditioning(sigma: batch.sigma[item])
            let from = v + item * count
            let to = dx.pointer + item * count
            let labelGradient = dlabels.pointer + item * conditioners
            if holds[worker] != first[item] {
              runner.prepareGradients(
                weights, x: x + item * count, scale, labels: c + item * conditioners)
              holds[worker] = first[item]
            }
            runner.inputGradients(weights, gradient: from, dx: to, dlabels: labelGradient)
            // D = c_skip x + c_out F(c_in x): the chain rule, from the gradient of F.
            for i in 0..<count {
              to[i] = scale.skip * from[i] + scale.out * scale.input * to[i]
            }
            for i in 0..<conditioners { labelGradient[i] *= scale.out }
          }
        }
      }
    }
    return (dx.array, dlabels.array)
  }

  /// For each picture what every norm found.
  func moments(_ batch: NoisedBatch, threads: Int) throws -> [[GroupMoments]] {
    try batch.validate(shape)
    let runners = borrow(threads, gradients: false)
    defer { giveBack(runners, gradients: false) }
    let found = Mutex<[[GroupMoments]]>([[GroupMoments]](repeating: [], count: batch.count))
    batch.x.withUnsafeBufferPointer { pictures in
      batch.labels.withUnsafeBufferPointer { labels in
        nonisolated(unsafe) let pictures = pictures
        nonisolated(unsafe) let labels = labels
        parallel(batch.count, threads: threads) { item, worker in
          guard let x = pictures.baseAddress, let c = labels.baseAddress else { return }
          let runner = runners[worker].runner
          runner.forward(
            weights, x: x + item * shape.pictureCount, Preconditioning(sigma: batch.sigma[item]),
            labels: c + item * shape.conditionerCount)
          let moments = runner.foundMoments
          found.withLock { $0[item] = moments }
        }
      }
    }
    return found.withLock { $0 }
  }

  /// For each item the first of the run of items before it that ask about the very same input: one
  /// forward pass serves all their cotangents.
  private func firstOfRun(_ batch: NoisedBatch) -> [Int] {
    let count = shape.pictureCount
    let conditioners = shape.conditionerCount
    // Bit for bit: −0 and 0 may make a difference.
    func equal(_ values: [Float], _ a: Int, _ b: Int, _ count: Int) -> Bool {
      values.withUnsafeBufferPointer { values in
        guard let start = values.baseAddress else { return true }
        return memcmp(start + a * count, start + b * count, count * MemoryLayout<Float>.size) == 0
      }
    }
    var first: [Int] = []
    for item in 0..<batch.count {
      let before = item - 1
      let same =
        item > 0 && batch.sigma[item] == batch.sigma[before]
        && equal(batch.labels, item, before, conditioners) && equal(batch.x, item, before, count)
      first.append(same ? first[before] : item)
    }
    return first
  }

  private func borrow(_ threads: Int, gradients: Bool) -> [SendableRunner] {
    let wanted = max(threads, 1)
    var runners = idle.withLock { idle -> [SendableRunner] in
      let kept = idle[gradients] ?? []
      idle[gradients] = Array(kept.dropFirst(wanted))
      return Array(kept.prefix(wanted))
    }
    while runners.count < wanted {
      runners.append(
        SendableRunner(runner: NetworkRunner(network, gradients: gradients, moments: moments)))
    }
    return runners
  }

  private func giveBack(_ runners: [SendableRunner], gradients: Bool) {
    idle.withLock { $0[gradients, default: []] += runners }
  }
}

/// A runner on its way between threads; `borrow` hands each to one caller, `parallel` to one
/// worker at a time.
private struct SendableRunner: @unchecked Sendable {
  let runner: NetworkRunner
}
