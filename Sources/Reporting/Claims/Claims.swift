import Formats
import Foundation
import Measures
import Probing

/// What a run is said to show, before anything of it is known. Names are those of instances; without
/// their seed they stand for all of their replicates.
struct Claims: Hashable {
  /// What a claim is stated for: a sentence that it supports, or one that falls if it holds.
  struct Statement: Hashable {
    enum Side: String, Hashable, CaseIterable { case supports, refutes }
    var side: Side
    var text: String

    /// - Parameter texts: by name.
    /// - Returns: `nil` where a claim stands for itself.
    init?(_ claim: JSONValue, _ texts: [String: String]) {
      guard
        let side = Side.allCases.first(where: { claim[$0.rawValue]?.string != nil }),
        let text = claim[side.rawValue]?.string.flatMap({ texts[$0] })
      else { return nil }
      (self.side, self.text) = (side, text)
    }

    /// What the claims of a pipeline file name, in its order.
    static func stated(_ claims: JSONValue) -> [(name: String, text: String)] {
      (claims["statements"]?.array ?? []).compactMap { statement in
        statement["name"]?.string.flatMap { name in
          statement["says"]?.string.map { (name, $0) }
        }
      }
    }
  }

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
    /// Of several evaluations of one denoiser those that drew with it; `nil`: the first.
    var guidance: Double?
    /// The claims that are corrected together; `nil`: it stands alone.
    var family: String?
    var statement: Statement?

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

  /// A model's output at labelled objects depends on what is remote to them, more than another one's; or on how
  /// many labels are there more than on where they are.
  struct Remote: Hashable {
    /// What is remote, and whether it is held against another model or against another change of the same.
    enum Kind: String, Hashable, CaseIterable {
      /// All remote labels removed, more than from another model.
      case labels = "remote"
      /// All remote labels removed, more than moved.
      case number
      /// Pixels outside the window swapped for another picture's, more than of another model.
      case pixels

      var change: RemoteAverage.Change { self == .pixels ? .swapped : .removed }
      /// What it is held against.
      var other: RemoteAverage.Change { self == .number ? .moved : change }
    }
    var kind = Kind.labels
    var model: String
    /// The model itself, of a number.
    var against: String
    /// The number of objects that was asked for; `nil`: the largest that both were probed at.
    var count: Int?
    /// The noise levels; `nil`: all that both were probed at.
    var sigmas: ClosedRange<Double>?
    /// The claims that are corrected together; `nil`: it stands alone.
    var family: String?
    var statement: Statement?
  }

  /// A mask, without any training, gives a model back what it lacks.
  struct Repair: Hashable {
    var mask: String
    var of: String
    /// The mask that keeps the mechanism and moves only what the hypothesis is about.
    var control: String?
    /// `nil`: all tested K beyond the training range.
    var counts: ClosedRange<Int>?
    /// Of several evaluations of one denoiser those that drew with it; `nil`: the first.
    var guidance: Double?
    /// The claims that are corrected together; `nil`: the masks of its comparison, or, over seeds, all
    /// claims about masks.
    var family: String?
    var statement: Statement?
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

  /// What claims are stated for, in the file's order.
  private(set) var statements: [String] = []
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
    let stated = Statement.stated(value)
    statements = stated.map(\.text)
    let texts = Dictionary(
      stated.map { ($0.name, $0.text) }, uniquingKeysWith: { first, _ in first })
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
          guidance: claim["guidance"]?.number,
          family: claim["family"]?.string, statement: Statement(claim, texts))
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
    for kind in Remote.Kind.allCases {
      remotes += each(kind.rawValue) { claim in
        guard let model = claim["model"]?.string,
          let against = kind == .number ? model : claim["against"]?.string
        else { return nil }
        let ends = claim["sigma"]?.array?.compactMap(\.number) ?? []
        return Remote(
          kind: kind, model: model, against: against, count: claim["objects"]?.integer,
          sigmas: ends.count == 2 && ends[0] <= ends[1] ? ends[0]...ends[1] : nil,
          family: claim["family"]?.string, statement: Statement(claim, texts))
      }
    }
    repairs = each("repairs") { claim in
      guard let mask = claim["mask"]?.string, let of = claim["of"]?.string else { return nil }
      return Repair(
        mask: mask, of: of, control: claim["control"]?.string, counts: Self.counts(claim),
        guidance: claim["guidance"]?.number,
        family: claim["family"]?.string, statement: Statement(claim, texts))
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
