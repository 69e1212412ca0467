import Vectors

/// Where the sums over windows of a line come from: target[i] = Σ source[t] over |t − i| ≤ radius,
/// t clipped to `from`, for every i of `to`.
///
/// Van Herk (1992) and Gil & Werman (1993), with + for their max: the line is cut into pieces as
/// long as a window; a window is a suffix of one piece and a prefix of the next. Three additions an
/// element whatever the window, and no subtraction: what lies outside a window leaves no rounding
/// error in it, as a running sum would.
struct BoxPlan {
  let from: ClosedRange<Int>
  let to: ClosedRange<Int>
  let window: Int
  /// For each i of `to` the elements of suffix and prefix sums; `zero` where none is needed.
  let suffixes: [Int]
  let prefixes: [Int]

  /// - Parameters:
  ///   - to: within `from` widened by `radius`.
  ///   - zero: an element that is 0 in sources and scratch, outside `from`.
  init(from: ClosedRange<Int>, to: ClosedRange<Int>, radius: Int, zero: Int) {
    self.from = from
    self.to = to
    let window = 2 * radius + 1
    self.window = window
    var suffixes: [Int] = []
    var prefixes: [Int] = []
    for i in to {
      let low = max(i - radius, from.lowerBound)
      let high = min(i + radius, from.upperBound)
      let first = (low - from.lowerBound) / window
      let last = (high - from.lowerBound) / window
      // Within one piece a window begins where the piece does, or ends where the line does.
      let isPrefix = first == last && (low - from.lowerBound) % window == 0
      let isSuffix = first == last && !isPrefix
      suffixes.append(isPrefix ? zero : low)
      prefixes.append(isSuffix ? zero : high)
    }
    self.suffixes = suffixes
    self.prefixes = prefixes
  }

  /// Element t is `width` vectors from `t * stride` on. Overwrites `source` with its suffix sums and
  /// `scratch` with its prefix sums.
  @inline(__always)
  func sum(
    _ source: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>,
    into target: UnsafeMutablePointer<Float>, stride: Int, width: Int
  ) {
    let count = width * lanes
    var start = from.lowerBound
    while start <= from.upperBound {
      let end = min(start + window - 1, from.upperBound)
      for j in Swift.stride(from: 0, to: count, by: lanes) {
        store(load(source + start * stride + j), scratch + start * stride + j)
      }
      var t = start + 1
      while t <= end {
        for j in Swift.stride(from: 0, to: count, by: lanes) {
          let i = t * stride + j
          store(load(scratch + i - stride) + load(source + i), scratch + i)
        }
        t += 1
      }
      t = end - 1
      while t >= start {
        for j in Swift.stride(from: 0, to: count, by: lanes) {
          let i = t * stride + j
          store(load(source + i) + load(source + i + stride), source + i)
        }
        t -= 1
      }
      start = end + 1
    }
    for i in to {
      let suffix = source + suffixes[i - to.lowerBound] * stride
      let prefix = scratch + prefixes[i - to.lowerBound] * stride
      for j in Swift.stride(from: 0, to: count, by: lanes) {
        store(load(suffix + j) + load(prefix + j), target + i * stride + j)
      }
    }
  }
}

/// Part of a picture.
struct Region: Hashable {
  var rows: ClosedRange<Int>
  var columns: ClosedRange<Int>

  /// `nil` when nothing is left.
  func intersection(_ other: Region) -> Region? {
    let top = max(rows.lowerBound, other.rows.lowerBound)
    let bottom = min(rows.upperBound, other.rows.upperBound)
    let left = max(columns.lowerBound, other.columns.lowerBound)
    let right = min(columns.upperBound, other.columns.upperBound)
    if top > bottom || left > right { return nil }
    return Region(rows: top...bottom, columns: left...right)
  }

  /// With a margin on every side, as far as the picture of `size` pixels goes.
  func widened(_ margin: Int, size: Int) -> Region {
    func widen(_ range: ClosedRange<Int>) -> ClosedRange<Int> {
      max(0, range.lowerBound - margin)...min(size - 1, range.upperBound + margin)
    }
    return Region(rows: widen(rows), columns: widen(columns))
  }
}
