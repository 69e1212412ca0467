import Tensors

/// The judge's network: a heat map of object centres, fully convolutional.
///
/// Four residual blocks of two 3×3 convolutions with pixel norm. Pictures of 64 px and more are first
/// reduced by strides, so that objects stay a few pixels across.
struct JudgeNetwork: Sendable {
  let size: Int
  /// Pixels of the picture a cell of the heat map.
  let stride: Int
  let graph: Graph
  let image: Value
  /// What the head reads.
  let features: Value

  var mapSize: Int { size / stride }

  init(size: Int) {
    self.size = size
    var builder = GraphBuilder()
    image = builder.input(height: size, width: size, channels: 3)
    let width = 16
    var h = builder.convolution(image, outputs: width, name: "stem")
    var stride = 1
    while size / stride >= 64, size % (2 * stride) == 0 {
      h = builder.normalization(h, .pixel)
      h = builder.convolution(h, outputs: width, stride: 2, name: "reduce.\(stride)")
      stride *= 2
    }
    self.stride = stride
    for block in 0..<4 {
      let first = builder.normalization(h, .pixel)
      let middle = builder.convolution(first, outputs: width, name: "blocks.\(block).conv1")
      let second = builder.normalization(middle, .pixel)
      h = builder.convolution(
        second, outputs: width, adding: h, name: "blocks.\(block).conv2")
    }
    features = builder.normalization(h, .pixel)
    let output = builder.convolution(features, outputs: 1, side: 1, zero: true, name: "head")
    graph = builder.build(output: output)
  }
}
