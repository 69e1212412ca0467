// 3×3 convolution by Winograd's F(4×4, 3×3): x is (H, W, Cin) inside a border of zeros, the transformed weights
// are (36, Cout / 2 vectors, Cin, 2 vectors), bias is (Cout), y is (H, W, Cout); H and W are multiples of 4. Channels last.
//
// A quarter of the multiplications of the direct form: tiles of 4×4 outputs become 36 products of
// (tiles, Cin) · (Cin, Cout). A block of tiles is transformed, multiplied and transformed back while it
// is in the cache. Cost 2 · 36 · Cin · Cout · H · W / 16, and about 15 operations a value for the transforms.

import Vectors

/// The tiles of a picture, numbered by rows.
struct WinogradTiles {
  let columns: Int
  let count: Int

  init(_ field: Field) {
    columns = field.width / winogradOutputs
    count = field.height / winogradOutputs * columns
  }

  /// Whether a picture consists of whole tiles.
  static func fit(height: Int, width: Int) -> Bool {
    height % winogradOutputs == 0 && width % winogradOutputs == 0
  }

  /// The first output pixel of a tile.
  @inline(__always)
  func origin(_ tile: Int, _ field: Field) -> UnsafeMutablePointer<Float> {
    field.row(tile / columns * winogradOutputs)
      + tile % columns * winogradOutputs * field.pixelStride
  }
}

/// Values of many tiles at the 36 points: (36, tiles, channels).
struct WinogradPlanes {
  var base: UnsafeMutablePointer<Float>
  /// Floats from a tile to the next.
  var channels: Int
  /// Floats from a point to the next.
  var planeStride: Int

  init(_ base: UnsafeMutablePointer<Float>, tiles: Int, channels: Int) {
    self.base = base
    self.channels = channels
    planeStride = Self.stride(tiles: tiles, channels: channels)
  }

  /// A cache line more than the values need: planes a multiple of 4096 bytes apart would share their
  /// places in the cache.
  private static func stride(tiles: Int, channels: Int) -> Int { tiles * channels + 16 }

  static func count(tiles: Int, channels: Int) -> Int {
    winogradPoints * stride(tiles: tiles, channels: channels)
  }
}

/// Tiles that are transformed and multiplied together: their planes stay in the second cache.
let winogradBlock = 16

/// Floats of scratch that `convolveWinograd` needs, whichever way it is called for these channels.
func winogradScratch(inputs: Int, outputs: Int) -> Int {
  let (inputs, outputs) = (paddedChannels(inputs), paddedChannels(outputs))
  return WinogradPlanes.count(tiles: winogradBlock, channels: inputs)
    + WinogradPlanes.count(tiles: winogradBlock, channels: outputs) + winogradPoints * lanes
}

/// y = bias + addend + convolution of x; `bias` and `addend` may be missing; `addend` may be y itself.
func convolveWinograd(
  _ x: Field, _ transformed: UnsafePointer<Float>, bias: UnsafePointer<Float>?, addend: Field?,
  into y: Field, scratch: UnsafeMutablePointer<Float>
) {
  let tiles = WinogradTiles(y)
  let buffer = scratch
  let v = WinogradPlanes(
    scratch + winogradPoints * lanes, tiles: winogradBlock, channels: x.pixelStride)
  let m = WinogradPlanes(
    v.base + WinogradPlanes.count(tiles: winogradBlock, channels: x.pixelStride),
    tiles: winogradBlock, channels: y.pixelStride)
  let weightStride = x.channels * y.pixelStride
  for first in stride(from: 0, to: tiles.count, by: winogradBlock) {
    let block = first..<min(first + winogradBlock, tiles.count)
    transformInput(x, tiles, block, channels: 0..<x.pixelStride, into: v, buffer)
    for point in 0..<winogradPoints {
      multiplyPanels(
        StridedMatrix(
          base: v.base + point * v.planeStride, rowStride: v.channels, columnStride: 1),
        PanelMatrix(panels: transformed + point * weightStride, inner: x.channels),
        into: m.base + point * m.planeStride, outStride: m.channels, rows: block.count,
        columns: y.pixelStride, inner: x.channels)
    }
    transformOutput(m, tiles, block, bias: bias, addend: addend, into: y, buffer)
  }
}

/// V = Bᵀ d B of each tile in `block`, for a range of channels in whole vectors; tile and channel
/// numbers in `v` start at 0.
@inline(__always)
func transformInput(
  _ x: Field, _ tiles: WinogradTiles, _ block: Range<Int>, channels: Range<Int>,
  into v: WinogradPlanes, _ buffer: UnsafeMutablePointer<Float>
) {
  for tile in block {
    let corner = tiles.origin(tile, x) - x.rowStride - x.pixelStride
    let target = v.base + (tile - block.lowerBound) * v.channels
    for channel in stride(from: channels.lowerBound, to: channels.upperBound, by: lanes) {
      for column in 0..<6 {
        let from = corner + column * x.pixelStride + channel
        var d = InlineArray<6, Vector>(repeating: Vector())
        for row in 0..<6 { d[row] = load(from + row * x.rowStride) }
        let t = winogradInput(d)
        for row in 0..<6 { store(t[row], buffer + (row * 6 + column) * lanes) }
      }
      let to = target + (channel - channels.lowerBound)
      for row in 0..<6 {
        var d = InlineArray<6, Vector>(repeating: Vector())
        for column in 0..<6 { d[column] = load(buffer + (row * 6 + column) * lanes) }
        let t = winogradInput(d)
        for column in 0..<6 { store(t[column], to + (row * 6 + column) * v.planeStride) }
      }
    }
  }
}

/// y = bias + addend + Aᵀ m A for each tile in `block`; tile numbers in `m` start at 0.
@inline(__always)
private func transformOutput(
  _ m: WinogradPlanes, _ tiles: WinogradTiles, _ block: Range<Int>, bias: UnsafePointer<Float>?,
  addend: Field?, into y: Field, _ buffer: UnsafeMutablePointer<Float>
) {
  for tile in block {
    let source = m.base + (tile - block.lowerBound) * m.channels
    let corner = tiles.origin(tile, y)
    let added = addend.map { (corner: tiles.origin(tile, $0), field: $0) }
    for channel in stride(from: 0, to: y.pixelStride, by: lanes) {
      for column in 0..<6 {
        let from = source + column * m.planeStride + channel
        var d = InlineArray<6, Vector>(repeating: Vector())
        for row in 0..<6 { d[row] = load(from + row * 6 * m.planeStride) }
        let t = winogradOutput(d)
        for row in 0..<4 { store(t[row], buffer + (row * 6 + column) * lanes) }
      }
      let start = bias.map { load($0 + channel) } ?? Vector()
      for row in 0..<4 {
        var d = InlineArray<6, Vector>(repeating: Vector())
        for column in 0..<6 { d[column] = load(buffer + (row * 6 + column) * lanes) }
        let t = winogradOutput(d)
        let to = corner + row * y.rowStride + channel
        if let added {
          let from = added.corner + row * added.field.rowStride + channel
          for column in 0..<4 {
            store(
              t[column] + start + load(from + column * added.field.pixelStride),
              to + column * y.pixelStride)
          }
        } else {
          for column in 0..<4 { store(t[column] + start, to + column * y.pixelStride) }
        }
      }
    }
  }
}

/// U = G g Gᵀ: (9, Cin, Cout) → (36, panels of Cout, Cin, 2 vectors), Cout in whole vectors.
func transformFilter(
  _ weights: UnsafePointer<Float>, into u: UnsafeMutablePointer<Float>, inputs: Int, outputs: Int
) {
  let outputs = paddedChannels(outputs)
  let count = inputs * outputs
  withUnsafeTemporaryAllocation(of: Float.self, capacity: 18 * lanes) { buffer in
    guard let buffer = buffer.baseAddress else { return }
    var to = u
    for panel in stride(from: 0, to: outputs, by: 2 * lanes) {
      for input in 0..<inputs {
        for output in stride(from: panel, to: min(panel + 2 * lanes, outputs), by: lanes) {
          transformFilter(
            weights + input * outputs + output, into: to, stride: count, buffer: buffer)
          to += lanes
        }
      }
    }
  }
}

/// One vector of filters; taps, and points, are `stride` floats apart.
@inline(__always)
private func transformFilter(
  _ weights: UnsafePointer<Float>, into u: UnsafeMutablePointer<Float>, stride: Int,
  buffer: UnsafeMutablePointer<Float>
) {
  for column in 0..<3 {
    var g = InlineArray<3, Vector>(repeating: Vector())
    for row in 0..<3 { g[row] = load(weights + (row * 3 + column) * stride) }
    let t = winogradFilter(g)
    for row in 0..<6 { store(t[row], buffer + (row * 3 + column) * lanes) }
  }
  for row in 0..<6 {
    var g = InlineArray<3, Vector>(repeating: Vector())
    for column in 0..<3 { g[column] = load(buffer + (row * 3 + column) * lanes) }
    let t = winogradFilter(g)
    for column in 0..<6 { store(t[column], u + (row * 6 + column) * stride) }
  }
}
