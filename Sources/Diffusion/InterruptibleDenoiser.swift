import Streams

/// Another denoiser, a few pictures at a time, with a look at a request to stop in between: a mask
/// may turn one picture into hundreds of passes.
///
/// How many are few follows from the time that they take. No result depends on it: a picture's
/// does not depend on the rest of its batch.
package struct InterruptibleDenoiser: Denoiser {
  private let base: any Denoiser
  private let checkCancellation: @Sendable () throws -> Void
  private let portion = Portion(aim: .milliseconds(200))

  package init(_ base: any Denoiser, checkCancellation: @escaping @Sendable () throws -> Void) {
    self.base = base
    self.checkCancellation = checkCancellation
  }

  package var shape: PictureShape { base.shape }
  package var labelWindowArea: Double { base.labelWindowArea }
  package var schedule: NoiseSchedule { base.schedule }

  package func denoise(_ batch: NoisedBatch, threads: Int) throws -> [Float] {
    var result: [Float] = []
    result.reserveCapacity(batch.x.count)
    try forEachPortion(of: batch, threads: threads) { some, _ in
      result += try base.denoise(some, threads: threads)
    }
    return result
  }

  package func vectorJacobian(_ batch: NoisedBatch, cotangent: [Float], threads: Int) throws
    -> (x: [Float], labels: [Float])
  {
    try batch.validate(shape, cotangent: cotangent)
    let count = shape.pictureCount
    var result: (x: [Float], labels: [Float]) = ([], [])
    try forEachPortion(of: batch, threads: threads) { some, range in
      let part = try base.vectorJacobian(
        some, cotangent: Array(cotangent[range.lowerBound * count..<range.upperBound * count]),
        threads: threads)
      result.x += part.x
      result.labels += part.labels
    }
    return result
  }

  private func forEachPortion(
    of batch: NoisedBatch, threads: Int, _ body: (NoisedBatch, Range<Int>) throws -> Void
  ) throws {
    try batch.validate(shape)
    var start = 0
    while start < batch.count {
      try checkCancellation()
      let range = start..<min(start + portion.count(threads: threads), batch.count)
      try portion.measure(range.count) {
        try body(range.count == batch.count ? batch : batch.pictures(range, shape), range)
      }
      start = range.upperBound
    }
  }
}
