import Foundation
import Synchronization
import Testing

@testable import Streams

@Suite("Random streams")
struct RandomStreamTests {
  /// Known answers of Random123 (kat_vectors, philox4x32 10).
  /// That no two are equal the compiler sees; a number that changed would change results unnoticed.
  @Test("purposes keep their numbers")
  func purposes() {
    let text = RandomPurpose.allCases.map { "\($0) \(String($0.rawValue, radix: 16))" }
    #expect(
      text.joined(separator: "\n") == """
        test 1
        test2 2
        test3 3
        test4 4
        test9 9
        kernelTimes 101
        benchmark 102
        initialization 1001
        training 1002
        untrained 1003
        tuning 1004
        patches 1005
        scenes 2001
        bootstrap 4001
        permutation 4002
        layouts 4003
        noise 4004
        judgeScenes 4005
        judgeHeldOut 4006
        judgeCalibration 4007
        judgeTraining 4008
        judgeWeights 4009
        judgeBackground 400a
        layoutDraws 400b
        askedWords 400d
        wordRenders 400e
        sharedNoise 400f
        varianceParts 4010
        featureRenders 4011
        renderHalves 4012
        frechetBootstrap 4013
        fill 5001
        fillDraw 5002
        keptLabels 5003
        strengths 5004
        normMoments 5005
        tradedSubspaces 5006
        regionNoise 5007
        movedRegions 5008
        probeNoise 6001
        probePixels 6002
        probeBootstrap 6003
        movedLabels 6004
        fieldPlaces 6005
        conceptNoise 6006
        shownNoise 6007
        maskCheck 7001
        fillPictures 7002
        probeScenes 7003
        calibrationScenes 7004
        agreementScenes 7005
        heldOutLabels 7006
        heldOutNoise 7007
        subset 7008
        ground 7009
        blindTiles 700a
        posteriorScenes 700b
        posteriorInputs 700c
        posteriorNoise 700d
        featurePictures 700e
        wordedScenes 700f
        featureNoise 7010
        featurePlaces 7011
        externalCheck 7012
        fieldConcepts 7013
        fieldNoise 7014
        fieldNoising 7015
        featureMap 8001
        exactDraws 8002
        composedDraws 8003
        blockDraws 8004
        sampler 8005
        worldInputs 8006
        wordExchange 9001
        randomSubspaces 9002
        """)
  }

  @Test("Philox gives the published vectors")
  func philox() {
    let zero = RandomStream.philox(counter: SIMD4(), key: SIMD2())
    #expect(zero == SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
    let ones = RandomStream.philox(
      counter: SIMD4(repeating: .max), key: SIMD2(repeating: .max))
    #expect(ones == SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
    let pi = RandomStream.philox(
      counter: SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344),
      key: SIMD2(0xa409_3822, 0x299f_31d0))
    #expect(pi == SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
  }

  @Test("streams of other seeds, purposes and indices differ; the same stream repeats")
  func independence() {
    func first(_ seed: UInt64, _ purpose: RandomPurpose, _ index: UInt64) -> [UInt32] {
      var stream = RandomStream(seed: seed, purpose: purpose, index: index)
      return (0..<8).map { _ in stream.nextUInt32() }
    }
    #expect(first(1, .test, 3) == first(1, .test, 3))
    let others = [
      first(1, .test, 3), first(2, .test, 3), first(1, .scenes, 3), first(1, .test, 4),
      first(1, .test, 1 << 40),
    ]
    #expect(Set(others).count == others.count)
  }

  /// 200,000 draws: a moment's standard error is known, five of them are allowed.
  @Test("Gaussian numbers have the moments of the normal distribution")
  func gaussian() {
    var stream = RandomStream(seed: 7, purpose: .test, index: 0)
    let n = 200_000.0
    var sums = [0.0, 0, 0, 0]
    for _ in 0..<Int(n) {
      let x = Double(stream.gaussian())
      sums[0] += x
      sums[1] += x * x
      sums[2] += x * x * x
      sums[3] += x * x * x * x
    }
    let deviations = [1.0, 2.0.squareRoot(), 15.0.squareRoot(), 96.0.squareRoot()]
    for (i, expected) in [0.0, 1, 0, 3].enumerated() {
      #expect(abs(sums[i] / n - expected) < 5 * deviations[i] / n.squareRoot())
    }
  }

  @Test("integers below a bound are uniform (χ² with 6 degrees of freedom)")
  func integers() {
    var stream = RandomStream(seed: 9, purpose: .test, index: 0)
    var counts = [Int](repeating: 0, count: 7)
    for _ in 0..<70_000 { counts[stream.integer(below: 7)] += 1 }
    let chi = counts.reduce(0.0) { $0 + pow(Double($1) - 10_000, 2) / 10_000 }
    // The 99.99 % point is 27.9.
    #expect(chi < 27.9)
  }

  @Test("parallel calls every item once, whatever the threads", arguments: [1, 2, 3, 7])
  func parallelItems(threads: Int) {
    let counts = Mutex([Int](repeating: 0, count: 1000))
    parallel(1000, threads: threads) { item, worker in
      counts.withLock { $0[item] += 1 + (worker < threads ? 0 : 100) }
    }
    #expect(counts.withLock { $0.allSatisfy { $0 == 1 } })
  }
}
