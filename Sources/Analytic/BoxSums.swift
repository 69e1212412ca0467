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

  /// Element t is the `width` vectors from `t * stride` on. Overwrites `source` with its suffix sums
  /// and `scratch` with its prefix sums.
  func sumRows(
    _ source: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>,
    into target: UnsafeMutablePointer<Float>, stride: Int, width: Int
  ) {
    var start = from.lowerBound
    while start <= from.upperBound {
      let end = min(start + window - 1, from.upperBound)
      (scratch + start * stride).update(from: source + start * stride, count: width * lanes)
      var t = start + 1
      while t <= end {
        let i = t * stride
        add(scratch + i - stride, source + i, into: scratch + i, width: width)
        t += 1
      }
      t = end - 1
      while t >= start {
        let i = t * stride
        add(source + i, source + i + stride, into: source + i, width: width)
        t -= 1
      }
      start = end + 1
    }
    for i in to {
      add(
        source + suffixes[i - to.lowerBound] * stride,
        scratch + prefixes[i - to.lowerBound] * stride, into: target + i * stride, width: width)
    }
  }

  @inline(__always)
  private func add(
    _ a: UnsafeMutablePointer<Float>, _ b: UnsafeMutablePointer<Float>,
    into target: UnsafeMutablePointer<Float>, width: Int
  ) {
    var j = 0
    while j < width * lanes {
      store(load(a + j) + load(b + j), target + j)
      j += lanes
    }
  }

  /// The same for elements of one vector next to each other: the running sums stay in a register,
  /// without which each addition waits for the store before it.
  func sumLine(
    _ source: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>,
    into target: UnsafeMutablePointer<Float>
  ) {
    var start = from.lowerBound
    while start <= from.upperBound {
      let end = min(start + window - 1, from.upperBound)
      var prefix = Vector()
      var t = start
      while t <= end {
        prefix += load(source + t * lanes)
        store(prefix, scratch + t * lanes)
        t += 1
      }
      var suffix = Vector()
      t = end
      while t >= start {
        suffix += load(source + t * lanes)
        store(suffix, source + t * lanes)
        t -= 1
      }
      start = end + 1
    }
    for i in to {
      let suffix = load(source + suffixes[i - to.lowerBound] * lanes)
      let prefix = load(scratch + prefixes[i - to.lowerBound] * lanes)
      store(suffix + prefix, target + i * lanes)
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
