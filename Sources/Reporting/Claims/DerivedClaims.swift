import Diffusion
import Interventions
import Workflow

/// The claims of a pipeline that states none, from what its denoisers are: never from what they do, nor
/// from the order of their names.
struct DerivedClaims: Hashable {
  /// One denoiser, whatever its seed.
  struct Candidate: Hashable {
    /// Without its seed.
    var name: String
    var labelling: String?
    var reach: EvaluatedModel.Reach
    /// Behind a mask.
    var mask: Mask?

    struct Mask: Hashable {
      var specification: MaskSpecification
      /// The name of what it masks, without its seed.
      var base: String
    }
  }

  private(set) var claims = Claims()
  /// What cannot be claimed for want of a model, in words.
  private(set) var gaps: [String] = []

  /// - Parameter candidates: in the order of the pipeline.
  init(_ candidates: [Candidate]) {
    func first(_ reach: EvaluatedModel.Reach, _ labelling: Labelling) -> String? {
      candidates.first {
        $0.mask == nil && $0.reach == reach && $0.labelling == labelling.rawValue
      }?.name
    }
    guard let failing = first(.unbounded, .single) else {
      gaps = [
        "the run has no evaluated U-Net that was trained with one label.",
        "no local network was evaluated beside a failing one.",
        "no mask was evaluated on the failing model.",
      ]
      return
    }
    if let composing = first(.unbounded, .all) {
      claims.recalls.append(
        Claims.Recall(direction: .fails, model: failing, against: composing))
      claims.locals.append(Claims.Local(model: composing, against: failing))
    } else {
      gaps.append("\(Markdown.name(failing)) has no composing model beside it.")
    }
    if let local = first(.local, .single) {
      claims.recalls.append(Claims.Recall(direction: .composes, model: local, against: failing))
    } else {
      gaps.append("no local network was evaluated beside a failing one.")
    }
    let masks = candidates.compactMap { candidate in
      candidate.mask.flatMap { mask in
        mask.base == failing ? (name: candidate.name, specification: mask.specification) : nil
      }
    }
    for (name, mask) in masks where !mask.isControl {
      let control = masks.first { $0.specification.fault(asControlOf: mask) == nil }?.name
      claims.repairs.append(Claims.Repair(mask: name, of: failing, control: control))
    }
    if claims.repairs.isEmpty { gaps.append("no mask was evaluated on the failing model.") }
  }
}
