import Formats
import Foundation
import Measures

/// What a run is said to show, before anything of it is known. Names are those of instances; without
/// their seed they stand for all of their replicates.
struct Claims: Hashable {
  /// A model's recall against another one's.
  struct Recall: Hashable {
    enum Direction: Hashable {
      /// The model fails where the other composes.
      case fails
      /// The model composes where the other does not.
      case composes
    }
    var direction: Direction
    var model: String
    var against: String
    /// `nil`: all tested K beyond the training range.
    var counts: ClosedRange<Int>?
    /// The claims that are corrected together; `nil`: it stands alone.
    var family: String?

    var lower: String { direction == .fails ? model : against }
    var higher: String { direction == .fails ? against : model }
  }

  /// A model's score is more local than another one's.
  struct Local: Hashable {
    var model: String
    var against: String
    var space = Measure.Space.pixel
    /// Side of the window in px whose share of squared sensitivity is compared.
    var window = Claims.window
    /// The noise level that was probed: layout is decided at high noise.
    var sigma = Claims.sigma
    /// The number of objects that was probed; `nil`: the largest in training.
    var count: Int?
  }

  /// A model's output at labelled objects depends on labels remote to them, more than another one's.
  struct Remote: Hashable {
    var model: String
    var against: String
    /// The number of objects that was asked for; `nil`: the largest that both were probed at.
    var count: Int?
    /// The noise levels; `nil`: all that both were probed at.
    var sigmas: ClosedRange<Double>?
    /// The claims that are corrected together; `nil`: it stands alone.
    var family: String?
  }

  /// A mask, without any training, gives a model back what it lacks.
  struct Repair: Hashable {
    var mask: String
    var of: String
    /// The mask that keeps the mechanism and moves only what the hypothesis is about.
    var control: String?
    /// `nil`: all tested K beyond the training range.
    var counts: ClosedRange<Int>?
    /// The claims that are corrected together; `nil`: the masks of its comparison, or, over seeds, all
    /// claims about masks.
    var family: String?
  }

  /// Side of the default local network's window.
  static let window = 13
  static let sigma = 2.0

  /// What they are about, as they name it.
  var names: Set<String> {
    Set(
      recalls.flatMap { [$0.model, $0.against] } + locals.flatMap { [$0.model, $0.against] }
        + remotes.flatMap { [$0.model, $0.against] }
        + repairs.flatMap { [$0.of, $0.mask] + [$0.control].compactMap { $0 } })
  }

  var recalls: [Recall] = []
  var locals: [Local] = []
  var remotes: [Remote] = []
  var repairs: [Repair] = []

  /// The claims of a pipeline file's text, which was checked before it ran; `nil` when it states none.
  init?(source: String) {
    guard let root = try? JSONValue.parse(Data(source.utf8)), let stated = root["claims"]
    else { return nil }
    self.init(stated)
  }

  init(_ value: JSONValue) {
    func each<Claim>(_ key: String, _ read: (JSONValue) -> Claim?) -> [Claim] {
      value[key]?.array?.compactMap(read) ?? []
    }
    for (key, direction) in [("fails", Recall.Direction.fails), ("composes", .composes)] {
      recalls += each(key) { claim in
        guard let model = claim["model"]?.string, let against = claim["against"]?.string else {
          return nil
        }
        return Recall(
          direction: direction, model: model, against: against, counts: Self.counts(claim),
          family: claim["family"]?.string)
      }
    }
    locals = each("local") { claim in
      guard let model = claim["model"]?.string, let against = claim["against"]?.string else {
        return nil
      }
      var local = Local(model: model, against: against, count: claim["objects"]?.integer)
      if let space = claim["space"]?.string.flatMap(Measure.Space.init) { local.space = space }
      if let window = claim["window"]?.integer { local.window = window }
      if let sigma = claim["sigma"]?.number { local.sigma = sigma }
      return local
    }
    remotes = each("remote") { claim in
      guard let model = claim["model"]?.string, let against = claim["against"]?.string else {
        return nil
      }
      let ends = claim["sigma"]?.array?.compactMap(\.number) ?? []
      return Remote(
        model: model, against: against, count: claim["objects"]?.integer,
        sigmas: ends.count == 2 && ends[0] <= ends[1] ? ends[0]...ends[1] : nil,
        family: claim["family"]?.string)
    }
    repairs = each("repairs") { claim in
      guard let mask = claim["mask"]?.string, let of = claim["of"]?.string else { return nil }
      return Repair(
        mask: mask, of: of, control: claim["control"]?.string, counts: Self.counts(claim),
        family: claim["family"]?.string)
    }
  }

  init(
    recalls: [Recall] = [], locals: [Local] = [], remotes: [Remote] = [], repairs: [Repair] = []
  ) {
    self.recalls = recalls
    self.locals = locals
    self.remotes = remotes
    self.repairs = repairs
  }

  private static func counts(_ claim: JSONValue) -> ClosedRange<Int>? {
    guard let ends = claim["k"]?.array?.compactMap(\.integer), ends.count == 2, ends[0] <= ends[1]
    else { return nil }
    return ends[0]...ends[1]
  }
}
