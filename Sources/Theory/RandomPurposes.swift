import Tensors

extension RandomPurpose {
  static let featureMap = RandomPurpose(0x8001)
  /// Pictures noised to measure violations on; drawn from p(x ∣ c) and from what is composed.
  static let exactDraws = RandomPurpose(0x8002)
  static let composedDraws = RandomPurpose(0x8003)
  static let blockDraws = RandomPurpose(0x8004)
  static let sampler = RandomPurpose(0x8005)
}
