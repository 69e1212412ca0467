import Tensors

/// What a denoiser's network looks like; together with its weights it is the denoiser.
package struct NetworkDescription: Sendable, Hashable {
  package enum Conditioning: String, Sendable, CaseIterable {
    /// The count map as a further input channel; only of conditioners whose entries are places.
    case grid
    /// All entries through an MLP, added to the noise embedding: global, as class labels.
    case vector
    /// As `vector`, and each entry as a further input channel too, the same at every pixel.
    case channels
    /// Each entry drives channels of its own at the lowest level, and nothing else: features in which every
    /// word changes what is its own by construction. What comes after hears of words by these alone.
    case words
    /// As `words`, at the same place and by as many channels, but each entry drives all of them.
    case lowest
  }
  package enum Normalization: String, Sendable, CaseIterable {
    /// Four groups, statistics over the whole picture: a path for non-local dependence.
    case group
    /// Root mean square over the channels of a pixel: no such path.
    case pixel
  }
  package enum Architecture: Sendable, Hashable {
    /// - Parameter middle: residual blocks between the way down and the way up, at the lowest level.
    case unet(
      width: Int, conditioning: Conditioning, normalization: Normalization, attention: Bool,
      middle: Int = 0)
    /// Score locality by construction: receptive radius 1 + Σ dilations, nothing global. Takes the
    /// count map as a further input channel.
    case local(width: Int, dilations: [Int])
    /// The published form of locality (Bradley et al. 2025, Exp 2L): the U-Net, with the count map as a further
    /// input channel, on the patch of `reach` cells around each cell, of which that cell is kept.
    case patchwise(width: Int, reach: Int, normalization: Normalization, attention: Bool)

    /// How many pixels away an output still depends on pixels, and how many from the nearest pixel of a label's
    /// cell on labels; `nil` where nothing bounds it, or where the cells are not known.
    ///
    /// - Parameter cellSize: pixels on a side of a cell.
    package func reach(cellSize: Int?) -> (pixels: Int, labels: Int)? {
      switch self {
      case .unet: return nil
      case .local(_, let dilations):
        let reach = 1 + dilations.reduce(0, +)
        return (reach, reach)
      case .patchwise(_, let reach, _, _):
        // From one end of the middle cell to the other end of the patch.
        return cellSize.map { ((reach + 1) * $0 - 1, reach * $0) }
      }
    }
  }

  /// Blocks that a U-Net may have between the way down and the way up.
  package static let middles = 0...16

  /// Cells that a patch may reach beyond its middle one.
  package static let reaches = 0...64

  package var architecture: Architecture
  package var shape: PictureShape

  package init(_ architecture: Architecture, shape: PictureShape) {
    self.architecture = architecture
    self.shape = shape
  }

  /// Side in pixels of the window that one output pixel depends on; the picture's when it is global.
  package var window: Int {
    switch architecture {
    case .unet: shape.size
    case .local:
      architecture.reach(cellSize: nil).map { min(2 * $0.pixels + 1, shape.size) } ?? shape.size
    case .patchwise: min(patches?.side ?? shape.size, shape.size)
    }
  }

  /// Of a patchwise network, of conditioners with places.
  var patches: PatchGrid? {
    guard case .patchwise(_, let reach, _, _) = architecture, let grid = shape.grid else {
      return nil
    }
    return PatchGrid(grid: grid, reach: reach)
  }
}

/// Width of the noise embedding.
let embeddingWidth = 64
/// Frequencies of the Fourier features of the noise level.
let fourierCount = 32

/// A network as a graph, with the places where a picture and its conditions enter.
///
/// The network F of EDM's preconditioning: it takes c_in · x, ln σ / 4 and the labels. Names of
/// weights are those of the PyTorch reference.
package struct Network: Sendable {
  package let description: NetworkDescription
  package let graph: Graph
  /// (S, S, 3 + label map + coordinates + inside, as far as the network takes them), S the side of a view.
  let image: Value
  /// (1, 1, 32): sin and cos of ln σ / 4 at 16 frequencies.
  let fourier: Value
  /// Whether the image's channels 4 and 5 are a pixel's coordinates in the picture.
  let hasCoordinates: Bool
  /// Of a patchwise network, whose image has 1 in channel 6 where it shows the picture.
  let patches: PatchGrid?
  /// How conditioners enter.
  let labels: Labels

  enum Labels: Sendable {
    /// As the image's fourth channel, each pixel with the count of its cell.
    case map(CellGrid)
    /// (1, 1, C): all entries at once.
    case vector(Value)
    /// The same, and as the image's channels from the fourth on.
    case channels(Value)
  }

  /// - Parameter path: is cut; the parameters are the same.
  /// - Throws: `NoPlaces` for a network that takes a map of conditioners which have none.
  package init(_ description: NetworkDescription, cutting path: NetworkPath? = nil)
    throws(NoPlaces)
  {
    self.description = description
    var builder = GraphBuilder(
      freezesGroups: path?.cutsStatistics ?? false, cutsAttention: path?.cutsAttention ?? false)
    let size = description.shape.size
    fourier = builder.input(height: 1, width: 1, channels: fourierCount)
    let output: Value
    hasCoordinates = description.architecture.kind != .unet
    patches = description.patches
    switch description.architecture {
    case .unet(let width, let conditioning, let normalization, let attention, let middle):
      var vector: Value?
      var words: LowestWords?
      switch conditioning {
      case .grid:
        labels = .map(try description.shape.places())
        image = builder.input(height: size, width: size, channels: PictureShape.channels + 1)
      case .vector, .words, .lowest:
        image = builder.input(height: size, width: size, channels: PictureShape.channels)
        let value = builder.input(
          height: 1, width: 1, channels: description.shape.conditionerCount)
        labels = .vector(value)
        if conditioning == .vector {
          vector = value
        } else {
          words = LowestWords(told: value, areOwn: conditioning == .words)
        }
      case .channels:
        let count = description.shape.conditionerCount
        image = builder.input(height: size, width: size, channels: PictureShape.channels + count)
        let value = builder.input(height: 1, width: 1, channels: count)
        labels = .channels(value)
        vector = value
      }
      output = buildUNet(
        &builder, image: image, fourier: fourier, labels: vector, words: words, width: width,
        kind: normalization == .group ? .group(4) : .pixel, attention: attention, middle: middle)
    case .local(let width, let dilations):
      labels = .map(try description.shape.places())
      image = builder.input(height: size, width: size, channels: PictureShape.channels + 3)
      output = buildLocal(
        &builder, image: image, fourier: fourier, width: width, dilations: dilations)
    case .patchwise(let width, let reach, let normalization, let attention):
      let places = try description.shape.places()
      let side = PatchGrid(grid: places, reach: reach).networkSide
      labels = .map(places)
      image = builder.input(height: side, width: side, channels: PictureShape.channels + 4)
      output = buildUNet(
        &builder, image: image, fourier: fourier, labels: nil, width: width,
        kind: normalization == .group ? .group(4) : .pixel, attention: attention)
    }
    graph = builder.build(output: output)
  }

  /// How many views make a picture: 1, or a patch a cell.
  package var viewCount: Int { patches?.grid.count ?? 1 }

  /// How many views of a picture a training step takes.
  package var trainedViewCount: Int { patches == nil ? 1 : PatchGrid.drawn }

  /// Values of the outputs that a training picture is compared at; of patches beside no border.
  var trainedValues: Int {
    patches.map { PatchGrid.drawn * $0.side * $0.side * PictureShape.channels }
      ?? description.shape.pictureCount
  }

  /// One of `viewCount`.
  func view(_ index: Int) -> PictureView {
    patches?.view(index) ?? PictureView(whole: description.shape.size)
  }
}

/// Linear, SiLU, linear: `NAME.0` and `NAME.2`, as PyTorch's Sequential names them.
func buildMLP(
  _ builder: inout GraphBuilder, _ input: Value, adding: Value? = nil, name: String
) -> Value {
  let hidden = builder.linear(input, outputs: embeddingWidth, name: name + ".0")
  let active = builder.normalization(hidden, .none)
  return builder.linear(active, outputs: embeddingWidth, adding: adding, name: name + ".2")
}
