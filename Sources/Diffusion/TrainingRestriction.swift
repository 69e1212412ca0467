import Streams

/// Changes what a training picture is told of, and which of its pixels count.
package protocol TrainingRestriction: Sendable {
  /// - Parameters:
  ///   - labels: (C): as they were drawn, and then as the network is told.
  ///   - weights: (S, S): of the squared errors.
  ///   - stream: the picture's own.
  func apply(
    labels: UnsafeMutablePointer<Float>, weights: UnsafeMutablePointer<Float>,
    stream: inout RandomStream)
}
