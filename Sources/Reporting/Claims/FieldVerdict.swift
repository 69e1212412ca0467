import Interventions
import Measures

/// What probes of models of shapes of their own come to, from intervals alone: whether they are local between places,
/// whether between what they are told, and whether a mask by region makes them so.
///
/// A mask is held against its base, and against masks that move its regions, at every noise level that was probed of
/// all: shown is what lies below, all of the interval, at each.
struct FieldVerdict {
  let rows: [FieldRow]
  /// By the name of an intervention.
  let masks: [String: MaskSpecification]

  static let window = 9

  /// First of masks, then of places: the first is the answer on top. Nothing without probes.
  var sentences: [String] {
    let models = distinct(rows.filter { $0.mask == nil }.map(\.model))
    return models.flatMap(masked) + models.compactMap(concepts) + models.compactMap(places)
  }

  // MARK: - Masks

  /// A sentence for each mask that keeps regions where they are.
  private func masked(_ model: String) -> [String] {
    let names = distinct(rows.filter { $0.model == model }.compactMap(\.mask))
    return names.compactMap { name in
      guard let mask = masks[name], mask.mask == .concept, !mask.isControl else { return nil }
      let controls = names.filter { other in
        masks[other].map { $0.fault(asControlOf: mask) == nil } ?? false
      }
      return sentence(model, name, controls)
    }
  }

  private func sentence(_ model: String, _ mask: String, _ controls: [String]) -> String? {
    let all = [nil, mask] + controls.map(Optional.some)
    let sigmas = common(all.map { remote(model, $0) })
    guard let sigma = middle(sigmas), let before = remote(model, nil)[sigma],
      let after = remote(model, mask)[sigma]
    else { return nil }
    let isLess = sigmas.allSatisfy { below(remote(model, mask)[$0], remote(model, nil)[$0]) }
    let isMore = sigmas.allSatisfy { below(remote(model, nil)[$0], remote(model, mask)[$0]) }
    let beaten = controls.filter { control in
      sigmas.allSatisfy { below(remote(model, mask)[$0], remote(model, control)[$0]) }
    }
    let lead =
      !isLess
      ? (isMore ? Judgement.against.lead : Judgement.notShown("").lead)
      : controls.isEmpty || beaten.count < controls.count ? "Shown in part" : "Shown"
    let what =
      "told of each concept only where its own knock-out acts, by mask \(Markdown.name(mask)) and without any"
      + " training, \(Markdown.name(model)) "
      + (isLess
        ? "becomes more local between what it is told"
        : isMore
          ? "becomes less local between what it is told"
          : "is not told from what it is without, at every noise level")
    let numbers =
      "what all other concepts change in a concept's region, going at once, is \(Markdown.interval(after)) of what its"
      + " own going changes at σ = \(ChartNumber.text(sigma)), \(Markdown.interval(before)) without the mask"
      + " (N = \(Markdown.count(after.n)) pictures)"
    let others = controls.compactMap { control in
      remote(model, control)[sigma].map {
        "\(Markdown.interval($0)) behind its control \(Markdown.name(control))"
      }
    }
    let end =
      controls.isEmpty
      ? "; **no control** moved its regions"
      : !isLess || beaten.count == controls.count
        ? "" : "; that it matters where regions lie is not shown"
    return "**\(lead):** \(what): \(([numbers] + others).joined(separator: ", "))\(end)."
  }

  /// By σ.
  private func remote(_ model: String, _ mask: String?) -> [Double: Estimate] {
    estimates(model, mask, .conceptRemote)
  }

  private func below(_ a: Estimate?, _ b: Estimate?) -> Bool {
    guard let a, let b else { return false }
    return (a.high ?? a.value) < (b.low ?? b.value)
  }

  // MARK: - Without a mask

  private func concepts(_ model: String) -> String? {
    let remote = remote(model, nil)
    let sigmas = remote.keys.sorted()
    guard let least = sigmas.min(by: { ends(remote[$0]).low < ends(remote[$1]).low }),
      let most = sigmas.max(by: { ends(remote[$0]).high < ends(remote[$1]).high }),
      let low = remote[least], let high = remote[most]
    else { return nil }
    // At half of its own effect what is elsewhere is no small part of what is seen there.
    let words =
      ends(low).low > 0.5
      ? "**Shown:** \(Markdown.name(model)) is not local between what it is told"
      : ends(high).high < 0.5
        ? "**Shown:** \(Markdown.name(model)) is mostly local between what it is told"
        : "**Not shown:** whether \(Markdown.name(model)) is local between what it is told"
    return
      "\(words): from \(Markdown.interval(low)) (σ = \(ChartNumber.text(least))) to \(Markdown.interval(high)) (σ ="
      + " \(ChartNumber.text(most))) of what a concept's own going changes in its region, all others going at once"
      + " change there (N = \(Markdown.count(low.n)) pictures); *not local* is half of it or more, *mostly local* less,"
      + " at every noise level and by all of the interval."
  }

  private func places(_ model: String) -> String? {
    let shares = estimates(model, nil, .fieldLocality(.places), window: Self.window)
    let even = estimates(model, nil, .fieldEven(.places), window: Self.window)
    let sigmas = shares.keys.sorted()
    guard let least = sigmas.min(by: { ends(shares[$0]).low < ends(shares[$1]).low }),
      let share = shares[least], let all = even[least]
    else { return nil }
    let isLocal = sigmas.allSatisfy { ends(shares[$0]).low > (even[$0]?.value ?? 1) }
    let isEndpoint = estimates(model, nil, .fieldEndpoints, atAnyLevel: true)[0]?.value == 1
    return
      "**\(isLocal ? "Shown" : "Not shown"):** \(Markdown.name(model)) is more local between places than even at every"
      + " probed σ: at least \(Markdown.interval(share)) of its squared sensitivity (σ ="
      + " \(ChartNumber.text(least)), N = \(Markdown.count(share.n)) pictures) lies within \(Self.window) places, where"
      + " \(Markdown.number(all.value, digits: 3)) of all pairs do."
      + (isEndpoint ? " What it gives is like a sample and no mean: this is about no score." : "")
  }

  // MARK: - Numbers

  /// Of the first probe of a model behind a mask, by σ.
  private func estimates(
    _ model: String, _ mask: String?, _ measure: Measure, window: Int? = nil,
    atAnyLevel: Bool = false
  ) -> [Double: Estimate] {
    guard let stage = rows.first(where: { $0.model == model && $0.mask == mask })?.stage else {
      return [:]
    }
    var found: [Double: Estimate] = [:]
    for row in rows
    where row.stage == stage && row.measure == measure.name && row.window == window {
      if let sigma = row.sigma ?? (atAnyLevel ? 0 : nil) { found[sigma] = row.estimate }
    }
    return found
  }

  private func ends(_ estimate: Estimate?) -> (low: Double, high: Double) {
    guard let estimate else { return (.nan, .nan) }
    return (estimate.low ?? estimate.value, estimate.high ?? estimate.value)
  }

  /// Noise levels at which all were measured, ascending.
  private func common(_ all: [[Double: Estimate]]) -> [Double] {
    guard let first = all.first else { return [] }
    return first.keys.filter { sigma in all.allSatisfy { $0[sigma] != nil } }.sorted()
  }

  private func middle(_ sigmas: [Double]) -> Double? {
    sigmas.isEmpty ? nil : sigmas[sigmas.count / 2]
  }
}
