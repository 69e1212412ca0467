import Formats
import Foundation
import Streams
import Tensors
import Testing

@testable import Diffusion

@Suite("Paths of non-local dependence inside a network")
struct PathTests {
  private static let small = PictureShape(size: 16, cells: 8)

  private static func set(_ shape: PictureShape, count: Int) throws -> TrainingSet {
    var stream = RandomStream(seed: 1, purpose: .test, index: 0)
    return try TrainingSet(
      shape: shape,
      pixels: (0..<count * shape.pictureCount).map { _ in UInt8(stream.integer(below: 256)) },
      conditioners: (0..<count * shape.conditionerCount).map { $0 % 11 == 0 ? 1 : 0 })
  }

  private static func network(
    _ shape: PictureShape, width: Int = 8,
    normalization: NetworkDescription.Normalization = .group, attention: Bool = true
  ) throws -> NetworkDenoiser {
    try untrainedDenoiser(
      NetworkDescription(
        .unet(
          width: width, conditioning: .grid, normalization: normalization, attention: attention),
        shape: shape), seed: 2)
  }

  private static func moments(
    _ denoiser: NetworkDenoiser, sigmas: [Float] = [0.1, 1, 10], count: Int = 3, threads: Int = 2
  ) throws -> NormMoments {
    let law = NoisedLaw(try set(denoiser.shape, count: 4), .single, count: count, seed: 5)
    return try NormMoments(of: denoiser, on: law, sigmas: sigmas, threads: threads)
  }

  /// The blocks of this network reach 46 px; 60 are beyond that, the tiles of its convolutions included.
  @Test(
    "without its paths a U-Net depends on nothing far away, bit for bit; with one of them it does",
    arguments: [
      (NetworkDescription.Normalization.group, false, NetworkPath.statistics),
      (.pixel, true, .attention), (.group, true, .both),
    ])
  func reach(
    normalization: NetworkDescription.Normalization, attention: Bool, path: NetworkPath
  ) throws {
    let shape = PictureShape(size: 124, cells: 4)
    let base = try Self.network(
      shape, width: 4, normalization: normalization, attention: attention)
    let moments =
      path.cutsStatistics ? try Self.moments(base, sigmas: [1], count: 1) : nil
    var stream = RandomStream(seed: 3, purpose: .test, index: 0)
    let batch = NoisedBatch(
      x: (0..<shape.pictureCount).map { _ in stream.gaussian() }, sigma: [1],
      labels: [Float](repeating: 0, count: 16))
    var moved = batch
    for row in 100..<124 {
      for column in 100..<124 {
        for c in 0..<3 { moved.x[(row * 124 + column) * 3 + c] += 2 }
      }
    }
    func changed(_ denoiser: NetworkDenoiser, _ rows: Range<Int>) throws -> Int {
      let (a, b) = (
        try denoiser.denoise(batch, threads: 2), try denoiser.denoise(moved, threads: 2)
      )
      return rows.reduce(0) { sum, row in
        sum + rows.filter { a[(row * 124 + $0) * 3] != b[(row * 124 + $0) * 3] }.count
      }
    }
    let cut = try base.cutting(path, moments: moments)
    #expect(try changed(cut, 0..<40) == 0)
    #expect(try changed(base, 0..<40) > 400)
    #expect(try changed(cut, 104..<120) == 256)
    // Of two paths, one that is left is enough.
    if path == .both {
      for left in [NetworkPath.statistics, .attention] {
        #expect(try changed(base.cutting(left, moments: moments), 0..<40) > 400, "\(left)")
      }
    }
  }

  @Test("norms that are frozen at a picture's own statistics leave it as it is, up to rounding")
  func ownStatistics() throws {
    let base = try Self.network(Self.small)
    let law = NoisedLaw(try Self.set(Self.small, count: 1), .all, count: 1, seed: 5)
    func difference(_ on: NoisedLaw, _ sigmas: [Float]) throws -> Float {
      let moments = try NormMoments(of: base, on: on, sigmas: sigmas, threads: 1)
      let batch = law.batch(sigma: 1)
      let cut = try base.cutting(.statistics, moments: moments).denoise(batch, threads: 1)
      return zip(cut, try base.denoise(batch, threads: 1)).reduce(0) { max($0, abs($1.0 - $1.1)) }
    }
    #expect(try difference(law, [1]) < 1e-4)
    #expect(try difference(law, [0.5, 1, 2]) < 1e-4)
    // Those of another noise level, or of other noise, do not.
    #expect(try difference(law, [5]) > 1e-3)
    let other = NoisedLaw(try Self.set(Self.small, count: 1), .all, count: 1, seed: 6)
    #expect(try difference(other, [1]) > 1e-3)
  }

  @Test(
    "gradients through a cut path agree with finite differences", arguments: NetworkPath.allCases)
  func gradients(path: NetworkPath) throws {
    let base = try Self.network(Self.small)
    let cut = try base.cutting(path, moments: try Self.moments(base))
    var stream = RandomStream(seed: 4, purpose: .test, index: 0)
    let batch = NoisedBatch(
      x: (0..<2 * Self.small.pictureCount).map { _ in stream.gaussian() }, sigma: [0.3, 4],
      labels: (0..<128).map { $0 % 40 == 3 ? 1 : 0 })
    let cotangent = batch.x.map { _ in stream.gaussian() }
    let gradient = try cut.vectorJacobian(batch, cotangent: cotangent, threads: 2)
    func loss(_ moved: NoisedBatch) throws -> Double {
      zip(try cut.denoise(moved, threads: 2), cotangent).reduce(0) {
        $0 + Double($1.0) * Double($1.1)
      }
    }
    func check(_ part: WritableKeyPath<NoisedBatch, [Float]>, _ gradient: [Float]) throws {
      let direction = gradient.map { _ in stream.gaussian() }
      let step: Float = 1e-2
      let ends = try [step, -step].map { h in
        var moved = batch
        for i in direction.indices { moved[keyPath: part][i] += h * direction[i] }
        return try loss(moved)
      }
      let difference = (ends[0] - ends[1]) / (2 * Double(step))
      let expected = zip(gradient, direction).reduce(0) { $0 + Double($1.0) * Double($1.1) }
      let norms = [gradient, direction].map {
        $0.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
      }
      #expect(abs(difference - expected) < 2e-3 * norms[0] * norms[1], "\(part)")
    }
    try check(\.x, gradient.x)
    try check(\.labels, gradient.labels)
    // The paths were there: the base's gradient is another one.
    let plain = try base.vectorJacobian(batch, cotangent: cotangent, threads: 2)
    #expect(zip(plain.x, gradient.x).contains { abs($0 - $1) > 1e-3 })
  }

  @Test("moments are linear in ln σ between measured levels, and the last ones beyond")
  func levels() throws {
    let moments = try Self.moments(try Self.network(Self.small), sigmas: [0.1, 1, 10])
    func mean(_ sigma: Double) -> Float { moments.at(logSigma: Float(log(sigma)))[3].means[1] }
    #expect(mean(0.1) != mean(1) && mean(1) != mean(10))
    #expect(mean(0.001) == mean(0.1) && mean(80) == mean(10))
    let middle = (mean(1) + mean(10)) / 2
    #expect(abs(mean(10.squareRoot()) - middle) < 1e-5 * max(1, abs(middle)))
    // Each measured level is what it is alone.
    let alone = try Self.moments(try Self.network(Self.small), sigmas: [1])
    #expect(alone.at(logSigma: 3)[3].means[1] == mean(1))
  }

  @Test("the same moments for any number of threads, through their file, and of one network alone")
  func files() throws {
    let base = try Self.network(Self.small)
    let moments = try Self.moments(base, threads: 1)
    #expect(try Self.moments(base, threads: 3) == moments)
    #expect(try NormMoments(data: moments.data()) == moments)
    #expect(throws: NetworkPathError.moments("are those of another network")) {
      try Self.network(Self.small, attention: false).cutting(.statistics, moments: moments)
    }
    #expect(throws: NetworkPathError.moments("are missing")) {
      try base.cutting(.both, moments: nil)
    }
    var file = try Safetensors(data: moments.data())
    file.tensors["head_norm.mean"]?.shape = [3, 2]
    file.tensors["head_norm.mean"]?.values.removeLast(6)
    #expect(throws: FormatError.self) { try NormMoments(data: file.data()) }
    file.tensors["head_norm.variance"] = file.tensors["head_norm.mean"].map {
      Safetensors.Tensor(shape: $0.shape, values: $0.values.map(abs))
    }
    let narrow = try NormMoments(data: file.data())
    #expect(throws: NetworkPathError.self) { try base.cutting(.statistics, moments: narrow) }
  }

  @Test("a path that a network has not got is refused with those that it has")
  func missing() throws {
    let without = try Self.network(Self.small, attention: false)
    #expect(throws: NetworkPathError.missing(.both, found: [.statistics])) {
      try without.cutting(.both, moments: try Self.moments(without))
    }
    let local = try untrainedDenoiser(
      NetworkDescription(.local(width: 8, dilations: [1]), shape: Self.small), seed: 1)
    #expect(throws: NetworkPathError.missing(.attention, found: [])) {
      try local.cutting(.attention, moments: nil)
    }
  }
}
