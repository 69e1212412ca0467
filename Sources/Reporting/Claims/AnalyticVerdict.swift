/// What machines without training say about locality and optimisation, from intervals alone.
struct AnalyticVerdict {
  struct Model {
    var name: String
    /// Side of the window in px.
    var side: Int
    var kMax: Estimate
    /// Recall beyond chance, averaged over the compared K beyond the training range.
    var recallBeyond: Estimate?
  }

  /// The machine with the trained local network's own window.
  var matching: Model?
  /// The machine whose window is the picture: the optimal, memorising denoiser.
  var whole: Model?
  /// The trained network that is local by construction.
  var local: Model?

  var sentences: [String] { [locality, optimisation] }

  private var locality: String {
    guard let matching, let whole, let near = matching.recallBeyond, let far = whole.recallBeyond
    else {
      return
        "**Not shown:** no analytic machine was evaluated both with the local network's window "
        + "and with the whole picture as its window."
    }
    let numbers =
      "recall beyond the training range is \(text(near)) with a window of \(matching.side) px "
      + "(\(Markdown.name(matching.name)), K_max \(labels(matching.kMax))), \(text(far)) with the "
      + "whole picture (\(Markdown.name(whole.name)), K_max \(labels(whole.kMax)))."
    if isBelow(far, near) {
      return "**Shown:** locality alone composes where memorising does not: without any training, "
        + numbers
    }
    if isBelow(near, far) {
      return
        "**Shown, against the claim:** the local machine composes less than the memorising one: "
        + numbers
    }
    return "**Not shown** that locality alone composes better than memorising: " + numbers
  }

  private var optimisation: String {
    guard let matching, let local, let exact = matching.recallBeyond,
      let trained = local.recallBeyond
    else {
      return
        "**Not shown:** no trained local network stands beside an analytic machine of its window."
    }
    let numbers =
      "\(Markdown.name(local.name)) has recall \(text(trained)) there (K_max "
      + "\(labels(local.kMax))), the exact machine with its window \(text(exact)) (K_max "
      + "\(labels(matching.kMax)))."
    if isBelow(exact, trained) {
      return "**Shown:** training adds to locality: " + numbers
    }
    if isBelow(trained, exact) {
      return "**Shown:** training takes from what locality gives: " + numbers
    }
    return "**Not shown** that training adds to locality: " + numbers
  }

  private func text(_ estimate: Estimate) -> String {
    Markdown.interval(estimate.value, estimate.low, estimate.high)
      + " (N = \(Markdown.count(estimate.n)) layouts)"
  }

  private func labels(_ k: Estimate) -> String {
    "\(Int(k.value)) [\(Int(k.low ?? k.value)), \(Int(k.high ?? k.value))]"
  }

  /// Whether the whole interval of one lies below that of the other.
  private func isBelow(_ a: Estimate, _ b: Estimate) -> Bool {
    (a.high ?? a.value) < (b.low ?? b.value)
  }
}
