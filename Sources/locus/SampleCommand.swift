import Diffusion
import Evaluation
import Experiments
import Formats
import Foundation
import Lineage
import Workflow

/// `locus sample`: pictures from a denoiser, for a person to look at.
enum SampleCommand: Command {
  static let declaration = CommandDeclaration(
    name: "sample", summary: "Draw pictures with a denoiser, objects asked for at chosen places.",
    positionals: [
      PositionalDeclaration(
        name: "DENOISER",
        help: "an instance of train, analytic, intervene or import, an execution's id, or a hash")
    ],
    options: [
      OptionDeclaration(
        "--at", "X,Y", repeats: true,
        help: "ask for an object here: shares of the side, from left and top"),
      OptionDeclaration("--count", "N", help: "pictures to draw (default: 8)"),
      OptionDeclaration("--steps", "N", help: "steps of Heun's sampler (default: 20)"),
      OptionDeclaration("--seed", "N", help: "seed of the noise (default: 1)"),
      OptionDeclaration("--threads", "N", help: "threads to use (default: all cores)"),
      OptionDeclaration("--output", "FILE", help: "a PNG to write (default: sample.png)"),
      CommandDeclaration.store,
    ],
    discussion: """
      Writes one PNG with the requested cells outlined. Without --at the request is empty.
      The same request, seed and denoiser give the same picture.
      """,
    examples: [
      .init(
        command: "locus sample local --at 0.25,0.25 --at 0.75,0.75",
        effect: "eight pictures with two objects each, in sample.png"),
      .init(
        command: "locus sample 'masked[mask=conditioner]' --at 0.5,0.5 --seed 2 --output two.png",
        effect: "the same request to a masked denoiser, from other noise"),
    ])

  private static let columns = 8

  static func run(_ context: CommandContext) throws -> Int32 {
    let arguments = context.arguments
    let count = try arguments.integer("--count", in: 1...1024) ?? 8
    let steps = try arguments.integer("--steps", in: 2...1000) ?? 20
    let seed = try arguments.integer("--seed", in: 0...Int.max) ?? 1
    let threads =
      try arguments.integer("--threads", in: 1...1024)
      ?? ProcessInfo.processInfo.activeProcessorCount
    let places = try arguments.all("--at").map { text throws(UsageError) in try place(text) }

    let store = try context.openStore()
    let denoiser = try storedDenoiser(arguments.positional(0) ?? "", in: store)
    let shape = denoiser.shape
    let wanted: RequestedLayout
    if places.isEmpty {
      wanted = emptyRequest(layout: 0, shape: shape)
    } else {
      let grid = try shape.places()
      wanted = request(
        cells: places.map { grid.cell(x: $0.x, y: $0.y) }, layout: 0, grid: grid)
    }
    let pictures = try HeunSampler(steps: steps).sample(
      denoiser, labels: (0..<count).flatMap { _ in wanted.labels },
      noise: (0..<count).flatMap {
        startingNoise(k: wanted.k, layout: $0, shape: shape, seed: UInt64(seed))
      }, threads: threads)

    let rows = stride(from: 0, to: count, by: columns).map { first in
      let indices = first..<min(first + columns, count)
      return SampleGrid.Row(
        label: wanted.k,
        pictures: indices.map {
          Array(pictures[$0 * shape.pictureCount..<($0 + 1) * shape.pictureCount])
        }, places: indices.map { _ in wanted.places })
    }
    let path = arguments["--output"] ?? "sample.png"
    let image = try SampleGrid.draw(rows, shape: shape).pngData()
    do {
      try image.write(to: URL(filePath: path), options: .atomic)
    } catch {
      throw UsageError.cannotWrite(path, reason: message(of: error))
    }
    try context.console.printLine(path)
    return 0
  }

  private static func place(_ text: String) throws(UsageError) -> (x: Double, y: Double) {
    let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
    guard numbers.count == 2, let x = numbers[0], let y = numbers[1], (0...1).contains(x),
      (0...1).contains(y)
    else {
      throw .badValue(text, option: "--at", accepted: "two numbers from 0 to 1, such as 0.25,0.5")
    }
    return (x, y)
  }
}
