import Tensors

/// The dense local network: nothing reaches further than 1 + Σ dilations pixels.
///
/// No attention, no statistics over space; absolute coordinates come as input channels.
func buildLocal(
  _ builder: inout GraphBuilder, image: Value, fourier: Value, width: Int, dilations: [Int]
) -> Value {
  let noise = buildMLP(&builder, fourier, name: "noise")
  let embedding = builder.normalization(noise, .none)
  var h = builder.convolution(image, outputs: width, name: "stem")
  for (index, dilation) in dilations.enumerated() {
    let name = "blocks.\(index)"
    let normed = builder.normalization(h, .pixel)
    let mixed = builder.convolution(
      normed, outputs: width, dilation: dilation, name: name + ".conv")
    let modulation = builder.linear(
      embedding, outputs: 2 * width, name: name + ".modulation")
    let active = builder.normalization(mixed, .none, modulation: modulation)
    h = builder.convolution(active, outputs: width, side: 1, adding: h, name: name + ".mix")
  }
  return builder.convolution(
    h, outputs: PictureShape.channels, side: 1, zero: true, name: "head")
}
