/// What Bradley et al. 2025 (arXiv 2509.16447) tell of a model of this kind, for one training range.
struct PublishedKMax: Hashable {
  /// The largest K; `nil` where there are words alone.
  var kMax: Int?
  var words: String

  /// An interval that is wider than this agrees with too much to agree with anything.
  static let widest = 4

  init?(of model: EvaluatedModel, trainedUpTo maximum: Int) {
    guard model.isPlain, let column = [1: 0, 3: 1, 5: 2][maximum] else { return nil }
    // What decides is the window, not what the network is called.
    let network = model.network == "patchwise" ? "local" : model.network
    switch (network, model.labelling) {
    case ("unet", "all") where column < 2: self.init(nil, "succeeds (Exp 1)")
    case ("unet", "single"): self.init([1, 2, 3][column], "Exp 2")
    case ("local", "single") where model.reach == .unbounded && column == 1:
      self.init(nil, "fails again (Exp 2L, k = 8)")
    case ("local", "single") where model.reach != .unbounded:
      self.init([5, 9, 10][column], "Exp 2L")
    default: return nil
    }
  }

  private init(_ kMax: Int?, _ words: String) {
    self.kMax = kMax
    self.words = kMax.map { "\($0) (\(words))" } ?? words
  }

  enum Agreement: String {
    case agrees, differs
    /// The interval holds the value, and too many others; or it ends at the largest tested K, and the value
    /// lies beyond.
    case open
  }

  /// - Parameter last: the largest tested K, at which an interval is open above.
  func agreement(with own: Estimate, testedUpTo last: Int?) -> Agreement? {
    guard let kMax, let low = own.low, let high = own.high else { return nil }
    let value = Double(kMax)
    let isOpen = last.map { high >= Double($0) } ?? true
    if value < low || value > high && !isOpen { return .differs }
    return isOpen || high - low > Double(Self.widest) ? .open : .agrees
  }

  func text(beside own: Estimate, testedUpTo last: Int?) -> String {
    words + (agreement(with: own, testedUpTo: last).map { ": \($0.rawValue)" } ?? "")
  }
}
