/// Attention to nothing but a place itself: y is v. What stands for attention where that path is cut.
struct OwnPlaceLayer: Layer {
  let qkv: Value
  let output: Value

  var inputs: [Value] { [qkv] }

  var label: String { "own place \(output.channels), \(output.height)×\(output.width)" }

  var multiplyAdds: Int { 0 }

  func forward(_ frame: Frame) {
    let (from, to) = (frame.field(qkv), frame.field(output))
    for row in 0..<to.height {
      for column in 0..<to.width {
        (to.row(row) + column * to.pixelStride).update(
          from: from.row(row) + column * from.pixelStride + 2 * to.channels, count: to.channels)
      }
    }
  }

  func backward(_ frame: Frame, accumulate: [Bool]) {
    guard let dy = frame.gradientField(output), let dqkv = frame.gradientField(qkv) else { return }
    for row in 0..<dy.height {
      for column in 0..<dy.width {
        let target = dqkv.row(row) + column * dqkv.pixelStride
        target.update(repeating: 0, count: 2 * dy.channels)
        (target + 2 * dy.channels).update(
          from: dy.row(row) + column * dy.pixelStride, count: dy.channels)
      }
    }
  }
}
