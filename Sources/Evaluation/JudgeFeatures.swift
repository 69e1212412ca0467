import Statistics
import Streams
import Tensors

extension Judge {
  /// Entries of the features of one picture.
  package var featureCount: Int { 2 * network.features.channels }

  /// Of each of N pictures (N, S, S, 3) with values in [−1, 1] the mean and the standard deviation over the
  /// picture of every channel from which the judge tells centres: (N, features).
  package func features(_ pictures: [Float], threads: Int) -> [Double] {
    let count = network.size * network.size * 3
    let number = pictures.count / count
    let channels = network.features.channels
    let area = network.features.height * network.features.width
    let workspaces = (0..<max(threads, 1)).map { _ in network.graph.makeWorkspace(gradients: false)
    }
    let maps = (0..<max(threads, 1)).map { _ in AlignedBuffer(count: area * channels) }
    let features = AlignedBuffer(count: max(number * featureCount, 1))
    let width = featureCount
    pictures.withUnsafeBufferPointer { buffer in
      nonisolated(unsafe) let buffer = buffer
      parallel(number, threads: threads) { item, worker in
        guard let base = buffer.baseAddress else { return }
        let (workspace, map) = (workspaces[worker], maps[worker].pointer)
        workspace.write(base + item * count, to: network.image)
        workspace.forward(weights)
        workspace.read(network.features, into: map)
        for channel in 0..<channels {
          var (sum, squares) = (0.0, 0.0)
          for place in 0..<area {
            let value = Double(map[place * channels + channel])
            sum += value
            squares += value * value
          }
          let mean = sum / Double(area)
          let target = features.pointer + item * width
          target[channel] = Float(mean)
          target[channels + channel] = Float(
            max(squares / Double(area) - mean * mean, 0).squareRoot())
        }
      }
    }
    return (0..<number * featureCount).map { Double(features.pointer[$0]) }
  }
}

/// The few axes along which renders differ most: principal components of their features, each feature over
/// its own deviation, each component over its own. A distance along them is in deviations of renders.
package struct FeatureAxes: Sendable {
  /// Fewer than asked for where the renders do not differ along more.
  package let dimensions: Int
  private let mean: [Double]
  private let deviation: [Double]
  /// (dimensions, features).
  private let axes: [Double]

  /// - Parameter features: of renders, (N, count).
  package init(_ features: [Double], count: Int, dimensions: Int) {
    let renders = Array(0..<features.count / max(count, 1))
    let moments = PointMoments(features, dimensions: count, of: renders)
    mean = moments.mean
    let deviation = (0..<count).map { moments.covariance[$0 * count + $0].squareRoot() }
    self.deviation = deviation
    var correlation = moments.covariance
    for i in 0..<count {
      for j in 0..<count {
        let scale = deviation[i] * deviation[j]
        correlation[i * count + j] = scale > 0 ? correlation[i * count + j] / scale : 0
      }
    }
    let eigen = SymmetricEigen(correlation, size: count)
    let kept = (0..<min(dimensions, count)).filter { eigen.values[$0] > Self.least }
    self.dimensions = kept.count
    axes = kept.flatMap { axis in
      (0..<count).map { eigen.vectors[axis * count + $0] / eigen.values[axis].squareRoot() }
    }
  }

  /// Variance below which an axis is rounding, in variances of a feature.
  private static let least = 1e-9

  /// (N, features) to (N, dimensions).
  package func project(_ features: [Double]) -> [Double] {
    let count = mean.count
    return (0..<features.count / max(count, 1)).flatMap { n in
      let scaled = (0..<count).map {
        deviation[$0] > 0 ? (features[n * count + $0] - mean[$0]) / deviation[$0] : 0
      }
      return (0..<dimensions).map { axis in
        (0..<count).reduce(0) { $0 + axes[axis * count + $1] * scaled[$1] }
      }
    }
  }
}
