import Diffusion

/// How much a mask changed.
package struct MaskEffect: Sendable, Hashable {
  /// Share of output values that differ in any bit, 0 … 1.
  package var changedShare: Double
  /// Largest absolute difference of an output value.
  package var largestChange: Float
}

/// Compares a masked denoiser with its base on a batch, bit by bit.
package func maskEffect(_ masked: MaskedDenoiser, on batch: NoisedBatch, threads: Int) throws
  -> MaskEffect
{
  if batch.count == 0 { return MaskEffect(changedShare: 0, largestChange: 0) }
  let before = try requireFinite(masked.base.denoise(batch, threads: threads), masked.shape)
  let after = try masked.denoise(batch, threads: threads)
  if before.count != after.count {
    throw MaskError.baseResult(found: before.count, expected: after.count)
  }
  var changed = 0
  var largest: Float = 0
  for i in before.indices where before[i].bitPattern != after[i].bitPattern {
    changed += 1
    largest = max(largest, abs(before[i] - after[i]))
  }
  return MaskEffect(
    changedShare: Double(changed) / Double(before.count), largestChange: largest)
}

/// Makes sure that a mask does on a batch what its name says, and tells how much it changed.
///
/// - Throws: `MaskError` when the mask changed nothing anywhere, when the identity changed a bit,
///   when a mask changed one at a σ outside its range, or when it leaves nothing of how the labels tell.
///   Without any σ in its range a mask has nothing to change.
package func checkMask(_ masked: MaskedDenoiser, on batch: NoisedBatch, threads: Int) throws
  -> MaskEffect
{
  let specification = masked.specification
  let inside = batch.sigma.indices.filter { specification.applies(at: batch.sigma[$0]) }
  if inside.count < batch.count {
    let outside = batch.sigma.indices.filter { !specification.applies(at: batch.sigma[$0]) }
    let effect = try maskEffect(masked, on: batch.pictures(outside, masked.shape), threads: threads)
    if effect.changedShare > 0 {
      throw MaskError.changedOutside(specification.mask, largest: effect.largestChange)
    }
  }
  let effect = try maskEffect(masked, on: batch.pictures(inside, masked.shape), threads: threads)
  if specification.isIdentity, effect.changedShare > 0 {
    throw MaskError.identityChanged(specification.mask, largest: effect.largestChange)
  }
  if !specification.isIdentity, effect.changedShare == 0, !inside.isEmpty {
    throw MaskError.changedNothing(specification.mask)
  }
  if !specification.isIdentity,
    try ignoresLabels(masked, on: batch.pictures(inside, masked.shape), threads: threads)
  {
    throw MaskError.ignoresLabels(specification.mask)
  }
  let share = Double(inside.count) / Double(max(batch.count, 1))
  return MaskEffect(
    changedShare: effect.changedShare * share, largestChange: effect.largestChange)
}

/// Whether labels that are exchanged between pictures change the base's output and not the masked one's.
private func ignoresLabels(_ masked: MaskedDenoiser, on batch: NoisedBatch, threads: Int) throws
  -> Bool
{
  let size = masked.shape.conditionerCount
  var exchanged = batch
  exchanged.labels = Array(batch.labels.suffix(size) + batch.labels.dropLast(size))
  func isMoved(_ denoiser: any Denoiser) throws -> Bool {
    try denoiser.denoise(batch, threads: threads) != denoiser.denoise(exchanged, threads: threads)
  }
  return try !isMoved(masked) && isMoved(masked.base)
}
