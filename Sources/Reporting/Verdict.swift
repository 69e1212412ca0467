/// The answer in sentences, computed from intervals alone; what they do not show is "not shown".
struct Verdict {
  struct Model {
    var name: String
    var kMax: Estimate
    /// Share of squared pixel sensitivity within the local network's window, where it was probed.
    var locality: Estimate?
  }
  struct Arm {
    var name: String
    var effect: Estimate
    var pHolm: Double?
  }

  /// Told of one object at random; the ordinary network.
  var failing: Model?
  /// Told of all objects; the ordinary network.
  var composing: Model?
  /// Local by construction, on the failing one's data.
  var local: Model?
  /// Training-free masks on the failing model.
  var masks: [Arm]
  var placebo: Arm?
  var seed: UInt64
  var threshold: Double
  /// Pixels of the window that `locality` is about.
  var window: Int

  /// Three sentences: does it fail and is it less local, does a local network repair it, do masks.
  var sentences: [String] { [failure, repair, masking] }

  private var failure: String {
    guard let failing else {
      return "**Not shown:** the run has no evaluated U-Net that was trained with one label."
    }
    var text: String
    if let composing {
      let isShown = isBelow(failing.kMax, composing.kMax)
      text = isShown ? "**Shown:** " : "**Not shown:** "
      text += "\(describe(failing)) fails where \(describe(composing)) composes"
      text += isShown ? "." : "; the intervals of K_max overlap."
    } else {
      text = "**Not shown:** \(describe(failing)) has no composing model beside it."
    }
    if let mine = failing.locality, let other = local?.locality {
      let isShown = isBelow(mine, other)
      text +=
        isShown
        ? " Its score is less local than the local network's: "
        : " That its score is less local is **not shown**: "
      text +=
        "\(percent(mine)) of its squared pixel sensitivity lies in a window of \(window) px, "
        + "\(percent(other)) of the local network's."
    }
    return text
  }

  private var repair: String {
    guard let failing, let local else {
      return "**Not shown:** no local network was evaluated beside a failing one."
    }
    let isShown = isBelow(failing.kMax, local.kMax)
    return (isShown ? "**Shown:** " : "**Not shown:** ")
      + "on the same data the network that is local by construction, \(describe(local)), "
      + (isShown ? "extrapolates further than " : "is not separated from ") + describe(failing)
      + "."
  }

  private var masking: String {
    guard let best = masks.max(by: { $0.effect.value < $1.effect.value }) else {
      return "**Not shown:** no mask was evaluated on the failing model."
    }
    let effect =
      "mask \(Markdown.name(best.name)) changes recall beyond the training range by "
      + "\(signed(best.effect)) (N = \(best.effect.n ?? 0) layouts"
      + (best.pHolm.map { ", Holm p = \(Markdown.number($0, digits: 4))" } ?? "") + ")"
    let excludesZero = (best.effect.low ?? 0) > 0 && (best.pHolm ?? 1) < 0.05
    guard excludesZero else {
      return "**Not shown:** without any training, \(effect); no mask has an effect above 0 that "
        + "survives Holm's correction."
    }
    guard let placebo else {
      return
        "**Not shown:** without any training, \(effect), but no placebo was evaluated beside it."
    }
    let control =
      "the placebo of the same area in the wrong place by \(signed(placebo.effect)) "
      + "(N = \(placebo.effect.n ?? 0))"
    if isBelow(placebo.effect, best.effect) {
      return "**Shown:** without any training, \(effect), \(control)."
    }
    return "**Not shown:** without any training, \(effect), but \(control), which is not less."
  }

  private func describe(_ model: Model) -> String {
    let k = model.kMax
    return "\(Markdown.name(model.name)) (K_max \(Int(k.value)) "
      + "[\(Int(k.low ?? k.value)), \(Int(k.high ?? k.value))], N = \(k.n ?? 0) layouts)"
  }

  /// Whether the whole interval of one lies below that of the other.
  private func isBelow(_ a: Estimate, _ b: Estimate) -> Bool {
    (a.high ?? a.value) < (b.low ?? b.value)
  }

  private func signed(_ estimate: Estimate) -> String {
    "\(Markdown.signed(estimate.value)) [\(Markdown.signed(estimate.low ?? estimate.value)), "
      + "\(Markdown.signed(estimate.high ?? estimate.value))]"
  }

  private func percent(_ estimate: Estimate) -> String {
    func whole(_ value: Double) -> String { Markdown.number(100 * value, digits: 0) }
    return "\(whole(estimate.value)) % [\(whole(estimate.low ?? estimate.value)), "
      + "\(whole(estimate.high ?? estimate.value))] (N = \(estimate.n ?? 0) pictures)"
  }
}
