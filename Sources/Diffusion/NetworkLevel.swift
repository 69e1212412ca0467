import Formats
import Foundation
import Streams
import Tensors

/// Where in a U-Net features are read and replaced: a level's output, before anything else uses it.
package enum NetworkLevel: String, Sendable, Codable, CaseIterable {
  /// From the picture down: at its own size, at half, and at a quarter of it, with attention if there is any, or
  /// with the words' own channels.
  case encoder0 = "encoder.0"
  case encoder1 = "encoder.1"
  case encoder2 = "encoder.2"
  /// Up again: at half of the size, and at its own.
  case decoder0 = "decoder.0"
  case decoder1 = "decoder.1"
}

extension NetworkDescription.Architecture {
  /// Those that the network has.
  package var levels: [NetworkLevel] {
    switch self {
    case .unet: NetworkLevel.allCases
    // A patchwise network has many activations a picture, a local one no levels.
    case .local, .patchwise: []
    }
  }

  /// Those whose features hear of words: where these enter at the lowest level alone, from there on.
  package var toldLevels: [NetworkLevel] {
    switch self {
    case .unet(_, .words, _, _, _), .unet(_, .lowest, _, _, _):
      levels.filter { $0 != .encoder0 && $0 != .encoder1 }
    default: levels
    }
  }
}

/// A level that a denoiser does not have, or features that do not fit it.
package enum NetworkLevelError: CategorizedError, Hashable, CustomStringConvertible {
  case missing(NetworkLevel, found: [NetworkLevel])
  case count(NetworkLevel, found: Int, expected: Int)

  package var category: ErrorCategory {
    switch self {
    case .missing: .data
    case .count: .bug
    }
  }

  package var description: String {
    switch self {
    case .missing(let level, let found):
      "level \"\(level.rawValue)\" is none that the denoiser has; accepted: "
        + (found.isEmpty
          ? "none: only a U-Net that is not behind a mask has any"
          : found.map { "\"\($0.rawValue)\"" }.joined(separator: ", "))
    case .count(let level, let found, let expected):
      "features of level \"\(level.rawValue)\" hold \(found) values, expected \(expected)"
    }
  }
}

/// How features of a level lie: (H, W, C) a picture.
package struct LevelShape: Sendable, Hashable {
  package var height: Int
  package var width: Int
  package var channels: Int

  package init(height: Int, width: Int, channels: Int) {
    (self.height, self.width, self.channels) = (height, width, channels)
  }

  package var places: Int { height * width }
  package var count: Int { places * channels }
}

/// A denoiser that tells its features level by level: a network here, or one that lives elsewhere.
package protocol LevelDenoiser: Denoiser {
  func shape(of level: NetworkLevel) throws -> LevelShape
  /// Features of a level at every picture of a batch, (N, H, W, C).
  func features(_ batch: NoisedBatch, at level: NetworkLevel, threads: Int) throws -> [Float]
}

extension NetworkDenoiser: LevelDenoiser {
  /// - Throws: `NetworkLevelError` for a level that the network does not have.
  package func shape(of level: NetworkLevel) throws(NetworkLevelError) -> LevelShape {
    let value = try activation(level).value
    return LevelShape(height: value.height, width: value.width, channels: value.channels)
  }

  private func activation(_ level: NetworkLevel) throws(NetworkLevelError) -> Activation {
    guard network.description.architecture.levels.contains(level),
      let found = network.graph.activations.first(where: { $0.name == level.rawValue })
    else { throw .missing(level, found: network.description.architecture.levels) }
    return found
  }

  /// Features of a level at every picture of a batch, (N, H, W, C): the part of a pass that makes them.
  package func features(_ batch: NoisedBatch, at level: NetworkLevel, threads: Int) throws
    -> [Float]
  {
    let activation = try activation(level)
    let count = try shape(of: level).count
    return try onePass(batch, threads: threads, output: count) { runner, item, to in
      runner.read(activation, weights, item, into: to)
    }
  }

  /// D(x, σ, c) of a pass in which a level's features are replaced as soon as they are made. With a pass's own
  /// features it is that pass, bit for bit.
  ///
  /// - Parameter features: (N, H, W, C).
  package func denoise(
    _ batch: NoisedBatch, replacing level: NetworkLevel, with features: [Float], threads: Int
  ) throws -> [Float] {
    let activation = try activation(level)
    let count = try shape(of: level).count
    guard features.count == batch.count * count else {
      throw NetworkLevelError.count(
        level, found: features.count, expected: batch.count * count)
    }
    let pixels = shape.pictureCount
    return try features.withUnsafeBufferPointer { features in
      nonisolated(unsafe) let features = features
      return try onePass(batch, threads: threads, output: pixels) { runner, item, to in
        guard let start = features.baseAddress else { return }
        runner.forward(weights, item, replacing: activation, with: start + item.index * count)
        let f = runner.output.pointer
        for i in 0..<pixels { to[i] = item.scale.skip * item.x[i] + item.scale.out * f[i] }
      }
    }
  }
}

/// One picture of a batch, for a runner.
struct RunnerInput {
  let index: Int
  let x: UnsafePointer<Float>
  let labels: UnsafePointer<Float>
  let scale: Preconditioning
}

extension NetworkRunner {
  /// Copies an activation, (H, W, C), that a pass at an input has.
  func read(
    _ activation: Activation, _ weights: Weights, _ input: RunnerInput,
    into target: UnsafeMutablePointer<Float>
  ) {
    take(x: input.x, input.scale, labels: input.labels)
    show(network.view(0))
    workspace.forward(weights, upTo: activation)
    workspace.read(activation.value, into: target)
  }

  /// As `forward`, with an activation of the picture replaced.
  func forward(
    _ weights: Weights, _ input: RunnerInput, replacing activation: Activation,
    with features: UnsafePointer<Float>
  ) {
    take(x: input.x, input.scale, labels: input.labels)
    show(network.view(0))
    workspace.forward(weights, upTo: activation)
    workspace.write(features, to: activation.value)
    workspace.forward(weights, from: activation)
    workspace.read(network.graph.output, into: output.pointer)
  }
}
