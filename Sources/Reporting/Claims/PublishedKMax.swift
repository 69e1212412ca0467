/// What Bradley et al. 2025 (arXiv 2509.16447) tell of a model of this kind, for one training range.
struct PublishedKMax: Hashable {
  enum Experiment: String, CaseIterable {
    case all = "Exp 1"
    case single = "Exp 2"
    case local = "Exp 2L"
    case whole = "Exp 2L, k = 8"

    var about: String {
      switch self {
      case .all: "all places labelled, ordinary U-Net"
      case .single: "one random place labelled, ordinary U-Net"
      case .local: "as Exp 2, local scores enforced"
      case .whole: "as Exp 2L, windows as large as the picture"
      }
    }
  }

  /// What was told: a number, or a word.
  enum Told: Hashable {
    /// The largest K.
    case kMax(Int)
    case succeeds
    case fails
  }

  var experiment: Experiment
  /// Objects in its training pictures at most.
  var trainedUpTo: Int
  var told: Told

  /// The training ranges that were published.
  static let ranges = [1, 3, 5]
  /// An interval that is wider than this agrees with too much to agree with anything.
  static let widest = 4

  init?(of model: EvaluatedModel) {
    // Trained once and on one labelling: a network that was trained further, or not at all, is of none of its kinds.
    // It is told of places: nothing was published of such networks that are told of anything else.
    guard model.isPlain, model.isOfOneTraining, model.isToldOfPlaces,
      let trained = model.trainingMaximum
    else {
      return nil
    }
    // What decides is the window, not what the network is called.
    let network = model.network == "patchwise" ? "local" : model.network
    let experiment: Experiment? =
      switch (network, model.labelling) {
      case ("unet", "all"): .all
      case ("unet", "single"): .single
      case ("local", "single"): model.reach == .unbounded ? .whole : .local
      default: nil
      }
    guard let experiment else { return nil }
    self.init(experiment, trainedUpTo: trained)
  }

  /// - Returns: `nil` for what was not published.
  init?(_ experiment: Experiment, trainedUpTo trained: Int) {
    guard let column = Self.ranges.firstIndex(of: trained) else { return nil }
    (self.experiment, trainedUpTo) = (experiment, trained)
    switch experiment {
    case .all where column < 2: told = .succeeds
    case .single: told = .kMax([1, 2, 3][column])
    case .local: told = .kMax([5, 9, 10][column])
    case .whole where column == 1: told = .fails
    case .all, .whole: return nil
    }
  }

  var words: String {
    switch told {
    case .kMax(let k): "\(k) (\(experiment.rawValue))"
    case .succeeds: "succeeds (\(experiment.rawValue))"
    case .fails: "fails again (\(experiment.rawValue))"
    }
  }

  enum Agreement: Hashable {
    case agrees
    case disagrees
    /// With the reason, in few words.
    case notShown(String)

    var text: String {
      switch self {
      case .agrees: "agrees"
      case .disagrees: "disagrees"
      case .notShown(let why): "not shown: \(why)"
      }
    }
  }

  /// What a model of this kind has here.
  struct Own {
    var kMax: Estimate
    /// Beyond chance, over the compared K beyond the training range and within it.
    var recallBeyond: Estimate?
    var recallWithin: Estimate?
    var threshold: Double
    /// The largest tested K, at which an interval of K_max is open above.
    var last: Int?
    /// Recall beyond the range as the background detector sees it.
    var background: Estimate?
    /// Of networks of the same type and training that see a smaller window, recall beyond the range by either
    /// detector.
    var ofSmallWindows: [(judge: Estimate, background: Estimate?)] = []
  }

  func agreement(with own: Own) -> Agreement {
    guard let within = own.recallWithin else { return heldAgainst(own) }
    let standing = within.standing(to: own.threshold)
    if standing == .below { return .notShown("under-trained") }
    let agreement = heldAgainst(own)
    // Too short a training may be why it draws too few; that it draws more than was published it cannot explain.
    return standing == .open && agreement == .disagrees && !drawsMore(own)
      ? .notShown("within range not shown to reach \(Markdown.number(own.threshold))") : agreement
  }

  private func drawsMore(_ own: Own) -> Bool {
    switch told {
    case .kMax(let published): own.kMax.low.map { Double(published) < $0 } ?? false
    case .succeeds: false
    case .fails: true
    }
  }

  private func heldAgainst(_ own: Own) -> Agreement {
    switch told {
    case .kMax(let published): return Self.agreement(published, own)
    case .succeeds: return Self.agreement(isAbove: true, own)
    case .fails:
      let agreement = Self.agreement(isAbove: false, own)
      if agreement != .agrees { return agreement }
      // To fail *again* is to lose what the small window had.
      if own.ofSmallWindows.isEmpty { return .notShown("no small window beside it") }
      if own.ofSmallWindows.allSatisfy({ ($0.judge.high ?? $0.judge.value) < own.threshold }) {
        return .notShown("with a small window it fails too")
      }
      func isAbove(_ small: Estimate?, _ whole: Estimate?) -> Bool {
        guard let small, let whole else { return false }
        return (small.low ?? small.value) > (whole.high ?? whole.value)
      }
      if !own.ofSmallWindows.allSatisfy({ isAbove($0.judge, own.recallBeyond) }) {
        return .notShown("not told from every small window")
      }
      return own.ofSmallWindows.allSatisfy { isAbove($0.background, own.background) }
        ? .agrees : .notShown("by the judge alone")
    }
  }

  private static func agreement(_ published: Int, _ own: Own) -> Agreement {
    guard let low = own.kMax.low, let high = own.kMax.high else {
      return .notShown("no interval")
    }
    let value = Double(published)
    let isOpen = own.last.map { high >= Double($0) } ?? true
    if value < low || value > high && !isOpen { return .disagrees }
    if high - low > Double(widest) { return .notShown("the interval is too wide") }
    return isOpen ? .notShown("the interval ends at the largest tested K") : .agrees
  }

  private static func agreement(isAbove: Bool, _ own: Own) -> Agreement {
    guard let recall = own.recallBeyond, let low = recall.low, let high = recall.high else {
      return .notShown("no interval")
    }
    if low >= own.threshold { return isAbove ? .agrees : .disagrees }
    if high < own.threshold { return isAbove ? .disagrees : .agrees }
    return .notShown("the interval holds the threshold")
  }

  /// How a published word or number is held against a model.
  static let rule =
    "A model *agrees* with a published K_max that lies in an interval of its own at most \(widest) wide, and "
    + "*disagrees* with one below the interval, or above one that ends before the largest tested K; with "
    + "*succeeds* or *fails* by recall beyond the training range, whose interval lies on one side of the "
    + "threshold, and with *fails again* where besides, by both detectors, the intervals of all "
    + "smaller windows of the same network and training lie above its own. Otherwise it is not shown; neither is "
    + "it of a model whose interval of recall within the training range lies below the threshold (*under-trained*), nor that one draws "
    + "too few whose interval there is not all at or above it."
}
