import Diffusion
import Experiments
import Formats
import Lineage
import Workflow

/// `locus denoise`: D(x, σ, c) of a stored denoiser on given arrays, for other programs.
enum DenoiseCommand: Command {
  struct Options: StoreOptions {
    @Positional(
      "DENOISER", names: .denoisers,
      "an instance of train, analytic, intervene, import, external, an execution's id, a hash")
    var denoiser: String
    @Option(required: "--x", "FILE", "noised pictures, .npy (N, 3, S, S)") var x: String
    @Option(required: "--sigma", "FILE", "noise levels above 0, .npy (N)") var sigma: String
    @Option(required: "--labels", "FILE", "conditioners, .npy (N, G, G) or (N, words)")
    var labels: String
    @Option(required: "--output", "FILE", "where D goes, .npy float32 (N, 3, S, S)")
    var output: String
    @Option(.threads("threads to use")) var threads: Int
    @Option(.store) var store: String?
  }

  static let about = CommandSummary(
    name: "denoise", summary: "Run a stored denoiser on given arrays.",
    discussion: """
      Clean pictures lie in [-1, 1]. Arrays are channels first, as PyTorch has them, so that the
      result can be compared with other programs that read the same weights. They may be float32, or
      float64, which is rounded, in C or Fortran order. Pictures of uint8 are taken as in training, a
      byte b as b / 127.5 - 1; in noise levels and conditioners uint8 and int64 are the numbers that
      they are. What is not finite is refused. FILE may be a FIFO or /dev/stdin.
      """,
    examples: [
      .init(
        command: "locus denoise local --x x.npy --sigma sigma.npy --labels c.npy --output D.npy",
        effect: "what the local network makes of the pictures in x.npy")
    ])

  static func run(_ context: CommandContext<Options>) throws -> Int32 {
    let options = context.options
    try Processor.check()
    try Resources.check(threads: options.threads)
    try context.checkWritable(options.output)
    let x = try GivenArray(options.x, .pictures, dimensions: [4])
    let sigma = try GivenArray(options.sigma, .numbers, dimensions: [1])
    if let place = sigma.values.firstIndex(where: { $0 <= 0 }) {
      throw sigma.refusal(at: place, "noise levels are above 0")
    }
    let labels = try GivenArray(options.labels, .numbers, dimensions: [3, 2])
    let denoiser = try storedDenoiser(options.denoiser, in: try context.openStore())
    let shape = denoiser.shape
    let count = sigma.shape[0]
    let expected = [
      (x, [count, PictureShape.channels, shape.size, shape.size]),
      (labels, [count] + shape.space.dimensions),
    ]
    for (array, wanted) in expected where array.shape != wanted {
      throw UsageError.badFile(
        array.path,
        reason: "shape \(array.shape); \(wanted) is needed, from \(options.sigma) and the denoiser")
    }
    let batch = NoisedBatch(
      x: transpose(x.values, from: PictureShape.channels, by: shape.size * shape.size),
      sigma: sigma.values, labels: labels.values)
    let denoised = try requireFinite(denoiser.denoise(batch, threads: options.threads), shape)
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
}
