import Tensors

/// The reference U-Net: widths C, 2C, 2C; two residual blocks a level; optional attention lowest, and further
/// blocks there.
///
/// - Parameters:
///   - labels: (W), added to the embedding of the noise.
///   - words: tell at the lowest level and by nothing else.
///   - middle: blocks at the lowest level after what `encoder.2` names, with attention as there.
func buildUNet(
  _ builder: inout GraphBuilder, image: Value, fourier: Value, labels: Value?,
  words: LowestWords? = nil, width c: Int, kind: NormalizationKind, attention: Bool,
  middle: Int = 0
) -> Value {
  var embedding = buildMLP(&builder, fourier, name: "noise")
  if let labels { embedding = buildMLP(&builder, labels, adding: embedding, name: "label") }
  embedding = builder.normalization(embedding, .none)
  var blocks = ResidualBlocks(builder: builder, embedding: embedding, kind: kind)

  var h = blocks.builder.convolution(image, outputs: c, name: "stem")
  var kept: [Value] = []
  for (level, channels) in [c, 2 * c, 2 * c].enumerated() {
    for index in 0..<2 {
      h = blocks.append(
        h, outputs: channels, attention: attention && level == 2,
        name: "encoder.\(level).\(index)")
    }
    if let words, level == 2 {
      h = blocks.append(h, words: words, each: ownChannels(width: c), level: "encoder.2")
    } else {
      blocks.builder.name(h, "encoder.\(level)")
    }
    if level < 2 {
      kept.append(h)
      h = blocks.builder.convolution(h, outputs: channels, stride: 2, name: "down.\(level)")
    }
  }
  for index in 0..<middle {
    h = blocks.append(h, outputs: 2 * c, attention: attention, name: "middle.\(index)")
  }
  for (level, channels) in [2 * c, c].enumerated() {
    h = blocks.builder.upsampleAndConcatenate(h, kept.removeLast())
    for index in 0..<2 {
      h = blocks.append(
        h, outputs: channels, attention: false, name: "decoder.\(level).\(index)")
    }
    blocks.builder.name(h, "decoder.\(level)")
  }
  builder = blocks.builder
  let active = builder.normalization(h, kind, name: "head_norm")
  return builder.convolution(
    active, outputs: PictureShape.channels, zero: true, name: "head")
}

/// Words that tell at the lowest level alone.
struct LowestWords {
  /// (W): an entry a word.
  var told: Value
  /// Whether each drives channels of its own, or each drives all of them.
  var areOwn: Bool
}

/// Channels of a word's own at the lowest level of a U-Net of width C: whole groups of four.
func ownChannels(width: Int) -> Int { max(4, width / 2 / 4 * 4) }

private struct ResidualBlocks {
  var builder: GraphBuilder
  let embedding: Value
  let kind: NormalizationKind

  /// norm → SiLU → conv → norm, modulated by the embedding → SiLU → conv; plus the input.
  mutating func append(_ x: Value, outputs: Int, attention: Bool, name: String) -> Value {
    let first = builder.normalization(x, kind, name: name + ".norm1")
    let h = builder.convolution(first, outputs: outputs, name: name + ".conv1")
    let modulation = builder.linear(
      embedding, outputs: 2 * outputs, name: name + ".modulation")
    let second = builder.normalization(
      h, kind, modulation: modulation, name: name + ".norm2")
    let skip =
      x.channels == outputs
      ? x : builder.convolution(x, outputs: outputs, side: 1, name: name + ".skip")
    let y = builder.convolution(
      second, outputs: outputs, adding: skip, zero: true, name: name + ".conv2")
    return attention ? appendAttention(y, name: name + ".attention") : y
  }

  /// norm → SiLU → conv → norm, modulated by the noise and by words, each word's channels by that word or all by
  /// each → SiLU: the level's features z, of which a word with channels of its own changes these; → conv, plus the
  /// input.
  mutating func append(_ x: Value, words: LowestWords, each group: Int, level: String) -> Value {
    let first = builder.normalization(x, kind, name: "words.norm1")
    let h = builder.convolution(first, outputs: words.told.channels * group, name: "words.conv1")
    let noise = builder.linear(
      embedding, outputs: 2 * h.channels, name: "words.modulation")
    let modulation =
      words.areOwn
      ? builder.ownChannels(words.told, group: group, adding: noise, name: "words.told")
      : builder.linear(
        words.told, outputs: 2 * h.channels, adding: noise, name: "words.told")
    let z = builder.normalization(h, kind, modulation: modulation, name: "words.norm2")
    builder.name(z, level)
    return builder.convolution(z, outputs: x.channels, adding: x, name: "words.conv2")
  }

  private mutating func appendAttention(_ x: Value, name: String) -> Value {
    let normed = builder.normalization(x, kind, silu: false, name: name + ".norm")
    let qkv = builder.convolution(
      normed, outputs: 3 * x.channels, side: 1, name: name + ".qkv")
    let y = builder.attention(qkv)
    return builder.convolution(
      y, outputs: x.channels, side: 1, adding: x, name: name + ".projection")
  }
}
