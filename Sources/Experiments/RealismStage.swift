import Artifacts
import Diffusion
import Evaluation
import Formats
import Foundation
import Lineage
import Measures
import Scenes
import Workflow

/// `realism`: what a judge trained on renders finds in pictures of another maker, beside renders of the very
/// same scenes: the honest measure of a renderer, and of what verdicts on drawn pictures rest on.
enum RealismStage {
  struct Options: Settings {
    @Setting(Shared.foundWithin) var tolerance: Double
    @Setting(Shared.featureAxes) var dimensions: Int
    @Setting(Shared.axisRenders) var renders: Int
    @Setting(Shared.halfSplits) var splits: Int
    @Setting(Shared.distanceResamples) var resamples: Int
    @Setting(0...12, default: 3, "pairs a K in the picture of pairs") var shown: Int
  }

  static let kind = StageKind(
    name: "realism", version: 1,
    summary: "What a judge finds in real pictures and in renders of the same scenes.",
    settings: Options.self,
    inputs: [
      InputDeclaration(
        "pictures", accepts: [.pictureSet], help: "real pictures, as `import-clevr` takes them"),
      InputDeclaration(
        "renders", accepts: [.pictureSet],
        help: "the same scenes rendered here: the same import without `images`"),
      InputDeclaration("judge", accepts: [.judge], help: "trained on renders of the same view"),
    ], produces: .realism, checkInputs: checkInputs,
    memory: { _, context in
      // Both sets as bytes and as floats, and the renders that features are held against.
      try 16 * PictureSetManifest("pictures", of: context).bytes(context)
    }, run: run)

  private static func checkInputs(_ options: Options, _ upstream: Upstream) -> [ParameterProblem] {
    let pictures = Foreseen(upstream, "pictures")
    if let difference = Foreseen(upstream, "renders").differenceOfShape(from: pictures) {
      return [
        ParameterProblem(
          path: "inputs.renders",
          message: "pictures and renders differ: \(difference); import the same scenes alike")
      ]
    }
    let judge = Shared.checkJudge(upstream, of: pictures, as: "pictures")
    if !judge.isEmpty { return judge }
    return Shared.checkPlaces(
      pictures, path: "inputs.pictures",
      what: "objects are looked for at places; accepted: pictures with cells")
  }

  private static func run(_ options: Options, _ context: StageContext) throws -> StageOutput {
    let (judge, manifest) = try JudgeFile.read("judge", of: context)
    let pairs = try ScenePairs(context)
    if judge.size != pairs.shape.size || judge.camera != pairs.camera {
      throw MismatchError(
        "a judge of \(judge.size) px and camera `\(judge.camera.rawValue)`, pictures of \(pairs.shape.size) px"
          + " and `\(pairs.camera.rawValue)`; train the judge on renders of the pictures' view")
    }
    let look = try RealismLook(pairs, judge: judge, options: options, context)
    let table = Data(look.table.canonicalText().utf8)
    var files = [
      try context.output(
        RealismManifest(
          pictures: try context.input("pictures").manifest.sha256,
          renders: try context.input("renders").manifest.sha256, judge: manifest.weights,
          table: SHA256.hash(table))),
      try context.output("table", kind: "realism", .json, table),
    ]
    if options.shown > 0 {
      let grid = try look.grid(options.shown)
      files.append(try context.output("grid", kind: "picture", .png, grid.pngData()))
    }
    return StageOutput(files: files, metrics: look.metrics)
  }
}

/// Pictures of scenes, and renders of the same ones.
struct ScenePairs {
  let shape: PictureShape
  let camera: CameraKind
  let scenes: [CLEVRFile.Scene]
  /// Of each scene, where its objects are.
  let places: [[Place]]
  /// Scenes by their number of objects, fewest first.
  let groups: [(k: Int, scenes: [Int])]
  private let real: [Float]
  private let rendered: [Float]

  /// - Throws: `MismatchError` where the two sets are not of the same scenes.
  init(_ context: StageContext) throws {
    let pictures = try PictureSet("pictures", of: context)
    let renders = try PictureSet("renders", of: context)
    let scenes = try Self.scenes(of: pictures, context)
    let others = try Self.scenes(of: renders, context)
    guard pictures.shape == renders.shape, pictures.camera == renders.camera,
      scenes.count == pictures.count, scenes.map(\.objects) == others.map(\.objects)
    else {
      throw MismatchError(
        "`pictures` (\(pictures.count)) and `renders` (\(renders.count)) are not of the same scenes; import one"
          + " scenes.json twice alike, with its `images` and without")
    }
    (shape, camera) = (pictures.shape, pictures.camera)
    real = pictures.pixels.map(TrainingSet.value)
    rendered = renders.pixels.map(TrainingSet.value)
    self.scenes = scenes
    places = scenes.map { $0.objects.map { Place(x: $0.pixel.x, y: $0.pixel.y) } }
    groups = Dictionary(grouping: scenes.indices) { scenes[$0].objects.count }
      .sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// (N, S, S, 3) in [−1, 1].
  func pixels(of view: Measure.SceneView) -> [Float] { view == .real ? real : rendered }

  /// A scene's picture in `pixels`.
  func range(of scene: Int) -> Range<Int> {
    scene * shape.pictureCount..<(scene + 1) * shape.pictureCount
  }

  private static func scenes(of set: PictureSet, _ context: StageContext) throws
    -> [CLEVRFile.Scene]
  {
    var reader = try CLEVRReader(HeldBytes(try context.object(set.manifest.scenes).data()))
    var scenes: [CLEVRFile.Scene] = []
    while let scene = try reader.next() { scenes.append(scene) }
    return scenes
  }
}
