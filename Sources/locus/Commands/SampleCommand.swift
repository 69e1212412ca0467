import Diffusion
import Evaluation
import Experiments
import Formats
import Foundation
import Lineage
import Workflow

/// `locus sample`: pictures from a denoiser, for a person to look at.
enum SampleCommand: Command {
  /// Shares of the side, from left and top.
  struct Point {
    var x: Double
    var y: Double
  }

  struct Options: StoreOptions {
    @Positional(
      "DENOISER", names: .denoisers,
      "an instance of train, analytic, intervene, import, external, an execution's id, a hash")
    var denoiser: String
    @Option(
      repeated: "--at", "X,Y", "ask for an object here, as shares of the side",
      reading: place)
    var places: [Point]
    @Option(
      repeated: "--word", "WORD", "ask for this word, where conditioners are words")
    var words: [String]
    @Option("--count", "N", in: 1...1024, default: 8, "pictures to draw") var count: Int
    @Option("--steps", "N", in: 2...1000, default: 20, "steps of the sampler") var steps: Int
    @Option("--sampler", "METHOD", default: .heun) var sampler: SamplingMethod
    @Option(
      "--guidance", "G[,LOW,HIGH]", shown: "1",
      "classifier-free guidance, between noise levels",
      reading: scale)
    var guidance: Guidance??
    @Option("--seed", "N", in: 0...Int.max, default: 1, "seed of the noise") var seed: Int
    @Option(.threads("threads to use")) var threads: Int
    @Option("--output", "FILE", default: "sample.png", "a PNG to write") var output: String
    @Option(.store) var store: String?
  }

  static let about = CommandSummary(
    name: "sample", summary: "Draw pictures with a denoiser, objects asked for at chosen places.",
    discussion: """
      Writes one PNG with the requested cells outlined. Without --at the request is empty.
      The same request, seed and denoiser give the same picture.
      """,
    examples: [
      .init(
        command: "locus sample model --word red --word blue --guidance 2",
        effect: "eight pictures of a model told by words, both of them asked for"),
      .init(
        command: "locus sample local --at 0.25,0.25 --at 0.75,0.75",
        effect: "eight pictures with two objects each, in sample.png"),
      .init(
        command: "locus sample 'masked[mask=conditioner]' --at 0.5,0.5 --seed 2 --output two.png",
        effect: "the same request to a masked denoiser, from other noise"),
      .init(
        command: "locus sample baseline --at 0.5,0.5 --guidance 2,0.5,10",
        effect: "what the request changes counts twice while the layout is decided"),
    ])

  private static let columns = 8

  static func run(_ context: CommandContext<Options>) throws -> Int32 {
    let options = context.options
    try Processor.check()
    try Resources.check(threads: options.threads)
    try context.checkWritable(options.output)
    let count = options.count
    let denoiser = try storedDenoiser(options.denoiser, in: try context.openStore()).guided(
      by: options.guidance ?? nil)
    let shape = denoiser.shape
    let wanted: RequestedLayout
    if !options.words.isEmpty {
      wanted = try asked(options.words, of: shape)
    } else if options.places.isEmpty {
      wanted = emptyRequest(layout: 0, shape: shape)
    } else {
      let grid = try shape.places()
      wanted = request(
        cells: options.places.map { grid.cell(x: $0.x, y: $0.y) }, layout: 0, grid: grid)
    }
    let noise = (0..<count).flatMap {
      startingNoise(k: wanted.k, layout: $0, shape: shape, seed: UInt64(options.seed))
    }
    let pictures = try requireFinite(
      Sampler(steps: options.steps, method: options.sampler).sample(
        denoiser, labels: (0..<count).flatMap { _ in wanted.labels }, noise: noise,
        draws: (0..<count).map { layoutDraw(k: wanted.k, layout: $0, seed: UInt64(options.seed)) },
        threads: options.threads), shape)

    let rows = stride(from: 0, to: count, by: columns).map { first in
      let indices = first..<min(first + columns, count)
      return SampleGrid.Row(
        label: wanted.k,
        pictures: indices.map {
          Array(pictures[$0 * shape.pictureCount..<($0 + 1) * shape.pictureCount])
        }, places: indices.map { _ in wanted.places })
    }
    let image = try SampleGrid.draw(rows, shape: shape).pngData()
    try context.write(image, to: options.output)
    return 0
  }

  private static func asked(_ words: [String], of shape: PictureShape) throws -> RequestedLayout {
    guard case .set(let known) = shape.space else {
      throw UsageError.badValue(
        words[0], option: "--word",
        accepted: "none: its conditioners are \(shape.space.text); use --at")
    }
    if let odd = words.first(where: { !known.contains($0) }) {
      throw UsageError.badValue(odd, option: "--word", accepted: known.joined(separator: ", "))
    }
    return RequestedLayout(
      k: Set(words).count, layout: 0, labels: known.map { words.contains($0) ? 1 : 0 }, places: [])
  }

  /// The denoiser's own scale, 1, is no guidance.
  private static func scale(_ text: String) throws(UsageError) -> Guidance? {
    let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
    let sigmas = numbers.count == 1 ? Guidance.wholeRange : numbers.dropFirst().compactMap { $0 }
    guard let scale = numbers.first ?? nil, (0...100).contains(scale),
      [1, 3].contains(numbers.count), sigmas.count == 2, 0 <= sigmas[0], sigmas[0] <= sigmas[1],
      sigmas[1].isFinite
    else {
      throw .badValue(
        text, option: "--guidance",
        accepted: "a number from 0 to 100, or with the lowest and highest noise level: 2,0.5,10")
    }
    return Guidance(scale: scale, sigmas: sigmas)
  }

  private static func place(_ text: String) throws(UsageError) -> Point {
    let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
    guard numbers.count == 2, let x = numbers[0], let y = numbers[1], (0...1).contains(x),
      (0...1).contains(y)
    else {
      throw .badValue(text, option: "--at", accepted: "two numbers from 0 to 1, such as 0.25,0.5")
    }
    return Point(x: x, y: y)
  }
}
