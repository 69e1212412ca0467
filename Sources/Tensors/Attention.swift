// Self-attention, one head: qkv is (T, 3C), tokens are the pixels, y is (T, C), probabilities are (T, T).
//
// y = softmax(q kᵀ / √C) v. Products by OpenBLAS on one thread. Cost 4 T² C.

import COpenBLAS
import Foundation
import Vectors

/// The rows of a matrix inside a larger one.
struct Panel {
  var base: UnsafeMutablePointer<Float>
  /// Floats from a row to the next.
  var stride: Int
  var transposed = false

  var turned: Panel { Panel(base: base, stride: stride, transposed: !transposed) }
}

/// out = alpha · a · b, on the calling thread; out is (rows, columns).
func multiply(
  _ a: Panel, _ b: Panel, into out: Panel, rows: Int, columns: Int, inner: Int, alpha: Float = 1
) {
  cblas_sgemm(
    CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans,
    b.transposed ? CblasTrans : CblasNoTrans, blasint(rows), blasint(columns), blasint(inner),
    alpha, a.base, blasint(a.stride), b.base, blasint(b.stride), 0, out.base, blasint(out.stride))
}

/// OpenBLAS's own threads would make sums depend on their number: switched off once, for the
/// process. Threads are ours to run.
let singleThreadedBLAS: Void = openblas_set_num_threads(1)

/// Ends the threads that OpenBLAS starts as soon as it is loaded: they would look for work for a
/// while, on every core, also in a process that has none for them. Not every build of it has any.
public func endBLASThreads() {
  guard let symbol = dlsym(nil, "blas_thread_shutdown_") else { return }
  typealias Function = @convention(c) () -> Int32
  _ = unsafeBitCast(symbol, to: Function.self)()
}

func attend(
  qkv: Field, into y: Field, probabilities: UnsafeMutablePointer<Float>
) {
  _ = singleThreadedBLAS
  let tokens = qkv.height * qkv.width
  let channels = y.channels
  let q = Panel(base: qkv.base, stride: qkv.pixelStride)
  let k = Panel(base: qkv.base + channels, stride: qkv.pixelStride)
  let v = Panel(base: qkv.base + 2 * channels, stride: qkv.pixelStride)
  let p = Panel(base: probabilities, stride: tokens)
  multiply(
    q, k.turned, into: p, rows: tokens, columns: tokens, inner: channels,
    alpha: 1 / Float(channels).squareRoot())
  for row in 0..<tokens { softmax(probabilities + row * tokens, count: tokens) }
  multiply(
    p, v, into: Panel(base: y.base, stride: y.pixelStride), rows: tokens, columns: channels,
    inner: tokens)
}

/// dqkv is set; `scratch` holds (T, T).
func attendBackward(
  qkv: Field, probabilities: UnsafeMutablePointer<Float>, dy: Field, into dqkv: Field,
  scratch: UnsafeMutablePointer<Float>
) {
  let tokens = qkv.height * qkv.width
  let channels = dy.channels
  let stride = qkv.pixelStride
  let q = Panel(base: qkv.base, stride: stride)
  let k = Panel(base: qkv.base + channels, stride: stride)
  let v = Panel(base: qkv.base + 2 * channels, stride: stride)
  let dq = Panel(base: dqkv.base, stride: dqkv.pixelStride)
  let dk = Panel(base: dqkv.base + channels, stride: dqkv.pixelStride)
  let dv = Panel(base: dqkv.base + 2 * channels, stride: dqkv.pixelStride)
  let p = Panel(base: probabilities, stride: tokens)
  let ds = Panel(base: scratch, stride: tokens)
  let gradient = Panel(base: dy.base, stride: dy.pixelStride)
  multiply(
    p.turned, gradient, into: dv, rows: tokens, columns: channels, inner: tokens)
  multiply(
    gradient, v.turned, into: ds, rows: tokens, columns: tokens, inner: channels)
  for row in 0..<tokens {
    let probability = probabilities + row * tokens
    let slope = scratch + row * tokens
    var dot: Float = 0
    for t in 0..<tokens { dot += probability[t] * slope[t] }
    for t in 0..<tokens { slope[t] = probability[t] * (slope[t] - dot) }
  }
  let alpha = 1 / Float(channels).squareRoot()
  multiply(ds, k, into: dq, rows: tokens, columns: channels, inner: tokens, alpha: alpha)
  multiply(
    ds.turned, q, into: dk, rows: tokens, columns: channels, inner: tokens,
    alpha: alpha)
}

/// In place, over `count` values; the largest is subtracted first.
func softmax(_ values: UnsafeMutablePointer<Float>, count: Int) {
  var largest = -Float.infinity
  for i in 0..<count { largest = max(largest, values[i]) }
  var i = 0
  while i + lanes <= count {
    store(exponential(load(values + i) - largest), values + i)
    i += lanes
  }
  while i < count {
    values[i] = exponential(Vector(repeating: values[i] - largest))[0]
    i += 1
  }
  var total: Float = 0
  for i in 0..<count { total += values[i] }
  let scale = 1 / total
  for i in 0..<count { values[i] *= scale }
}
