import Diffusion
import Features
import Foundation
import Streams

/// A network whose features at a level are put together word by word: K + 1 passes as far as that level, or K (K +
/// 1) / 2 where words are told beside each other, and one through all of it.
package struct ComposedFeatures: Denoiser {
  private let base: NetworkDenoiser
  private let mask: FeatureMask
  private let level: LevelShape
  /// Of each of `sigmas`, ascending, and each word: (r, C), or none where nothing is projected.
  private let bases: [[[Float]]]
  private let logSigmas: [Double]

  /// Passes that go to the network at a time: bounds the memory, not the result.
  private static let chunk = 256

  /// - Parameters:
  ///   - subspaces: of the level's channels, where the mask projects.
  ///   - seed: of random subspaces and of words that trade theirs.
  /// - Throws: `NetworkLevelError` for a level that the network does not have, `MaskError` without subspaces.
  package init(
    base: NetworkDenoiser, mask: FeatureMask, subspaces table: SubspaceTable?, seed: UInt64
  ) throws {
    self.base = base
    self.mask = mask
    level = try base.shape(of: mask.level)
    guard mask.needsSubspaces else {
      (bases, logSigmas) = ([], [])
      return
    }
    let name = mask.level.rawValue
    guard let table, let all = table.levels[name] else {
      throw MaskError.subspaces(
        level: name, found: table.map { $0.levels.keys.sorted() } ?? [])
    }
    let words = base.shape.conditionerCount
    for one in all where one.bases.count != words || one.dimension != level.channels {
      throw MaskError.otherSubspaces(
        found: [one.bases.count, one.dimension], expected: [words, level.channels])
    }
    logSigmas = table.sigmas.map { log($0) }
    let other = Self.derangement(words, seed: seed)
    bases = all.enumerated().map { place, subspaces in
      let chosen: WordSubspaces =
        mask.projection == .random
        ? .random(like: subspaces, seed: seed, index: UInt64(place)) : subspaces
      return (0..<words).map { word in
        let source = mask.projection == .permuted ? other[word] : word
        return chosen.bases[source].values.map { Float($0) }
      }
    }
  }

  /// To each word another one: round a circle in a random order.
  private static func derangement(_ words: Int, seed: UInt64) -> [Int] {
    var order = Array(0..<words)
    var stream = RandomStream(seed: seed, purpose: .tradedSubspaces, index: 0)
    stream.shuffle(&order)
    var other = Array(0..<words)
    for place in 0..<words { other[order[place]] = order[(place + 1) % words] }
    return other
  }

  package var shape: PictureShape { base.shape }
  package var labelWindowArea: Double { base.labelWindowArea }
  package var schedule: NoiseSchedule { base.schedule }

  package func denoise(_ batch: NoisedBatch, threads: Int) throws -> [Float] {
    try batch.validate(shape)
    let words = shape.conditionerCount
    let most = mask.beside == .word ? words * (words + 1) / 2 : words + 1
    var result: [Float] = []
    result.reserveCapacity(batch.x.count)
    let portion = max(1, Self.chunk / most)
    for start in stride(from: 0, to: batch.count, by: portion) {
      let part = batch.pictures(start..<min(start + portion, batch.count), shape)
      var last = part
      if mask.rest == .nothing { last.labels = [Float](repeating: 0, count: part.labels.count) }
      result += try base.denoise(
        last, replacing: mask.level, with: try features(part, threads: threads), threads: threads)
    }
    return result
  }

  package func vectorJacobian(_ batch: NoisedBatch, cotangent: [Float], threads: Int) throws
    -> (x: [Float], labels: [Float])
  {
    throw MaskError.noGradient(.features)
  }

  /// What stands at the level, (N, H, W, C).
  func features(_ batch: NoisedBatch, threads: Int) throws -> [Float] {
    if mask.projection == .whole {
      return try base.features(batch, at: mask.level, threads: threads)
    }
    let count = shape.conditionerCount
    let told = (0..<batch.count).map { n in
      (0..<count).filter { batch.labels[n * count + $0] != 0 }
    }
    let sums = told.map { FeatureSum($0, beside: mask.beside) }
    var passes = NoisedBatch(x: [], sigma: [], labels: [])
    for n in 0..<batch.count {
      var pass = batch.pictures([n], shape)
      for words in sums[n].passes {
        pass.labels = [Float](repeating: 0, count: count)
        for word in words { pass.labels[word] = batch.labels[n * count + word] }
        passes.append(pass)
      }
    }
    let made = try base.features(passes, at: mask.level, threads: threads)
    var result = [Float](repeating: 0, count: batch.count * level.count)
    result.withUnsafeMutableBufferPointer { result in
      made.withUnsafeBufferPointer { made in
        var first = 0
        for n in 0..<batch.count {
          let target = n * level.count
          for (place, pass) in sums[n].bases.enumerated() {
            let base = (first + pass) * level.count
            for i in 0..<level.count {
              let value = made[base + i]
              result[target + i] = place == 0 ? value : result[target + i] + value
            }
          }
          let bases = bases(at: batch.sigma[n])
          for change in sums[n].changes {
            add(
              made, (first + change.with) * level.count,
              less: (first + change.without) * level.count,
              through: bases?[change.word], to: result, target)
          }
          let share = 1 / Float(sums[n].bases.count)
          if share < 1 { for i in 0..<level.count { result[target + i] *= share } }
          first += sums[n].passes.count
        }
      }
    }
    return result
  }

  /// Those of the nearest σ at which they were measured; `nil` where nothing is projected.
  private func bases(at sigma: Float) -> [[Float]]? {
    let logSigma = log(Double(sigma))
    return logSigmas.indices.min { abs(logSigmas[$0] - logSigma) < abs(logSigmas[$1] - logSigma) }
      .map { bases[$0] }
  }

  /// Adds the difference of a pass from another, place by place, through a basis of channels if there is one.
  private func add(
    _ made: UnsafeBufferPointer<Float>, _ first: Int, less empty: Int, through basis: [Float]?,
    to result: UnsafeMutableBufferPointer<Float>, _ target: Int
  ) {
    guard let basis else {
      for i in 0..<level.count { result[target + i] += made[first + i] - made[empty + i] }
      return
    }
    let channels = level.channels
    for place in stride(from: 0, to: level.count, by: channels) {
      for row in stride(from: 0, to: basis.count, by: channels) {
        var part: Float = 0
        for c in 0..<channels {
          part += basis[row + c] * (made[first + place + c] - made[empty + place + c])
        }
        for c in 0..<channels { result[target + place + c] += part * basis[row + c] }
      }
    }
  }
}

/// The passes of a picture as far as a level, and how their features are added up.
struct FeatureSum: Equatable {
  struct Change: Equatable {
    /// Of two passes, and by which word the first is told more.
    var with: Int
    var without: Int
    var word: Int
  }
  /// The words that each is told.
  private(set) var passes: [[Int]]
  /// Passes that are added as they are; the sum of all is divided by their number.
  private(set) var bases: [Int]
  private(set) var changes: [Change] = []

  /// - Parameter words: that are asked for.
  init(_ words: [Int], beside: Beside) {
    if beside == .nothing || words.isEmpty {
      passes = [[]] + words.map { [$0] }
      bases = [0]
      changes = words.enumerated().map { Change(with: $0 + 1, without: 0, word: $1) }
      return
    }
    passes = words.map { [$0] }
    bases = Array(words.indices)
    for first in words.indices {
      for second in words.indices where second > first {
        passes.append([words[first], words[second]])
        let both = passes.count - 1
        changes += [
          Change(with: both, without: first, word: words[second]),
          Change(with: both, without: second, word: words[first]),
        ]
      }
    }
  }
}
