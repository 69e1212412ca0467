import Diffusion
import Features
import Streams
import Testing

@testable import Interventions

@Suite("Composition in features")
struct FeatureMaskTests {
  static let shape = PictureShape(size: 16, space: .set(words: ["red", "blue", "green"]))
  static let channels = 16

  static func denoiser() throws -> NetworkDenoiser {
    try untrainedDenoiser(
      NetworkDescription(
        .unet(width: 8, conditioning: .channels, normalization: .pixel, attention: false),
        shape: shape), seed: 5)
  }

  static func batch(_ told: [[Float]], sigma: Float = 2) -> NoisedBatch {
    var stream = RandomStream(seed: 2, purpose: .test, index: 0)
    return NoisedBatch(
      x: (0..<told.count * shape.pictureCount).map { _ in sigma * stream.gaussian() },
      sigma: [Float](repeating: sigma, count: told.count), labels: told.flatMap { $0 },
      draws: told.indices.map { UInt64($0) })
  }

  /// Of `rank` directions a word, at two noise levels.
  static func table(_ rank: Int) throws -> SubspaceTable {
    let like = WordSubspaces(
      dimension: channels,
      bases: (0..<3).map { _ in
        FeatureRows(
          (0..<rank).map { row in (0..<channels).map { $0 == row ? 1 : 0 } }, dimension: channels)
      })
    return try SubspaceTable(
      words: ["red", "blue", "green"], sigmas: [1, 10],
      levels: ["encoder.2": [0, 1].map { .random(like: like, seed: 8, index: $0) }])
  }

  static func composed(
    _ projection: FeatureMask.Projection, rest: FeatureMask.Rest = .all, rank: Int = 2,
    beside: Beside = .nothing
  ) throws -> ComposedFeatures {
    try ComposedFeatures(
      base: denoiser(),
      mask: FeatureMask(projection: projection, rest: rest, beside: beside),
      subspaces: table(rank), seed: 4)
  }

  static let told: [[Float]] = [[0, 0, 0], [1, 0, 0], [0, 1, 1], [1, 1, 1]]

  @Test("the machinery alone, and no words, change no bit")
  func identity() throws {
    let batch = Self.batch(Self.told)
    let plain = try Self.denoiser().denoise(batch, threads: 2)
    let whole = try Self.composed(.whole)
    #expect(try whole.denoise(batch, threads: 2) == plain)
    let none = Self.batch([[0, 0, 0]])
    let blank = try Self.denoiser().denoise(none, threads: 1)
    for projection in FeatureMask.Projection.allCases {
      for rest in FeatureMask.Rest.allCases {
        #expect(try Self.composed(projection, rest: rest).denoise(none, threads: 1) == blank)
      }
    }
  }

  @Test("what stands at the level is the sum of projected changes, worked out place by place")
  func formula() throws {
    let base = try Self.denoiser()
    let batch = Self.batch(Self.told)
    let subspaces = try #require(try Self.table(2).subspaces(level: "encoder.2", sigma: 2))
    let count = try base.shape(of: .encoder2).count
    func features(_ told: [[Float]]) throws -> [Double] {
      var other = batch
      other.labels = told.flatMap { $0 }
      return try base.features(other, at: .encoder2, threads: 1).map { Double($0) }
    }
    let none = try features(Self.told.map { _ in [0, 0, 0] })
    for projection in [FeatureMask.Projection.own, .sum] {
      var expected = none
      for word in 0..<3 {
        let one = try features(
          Self.told.map { set in (0..<3).map { $0 == word ? set[word] : 0 } })
        for place in stride(from: 0, to: none.count, by: Self.channels) {
          let change = (place..<place + Self.channels).map { one[$0] - none[$0] }
          let projected =
            projection == .sum ? change : subspaces.projected(change[...], word: word)
          for c in 0..<Self.channels { expected[place + c] += projected[c] }
        }
      }
      let found = try Self.composed(projection).features(batch, threads: 2)
      #expect(found.count == 4 * count)
      for (a, b) in zip(found, expected) { #expect(abs(Double(a) - b) < 1e-4) }
    }
  }

  @Test("with one word a plain sum is the network itself; with several it is not")
  func oneWord() throws {
    let batch = Self.batch(Self.told)
    let plain = try Self.denoiser().denoise(batch, threads: 1)
    let sum = try Self.composed(.sum).denoise(batch, threads: 1)
    let size = Self.shape.pictureCount
    let changes = (0..<4).map { n in
      (n * size..<(n + 1) * size).reduce(Float(0)) { max($0, abs(sum[$1] - plain[$1])) }
    }
    #expect(changes[0] == 0 && changes[1] < 1e-4)
    #expect(changes[2] > 1e-3 && changes[3] > 1e-3)
  }

  @Test("beside each other, one word is the network itself, and two are for a plain sum")
  func besideEachOther() throws {
    let batch = Self.batch(Self.told)
    let size = Self.shape.pictureCount
    let plain = try Self.denoiser().denoise(batch, threads: 1)
    func changes(_ projection: FeatureMask.Projection) throws -> [Float] {
      let found = try Self.composed(projection, beside: .word).denoise(batch, threads: 2)
      return (0..<4).map { n in
        (n * size..<(n + 1) * size).reduce(Float(0)) { max($0, abs(found[$1] - plain[$1])) }
      }
    }
    let own = try changes(.own)
    #expect(own[0] == 0 && own[1] == 0 && own[2] > 1e-3 && own[3] > 1e-3)
    let sum = try changes(.sum)
    #expect(sum[0] == 0 && sum[1] == 0 && sum[2] < 1e-4 && sum[3] > 1e-3)
    #expect(try changes(.whole) == [0, 0, 0, 0])
  }

  @Test("what stands at the level is the mean over words of what all others add beside each")
  func formulaBeside() throws {
    let base = try Self.denoiser()
    let batch = Self.batch([[1, 1, 1]])
    let subspaces = try #require(try Self.table(2).subspaces(level: "encoder.2", sigma: 2))
    func features(_ words: Set<Int>) throws -> [Double] {
      var other = batch
      other.labels = (0..<3).map { words.contains($0) ? 1 : 0 }
      return try base.features(other, at: .encoder2, threads: 1).map { Double($0) }
    }
    let singles = try (0..<3).map { try features([$0]) }
    var expected = [Double](repeating: 0, count: singles[0].count)
    for a in 0..<3 {
      for i in expected.indices { expected[i] += singles[a][i] / 3 }
      for j in 0..<3 where j != a {
        let both = try features([a, j])
        for place in stride(from: 0, to: expected.count, by: Self.channels) {
          let change = (place..<place + Self.channels).map { both[$0] - singles[a][$0] }
          let projected = subspaces.projected(change[...], word: j)
          for c in 0..<Self.channels { expected[place + c] += projected[c] / 3 }
        }
      }
    }
    let found = try Self.composed(.own, beside: .word).features(batch, threads: 2)
    for (a, b) in zip(found, expected) { #expect(abs(Double(a) - b) < 1e-4) }
    let sum = FeatureSum([4, 7, 9], beside: .word)
    #expect(sum.passes == [[4], [7], [9], [4, 7], [4, 9], [7, 9]] && sum.bases == [0, 1, 2])
    #expect(sum.changes.count == 6)
    #expect(FeatureSum([], beside: .word).passes == [[]])
  }

  @Test("subspaces of no dimensions leave nothing of the words; of all dimensions the plain sum")
  func ranks() throws {
    let batch = Self.batch(Self.told)
    var empty = batch
    empty.labels = [Float](repeating: 0, count: batch.labels.count)
    let blank = try Self.denoiser().denoise(empty, threads: 1)
    #expect(
      try Self.composed(.own, rest: .nothing, rank: 0).denoise(batch, threads: 1) == blank)
    let full = try Self.composed(.own, rank: Self.channels).features(batch, threads: 1)
    let sum = try Self.composed(.sum).features(batch, threads: 1)
    for (a, b) in zip(full, sum) { #expect(abs(a - b) < 1e-4) }
  }

  @Test("controls project as much, elsewhere")
  func controls() throws {
    let batch = Self.batch(Self.told)
    let own = try Self.composed(.own).features(batch, threads: 1)
    for projection in [FeatureMask.Projection.permuted, .random] {
      let other = try Self.composed(projection).features(batch, threads: 1)
      #expect(other != own)
      #expect(try Self.composed(projection).features(batch, threads: 3) == other)
    }
    let mask = MaskSpecification(mask: .features, features: FeatureMask())
    func with(
      _ projection: FeatureMask.Projection, _ rest: FeatureMask.Rest = .all,
      beside: Beside = .nothing
    ) -> MaskSpecification {
      MaskSpecification(
        mask: .features,
        features: FeatureMask(projection: projection, rest: rest, beside: beside))
    }
    #expect(with(.random, beside: .word).fault(asControlOf: mask) == .otherMechanism)
    #expect(
      with(.random, beside: .word).fault(asControlOf: with(.own, beside: .word)) == nil)
    #expect(with(.permuted).fault(asControlOf: mask) == nil)
    #expect(with(.random).fault(asControlOf: mask) == nil)
    #expect(with(.sum).fault(asControlOf: mask) == .keepsWhatIsNear)
    #expect(with(.random, .nothing).fault(asControlOf: mask) == .otherMechanism)
    #expect(with(.whole).fault(asControlOf: mask) == .changesNothing)
    // The sum of scores is another way to compose, and no control of what is projected.
    let sum = MaskSpecification(mask: .sum)
    #expect(sum.isRival(of: mask) && sum.fault(asControlOf: mask) == .otherMechanism)
    #expect(!sum.isRival(of: with(.whole)) && !mask.isRival(of: sum))
    #expect(with(.permuted).isControl && with(.random).isControl && with(.whole).isControl)
    #expect(!mask.isControl && !with(.sum).isControl)
  }

  @Test(
    "where each word has channels of its own, words put together through them are the network itself"
  )
  func ownChannels() throws {
    let base = try untrainedDenoiser(
      NetworkDescription(
        .unet(width: 8, conditioning: .words, normalization: .pixel, attention: false),
        shape: Self.shape), seed: 5)
    let own = WordSubspaces(
      dimension: 12,
      bases: (0..<3).map { word in
        FeatureRows(
          (0..<4).map { row in (0..<12).map { $0 == 4 * word + row ? 1 : 0 } }, dimension: 12)
      })
    let table = try SubspaceTable(
      words: ["red", "blue", "green"], sigmas: [1], levels: ["encoder.2": [own]])
    let batch = Self.batch(Self.told)
    let plain = try base.denoise(batch, threads: 1)
    func change(_ projection: FeatureMask.Projection, _ beside: Beside) throws -> Float {
      let found = try ComposedFeatures(
        base: base, mask: FeatureMask(projection: projection, beside: beside), subspaces: table,
        seed: 4
      ).denoise(batch, threads: 1)
      return zip(found, plain).reduce(0) { max($0, abs($1.0 - $1.1)) }
    }
    for beside in Beside.allCases {
      #expect(try change(.own, beside) < 1e-4)
      #expect(try change(.sum, beside) < 1e-4)
      #expect(try change(.permuted, beside) > 1e-3)
    }
  }

  @Test("behind a mask it holds within its range alone, and the check sees that")
  func masked() throws {
    let base = try Self.denoiser()
    let batch = Self.batch(Self.told)
    for projection in FeatureMask.Projection.allCases {
      let features = FeatureMask(projection: projection)
      let masked = try MaskedDenoiser(
        base: base,
        specification: MaskSpecification(
          mask: .features, sigmaLow: 1, sigmaHigh: 5, features: features), fill: [],
        cut: try Self.composed(projection))
      let effect = try checkMask(masked, on: batch, threads: 1)
      #expect((effect.changedShare == 0) == (projection == .whole))
      #expect(
        try checkMask(masked, on: Self.batch(Self.told, sigma: 8), threads: 1).changedShare == 0)
    }
    #expect(throws: MaskError.uncut(.features)) {
      try MaskedDenoiser(
        base: base, specification: MaskSpecification(mask: .features), fill: [])
    }
  }

  @Test("without subspaces, or with those of another network, it is refused")
  func refused() throws {
    let base = try Self.denoiser()
    #expect(throws: MaskError.subspaces(level: "encoder.2", found: [])) {
      try ComposedFeatures(base: base, mask: FeatureMask(), subspaces: nil, seed: 1)
    }
    #expect(throws: MaskError.subspaces(level: "decoder.0", found: ["encoder.2"])) {
      try ComposedFeatures(
        base: base, mask: FeatureMask(level: .decoder0), subspaces: Self.table(1), seed: 1)
    }
    let narrow = WordSubspaces(
      dimension: 2, bases: (0..<3).map { _ in FeatureRows([[1, 0]], dimension: 2) })
    #expect(throws: MaskError.otherSubspaces(found: [3, 2], expected: [3, 16])) {
      try ComposedFeatures(
        base: base, mask: FeatureMask(),
        subspaces: try SubspaceTable(
          words: ["a", "b", "c"], sigmas: [1], levels: ["encoder.2": [narrow]]), seed: 1)
    }
    #expect(throws: MaskError.noGradient(.features)) {
      let batch = Self.batch(Self.told)
      return try Self.composed(.own).vectorJacobian(batch, cotangent: batch.x, threads: 1)
    }
  }

  @Test("subspaces come back from a file as they went, at the nearest noise level")
  func file() throws {
    let table = try Self.table(2)
    let read = try SubspaceTable(data: table.data())
    #expect(read.words == table.words && read.sigmas == table.sigmas)
    for (sigma, place) in [(0.1, 0), (3, 0), (3.5, 1), (80, 1)] {
      let found = try #require(read.subspaces(level: "encoder.2", sigma: sigma))
      let own = try #require(table.levels["encoder.2"])[place]
      for word in 0..<3 { #expect(abs(found.overlap(word, own, word) - 1) < 1e-5) }
    }
    #expect(read.subspaces(level: "encoder.0", sigma: 1) == nil)
    #expect(read.data() == (try SubspaceTable(data: read.data()).data()))
    var bytes = table.data()
    bytes.removeLast(8)
    #expect(throws: (any Error).self) { try SubspaceTable(data: bytes) }
  }
}
