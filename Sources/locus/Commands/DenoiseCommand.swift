import Diffusion
import Experiments
import Formats
import Foundation
import Lineage
import Workflow

/// `locus denoise`: D(x, σ, c) of a stored denoiser on given arrays, for other programs.
enum DenoiseCommand: Command {
  struct Options: StoreOptions {
    @Positional(
      "DENOISER", names: .denoisers,
      "an instance of train, analytic, intervene or import, an execution's id, or a hash")
    var denoiser: String
    @Option(required: "--x", "FILE", "noised pictures, .npy float32 (N, 3, S, S)") var x: String
    @Option(required: "--sigma", "FILE", "noise levels, .npy float32 (N)") var sigma: String
    @Option(required: "--labels", "FILE", "conditioners, .npy float32 (N, G, G) or (N, words)")
    var labels: String
    @Option(required: "--out", "FILE", "where D goes, .npy float32 (N, 3, S, S)") var output: String
    @Option(.threads("threads to use")) var threads: Int
    @Option(.store) var store: String?
  }

  static let about = CommandSummary(
    name: "denoise", summary: "Run a stored denoiser on given arrays.",
    discussion: """
      Clean pictures lie in [-1, 1]. Arrays are channels first, as PyTorch has them, so that the
      result can be compared with other programs that read the same weights.
      """,
    examples: [
      .init(
        command: "locus denoise local --x x.npy --sigma sigma.npy --labels c.npy --out D.npy",
        effect: "what the local network makes of the pictures in x.npy")
    ])

  static func run(_ context: CommandContext<Options>) throws -> Int32 {
    let options = context.options
    try Processor.check()
    try Resources.check(threads: options.threads)
    let x = try floats(options.$x, dimensions: [4])
    let sigma = try floats(options.$sigma, dimensions: [1])
    if let place = sigma.values.firstIndex(where: { $0 <= 0 }) {
      throw UsageError.badValue(
        "\(sigma.values[place]) at \(place)", option: options.$sigma.name,
        accepted: "noise levels above 0")
    }
    let labels = try floats(options.$labels, dimensions: [3, 2])
    let denoiser = try storedDenoiser(options.denoiser, in: try context.openStore())
    let shape = denoiser.shape
    let count = sigma.shape[0]
    let expected = [
      (options.$x, x.shape, [count, PictureShape.channels, shape.size, shape.size]),
      (options.$labels, labels.shape, [count] + shape.space.dimensions),
    ]
    for (option, found, wanted) in expected where found != wanted {
      throw UsageError.badValue(
        "shape \(found)", option: option.name, accepted: "\(wanted), from sigma and the denoiser")
    }
    let batch = NoisedBatch(
      x: transpose(x.values, from: PictureShape.channels, by: shape.size * shape.size),
      sigma: sigma.values, labels: labels.values)
    let denoised = try denoiser.denoise(batch, threads: options.threads)
    let array = try NPYArray(
      shape: x.shape,
      elements: .float32(
        transpose(denoised, from: shape.size * shape.size, by: PictureShape.channels)))
    try context.write(array.npyData(), to: options.output)
    return 0
  }

  /// Each picture's (rows, columns) turned to (columns, rows).
  private static func transpose(_ values: [Float], from rows: Int, by columns: Int) -> [Float] {
    let count = rows * columns
    return values.indices.map { i in
      let (picture, place) = i.quotientAndRemainder(dividingBy: count)
      return values[picture * count + place % rows * columns + place / rows]
    }
  }

  private static func floats(_ option: Option<String>, dimensions: [Int]) throws
    -> (shape: [Int], values: [Float])
  {
    let path = option.wrappedValue
    let array: NPYArray
    do {
      array = try NPYArray(npy: readFile(path))
    } catch let error as FormatError {
      throw UsageError.badValue(path, option: option.name, accepted: "an .npy file; \(error)")
    }
    guard case .float32(let values) = array.elements, dimensions.contains(array.shape.count)
    else {
      throw UsageError.badValue(
        path, option: option.name,
        accepted: "float32 with \(dimensions.map(String.init).joined(separator: " or ")) dimensions"
      )
    }
    if let place = values.firstIndex(where: { !$0.isFinite }) {
      throw UsageError.badValue(
        "\(values[place]) at \(place)", option: option.name, accepted: "finite numbers")
    }
    return (array.shape, values)
  }
}
