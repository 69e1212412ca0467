// Gradient of the weights of a 3×3 convolution by Winograd's F(4×4, 3×3): x is (H, W, Cin) inside its border, dy is
// (H, W, Cout), dw is (9, Cin, Cout) and is added to.
//
// The transpose of the forward pass in its weights: dw = Gᵀ [Σ over tiles (Bᵀ d B) ⊙ (A dy Aᵀ)] G, again a quarter
// of the direct form's multiplications. Input channels go by in groups, so that their 36 sums stay in the
// second cache. Cost 2 · 36 · Cin · Cout · H · W / 16, and the transforms.

import Vectors

/// Input channels that are summed together.
private let group = max(32, lanes)

/// Floats of scratch that `accumulateWinogradWeightGradient` needs.
func winogradGradientScratch(height: Int, width: Int, outputs: Int) -> Int {
  let outputs = paddedChannels(outputs)
  let tiles = height / winogradOutputs * (width / winogradOutputs)
  return winogradPoints * lanes + WinogradPlanes.count(tiles: tiles, channels: outputs)
    + WinogradPlanes.count(tiles: winogradBlock, channels: group)
    + WinogradPlanes.count(tiles: group, channels: outputs)
}

/// dw += the gradient of one picture.
func accumulateWinogradWeightGradient(
  _ x: Field, _ dy: Field, into dw: UnsafeMutablePointer<Float>,
  scratch: UnsafeMutablePointer<Float>
) {
  let tiles = WinogradTiles(dy)
  let buffer = scratch
  let outputs = dy.pixelStride
  let gradient = WinogradPlanes(
    scratch + winogradPoints * lanes, tiles: tiles.count, channels: outputs)
  let v = WinogradPlanes(
    gradient.base + WinogradPlanes.count(tiles: tiles.count, channels: outputs),
    tiles: winogradBlock, channels: group)
  let sums = WinogradPlanes(
    v.base + WinogradPlanes.count(tiles: winogradBlock, channels: group), tiles: group,
    channels: outputs)
  transformGradient(dy, tiles, into: gradient, buffer)
  for channel in stride(from: 0, to: x.channels, by: group) {
    let channels = channel..<min(channel + group, x.pixelStride)
    let inputs = min(group, x.channels - channel)
    for first in stride(from: 0, to: tiles.count, by: winogradBlock) {
      let block = first..<min(first + winogradBlock, tiles.count)
      transformInput(x, tiles, block, channels: channels, into: v, buffer)
      for point in 0..<winogradPoints {
        multiplyPanels(
          StridedMatrix(
            base: v.base + point * v.planeStride, rowStride: 1, columnStride: v.channels),
          PanelMatrix(
            gradient.base + point * gradient.planeStride + first * outputs, rowStride: outputs),
          into: sums.base + point * sums.planeStride, outStride: outputs, rows: inputs,
          columns: outputs, inner: block.count, accumulate: first > 0)
      }
    }
    transformSums(
      sums, into: dw + channel * outputs, tapStride: x.channels * outputs,
      count: inputs * outputs, buffer)
  }
}

/// A dy Aᵀ of every tile.
@inline(__always)
private func transformGradient(
  _ dy: Field, _ tiles: WinogradTiles, into planes: WinogradPlanes,
  _ buffer: UnsafeMutablePointer<Float>
) {
  for tile in 0..<tiles.count {
    let corner = tiles.origin(tile, dy)
    for channel in stride(from: 0, to: dy.pixelStride, by: lanes) {
      for column in 0..<4 {
        let from = corner + column * dy.pixelStride + channel
        var d = InlineArray<4, Vector>(repeating: Vector())
        for row in 0..<4 { d[row] = load(from + row * dy.rowStride) }
        let t = winogradOutputTransposed(d)
        for row in 0..<6 { store(t[row], buffer + (row * 4 + column) * lanes) }
      }
      let to = planes.base + tile * planes.channels + channel
      for row in 0..<6 {
        var d = InlineArray<4, Vector>(repeating: Vector())
        for column in 0..<4 { d[column] = load(buffer + (row * 4 + column) * lanes) }
        let t = winogradOutputTransposed(d)
        for column in 0..<6 { store(t[column], to + (row * 6 + column) * planes.planeStride) }
      }
    }
  }
}

/// dw += Gᵀ sums G for `count` pairs of channels in a row.
@inline(__always)
private func transformSums(
  _ sums: WinogradPlanes, into dw: UnsafeMutablePointer<Float>, tapStride: Int, count: Int,
  _ buffer: UnsafeMutablePointer<Float>
) {
  for place in stride(from: 0, to: count, by: lanes) {
    for column in 0..<6 {
      var u = InlineArray<6, Vector>(repeating: Vector())
      for row in 0..<6 { u[row] = load(sums.base + (row * 6 + column) * sums.planeStride + place) }
      let t = winogradFilterTransposed(u)
      for row in 0..<3 { store(t[row], buffer + (row * 6 + column) * lanes) }
    }
    for row in 0..<3 {
      var u = InlineArray<6, Vector>(repeating: Vector())
      for column in 0..<6 { u[column] = load(buffer + (row * 6 + column) * lanes) }
      let t = winogradFilterTransposed(u)
      for column in 0..<3 {
        let to = dw + (row * 3 + column) * tapStride + place
        store(load(to) + t[column], to)
      }
    }
  }
}
