/// Entries of a vector, each times weights of its own: y[i] = addend[i] + w[i] · x[i mod C / G], with C = W · G for W
/// entries and G channels an entry; y is (2C), a scale and a shift a channel. Cost 4C.
///
/// What is modulated by y hears of an entry in its own G channels alone.
struct OwnChannelsLayer: Layer {
  let input: Value
  let output: Value
  let residual: Value
  let weight: Parameter
  /// G.
  let group: Int

  var inputs: [Value] { [residual, input] }

  var label: String { "own channels \(input.channels)→\(output.channels)" }

  var multiplyAdds: Int { output.channels }

  func forward(_ frame: Frame) {
    let (x, y) = (frame.field(input).base, frame.field(output).base)
    let (addend, weights) = (frame.field(residual).base, frame.weight(weight))
    forEachEntry { y[$0] = addend[$0] + weights[$0] * x[$1] }
  }

  func backward(_ frame: Frame, accumulate: [Bool]) {
    guard let dy = frame.gradientField(output) else { return }
    if let target = frame.gradientField(residual) {
      copyField(dy, into: target, accumulate: accumulate[0])
    }
    let (x, gradient) = (frame.field(input).base, dy.base)
    if let dw = frame.weightGradient(weight) {
      forEachEntry { dw[$0] += gradient[$0] * x[$1] }
    }
    guard let dx = frame.gradientField(input)?.base else { return }
    if !accumulate[1] { for entry in 0..<input.channels { dx[entry] = 0 } }
    let weights = frame.weight(weight)
    forEachEntry { dx[$1] += gradient[$0] * weights[$0] }
  }

  /// Every channel of scales and shifts with its entry.
  @inline(__always)
  private func forEachEntry(_ body: (_ channel: Int, _ entry: Int) -> Void) {
    for half in 0..<2 {
      for entry in 0..<input.channels {
        let first = (half * input.channels + entry) * group
        for channel in first..<first + group { body(channel, entry) }
      }
    }
  }
}
