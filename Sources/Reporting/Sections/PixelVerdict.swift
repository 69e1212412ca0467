/// Whether a model's score is shown not to be local in pixels.
struct PixelVerdict {
  private let label: String
  private let least: WordProbeRow?

  /// Of a word's own effect in its region: below, others hardly reach there.
  private static let limit = 0.1

  init(_ label: String, _ rows: [WordProbeRow]) {
    self.label = label
    least = rows.filter { $0.label == label }.min {
      ($0.estimate.low ?? $0.estimate.value) < ($1.estimate.low ?? $1.estimate.value)
    }
  }

  var text: String {
    guard let least else { return "" }
    let numbers =
      "\(Markdown.interval(least.estimate)) at K = \(least.k) and σ = \(Markdown.number(least.sigma)), the lowest of all K and "
      + "σ, uncorrected; N = \(Markdown.count(least.estimate.n)) pictures"
    return
      (least.estimate.low ?? least.estimate.value) > Self.limit
      ? "**Shown:** the score of \(Markdown.name(label)) is not local in pixels: where a word acts, others change "
        + "more than a tenth of what it does itself (\(numbers))."
      : "**Not shown** that the score of \(Markdown.name(label)) is not local in pixels: where a word acts, others may "
        + "change less than a tenth of what it does itself (\(numbers))."
  }
}
