/// The shape of what a model of any pictures denoises: C × H × W values, channels first, told of `entries` numbers.
///
/// Networks of Locus have square pictures of three channels and conditioners that it knows the meaning of:
/// `PictureShape`. A model that lives elsewhere may have latents, height maps and prompts.
package struct FieldShape: Sendable, Hashable {
  package var channels: Int
  package var height: Int
  package var width: Int
  package var entries: Int

  package init(channels: Int, height: Int, width: Int, entries: Int) {
    self.channels = channels
    self.height = height
    self.width = width
    self.entries = entries
  }

  package var places: Int { height * width }
  /// Values of one.
  package var count: Int { channels * places }
}

extension FieldShape: CustomStringConvertible {
  package var description: String {
    "\(channels) × \(height) × \(width), told of \(entries == 1 ? "one number" : "\(entries) numbers")"
  }
}

/// N noised fields with their noise levels and conditioners.
package struct FieldBatch: Sendable {
  /// (N, C, H, W).
  package var x: [Float]
  /// (N), each > 0.
  package var sigma: [Float]
  /// (N, entries); all zero is ∅.
  package var labels: [Float]

  package init(x: [Float] = [], sigma: [Float] = [], labels: [Float] = []) {
    self.x = x
    self.sigma = sigma
    self.labels = labels
  }

  package var count: Int { sigma.count }

  package mutating func append(_ x: [Float], _ sigma: Float, _ labels: [Float]) {
    self.x += x
    self.sigma.append(sigma)
    self.labels += labels
  }
}

/// A conditional denoiser D(x, σ, c) of fields.
package protocol FieldDenoiser: Sendable {
  var fieldShape: FieldShape { get }
  var schedule: NoiseSchedule { get }
  /// Whether it has vector–Jacobian products of its own.
  var hasGradients: Bool { get }
  /// Whether what it gives is like a sample, as of a consistency model that takes one step, and no mean of all
  /// pictures that x may have come of: its difference from x is no score.
  var givesEndpoints: Bool { get }

  /// D, (N, C, H, W).
  func denoise(_ batch: FieldBatch) throws -> [Float]

  /// The gradient of Σ cotangent · D by x, (N, C, H, W).
  ///
  /// - Parameter cotangent: (N, C, H, W).
  func gradient(_ batch: FieldBatch, cotangent: [Float]) throws -> [Float]
}
