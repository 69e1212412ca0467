/// The answer in sentences, computed from intervals alone; what they do not show is "not shown".
struct Verdict {
  struct Model {
    var name: String
    var kMax: Estimate
    /// Recall pooled over the tested K beyond the training range.
    var recallBeyond: Estimate?
    /// Share of squared pixel sensitivity within `window`, where it was probed.
    var locality: Estimate?
  }
  /// The effect of a mask beyond the training range.
  struct Arm {
    var name: String
    var arm: String
    var windows: RunData.Windows
    var recall: Estimate
    var pHolm: Double?
    var precision: Estimate?
  }

  /// Told of one object at random; the ordinary network.
  var failing: Model?
  /// Told of all objects; the ordinary network.
  var composing: Model?
  /// Local by construction, on the failing one's data.
  var local: Model?
  /// Training-free masks on the failing model, and their controls.
  var masks: [Arm]
  var placebos: [Arm]
  /// Share of the identity arm's pictures that equal the baseline's bit for bit, where there is one.
  var identicalShare: Double?
  var threshold: Double
  /// Pixels of the window that `locality` is about, and at which K and σ it was probed.
  var window: Int
  var place: String

  /// Three paragraphs: does it fail and is it less local; does a local network repair it; do masks.
  var sentences: [String] { [failure, repair, masking] }

  private var failure: String {
    guard let failing else {
      return "**Not shown:** the run has no evaluated U-Net that was trained with one label."
    }
    var text: String
    if let composing {
      text = separation(
        failing, composing,
        shown: "fails beyond the training range where the model told of every object composes",
        notShown: "is not separated from the model told of every object")
    } else {
      text = "**Not shown:** \(describe(failing)) has no composing model beside it."
    }
    if let composing, let mine = failing.locality, let other = composing.locality {
      text +=
        isBelow(mine, other)
        ? " Its score is less local: " : " That its score is less local is **not shown**: "
      text +=
        "\(percent(mine)) of its squared pixel sensitivity lies in a window of \(window) px at "
        + "\(place), \(percent(other)) of the other's."
    }
    return text
  }

  private var repair: String {
    guard let failing, let local else {
      return "**Not shown:** no local network was evaluated beside a failing one."
    }
    return separation(
      failing, local,
      shown: "is overtaken, on the same data, by the network that is local by construction",
      notShown: "is not separated from the network that is local by construction")
  }

  /// Whether `low` lies below `high` in recall beyond the training range, which is what extrapolation
  /// means; K_max stands beside it, for it also falls when a low K just misses the threshold.
  private func separation(_ low: Model, _ high: Model, shown: String, notShown: String) -> String {
    guard let a = low.recallBeyond, let b = high.recallBeyond else {
      return "**Not shown:** no K beyond the training range was tested."
    }
    let isShown = isBelow(a, b)
    return (isShown ? "**Shown:** " : "**Not shown:** ")
      + "\(Markdown.name(low.name)) \(isShown ? shown : notShown): recall there is \(interval(a)) "
      + "(N = \(a.n ?? 0) layouts), \(interval(b)) (N = \(b.n ?? 0)) for "
      + "\(Markdown.name(high.name)). K_max is \(labels(low.kMax)) against \(labels(high.kMax))"
      + (isBelow(low.kMax, high.kMax) ? "." : "; by K_max alone the two are not separated.")
  }

  private var masking: String {
    if masks.isEmpty { return "**Not shown:** no mask was evaluated on the failing model." }
    if let identicalShare, identicalShare < 1 {
      return "**Not shown:** the identity control failed, so no mask's effect can be believed."
    }
    let repairing = masks.filter { objection(to: $0) == nil }
    let byRecall = { (a: Arm, b: Arm) in a.recall.value < b.recall.value }
    if let best = repairing.max(by: byRecall) {
      return "**Shown:** without any training, \(describe(best)), \(control(of: best))."
        + others(than: best)
    }
    guard let best = masks.max(by: byRecall), let objection = objection(to: best) else { return "" }
    return "**Not shown:** without any training, \(describe(best)), but \(objection)."
  }

  /// Why a mask's effect is no repair; `nil` when it is one.
  private func objection(to mask: Arm) -> String? {
    if (mask.recall.low ?? 0) <= 0 || (mask.pHolm ?? 1) >= 0.05 {
      return "its effect is not above 0 after Holm's correction"
    }
    // Drawing objects everywhere also finds the requested ones: what is gained in recall has to
    // exceed, at the unfavourable ends of both intervals, what is lost in precision.
    if let precision = mask.precision, (mask.recall.low ?? 0) <= -(precision.low ?? 0) {
      return "the gain may be no more than its cost: precision changes by \(signed(precision))"
    }
    guard let placebo = placebo(of: mask) else {
      return "no placebo with its windows was evaluated"
    }
    return isBelow(placebo.recall, mask.recall)
      ? nil : "its placebo changes recall by \(signed(placebo.recall)), which is not less"
  }

  /// The placebo with the same windows: another mask's says nothing of this one.
  private func placebo(of mask: Arm) -> Arm? { placebos.first { $0.windows == mask.windows } }

  private func control(of mask: Arm) -> String {
    guard let placebo = placebo(of: mask) else { return "" }
    return "its placebo, the same area in the wrong place, by \(signed(placebo.recall)) "
      + "(N = \(placebo.recall.n ?? 0))"
  }

  private func others(than best: Arm) -> String {
    let rest = masks.filter { $0.name != best.name }
    if rest.isEmpty { return "" }
    let list = rest.map { mask in
      "\(Markdown.name(mask.name)) by \(signed(mask.recall))"
        + (objection(to: mask).map { " (\($0))" } ?? "")
    }
    return " The others: \(list.joined(separator: "; "))."
  }

  private func describe(_ mask: Arm) -> String {
    "mask \(Markdown.name(mask.name)) changes recall beyond the training range by "
      + "\(signed(mask.recall)) (N = \(mask.recall.n ?? 0) layouts"
      + (mask.pHolm.map { ", Holm p = \(Markdown.number($0, digits: 4))" } ?? "") + ")"
      + (mask.precision.map { " and precision by \(signed($0))" } ?? "")
  }

  private func describe(_ model: Model) -> String {
    "\(Markdown.name(model.name)) (K_max \(labels(model.kMax)))"
  }

  private func labels(_ k: Estimate) -> String {
    "\(Int(k.value)) [\(Int(k.low ?? k.value)), \(Int(k.high ?? k.value))]"
  }

  private func interval(_ estimate: Estimate) -> String {
    Markdown.interval(estimate.value, estimate.low, estimate.high)
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
    func whole(_ value: Double) -> String { Markdown.number(100 * value, digits: 1) }
    return "\(whole(estimate.value)) % [\(whole(estimate.low ?? estimate.value)), "
      + "\(whole(estimate.high ?? estimate.value))] (N = \(estimate.n ?? 0) pictures)"
  }
}
