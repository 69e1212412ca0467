import Foundation
import Streams

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
    var stream = RandomStream(seed: 11, purpose: .test, index: index)
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

/// Norm, modulation and SiLU by their definitions.
enum NaiveNormalization {
  static func forward(
    _ x: Plane, _ kind: NormalizationKind, gamma: [Double], beta: [Double], modulation: [Double],
    silu: Bool
  ) -> Plane {
    var y = x
    let count = Double(x.height * x.width)
    for r in 0..<x.height {
      for c in 0..<x.width {
        for k in 0..<x.channels {
          var value = x[r, c, k]
          switch kind {
          case .none: break
          case .pixel:
            let squares = (0..<x.channels).reduce(0.0) { $0 + x[r, c, $1] * x[r, c, $1] }
            value /= (squares / Double(x.channels) + 1e-4).squareRoot()
          case .group(let groups):
            let size = x.channels / groups
            let members = (k / size * size..<k / size * size + size)
            var mean = 0.0
            var square = 0.0
            for row in 0..<x.height {
              for column in 0..<x.width {
                for member in members {
                  mean += x[row, column, member]
                  square += x[row, column, member] * x[row, column, member]
                }
              }
            }
            mean /= count * Double(size)
            let variance = square / (count * Double(size)) - mean * mean
            value = gamma[k] * (value - mean) / (variance + 1e-5).squareRoot() + beta[k]
          }
          let z = value * (1 + modulation[k]) + modulation[x.channels + k]
          y[r, c, k] = silu ? z / (1 + exp(-z)) : z
        }
      }
    }
    return y
  }
}

/// softmax(q kᵀ / √C) v by its definition; tokens are the pixels.
enum NaiveAttention {
  static func forward(_ qkv: Plane) -> Plane {
    let channels = qkv.channels / 3
    let tokens = qkv.height * qkv.width
    func at(_ token: Int, _ channel: Int) -> Double {
      qkv[token / qkv.width, token % qkv.width, channel]
    }
    var y = Plane(qkv.height, qkv.width, channels)
    for t in 0..<tokens {
      let scores = (0..<tokens).map { s in
        (0..<channels).reduce(0.0) { $0 + at(t, $1) * at(s, channels + $1) }
          / Double(channels).squareRoot()
      }
      let total = scores.reduce(0) { $0 + exp($1) }
      for c in 0..<channels {
        y[t / qkv.width, t % qkv.width, c] = (0..<tokens).reduce(0.0) {
          $0 + exp(scores[$1]) / total * at($1, 2 * channels + c)
        }
      }
    }
    return y
  }
}
