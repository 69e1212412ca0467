/// The K at which evaluations are held against each other: one grid for all arms.
enum ComparedCounts {
  struct Arm {
    /// `nil` where that is not known.
    var name: String?
    /// `nil` where they will only be known afterwards.
    var counts: [Int]?

    /// Nothing is requested at K = 0.
    fileprivate var tested: Set<Int>? {
      counts.map { Set($0).subtracting([0]) }.flatMap { $0.isEmpty ? nil : $0 }
    }
    fileprivate func text(_ article: String) -> String {
      name.map { "`\($0)`" } ?? "\(article) evaluation"
    }
  }

  /// Why the arms cannot be compared as stated, with the K that all have; `nil` when they can.
  static func fault(_ arms: [Arm], stated: [Int]) -> String? {
    let known = arms.filter { $0.tested != nil }
    let common = compared(arms, stated: [])
    let remedy =
      common.isEmpty
      ? "no K is common to all of them" : "common to all of them are K = \(list(common))"
    if !stated.isEmpty {
      guard
        let (arm, missing) = known.lazy.map({ ($0, Set(stated).subtracting($0.tested ?? [])) })
          .first(where: { !$0.1.isEmpty })
      else { return nil }
      return "\(arm.text("one")) is not made at K = \(list(missing)); \(remedy)"
    }
    guard let first = known.first,
      let other = known.first(where: { $0.tested != first.tested })
    else { return nil }
    return
      "\(first.text("one")) is made at K = \(list(first.tested ?? [])) and \(other.text("another")) at K = "
      + "\(list(other.tested ?? [])): over different K they cannot be held against each other; \(remedy)"
      + (common.isEmpty
        ? ": give them the same `counts`"
        : ": give them the same `counts`, or the comparison `counts: [\(list(common))]`")
  }

  /// The stated K, if any, or those that all arms have.
  static func compared(_ arms: [Arm], stated: [Int]) -> Set<Int> {
    if !stated.isEmpty { return Set(stated) }
    let known = arms.compactMap(\.tested)
    return known.dropFirst().reduce(known.first ?? []) { $0.intersection($1) }
  }

  private static func list(_ counts: Set<Int>) -> String {
    counts.sorted().map(String.init).joined(separator: ", ")
  }
}
