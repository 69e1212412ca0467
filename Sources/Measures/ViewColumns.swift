import Lineage

/// What stands in the columns of the views, in SQL comments too: each column's name means one thing, with one
/// type, wherever it occurs.
extension ViewColumn {
  static let model = ViewColumn("model", .text, "the instance that made the denoiser")
  static let labelling = ViewColumn(
    "labelling", .text, "which objects the training conditioner told of: all, single, subset, none")
  static let arm = ViewColumn("arm", .text, "the mask that the denoiser stood behind, or none")
  static let intervention = ViewColumn(
    "intervention", .text, "the instance that made the mask, NULL without one")
  static let baseline = ViewColumn(
    "baseline", .text, "the instance that made the denoiser, without the mask")
  static let comparison = ViewColumn("comparison", .text, "the instance that compared")
  static let reference = ViewColumn(
    "reference", .text, "the instance that made the denoiser to agree with")
  static let kind = ViewColumn("kind", .text, "the kind of the stage that tells")
  static let executionID = ViewColumn("execution_id", .text, "the execution that tells")
  static let denoiser = ViewColumn("denoiser", .text, "SHA-256 of the denoiser's manifest")

  static let k = ViewColumn(.k)
  static let sigma = ViewColumn(.sigma)
  static let seed = ViewColumn(.seed)
  static let window = ViewColumn(.window)
  static let pictures = ViewColumn(.pictures).saying(
    "training pictures seen: the steps of the curve")

  static let ciLow = ViewColumn("ci_low", .real, "lower end of the 95 % interval, as the value")
  static let ciHigh = ViewColumn("ci_high", .real, "upper end of the 95 % interval, as the value")
  /// What an interval is made from.
  static func n(_ units: String) -> ViewColumn {
    ViewColumn("n", .integer, "\(units) behind the value and its interval")
  }
  static let p = ViewColumn("p", .real, "two-sided p of no effect")
  static let pHolm = ViewColumn("p_holm", .real, "that p after Holm's correction over the masks")

  static let form = ViewColumn("form", .text, "trained, imported, machine or masked")
  static let network = ViewColumn("network", .text, "the type of its network: unet, local")
  static let objectsMin = ViewColumn("objects_min", .integer, "fewest objects in training")
  static let objectsMax = ViewColumn("objects_max", .integer, "most objects in training")
  static let base = ViewColumn("base", .text, "SHA-256 of what is behind the mask")
  static let mask = ViewColumn("mask", .text, "the mask's name, NULL without one")
  static let weights = ViewColumn("weights", .text, "SHA-256 of the weights")
  static let size = ViewColumn("size", .integer, "side of a picture, px")
  static let cells = ViewColumn("cells", .integer, "side of the conditioner's grid, cells")
  static let camera = ViewColumn("camera", .text, "clevr or overhead")

  /// Of a measure: what the catalogue says of it.
  init(_ name: String, _ type: ColumnType, _ measure: Measure) {
    self.init(
      name, type,
      measure.sentence.dropLast() + (measure.unit.map { ", in \($0)" } ?? ", a pure number"))
  }
}
