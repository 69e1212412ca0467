import Formats
import Tensors

/// Ways on which one place of a picture tells on another, however far, inside a network.
package enum NetworkPath: String, Sendable, Codable, CaseIterable {
  /// Group normalisation: mean and variance of the whole picture.
  case statistics
  /// Self-attention.
  case attention
  case both

  package var cutsStatistics: Bool { self != .attention }
  package var cutsAttention: Bool { self != .statistics }
}

extension NetworkDescription.Architecture {
  /// Those that the network has; `both` where it has both.
  package var paths: [NetworkPath] {
    guard case .unet(_, _, let normalization, let attention, _) = self else { return [] }
    switch (normalization, attention) {
    case (.group, true): return [.statistics, .attention, .both]
    case (.group, false): return [.statistics]
    case (.pixel, true): return [.attention]
    case (.pixel, false): return []
    }
  }
}

/// A path that cannot be cut.
package enum NetworkPathError: CategorizedError, Hashable, CustomStringConvertible {
  case missing(NetworkPath, found: [NetworkPath])
  /// Moments that are not those of the network's norms.
  case moments(String)

  package var category: ErrorCategory { .data }

  package var description: String {
    switch self {
    case .missing(let path, let found):
      "path \"\(path.rawValue)\" is none that the denoiser has; accepted: "
        + (found.isEmpty
          ? "none: only a U-Net with group norm (statistics) or attention has any"
          : found.map { "\"\($0.rawValue)\"" }.joined(separator: ", "))
    case .moments(let reason): "the moments of the norms \(reason)"
    }
  }
}

extension NetworkDenoiser {
  /// The same weights with a path cut: norms take the given moments for those of every picture, attention
  /// sees nothing but its own place.
  ///
  /// - Parameter moments: needed where `path` cuts statistics.
  package func cutting(_ path: NetworkPath, moments: NormMoments?) throws(NetworkPathError)
    -> NetworkDenoiser
  {
    let description = network.description
    guard description.architecture.paths.contains(path) else {
      throw .missing(path, found: description.architecture.paths)
    }
    // The description was built once: its conditioners have the places that it takes.
    guard let cut = try? Network(description, cutting: path) else {
      throw .missing(path, found: description.architecture.paths)
    }
    guard path.cutsStatistics else { return NetworkDenoiser(network: cut, weights: weights) }
    guard let moments else { throw .moments("are missing") }
    try moments.validate(cut.graph.groupNorms)
    return NetworkDenoiser(network: cut, weights: weights, moments: moments)
  }
}
