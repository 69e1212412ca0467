import Formats
import Foundation
import Lineage
import Measures
import Scenes
import Workflow

/// `generate`: CLEVR-like pictures with their conditioners and `scenes.json`.
enum GenerateStage {
  static let kind = StageKind(
    name: "generate", version: 1,
    summary: "Lays out scenes by CLEVR's rules and renders them.",
    parameters: viewParameters + [
      Parameter(
        "objects", .list(.integer(0...64), count: 2...2), help: "fewest and most objects"),
      Parameter("count", .integer(1...10_000_000), help: "pictures"),
      Parameter(
        "gap", .number(0...3), default: .number(0.25), help: "least distance of two objects"),
      Parameter(
        "margin", .number(0...3), default: .number(0.4),
        help: "least distance along each of CLEVR's four directions"),
      Parameter(
        "supersample", .integer(1...8), default: .integer(3), help: "samples along a pixel's side"),
    ],
    inputs: [], check: check, run: run)

  /// What decides how pictures look, for every kind that renders.
  static let viewParameters: [Parameter] = [
    Parameter(
      "camera", .choice(CameraKind.allCases.map(\.rawValue)), default: .string("overhead"),
      help: "overhead: straight down; clevr: CLEVR's own view, for 64 px and more"),
    Parameter("size", .integer(8...512), default: .integer(32), help: "side of a picture in px"),
    Parameter(
      "cells", .integer(1...512), default: .integer(16), help: "side of the conditioner grid"),
  ]

  static func checkView(_ parameters: JSONValue) -> [ParameterProblem] {
    guard let size = parameters["size"]?.integer, let cells = parameters["cells"]?.integer else {
      return []
    }
    var problems: [ParameterProblem] = []
    if size % 4 != 0 {
      problems.append(
        ParameterProblem(
          path: "size", message: "found \(size), accepted: a multiple of 4, which networks need"))
    }
    if size % cells != 0 {
      let divisors = (1...size).filter { size % $0 == 0 }.map(String.init)
      problems.append(
        ParameterProblem(
          path: "cells",
          message: "found \(cells), accepted: a divisor of size \(size): "
            + divisors.joined(separator: ", ")))
    }
    return problems
  }

  private static func check(_ parameters: JSONValue) -> [ParameterProblem] {
    var problems = checkView(parameters)
    if let range = parameters["objects"]?.array?.compactMap(\.integer), range.count == 2,
      range[0] > range[1]
    {
      problems.append(
        ParameterProblem(
          path: "objects",
          message: "found [\(range[0]), \(range[1])], accepted: the fewest first, then the most"))
    }
    if let size = parameters["size"]?.integer, let count = parameters["count"]?.integer {
      let (bytes, overflow) = count.multipliedReportingOverflow(by: size * size * 3)
      if overflow || bytes > mostBytes {
        problems.append(
          ParameterProblem(
            path: "count",
            message: "found \(count), accepted: up to \(mostBytes / (size * size * 3)) pictures of "
              + "\(size) px (8 GiB, which are held in memory)"))
      }
    }
    return problems
  }

  private static let mostBytes = 8 << 30

  private static func run(_ context: StageContext) throws -> StageOutput {
    let parameters = context.parameters
    let objects = try parameters.integers("objects")
    let count = try parameters.integer("count")
    let settings = SceneSettings(
      camera: try parameters.choice("camera"), size: try parameters.integer("size"),
      cells: try parameters.integer("cells"),
      rules: LayoutRules(
        objects: objects[0]...objects[1], gap: try parameters.number("gap"),
        margin: try parameters.number("margin")),
      supersample: try parameters.integer("supersample"))
    let set = try renderSet(
      settings, seed: context.seed, indices: 0..<count, threads: context.threads,
      checkpointing: context.checkpointing()
    ) { done in
      context.progress(StageProgress(done: done, total: count, unit: "pictures"))
    }
    let pixels = try NPYArray(
      shape: [count, settings.size, settings.size, 3], elements: .uint8(set.pixels))
    let conditioners = try NPYArray(
      shape: [count, settings.cells, settings.cells], elements: .uint8(set.conditioners))
    let total = set.scenes.reduce(0) { $0 + $1.objects.count }
    return StageOutput(
      files: [
        try context.output("pixels", kind: "pixels", .npy, pixels.npyData()),
        try context.output("conditioners", kind: "conditioners", .npy, conditioners.npyData()),
        try context.output(
          "scenes", kind: "scenes", .json, CLEVRFormat.data(set.scenes, settings: settings)),
      ],
      metrics: [
        Measure.pictures.row(Double(count)),
        Measure.objectsMean.row(Double(total) / Double(count), n: count),
      ])
  }
}
