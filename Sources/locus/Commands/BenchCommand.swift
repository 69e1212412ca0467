import Benchmarks
import Diffusion
import Experiments
import Formats
import Foundation
import Workflow

/// `locus bench`: speed as a share of what the machine can do, measured in the same run.
enum BenchCommand: Command {
  enum Switch: String, CaseIterable { case on, off }

  struct Options: CommandOptions {
    @Option("--network", "TYPE", default: .unet) var network: NetworkDescription.Architecture.Kind
    @Option(
      "--width", "N", in: 4...512, multipleOf: 4, default: 32, "base width, a multiple of 4")
    var width: Int
    @Option("--size", "PX", in: 8...512, multipleOf: 4, default: 32, "side of a picture")
    var size: Int
    @Option("--batch", "N", in: 1...4096, default: 64, "pictures a step") var batch: Int
    @Option(.threads("threads to use")) var threads: Int
    @Option("--normalization", "KIND", default: .group)
    var normalization: NetworkDescription.Normalization
    @Option("--attention", "ON", default: .on) var attention: Switch
    @Option("--conditioning", "KIND", default: .grid)
    var conditioning: NetworkDescription.Conditioning
    @Option("--reach", "N", in: 0...64, default: 2, "cells, of a patchwise network") var reach: Int
    @Flag("--kernels", "what each kernel costs, instead of whole steps") var kernels
    @Option("--rounds", "N", in: 1...1000, default: 8, "measurements of each") var rounds: Int
    @Flag(.json) var json
  }

  static let about = CommandSummary(
    name: "bench", summary: "Time training and denoising beside the machine's own matrix product.",
    discussion: """
      Alternates a 1024³ product by OpenBLAS, a training step and a denoising pass, and gives
      medians with the least and the largest. The share says how much of the matrix product's speed
      a network reaches: times alone say nothing of another machine.
      """,
    examples: [
      .init(command: "locus bench", effect: "the U-Net of width 32 at 32 px, batch 64"),
      .init(
        command: "locus bench --network local --json", effect: "the local network, for a program"),
      .init(command: "locus bench --kernels", effect: "where a training step's time goes"),
    ])

  static func run(_ context: CommandContext<Options>) throws -> Int32 {
    let options = context.options
    let threads = options.threads
    try Processor.check()
    try Resources.check(threads: threads)
    let batch = options.batch
    let network = description(options)
    if options.kernels {
      let table = try KernelTable(network, threads: threads, rounds: options.rounds)
      try context.console.write(options.json ? table.json + "\n" : table.text(for: context.console))
      return 0
    }
    let meter = ResourceMeter()
    let result = try Benchmark.measure(
      network, batch: batch, threads: threads, rounds: options.rounds)
    let memory = meter.stop().peakRSSBytes >> 20
    let rows = [
      ("training", result.train, result.trainOperations),
      ("denoising", result.denoise, result.operations),
    ].map { name, speed, operations -> [JSONValue] in
      let gflops = speed.median * Double(operations) / 1e9
      return [
        .string(name), rounded(speed.median), rounded(speed.low), rounded(speed.high),
        rounded(gflops), .string("\(Int((100 * gflops / result.matrix.median).rounded())) %"),
      ]
    }
    if options.json {
      try context.console.printLine(json(network, batch, threads, memory, result).canonicalText())
      return 0
    }
    let table = TextTable(
      columns: ["what", "pictures/s", "least", "largest", "GFLOPS", "share of sgemm"], rows: rows)
    let matrix = result.matrix
    try context.console.write(
      table.text(for: context.console)
        + "sgemm 1024³ on \(threads) threads: \(Int(matrix.median)) GFLOPS "
        + "(\(Int(matrix.low)) to \(Int(matrix.high))); "
        + "\(result.parameters) weights; peak memory \(memory) MiB\n")
    return 0
  }

  private static func description(_ options: Options) -> NetworkDescription {
    // The reference's conditioner has 16 cells a side; small pictures have a cell a pixel.
    let cells = options.size % 16 == 0 ? 16 : options.size
    let architecture: NetworkDescription.Architecture =
      switch options.network {
      case .local: .local(width: options.width, dilations: [1, 1, 1, 1, 1])
      case .patchwise:
        .patchwise(
          width: options.width, reach: options.reach, normalization: options.normalization,
          attention: options.attention == .on)
      case .unet:
        .unet(
          width: options.width, conditioning: options.conditioning,
          normalization: options.normalization, attention: options.attention == .on)
      }
    return NetworkDescription(architecture, shape: PictureShape(size: options.size, cells: cells))
  }

  /// The keys of the PyTorch reference's own benchmark, and ours beside them.
  private static func json(
    _ network: NetworkDescription, _ batch: Int, _ threads: Int, _ memory: Int,
    _ result: Benchmark
  ) -> JSONValue {
    var values: [String: JSONValue] = [
      "batch": .integer(batch), "threads": .integer(threads), "size": .integer(network.shape.size),
      "parameters": .integer(result.parameters),
      "train_images_per_second": rounded(result.train.median),
      "denoise_images_per_second": rounded(result.denoise.median),
      "sgemm_gflops": rounded(result.matrix.median),
      "peak_rss_mib": .integer(memory),
      "forward_gflop": .number(Double(result.operations) / 1e9),
    ]
    switch network.architecture {
    case .unet(let width, let conditioning, let normalization, let attention, _):
      values["network"] = .string("unet")
      values["width"] = .integer(width)
      values["conditioning"] = .string(conditioning.rawValue)
      values["normalization"] = .string(normalization.rawValue)
      values["attention"] = .bool(attention)
    case .local(let width, let dilations):
      values["network"] = .string("local")
      values["width"] = .integer(width)
      values["dilations"] = .array(dilations.map(JSONValue.integer))
    case .patchwise(let width, let reach, let normalization, let attention):
      values["network"] = .string("patchwise")
      values["width"] = .integer(width)
      values["reach"] = .integer(reach)
      values["normalization"] = .string(normalization.rawValue)
      values["attention"] = .bool(attention)
    }
    return .object(values)
  }

  private static func rounded(_ value: Double) -> JSONValue {
    .number((value * 100).rounded() / 100)
  }
}
