import Diffusion

/// A pass of one picture of the batch.
struct MaskJob {
  var picture: Int
  var pass: MaskPass
}

/// The passes of a whole batch in a row, and how they make its outputs.
struct MaskExpansion {
  /// Sorted by picture.
  private(set) var jobs: [MaskJob] = []
  private let plans: [PassPlan]
  private let order: ValueOrder
  /// For each picture and each pass of its plan the job, or none where the pass is not needed.
  private var place: [[Int?]] = []
  /// For each job which pass of its picture it is.
  private var passes: [Int] = []

  /// - Parameter cotangent: of the batch's outputs: passes whose outputs all have cotangent 0 are left out,
  ///   as their gradient is 0. `nil`: all passes.
  init(_ plans: [PassPlan], cotangent: [Float]? = nil, _ order: ValueOrder) {
    self.plans = plans
    self.order = order
    for (picture, plan) in plans.enumerated() {
      let own = picture * order.count..<(picture + 1) * order.count
      let needed = cotangent.map { Self.needed(plan, $0[own], order) }
      var jobOfPass: [Int?] = []
      for (index, pass) in plan.passes.enumerated() {
        if needed?[index] == false {
          jobOfPass.append(nil)
        } else {
          jobOfPass.append(jobs.count)
          jobs.append(MaskJob(picture: picture, pass: pass))
          passes.append(index)
        }
      }
      place.append(jobOfPass)
    }
  }

  private static func needed(_ plan: PassPlan, _ cotangent: ArraySlice<Float>, _ order: ValueOrder)
    -> [Bool]
  {
    guard case .stitched(let choice) = plan.combination else {
      return [Bool](
        repeating: cotangent.contains { $0 != 0 }, count: plan.passes.count)
    }
    var needed = [Bool](repeating: false, count: plan.passes.count)
    for (place, pass) in choice.enumerated() {
      let start = cotangent.startIndex + place * order.placeStride
      for c in 0..<order.channels where cotangent[start + c * order.channelStride] != 0 {
        needed[pass] = true
      }
    }
    return needed
  }

  /// Makes the batch's outputs, which are 0 at first, of those of some jobs.
  func combine(_ chunk: Range<Int>, from outputs: [Float], into result: inout [Float]) {
    outputs.withUnsafeBufferPointer { outputs in
      result.withUnsafeMutableBufferPointer { result in
        forEachValue(
          chunk, stitched: { result[$0] = outputs[$1] },
          weighted: { result[$0] += $2 * outputs[$1] })
      }
    }
  }

  /// The transposed: hands a batch's cotangent out to the outputs of some jobs, which are 0 at first.
  func spread(_ cotangent: [Float], over chunk: Range<Int>, into outputs: inout [Float]) {
    cotangent.withUnsafeBufferPointer { cotangent in
      outputs.withUnsafeMutableBufferPointer { outputs in
        forEachValue(
          chunk, stitched: { outputs[$1] = cotangent[$0] },
          weighted: { outputs[$1] = $2 * cotangent[$0] })
      }
    }
  }

  /// Every value that a job in `chunk` has a part in, by its positions in the batch and in the chunk. Of a
  /// stitched picture a value comes up in at most one chunk.
  @inline(__always)
  private func forEachValue(
    _ chunk: Range<Int>, stitched: (_ inBatch: Int, _ inChunk: Int) -> Void,
    weighted: (_ inBatch: Int, _ inChunk: Int, _ weight: Float) -> Void
  ) {
    guard let first = chunk.first, let last = chunk.last else { return }
    let (channels, size) = (order.channels, order.count)
    let (placeStride, channelStride) = (order.placeStride, order.channelStride)
    for picture in jobs[first].picture...jobs[last].picture {
      switch plans[picture].combination {
      case .stitched(let choice):
        let jobOfPass = place[picture]
        choice.withUnsafeBufferPointer { choice in
          for place in 0..<choice.count {
            guard let job = jobOfPass[choice[place]], chunk.contains(job) else { continue }
            let inBatch = picture * size + place * placeStride
            let inChunk = (job - first) * size + place * placeStride
            for c in 0..<channels {
              stitched(inBatch + c * channelStride, inChunk + c * channelStride)
            }
          }
        }
      case .weighted(let weights):
        for job in chunk where jobs[job].picture == picture {
          let weight = weights[passes[job]]
          for i in 0..<size { weighted(picture * size + i, (job - first) * size + i, weight) }
        }
      }
    }
  }
}
