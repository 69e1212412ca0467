// A linear layer of one picture: x is (Cin), weights are (Cin, Cout) with Cout in whole vectors, y is (Cout).
// Cost 2 · Cin · Cout.

import Vectors

/// y = bias + addend + x · w.
func applyLinear(
  _ x: UnsafePointer<Float>, inputs: Int, _ weights: UnsafePointer<Float>,
  bias: UnsafePointer<Float>, addend: UnsafePointer<Float>?, into y: UnsafeMutablePointer<Float>,
  outputs: Int
) {
  let padded = paddedChannels(outputs)
  for block in stride(from: 0, to: padded, by: lanes) {
    // Two chains, so that one multiply-add need not wait for the last.
    var even = load(bias + block)
    var odd = Vector()
    if let addend { even += load(addend + block) }
    var input = 0
    while input + 2 <= inputs {
      even.addProduct(Vector(repeating: x[input]), load(weights + input * padded + block))
      odd.addProduct(Vector(repeating: x[input + 1]), load(weights + (input + 1) * padded + block))
      input += 2
    }
    if input < inputs {
      even.addProduct(Vector(repeating: x[input]), load(weights + input * padded + block))
    }
    store(even + odd, y + block)
  }
}

/// dw += x ⊗ dy, db += dy.
func accumulateLinearGradient(
  _ x: UnsafePointer<Float>, inputs: Int, _ dy: UnsafePointer<Float>, outputs: Int,
  dw: UnsafeMutablePointer<Float>, db: UnsafeMutablePointer<Float>
) {
  let padded = paddedChannels(outputs)
  for block in stride(from: 0, to: padded, by: lanes) {
    let gradient = load(dy + block)
    store(load(db + block) + gradient, db + block)
    for input in 0..<inputs {
      let place = dw + input * padded + block
      store(load(place).addingProduct(Vector(repeating: x[input]), gradient), place)
    }
  }
}

/// dx = w · dy, or dx += w · dy.
func linearInputGradient(
  _ dy: UnsafePointer<Float>, outputs: Int, _ weights: UnsafePointer<Float>,
  into dx: UnsafeMutablePointer<Float>, inputs: Int, accumulate: Bool
) {
  let padded = paddedChannels(outputs)
  for input in 0..<inputs {
    var sum = Vector()
    for block in stride(from: 0, to: padded, by: lanes) {
      sum.addProduct(load(weights + input * padded + block), load(dy + block))
    }
    dx[input] = sum.sum() + (accumulate ? dx[input] : 0)
  }
}
