import Artifacts
import Diffusion
import Interventions
import Workflow

/// What is refused of a mask before anything runs.
extension InterveneStage {
  static func check(_ options: Options, _ upstream: Upstream) -> [ParameterProblem] {
    let denoiser = Foreseen(upstream, "denoiser")
    var problems: [ParameterProblem] = []
    if denoiser.isMasked == true {
      problems.append(
        ParameterProblem(
          path: "inputs.denoiser",
          message: "is behind a mask already; name the denoiser behind it, with both masks as one"))
    }
    problems += Shared.checkScenesAreGiven(denoiser, upstream)
    problems += Shared.checkScenes(of: denoiser, upstream)
    let specification = options.specification(seed: 0)
    let hasBlocks = specification.masksPixels || specification.mask == .stitched
    if hasBlocks, let size = denoiser.size, size % options.block != 0 {
      let divisors = (1...size).filter { size % $0 == 0 }.map(String.init)
      problems.append(
        ParameterProblem(
          path: "block",
          message: "found \(options.block), accepted: a divisor of size \(size): "
            + divisors.joined(separator: ", ")))
    }
    if specification.masksPixels, let size = denoiser.size, options.margin >= size {
      problems.append(
        ParameterProblem(
          path: "margin",
          message: "found \(options.margin): every block of a picture of \(size) px would see all"
            + " of it; accepted: less than \(size)"))
    }
    if specification.masksPixels, options.ring == .remote, let size = denoiser.size,
      specification.hasRingInItself(size: size)
    {
      problems.append(
        ParameterProblem(
          path: "margin",
          message:
            "found \(options.margin): half a picture of \(size) px away such a ring meets its own"
            + " block or the ring around it; accepted: block and twice the margin up to \(size / 2)"
        ))
    }
    if options.mask == .window || options.mask == .reverse, options.keep == .random {
      problems.append(
        ParameterProblem(
          path: "keep",
          message: "found \"random\", accepted for \(options.mask.rawValue): near, far"))
    }
    if let path = specification.path, let paths = denoiser.paths, !paths.contains(path) {
      problems.append(
        ParameterProblem(
          path: paths.isEmpty ? "mask" : "path",
          message: NetworkPathError.missing(path, found: paths).description))
    }
    problems += checkFeatures(options, upstream)
    if options.sigmaLow > options.sigmaHigh {
      problems.append(
        ParameterProblem(
          path: "sigma_low",
          message: "found \(options.sigmaLow), accepted: up to sigma_high, \(options.sigmaHigh)"))
    }
    if problems.isEmpty, let size = denoiser.size,
      specification.cutsNothing(
        size: size, cellSize: denoiser.grid?.cellSize ?? size,
        mostLabels: Foreseen(upstream, "scenes").objects?.last == 0 ? 0 : nil,
        pixelReach: denoiser.pixelReach,
        labelReach: denoiser.labelReach)
    {
      problems.append(
        ParameterProblem(
          path: "mask",
          message:
            "found \"\(options.mask.rawValue)\", which cuts nothing that the denoiser depends on:"
            + " \(seen(specification, denoiser)); accepted: a narrower mask, or \"identity\""))
    }
    if specification.needsPlaces, let space = denoiser.space, !space.hasPlaces {
      problems.append(
        ParameterProblem(
          path: "mask",
          message: "found \"\(options.mask.rawValue)\", which goes by the places of labels; the"
            + " denoiser's conditioners are \(space.text), which have none; accepted: "
            + MaskSpecification.Name.allCases.filter { !MaskSpecification(mask: $0).needsPlaces }
            .map(\.rawValue).joined(separator: ", ")))
    }
    return problems
  }

  private static func checkFeatures(_ options: Options, _ upstream: Upstream) -> [ParameterProblem]
  {
    let isGiven = upstream.one("features") != nil
    if options.mask == .features, !isGiven {
      return [
        ParameterProblem(
          path: "inputs.features",
          message:
            "mask \"features\" needs the level and the words' subspaces; give a stage of the kind"
            + " `features` of the same denoiser")
      ]
    }
    // What is known of levels says so by itself.
    let denoiser = Foreseen(upstream, "denoiser")
    if options.mask == .features, denoiser.isNetwork == false {
      return [
        ParameterProblem(
          path: "inputs.denoiser",
          message:
            "is no network of Locus itself, and mask \"features\" puts features back inside; accepted: a U-Net"
        )
      ]
    }
    if options.mask != .features, isGiven {
      return [
        ParameterProblem(
          path: "inputs.features",
          message:
            "mask \"\(options.mask.rawValue)\" does nothing with features; accepted: none, or"
            + " mask \"features\"")
      ]
    }
    if let space = Foreseen(upstream, "features").featureSpace, space != .level {
      return [
        ParameterProblem(
          path: "inputs.features",
          message:
            "its subspaces are of space \"\(space.rawValue)\", and a mask replaces the level's own"
            + " features; accepted: space \"level\"")
      ]
    }
    return []
  }

  /// What a mask shows beside what its denoiser reaches.
  private static func seen(_ mask: MaskSpecification, _ denoiser: Foreseen) -> String {
    var words: [String] = []
    if mask.masksPixels {
      words.append(
        "a block of \(mask.block) px sees \(mask.margin) px "
          + (mask.ring == .near ? "around it" : "half a picture away"))
      if let reach = denoiser.pixelReach { words.append("pixels matter up to \(reach) px away") }
    }
    if mask.needsPlaces {
      words.append(
        "labels are seen \(mask.mask == .window && mask.keep == .far ? "from" : "up to")"
          + " \(mask.radius) px away" + (mask.at.map { ", hidden at \($0.rawValue) alone" } ?? ""))
      if let reach = denoiser.labelReach { words.append("they matter up to \(reach) px away") }
    }
    return words.joined(separator: ", ")
  }
}
