import Diffusion

/// A pass of one picture of the batch.
struct MaskJob {
  var picture: Int
  var pass: MaskPass
}

/// The passes of a whole batch in a row, and which of them every output pixel is taken from.
struct MaskExpansion {
  /// Sorted by picture.
  private(set) var jobs: [MaskJob] = []
  private let plans: [PassPlan]
  /// For each picture and each pass of its plan the job, or none where the pass is not needed.
  private var place: [[Int?]] = []

  /// - Parameter cotangent: (N, S, S, 3): passes whose outputs all have cotangent 0 are left out,
  ///   as their gradient is 0. `nil`: all passes.
  init(_ plans: [PassPlan], cotangent: [Float]? = nil) {
    self.plans = plans
    for (picture, plan) in plans.enumerated() {
      let needed = cotangent.map { Self.needed(plan, picture, $0) }
      var jobOfPass: [Int?] = []
      for (index, pass) in plan.passes.enumerated() {
        if needed?[index] == false {
          jobOfPass.append(nil)
        } else {
          jobOfPass.append(jobs.count)
          jobs.append(MaskJob(picture: picture, pass: pass))
        }
      }
      place.append(jobOfPass)
    }
  }

  private static func needed(_ plan: PassPlan, _ picture: Int, _ cotangent: [Float]) -> [Bool] {
    var needed = [Bool](repeating: false, count: plan.passes.count)
    let channels = PictureShape.channels
    let start = picture * plan.choice.count * channels
    for (pixel, pass) in plan.choice.enumerated() {
      for i in start + pixel * channels..<start + (pixel + 1) * channels where cotangent[i] != 0 {
        needed[pass] = true
      }
    }
    return needed
  }

  /// Calls `body` for each pixel whose pass is one of the jobs in `chunk`, with the positions of
  /// its first value in the batch and in the chunk. Every pixel of the batch comes up in at most
  /// one chunk.
  @inline(__always)
  func forEachPixel(_ chunk: Range<Int>, _ body: (_ inBatch: Int, _ inChunk: Int) -> Void) {
    guard let first = chunk.first, let last = chunk.last else { return }
    let channels = PictureShape.channels
    for picture in jobs[first].picture...jobs[last].picture {
      let jobOfPass = place[picture]
      plans[picture].choice.withUnsafeBufferPointer { choice in
        let count = choice.count
        for pixel in 0..<count {
          guard let job = jobOfPass[choice[pixel]], chunk.contains(job) else { continue }
          body(
            (picture * count + pixel) * channels, ((job - first) * count + pixel) * channels)
        }
      }
    }
  }
}
