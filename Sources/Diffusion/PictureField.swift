/// A denoiser of square pictures of three channels, as one of fields: what is measured of those is measured of it.
package struct PictureField: FieldDenoiser {
  private let base: any Denoiser
  private let threads: Int

  package init(_ base: any Denoiser, threads: Int) {
    self.base = base
    self.threads = threads
  }

  package var fieldShape: FieldShape {
    let shape = base.shape
    return FieldShape(
      channels: 3, height: shape.size, width: shape.size, entries: shape.conditionerCount)
  }
  package var schedule: NoiseSchedule { base.schedule }
  package var hasGradients: Bool { true }
  package var givesEndpoints: Bool { false }

  package func denoise(_ batch: FieldBatch) throws -> [Float] {
    channelsFirst(try base.denoise(pictures(batch), threads: threads))
  }

  package func gradient(_ batch: FieldBatch, cotangent: [Float]) throws -> [Float] {
    channelsFirst(
      try base.vectorJacobian(
        pictures(batch), cotangent: channelsLast(cotangent), threads: threads
      ).x)
  }

  private func pictures(_ batch: FieldBatch) -> NoisedBatch {
    NoisedBatch(x: channelsLast(batch.x), sigma: batch.sigma, labels: batch.labels)
  }

  /// (N, S, S, 3) to (N, 3, S, S).
  package func channelsFirst(_ values: [Float]) -> [Float] { turned(values, toPlanes: true) }

  private func channelsLast(_ values: [Float]) -> [Float] { turned(values, toPlanes: false) }

  private func turned(_ values: [Float], toPlanes: Bool) -> [Float] {
    transposed(
      values, places: fieldShape.places, channels: PictureShape.channels, toPlanes: toPlanes)
  }
}
