import Artifacts
import Diffusion
import Formats
import Foundation
import Lineage
import Measures
import Scenes
import Workflow

/// `generate`: CLEVR-like pictures with their conditioners and `scenes.json`.
enum GenerateStage {
  struct Options: Settings {
    @Setting(Shared.camera) var camera: CameraKind
    @Setting(Shared.size) var size: Int
    @Setting(Shared.cells) var cells: Int
    @Setting(each: 0...64, count: 2...2, "fewest and most objects") var objects: [Int]
    @Setting(1...10_000_000, isBudget: true, "pictures") var count: Int
    @Setting(0...3, default: 0.25, unit: "CLEVR units", "least distance of two objects")
    var gap: Double
    @Setting(
      0...3, default: 0.4, unit: "CLEVR units",
      "least distance along each of CLEVR's four directions")
    var margin: Double
    @Setting(1...8, default: 3, "samples along a pixel's side") var supersample: Int
    @Setting(
      default: .grid, isLate: true,
      "what conditioners say: in which cells objects are (grid), or which words occur, and nothing of where"
    )
    var conditioner: PictureConditioner
    @Setting(
      columns: 2...3, rows: 0...64, default: [], isLate: true,
      "pairs and triples of words that occur in no picture together: [[\"red\", \"blue\"]]")
    var heldOut: [[String]]

    /// Of the conditioners, where they are words. Pictures that may be empty have one for that too, since a
    /// conditioner without any word says nothing at all.
    var words: [String]? {
      if conditioner == .grid { return nil }
      return conditioner.words + (objects[0] == 0 ? [ObjectWord.nothing] : [])
    }
    var space: ConditionerSpace { words.map { .set(words: $0) } ?? .grid(cells: cells) }
  }

  static let kind = StageKind(
    name: "generate", version: 4,
    summary: "Lays out scenes by CLEVR's rules and renders them.", settings: Options.self,
    inputs: [], produces: .pictureSet, check: check,
    foresee: { options, _ in
      var foreseen = Foreseen(
        camera: options.camera, size: options.size, space: options.space, objects: options.objects)
      foreseen.heldOut = options.heldOut
      return foreseen.value
    }, memory: { options, _ in memory(options) }, run: run)

  private static func check(_ options: Options) -> [ParameterProblem] {
    var problems = Shared.checkView(size: options.size, cells: options.cells)
    problems += Shared.checkObjects(options.objects) + checkHeldOut(options)
    let picture = options.size * options.size * 3
    let (bytes, overflow) = options.count.multipliedReportingOverflow(by: picture)
    if overflow || bytes > mostBytes {
      problems.append(
        ParameterProblem(
          path: "count",
          message: "found \(options.count), accepted: up to \(mostBytes / picture) pictures of "
            + "\(options.size) px (8 GiB, which are held in memory)"))
    }
    return problems
  }

  private static func checkHeldOut(_ options: Options) -> [ParameterProblem] {
    let words = options.conditioner.words
    return options.heldOut.enumerated().flatMap { place, combination -> [ParameterProblem] in
      let path = "held_out[\(place)]"
      if words.isEmpty {
        return [
          ParameterProblem(
            path: path,
            message:
              "combinations of words are held out, and conditioners are cells; accepted: none, "
              + "or another `conditioner`")
        ]
      }
      if let odd = combination.first(where: { !words.contains($0) }) {
        return [
          ParameterProblem(
            path: path,
            message: "found \"\(odd)\", accepted: words of \"\(options.conditioner.rawValue)\": "
              + words.joined(separator: ", "))
        ]
      }
      return Shared.checkDistinct(combination, path: path, what: "word")
    }
  }

  private static let mostBytes = 8 << 30

  /// The pictures, and the file that is made of them.
  private static func memory(_ options: Options) -> Int {
    2 * options.count * (options.size * options.size * 3 + options.space.count)
  }

  private static func run(_ options: Options, _ context: StageContext) throws -> StageOutput {
    let count = options.count
    let settings = SceneSettings(
      camera: options.camera, size: options.size, cells: options.cells,
      rules: LayoutRules(
        objects: options.objects[0]...options.objects[1], gap: options.gap, margin: options.margin),
      supersample: options.supersample,
      words: options.words.flatMap { PictureWords($0, heldOut: options.heldOut) })
    let set = try renderSet(
      settings, seed: context.seed, indices: 0..<count, threads: context.threads,
      checkpointing: try context.checkpointing()
    ) { done in
      context.progress(StageProgress(done: done, total: count, unit: "pictures"))
    }
    let pixels = try NPYArray(
      shape: [count, settings.size, settings.size, 3], elements: .uint8(set.pixels)
    ).npyData()
    let conditioners = try NPYArray(
      shape: [count] + settings.conditionerDimensions, elements: .uint8(set.conditioners)
    ).npyData()
    let scenes = CLEVRFormat.data(set.scenes, settings: settings)
    let manifest = PictureSetManifest(
      camera: options.camera, size: options.size, space: options.space,
      objects: settings.rules.objects, count: count,
      heldOut: options.heldOut.isEmpty ? nil : options.heldOut, pixels: SHA256.hash(pixels),
      conditioners: SHA256.hash(conditioners), scenes: SHA256.hash(scenes))
    let total = set.scenes.reduce(0) { $0 + $1.objects.count }
    return StageOutput(
      files: [
        try context.output(manifest),
        try context.output("pixels", kind: "pixels", .npy, pixels),
        try context.output("conditioners", kind: "conditioners", .npy, conditioners),
        try context.output("scenes", kind: "scenes", .json, scenes),
      ],
      metrics: [
        Measure.pictures.row(Double(count)),
        Measure.objectsMean.row(Double(total) / Double(count), n: count),
      ])
  }
}
