import Artifacts
import Diffusion
import Evaluation
import External
import Formats
import Foundation
import Streams
import Workflow

/// What a model of any shape draws by itself, told of some of its conditioner's entries: what it is probed on.
///
/// With noise anew these are states as it has them on its own way to pictures, at any noise level and as often as
/// wanted; of a model that gives endpoints they are those of its sampler of several steps.
struct FieldDrawing {
  let model: any FieldDenoiser
  /// (N, C, H, W).
  let clean: [Float]
  /// Of each the entries that were told, ascending.
  let told: [[Int]]
  private let seed: UInt64

  /// Passes of a picture.
  static func passes(_ sampler: Sampler, endpoints: Bool) -> Int {
    if endpoints { return 1 }
    return sampler.method == .heun ? 2 * sampler.steps - 1 : sampler.steps
  }

  /// - Parameters:
  ///   - together: entries told of a picture, as far as there are so many.
  ///   - portion: pictures that are drawn together, as many as the model takes at a time.
  ///   - checkpointing: keeps each portion.
  init(
    _ model: any FieldDenoiser, count: Int, together: Int, sampler: Sampler, portion: Int,
    _ context: StageContext, _ checkpointing: Checkpointing = .none
  ) throws {
    let shape = model.fieldShape
    self.model = model
    seed = context.seed
    told = (0..<count).map { n in
      var stream = RandomStream(seed: context.seed, purpose: .fieldConcepts, index: UInt64(n))
      var all = Array(0..<shape.entries)
      stream.shuffle(&all)
      return all.prefix(together).sorted()
    }
    let noise = Self.noise(count, shape, context)
    let labels = told.map { Self.labels($0, shape) }
    var made = GrowingBlob<Float>(name: "drawn")
    var drawn: [Float] = []
    if !checkpointing.saved.isEmpty {
      if let found = GrowingBlob<Float>.restored("drawn", from: checkpointing.saved),
        found.1.count.isMultiple(of: shape.count)
      {
        (made, drawn) = found
      } else {
        checkpointing.discard("its drawings are of another model")
      }
    }
    try checkpointing.run(
      while: { drawn.count < noise.count }, state: { made.piece(of: drawn) },
      unit: {
        let first = drawn.count / shape.count
        let last = min(first + max(portion, 1), count)
        drawn += try sampler.sample(
          model, labels: labels[first..<last].flatMap { $0 },
          noise: Array(noise[first * shape.count..<last * shape.count]),
          checkCancellation: context.checkCancellation)
      })
    clean = drawn
  }

  /// What drawing begins with, the same for every model of a shape: (N, C, H, W).
  static func noise(_ count: Int, _ shape: FieldShape, _ context: StageContext) -> [Float] {
    var noise: [Float] = []
    noise.reserveCapacity(count * shape.count)
    for n in 0..<count {
      var stream = RandomStream(seed: context.seed, purpose: .fieldNoise, index: UInt64(n))
      for _ in 0..<shape.count { noise.append(stream.gaussian()) }
    }
    return noise
  }

  static func labels(_ told: [Int], _ shape: FieldShape) -> [Float] {
    var labels = [Float](repeating: 0, count: shape.entries)
    for entry in told { labels[entry] = 1 }
    return labels
  }

  /// x₀ + σε of some of the pictures, told what they were drawn for.
  func noised(_ sigma: Double, _ chosen: Range<Int>) -> FieldBatch {
    let shape = model.fieldShape
    var batch = FieldBatch()
    for n in chosen {
      var stream = RandomStream(seed: seed, purpose: .fieldNoising, index: UInt64(n))
      let x = clean[n * shape.count..<(n + 1) * shape.count].map {
        $0 + Float(sigma) * stream.gaussian()
      }
      batch.append(x, Float(sigma), Self.labels(told[n], shape))
    }
    return batch
  }

  // MARK: - To look at

  private static let columns = 8
  private static let rows = 2

  /// Decoded where the model can; of latents that nobody decodes and of height maps the first channel in gray.
  ///
  /// - Parameter peer: what decodes.
  func grid(_ peer: Peer) throws -> PNGImage {
    let hello = peer.hello
    let count = min(told.count, Self.columns * Self.rows)
    var pictures = Array(clean[..<(count * model.fieldShape.count)])
    var shape = hello.shape
    if hello.abilities.contains(.decode), let decoded = hello.picture {
      pictures = try peer.decode(pictures)
      shape = decoded
    }
    let (channels, height, width) = (shape[0], shape[1], shape[2])
    let scale = max(1, 96 / max(height, width))
    let (tall, wide) = (height * scale + 2, width * scale + 2)
    let lines = (count + Self.columns - 1) / Self.columns
    let side = min(count, Self.columns) * wide
    var pixels = [UInt8](repeating: 120, count: lines * tall * side * 3)
    for n in 0..<count {
      let own = pictures[n * channels * height * width..<(n + 1) * channels * height * width]
      let first = own.startIndex
      // Colours lie in [−1, 1]; whatever else this is has a range of its own.
      let shown = own[first..<first + (channels == 3 ? 3 : 1) * height * width]
      let (low, high) =
        channels == 3
        ? (-1, 1) : (shown.min() ?? 0, max(shown.max() ?? 1, (shown.min() ?? 0) + 1e-6))
      for y in 0..<height * scale {
        for x in 0..<width * scale {
          let place = y / scale * width + x / scale
          let target =
            ((n / Self.columns * tall + 1 + y) * side + n % Self.columns * wide + 1 + x) * 3
          for c in 0..<3 {
            let value = own[first + (channels == 3 ? c * height * width : 0) + place]
            pixels[target + c] = UInt8(
              min(max((value - low) / (high - low), 0), 1) * 255 + 0.5)
          }
        }
      }
    }
    return try PNGImage(width: side, height: lines * tall, pixels: pixels)
  }
}
