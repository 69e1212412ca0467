@testable import Tensors

/// A picture (H, W, C) in double precision, zero outside: what the oracles work on.
struct Plane {
  var height: Int
  var width: Int
  var channels: Int
  var values: [Double]

  init(_ height: Int, _ width: Int, _ channels: Int) {
    self.height = height
    self.width = width
    self.channels = channels
    values = [Double](repeating: 0, count: height * width * channels)
  }

  init(random height: Int, _ width: Int, _ channels: Int, index: UInt64) {
    self.init(height, width, channels)
    var stream = RandomStream(seed: 11, purpose: RandomPurpose(1), index: index)
    for i in values.indices { values[i] = Double(Float(stream.uniform(-1, 1))) }
  }

  subscript(_ row: Int, _ column: Int, _ channel: Int) -> Double {
    get {
      guard (0..<height).contains(row), (0..<width).contains(column) else { return 0 }
      return values[(row * width + column) * channels + channel]
    }
    set { values[(row * width + column) * channels + channel] = newValue }
  }
}

/// Convolution by its definition. Weights are (taps, in, out), as PyTorch pads and strides.
enum NaiveConvolution {
  static func forward(
    _ x: Plane, weights: [Double], bias: [Double], side: Int, stride: Int, dilation: Int
  ) -> Plane {
    let outputs = bias.count
    var y = Plane(x.height / stride, x.width / stride, outputs)
    forEach(x, y, side, stride, dilation) { r, c, row, column, tap in
      for i in 0..<x.channels {
        for o in 0..<outputs {
          y[r, c, o] += x[row, column, i] * weights[(tap * x.channels + i) * outputs + o]
        }
      }
    }
    for r in 0..<y.height {
      for c in 0..<y.width { for o in 0..<outputs { y[r, c, o] += bias[o] } }
    }
    return y
  }

  /// Gradients with respect to x and the weights.
  static func backward(
    _ x: Plane, _ dy: Plane, weights: [Double], side: Int, stride: Int, dilation: Int
  ) -> (dx: Plane, dw: [Double]) {
    var dx = Plane(x.height, x.width, x.channels)
    var dw = [Double](repeating: 0, count: weights.count)
    forEach(x, dy, side, stride, dilation) { r, c, row, column, tap in
      guard (0..<x.height).contains(row), (0..<x.width).contains(column) else { return }
      for i in 0..<x.channels {
        for o in 0..<dy.channels {
          let place = (tap * x.channels + i) * dy.channels + o
          dw[place] += x[row, column, i] * dy[r, c, o]
          dx[row, column, i] += weights[place] * dy[r, c, o]
        }
      }
    }
    return (dx, dw)
  }

  private static func forEach(
    _ x: Plane, _ y: Plane, _ side: Int, _ stride: Int, _ dilation: Int,
    _ body: (Int, Int, Int, Int, Int) -> Void
  ) {
    for r in 0..<y.height {
      for c in 0..<y.width {
        for tap in 0..<side * side {
          let row = r * stride + (tap / side - side / 2) * dilation
          let column = c * stride + (tap % side - side / 2) * dilation
          body(r, c, row, column, tap)
        }
      }
    }
  }
}
