// Norm, modulation and SiLU in one pass: x is (H, W, C), y is (H, W, C) inside its border;
// gamma, beta are (C); modulation is (2C): scale, then shift.
//
// y = silu((1 + scale) · (gamma · (x − mean) · rstd + beta) + shift). For every kind of norm but `pixel`
// that is one multiply-add a value with coefficients a channel.

import Vectors

/// How a layer is normalised.
package enum NormalizationKind: Sendable, Hashable {
  case none
  /// Mean and variance over the whole picture and C / groups channels: carries information across
  /// space. ε is that of PyTorch's GroupNorm.
  case group(Int)
  /// Root mean square over the channels of one pixel, ε = 1e-4, no parameters (EDM2).
  case pixel
}

/// Statistics and coefficients of one picture, kept from the forward to the backward pass.
///
/// For C padded channels: mean, rstd, a, b (4 C); `pixel` keeps the scale and shift in a and b.
struct NormalizationState {
  let mean: UnsafeMutablePointer<Float>
  let rstd: UnsafeMutablePointer<Float>
  let a: UnsafeMutablePointer<Float>
  let b: UnsafeMutablePointer<Float>

  init(_ base: UnsafeMutablePointer<Float>, channels: Int) {
    mean = base
    rstd = base + channels
    a = base + 2 * channels
    b = base + 3 * channels
  }

  static func count(channels: Int) -> Int { 4 * paddedChannels(channels) }
}

/// What scales and shifts a normalised picture; each may be missing.
struct Affine {
  var gamma: UnsafePointer<Float>?
  var beta: UnsafePointer<Float>?
  var modulation: UnsafePointer<Float>?
}

/// PyTorch's.
let groupEpsilon: Float = 1e-5

func normalize(
  _ x: Field, into y: Field, kind: NormalizationKind, affine: Affine, silu: Bool,
  state: NormalizationState
) {
  switch kind {
  case .group(let groups): groupStatistics(x, groups: groups, state: state)
  case .none, .pixel:
    for c in 0..<x.channels {
      state.mean[c] = 0
      state.rstd[c] = 1
    }
  }
  scaleAndShift(x, into: y, kind: kind, affine: affine, silu: silu, state: state)
}

/// `normalize` by the mean and rstd in `state`.
func scaleAndShift(
  _ x: Field, into y: Field, kind: NormalizationKind, affine: Affine, silu: Bool,
  state: NormalizationState
) {
  let count = x.channels
  for c in 0..<count {
    let scale = 1 + (affine.modulation?[c] ?? 0)
    let shift = affine.modulation?[count + c] ?? 0
    let gain = (affine.gamma?[c] ?? 1) * state.rstd[c]
    state.a[c] = gain * scale
    state.b[c] = ((affine.beta?[c] ?? 0) - gain * state.mean[c]) * scale + shift
  }
  for c in count..<x.pixelStride {
    state.a[c] = 0
    state.b[c] = 0
  }
  if kind == .pixel {
    normalizePixels(x, into: y, silu: silu, state: state)
  } else {
    applyAffine(x, into: y, silu: silu, state: state)
  }
}

/// Gradients of `normalize`. `dy` is overwritten; `dx` is set, or added to when `accumulate`.
///
/// `dGamma` and `dBeta` are added to, `dModulation` is set.
func normalizeBackward(
  _ x: Field, _ dy: Field, into dx: Field?, accumulate: Bool, kind: NormalizationKind,
  affine: Affine, silu: Bool, state: NormalizationState, dGamma: UnsafeMutablePointer<Float>?,
  dBeta: UnsafeMutablePointer<Float>?, dModulation: UnsafeMutablePointer<Float>?
) {
  let count = x.channels
  let padded = x.pixelStride
  withUnsafeTemporaryAllocation(of: Float.self, capacity: 4 * padded) { scratch in
    guard let s0 = scratch.baseAddress else { return }
    let s1 = s0 + padded
    if kind == .pixel {
      normalizePixelsBackward(
        x, dy, into: dx, accumulate: accumulate, silu: silu, state: state, s0, s1)
    } else {
      activationSums(x, dy, silu: silu, state: state, s0, s1)
    }
    if let dModulation {
      for c in 0..<count {
        let gamma = affine.gamma?[c] ?? 1
        let beta = affine.beta?[c] ?? 0
        dModulation[c] = gamma * s1[c] + beta * s0[c]
        dModulation[count + c] = s0[c]
      }
    }
    for c in 0..<count {
      let scale = 1 + (affine.modulation?[c] ?? 0)
      if let dGamma { dGamma[c] += scale * s1[c] }
      if let dBeta { dBeta[c] += scale * s0[c] }
    }
    guard kind != .pixel, let dx else { return }
    // dx = a · dz + p · x + q, with p and q from the means over the group.
    let p = s1 + padded
    let q = p + padded
    for c in 0..<padded {
      p[c] = 0
      q[c] = 0
    }
    if case .group(let groups) = kind {
      let size = count / groups
      let elements = Float(x.height * x.width * size)
      for g in 0..<groups {
        var m1: Float = 0
        var m2: Float = 0
        for c in g * size..<(g + 1) * size {
          let gain = state.a[c] / state.rstd[c]
          m1 += gain * s0[c]
          m2 += gain * s1[c]
        }
        let mean = state.mean[g * size]
        let rstd = state.rstd[g * size]
        for c in g * size..<(g + 1) * size {
          p[c] = -rstd * rstd * m2 / elements
          q[c] = -rstd * m1 / elements - p[c] * mean
        }
      }
    }
    combine(x, dy, into: dx, accumulate: accumulate, a: state.a, p: p, q: q)
  }
}

/// Mean and reciprocal standard deviation a group, in two passes: one pass over x² would cancel.
private func groupStatistics(_ x: Field, groups: Int, state: NormalizationState) {
  let size = x.channels / groups
  let elements = Float(x.height * x.width * size)
  channelSums(x, into: state.a) { value, _ in value }
  fold(state.a, groups: groups, size: size, into: state.mean) { $0 / elements }
  let mean = state.mean
  for c in x.channels..<x.pixelStride { mean[c] = 0 }
  channelSums(x, into: state.a) { value, block in
    let d = value - load(mean + block)
    return d * d
  }
  fold(state.a, groups: groups, size: size, into: state.rstd) {
    1 / ($0 / elements + groupEpsilon).squareRoot()
  }
}

/// Row by row, all channels of a row while it is in the first cache. Rows are summed apart, so that small
/// terms are not lost in a large total.
@inline(__always)
private func channelSums(
  _ x: Field, into sums: UnsafeMutablePointer<Float>, _ term: (Vector, Int) -> Vector
) {
  sums.update(repeating: 0, count: x.pixelStride)
  for row in 0..<x.height {
    for block in stride(from: 0, to: x.pixelStride, by: lanes) {
      let from = x.row(row) + block
      var sum = Vector()
      for column in 0..<x.width { sum += term(load(from + column * x.pixelStride), block) }
      store(load(sums + block) + sum, sums + block)
    }
  }
}

@inline(__always)
private func fold(
  _ sums: UnsafeMutablePointer<Float>, groups: Int, size: Int,
  into result: UnsafeMutablePointer<Float>, _ finish: (Float) -> Float
) {
  for g in 0..<groups {
    var total: Float = 0
    for c in g * size..<(g + 1) * size { total += sums[c] }
    let value = finish(total)
    for c in g * size..<(g + 1) * size { result[c] = value }
  }
}

private func applyAffine(_ x: Field, into y: Field, silu: Bool, state: NormalizationState) {
  for row in 0..<x.height {
    for block in stride(from: 0, to: x.pixelStride, by: lanes) {
      let a = load(state.a + block)
      let b = load(state.b + block)
      let from = x.row(row) + block
      let to = y.row(row) + block
      for column in 0..<x.width {
        let z = b.addingProduct(load(from + column * x.pixelStride), a)
        store(silu ? z * sigmoid(z) : z, to + column * y.pixelStride)
      }
    }
  }
}

/// dy becomes dz; s0 = Σ dz and s1 = Σ dz · (x − mean) · rstd, a channel.
private func activationSums(
  _ x: Field, _ dy: Field, silu: Bool, state: NormalizationState,
  _ s0: UnsafeMutablePointer<Float>, _ s1: UnsafeMutablePointer<Float>
) {
  s0.update(repeating: 0, count: x.pixelStride)
  s1.update(repeating: 0, count: x.pixelStride)
  for row in 0..<x.height {
    for block in stride(from: 0, to: x.pixelStride, by: lanes) {
      let a = load(state.a + block)
      let b = load(state.b + block)
      let mean = load(state.mean + block)
      let from = x.row(row) + block
      let gradient = dy.row(row) + block
      var row0 = Vector()
      var row1 = Vector()
      for column in 0..<x.width {
        let value = load(from + column * x.pixelStride)
        var dz = load(gradient + column * dy.pixelStride)
        if silu {
          dz *= siluSlope(b.addingProduct(value, a))
          store(dz, gradient + column * dy.pixelStride)
        }
        row0 += dz
        row1 = row1.addingProduct(dz, value - mean)
      }
      store(load(s0 + block) + row0, s0 + block)
      store(load(s1 + block) + row1, s1 + block)
    }
  }
  for c in 0..<x.channels { s1[c] *= state.rstd[c] }
}

/// The derivative of SiLU.
@inline(__always)
func siluSlope(_ z: Vector) -> Vector {
  let s = sigmoid(z)
  return s.addingProduct(z * s, 1 - s)
}

private func combine(
  _ x: Field, _ dz: Field, into dx: Field, accumulate: Bool, a: UnsafeMutablePointer<Float>,
  p: UnsafeMutablePointer<Float>, q: UnsafeMutablePointer<Float>
) {
  for row in 0..<x.height {
    for block in stride(from: 0, to: x.pixelStride, by: lanes) {
      let a = load(a + block)
      let p = load(p + block)
      let q = load(q + block)
      let from = x.row(row) + block
      let gradient = dz.row(row) + block
      let to = dx.row(row) + block
      for column in 0..<x.width {
        let place = to + column * dx.pixelStride
        var value = q.addingProduct(p, load(from + column * x.pixelStride))
        value.addProduct(a, load(gradient + column * dz.pixelStride))
        store(accumulate ? load(place) + value : value, place)
      }
    }
  }
}
