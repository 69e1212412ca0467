import Interventions

/// What can object to a mask, and of what.
extension RepairEvidence {
  func isRival(_ control: String, of mask: String) -> Bool {
    guard let own = specification(mask), let other = specification(control) else { return false }
    return other.isRival(of: own)
  }

  /// Why a mask cannot be the control of another one; `nil` when it can.
  func fault(of control: String, for mask: String) -> String? {
    guard let own = specification(mask), let other = specification(control) else { return nil }
    if other.isRival(of: own) { return nil }
    return switch other.fault(asControlOf: own) {
    case nil: nil
    case .changesNothing: "changes nothing by construction, so that it could not object"
    case .sameMask: "is the same mask"
    case .otherMechanism: "differs from the mask in more than what is kept"
    case .keepsWhatIsNear: "keeps what is near, as the mask does"
    }
  }

  func leaveAsMuch(_ mask: String, _ control: String) -> Bool {
    guard let own = specification(mask), let other = specification(control) else { return true }
    return own.leavesAsMuch(as: other)
  }

  private func specification(_ name: String) -> MaskSpecification? {
    masks.first { isMeant(name, data.naming.shown($0.intervention), $0.intervention) }?
      .specification
  }

  func isMeant(_ name: String, _ title: String, _ stage: String) -> Bool {
    data.naming.replicate(of: name, title: title, stage: stage) != nil
  }
}
