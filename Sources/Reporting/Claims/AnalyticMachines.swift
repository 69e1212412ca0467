import Measures

/// The analytic machines of a run, in the order of the pipeline, with what the run found of each: one an
/// evaluation.
struct AnalyticMachines {
  struct Machine {
    var name: String
    /// What tells this evaluation of it from others of it: empty, or `, steps=2`.
    var setting = ""
    /// `fixed`, `calibrated` or a published schedule.
    var schedule: String
    /// From low σ to high; one for a fixed schedule.
    var radii: [Int]
    var labelRadius: Int
    /// `same` or `all`.
    var places: String
    /// Training pictures.
    var pictures: Int
    /// Whether these are all that its scenes have.
    var isWhole: Bool
    /// Share of labelled windows without an agreeing training patch, by K.
    var unmatched: [Int: Estimate]
    var compared: ComparedEvaluation?
    /// CPU time of its evaluation over pictures and passes.
    var passSeconds: Double?

    /// What it is called beside the others.
    var label: String { name + setting }
    /// One window, patches of the same place: what window size alone changes.
    var isPlain: Bool { schedule == "fixed" && places == "same" }
    /// Of the window at the highest σ.
    var side: Int? { radii.last.map { 2 * $0 + 1 } }

    fileprivate mutating func add(_ row: MachineRow, all: Int?) {
      switch row.metric {
      case Measure.pictures.name:
        pictures = Int(row.value)
        isWhole = pictures == all
      case Measure.windowRadius.name: radii.append(Int(row.value))
      default:
        if let k = row.k {
          unmatched[k] = Estimate(value: row.value, low: nil, high: nil, n: row.n)
        }
      }
    }
  }

  let machines: [Machine]
  /// Side of the pictures in px; `nil` when nothing says it.
  let size: Int?
  /// Trained networks that were evaluated beside them.
  let networks: [ComparedEvaluation]
  /// Reach in px of the trained local network.
  let localRadius: Int?

  init(_ data: RunData) throws {
    let plain = data.compared.filter { $0.evaluated.isPlain }
    networks = plain.filter { $0.evaluated.reach != .machine }
    let costs = Dictionary(
      try data.ask(PassRow.question(data.run.id)).compactMap { row in
        row.passSeconds.map { (row.executionID, $0) }
      }, uniquingKeysWith: { $1 })
    let pictures = try data.ask(PictureSetRow.question(data.run.id)).first
    size = pictures?.size
    localRadius = try data.ask(LocalRadiusRow.question(data.run.id)).first
    var found: [Machine] = []
    for row in try data.ask(MachineRow.question(data.run.id)) {
      if found.last?.name != row.stage {
        found.append(
          Machine(
            name: row.stage, schedule: row.schedule, radii: [],
            labelRadius: row.labelRadius < 0 ? row.radius : row.labelRadius, places: row.places,
            pictures: 0, isWhole: false, unmatched: [:]))
      }
      found[found.count - 1].add(row, all: pictures?.count)
    }
    machines = found.flatMap { machine in
      let evaluated = data.evaluated.filter { $0.isPlain && $0.model == machine.name }
      if evaluated.isEmpty { return [machine] }
      return evaluated.map { evaluation in
        var machine = machine
        machine.setting = String(evaluation.label.dropFirst(evaluation.title.count))
        machine.compared = plain.first { $0.evaluated == evaluation }
        machine.passSeconds = costs[evaluation.executionID]
        return machine
      }
    }
  }

  /// Whether a window of this radius is the whole picture.
  func isWhole(_ radius: Int) -> Bool { size.map { radius >= $0 - 1 } ?? false }

  /// Machines that differ in nothing but the window, by window.
  var byWindow: [Machine] {
    machines.filter { $0.isPlain && $0.isWhole }.sorted { ($0.side ?? 0) < ($1.side ?? 0) }
  }

  func sideText(_ machine: Machine) -> String {
    let sides = machine.radii.map { isWhole($0) ? "picture" : "\(2 * $0 + 1)" }
    guard let first = sides.first, let last = sides.last else { return Markdown.nothing }
    return sides.count > 1 ? "\(first) … \(last)" : first
  }

  /// By role and window, never by outcome.
  var verdict: AnalyticVerdict {
    func model(_ machine: Machine?) -> AnalyticVerdict.Model? {
      guard let machine, let side = machine.side, let found = machine.compared else { return nil }
      return AnalyticVerdict.Model(
        name: machine.label, side: side, kMax: found.kMax, recallBeyond: found.recallBeyond)
    }
    let local = networks.first { $0.evaluated.reach == .local }
    return AnalyticVerdict(
      matching: model(byWindow.first { localRadius != nil && $0.radii.last == localRadius }),
      whole: model(byWindow.first { $0.radii.last.map(isWhole) ?? false }),
      local: local.flatMap { local in
        localRadius.map {
          AnalyticVerdict.Model(
            name: local.evaluated.label, side: 2 * $0 + 1, kMax: local.kMax,
            recallBeyond: local.recallBeyond)
        }
      })
  }
}
