import Benchmarks
import Diffusion
import Formats
import Foundation
import Workflow

/// `locus bench`: speed as a share of what the machine can do, measured in the same run.
enum BenchCommand: Command {
  static let declaration = CommandDeclaration(
    name: "bench", summary: "Time training and denoising beside the machine's own matrix product.",
    options: [
      OptionDeclaration(
        "--network", "TYPE", values: ["unet", "local"], help: "unet or local (default: unet)"),
      OptionDeclaration("--width", "N", help: "base width, a multiple of 4 (default: 32)"),
      OptionDeclaration("--size", "PX", help: "side of a picture (default: 32)"),
      OptionDeclaration("--batch", "N", help: "pictures a step (default: 64)"),
      OptionDeclaration("--threads", "N", help: "threads to use (default: all cores)"),
      OptionDeclaration(
        "--normalization", "KIND", values: ["group", "pixel"],
        help: "group or pixel (default: group)"),
      OptionDeclaration(
        "--attention", "ON", values: ["on", "off"], help: "on or off (default: on)"),
      OptionDeclaration(
        "--conditioning", "KIND", values: ["grid", "vector"], help: "grid or vector (default: grid)"
      ),
      OptionDeclaration("--kernels", help: "what each kernel costs, instead of whole steps"),
      OptionDeclaration("--rounds", "N", help: "measurements of each (default: 8)"),
      CommandDeclaration.json,
    ],
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

  static func run(_ context: CommandContext) throws -> Int32 {
    let arguments = context.arguments
    let threads =
      try arguments.integer("--threads", in: 1...1024)
      ?? ProcessInfo.processInfo.activeProcessorCount
    let batch = try arguments.integer("--batch", in: 1...4096) ?? 64
    let rounds = try arguments.integer("--rounds", in: 1...1000) ?? 8
    let network = try description(arguments)
    if arguments.has("--kernels") {
      let table = try KernelTable(network, threads: threads, rounds: rounds)
      try context.console.write(
        arguments.has("--json") ? table.json + "\n" : table.text)
      return 0
    }
    let meter = ResourceMeter()
    let result = try Benchmark.measure(network, batch: batch, threads: threads, rounds: rounds)
    let memory = meter.stop().peakRSSBytes >> 20
    let rows = [
      ("training", result.train, 3.0), ("denoising", result.denoise, 1.0),
    ].map { name, speed, passes -> [JSONValue] in
      let gflops = speed.median * Double(result.operations) * passes / 1e9
      return [
        .string(name), rounded(speed.median), rounded(speed.low), rounded(speed.high),
        rounded(gflops), .string("\(Int((100 * gflops / result.matrix.median).rounded())) %"),
      ]
    }
    if arguments.has("--json") {
      try context.console.printLine(json(network, batch, threads, memory, result).canonicalText())
      return 0
    }
    let table = TextTable(
      columns: ["what", "pictures/s", "least", "largest", "GFLOPS", "share of sgemm"], rows: rows)
    let matrix = result.matrix
    try context.console.write(
      table.text(.table)
        + "sgemm 1024³ on \(threads) threads: \(Int(matrix.median)) GFLOPS "
        + "(\(Int(matrix.low)) to \(Int(matrix.high))); "
        + "\(result.parameters) weights; peak memory \(memory) MiB\n")
    return 0
  }

  private static func description(_ arguments: Arguments) throws -> NetworkDescription {
    let size = try arguments.integer("--size", in: 8...512) ?? 32
    let width = try arguments.integer("--width", in: 4...512) ?? 32
    for (option, value) in [("--size", size), ("--width", width)] where value % 4 != 0 {
      throw UsageError.badValue("\(value)", option: option, accepted: "a multiple of 4")
    }
    // The reference's conditioner has 16 cells a side; small pictures have a cell a pixel.
    let cells = size % 16 == 0 ? 16 : size
    let shape = PictureShape(size: size, cells: cells)
    let network = try arguments.choice("--network", among: ["unet", "local"]) ?? "unet"
    let normalization =
      try arguments.choice("--normalization", among: ["group", "pixel"]) ?? "group"
    let conditioning = try arguments.choice("--conditioning", among: ["grid", "vector"]) ?? "grid"
    let attention = try arguments.choice("--attention", among: ["on", "off"]) ?? "on"
    if network == "local" {
      return NetworkDescription(
        .local(width: width, dilations: [1, 1, 1, 1, 1]), shape: shape)
    }
    return NetworkDescription(
      .unet(
        width: width, conditioning: conditioning == "grid" ? .grid : .vector,
        normalization: normalization == "group" ? .group : .pixel, attention: attention == "on"),
      shape: shape)
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
    case .unet(let width, let conditioning, let normalization, let attention):
      values["network"] = .string("unet")
      values["width"] = .integer(width)
      values["conditioning"] = .string(conditioning.rawValue)
      values["normalization"] = .string(normalization.rawValue)
      values["attention"] = .bool(attention)
    case .local(let width, let dilations):
      values["network"] = .string("local")
      values["width"] = .integer(width)
      values["dilations"] = .array(dilations.map(JSONValue.integer))
    }
    return .object(values)
  }

  private static func rounded(_ value: Double) -> JSONValue {
    .number((value * 100).rounded() / 100)
  }
}
