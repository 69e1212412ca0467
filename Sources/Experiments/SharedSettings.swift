import Artifacts
import Diffusion
import Evaluation
import Scenes
import Workflow

/// Settings that several kinds have, declared once.
enum Shared {
  static let camera = Setting<CameraKind>(
    default: .overhead,
    "overhead: straight down; clevr: CLEVR's scene from its base file's camera, for 64 px and more; clevr-whole, clevr-center: as its published pictures were taken, squeezed into a square or their middle 320 × 320"
  )
  static let size = Setting<Int>(
    PictureShape.sizes, default: 32, unit: "px", "side of a picture in px")
  static let cells = Setting<Int>(
    1...PictureShape.sizes.upperBound, default: 16, "side of the conditioner grid")
  static let sigmaRange = 0.002...80.0
  static let agreementSigmas = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30]
  static let steps = Setting<Int>(2...1000, default: 18, "steps of the sampler")
  static let sampler = Setting<SamplingMethod>(
    default: .heun, isLate: true,
    "heun: along EDM's noise levels; euler: the same, one pass a step; ddim: along evenly spaced times of a model of its own schedule"
  )
  static let together = Setting<Int>(
    1...64, default: 2, isLate: true,
    "of a model of a shape of its own: entries of its conditioner that are told of a picture")
  static let labelling = Setting<Labelling>(
    default: .all, "which objects the training conditioner tells of")
  static let judgeTolerance = 0.001...0.5

  // MARK: - Training

  static let batch = Setting<Int>(1...4096, default: 64, "pictures a step")
  static let warmUp = Setting<Int>(
    0...1_000_000_000, default: 2000, unit: "pictures",
    "pictures over which the learning rate rises")
  static let decayAfter = Setting<Int>(
    1...1_000_000_000, default: 16000, unit: "pictures",
    "pictures after which the learning rate falls as 1/√pictures")
  static let sigmaMean = Setting<Double>(-10...10, default: 0, "mean of ln σ in training")
  static let sigmaDeviation = Setting<Double>(
    0.01...10, default: 1.5, "standard deviation of ln σ in training")
  static let labelDropout = Setting<Double>(
    0...1, default: 0.1, "share of conditioners that are blanked")

  // MARK: - Masks of labels

  static let labels = Setting<Int>(
    1...64, default: 1, "labels that a labelled pixel sees, its own included")
  static let radius = Setting<Double>(
    0.5...1000, default: 7, unit: "px", "reach of a label; of a window half its side")

  // MARK: - Checks

  /// A fault of a fewest and a most.
  static func checkObjects(_ objects: [Int]) -> [ParameterProblem] {
    if objects[0] <= objects[1] { return [] }
    return [
      ParameterProblem(
        path: "objects", message: "found \(objects), accepted: the fewest first, then the most")
    ]
  }

  /// A fault of pictures, or of another denoiser, that a denoiser is not made for.
  static func checkScenes(of denoiser: Foreseen, _ upstream: Upstream, as role: String = "scenes")
    -> [ParameterProblem]
  {
    guard let difference = denoiser.differenceOfShape(from: Foreseen(upstream, role)) else {
      return []
    }
    return [
      ParameterProblem(
        path: "inputs.\(role)",
        message: "denoiser and \(role) differ: \(difference); give both one set of scenes")
    ]
  }

  private static let missingScenes =
    "is missing, and only a model of a shape of its own is looked at without; accepted: the pictures that the"
    + " denoiser was trained on"

  /// A fault of pictures that are left out for a denoiser that needs them.
  static func checkScenesAreGiven(_ denoiser: Foreseen, _ upstream: Upstream)
    -> [ParameterProblem]
  {
    if upstream.one("scenes") != nil || denoiser.size == nil { return [] }
    return [ParameterProblem(path: "inputs.scenes", message: missingScenes)]
  }

  /// What `checkScenesAreGiven` looks at, where it could not be known before.
  static func requireScenes(_ context: StageContext) throws(MismatchError) {
    if context.inputs["scenes", default: []].isEmpty {
      throw MismatchError("`inputs.scenes` " + missingScenes)
    }
  }

  /// A fault of a judge of other pictures than those of `role`, which it is to look at.
  static func checkJudge(_ upstream: Upstream, of pictures: Foreseen, as role: String)
    -> [ParameterProblem]
  {
    guard let difference = Foreseen(upstream, "judge").difference(from: pictures) else { return [] }
    return [
      ParameterProblem(
        path: "inputs.judge",
        message: "judge and \(role) differ: \(difference); give both one `size` and one `camera`")
    ]
  }

  /// What `checkScenes` looks at, where it could not be known before.
  static func requireSameShape(_ denoiser: PictureShape, _ scenes: PictureShape)
    throws(MismatchError)
  {
    if denoiser == scenes { return }
    throw MismatchError(
      "denoiser and scenes differ in size or conditioners: \(denoiser), \(scenes); give both one"
        + " set of scenes")
  }

  /// Faults of a picture's side and its cells.
  static func checkView(size: Int, cells: Int) -> [ParameterProblem] {
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

  /// A fault of conditioners that are known to have no places, where `what` says why that is one.
  static func checkPlaces(_ foreseen: Foreseen, path: String, what: String) -> [ParameterProblem] {
    guard let space = foreseen.space, !space.hasPlaces else { return [] }
    return [ParameterProblem(path: path, message: "conditioners are \(space.text), and \(what)")]
  }

  /// Numbers of places of which no layout has each in a cell of its own.
  ///
  /// What a stage asks for depends on its seed; where of some layouts none can be found, it has no hope.
  static func checkRequests(_ counts: [Int], of pictures: Foreseen, camera: CameraKind?)
    -> [ParameterProblem]
  {
    guard let grid = pictures.grid, let camera else { return [] }
    func fits(_ k: Int) -> Bool {
      // A row of cells has room for so many under either camera.
      if k <= grid.cells { return true }
      let shape = PictureShape(size: grid.size, cells: grid.cells)
      return (0..<4).contains { layout in
        (try? requestedLayout(k: k, layout: layout, shape: shape, camera: camera, seed: 0)) != nil
      }
    }
    guard let most = counts.max(), !fits(most) else { return [] }
    let least = (0...most).last(where: fits) ?? 0
    return [
      ParameterProblem(
        path: "counts",
        message:
          "found \(most): so many objects do not each have a cell of their own in \(grid.cells)"
          + " × \(grid.cells) cells; accepted: up to \(least), or scenes of more `cells`")
    ]
  }

  /// A list whose values shall differ.
  static func checkDistinct<T: Hashable>(_ values: [T], path: String, what: String)
    -> [ParameterProblem]
  {
    if Set(values).count == values.count { return [] }
    return [
      ParameterProblem(path: path, message: "a \(what) stands twice, accepted: each once")
    ]
  }
}
