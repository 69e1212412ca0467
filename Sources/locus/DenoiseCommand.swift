import Diffusion
import Formats
import Foundation
import Lineage
import Workflow

/// `locus denoise`: D(x, σ, c) of a stored denoiser on given arrays, for other programs.
enum DenoiseCommand: Command {
  static let declaration = CommandDeclaration(
    name: "denoise", summary: "Run a stored denoiser on given arrays.",
    positionals: [
      PositionalDeclaration(
        name: "DENOISER",
        help: "an instance of train, analytic, intervene or import, an execution's id, or a hash")
    ],
    options: [
      OptionDeclaration("--x", "FILE", help: "noised pictures, .npy float32 (N, 3, S, S)"),
      OptionDeclaration("--sigma", "FILE", help: "noise levels, .npy float32 (N)"),
      OptionDeclaration(
        "--labels", "FILE", help: "conditioners, .npy float32 (N, G, G) or (N, words)"),
      OptionDeclaration("--out", "FILE", help: "where D goes, .npy float32 (N, 3, S, S)"),
      OptionDeclaration("--threads", "N", help: "threads to use (default: all cores)"),
      CommandDeclaration.store,
    ],
    discussion: """
      Clean pictures lie in [-1, 1]. Arrays are channels first, as PyTorch has them, so that the
      result can be compared with other programs that read the same weights.
      """,
    examples: [
      .init(
        command: "locus denoise local --x x.npy --sigma sigma.npy --labels c.npy --out D.npy",
        effect: "what the local network makes of the pictures in x.npy")
    ])

  static func run(_ context: CommandContext) throws -> Int32 {
    let arguments = context.arguments
    let threads =
      try arguments.integer("--threads", in: 1...1024)
      ?? ProcessInfo.processInfo.activeProcessorCount
    guard let output = arguments["--out"] else {
      throw UsageError.missingArgument("--out FILE", command: "denoise")
    }
    let x = try floats("--x", dimensions: [4], arguments)
    let sigma = try floats("--sigma", dimensions: [1], arguments)
    let labels = try floats("--labels", dimensions: [3, 2], arguments)
    let denoiser = try storedDenoiser(
      arguments.positional(0) ?? "", in: try context.openStore())
    let shape = denoiser.shape
    let count = sigma.shape[0]
    let expected = [
      ("--x", x.shape, [count, PictureShape.channels, shape.size, shape.size]),
      ("--labels", labels.shape, [count] + shape.space.dimensions),
    ]
    for (option, found, wanted) in expected where found != wanted {
      throw UsageError.badValue(
        "shape \(found)", option: option, accepted: "\(wanted), from sigma and the denoiser")
    }
    let batch = NoisedBatch(
      x: transpose(x.values, from: PictureShape.channels, by: shape.size * shape.size),
      sigma: sigma.values, labels: labels.values)
    let denoised = try denoiser.denoise(batch, threads: threads)
    let array = try NPYArray(
      shape: x.shape,
      elements: .float32(
        transpose(denoised, from: shape.size * shape.size, by: PictureShape.channels)))
    do {
      try array.npyData().write(to: URL(filePath: output), options: .atomic)
    } catch {
      throw UsageError.cannotWrite(output, reason: message(of: error))
    }
    try context.console.printLine(output)
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

  private static func floats(_ option: String, dimensions: [Int], _ arguments: Arguments) throws
    -> (shape: [Int], values: [Float])
  {
    guard let path = arguments[option] else {
      throw UsageError.missingArgument("\(option) FILE", command: "denoise")
    }
    let array: NPYArray
    do {
      array = try NPYArray(npy: readFile(path))
    } catch let error as FormatError {
      throw UsageError.badValue(path, option: option, accepted: "an .npy file; \(error)")
    }
    guard case .float32(let values) = array.elements, dimensions.contains(array.shape.count)
    else {
      throw UsageError.badValue(
        path, option: option,
        accepted: "float32 with \(dimensions.map(String.init).joined(separator: " or ")) dimensions"
      )
    }
    return (array.shape, values)
  }
}
