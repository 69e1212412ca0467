import Formats
import Foundation
import Lineage

/// The analytic machines of a run, in the order of the pipeline, with what the run found of each.
struct AnalyticMachines {
  struct Machine {
    var name: String
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
    var kMax: RunData.KMax?
    /// CPU time of its evaluation over pictures and passes.
    var passSeconds: Double?

    /// One window, patches of the same place: what window size alone changes.
    var isPlain: Bool { schedule == "fixed" && places == "same" }
    var side: Int { 2 * (radii.last ?? 0) + 1 }
  }

  let machines: [Machine]
  /// Side of the pictures in px.
  let size: Int
  /// Trained networks that were evaluated beside them.
  let networks: [RunData.KMax]
  /// Reach in px of the trained local network.
  let localRadius: Int?

  /// The machines, their windows and their training pictures.
  static func query(_ data: RunData) -> String {
    "SELECT s.name, e.params, m.name, m.value, m.sigma, m.k, m.n FROM stage s "
      + "JOIN execution e ON e.id = s.execution_id JOIN metric m USING (execution_id) "
      + "WHERE s.run_id = \(data.quotedRun) AND s.kind = 'analytic' "
      + "AND m.name IN ('pictures', 'window_radius', 'windows_unmatched') ORDER BY s.id, m.sigma, m.k"
  }

  /// CPU time of each evaluation, its pictures and its steps of Heun's method.
  static func costQuery(_ data: RunData) -> String {
    "SELECT v.model, e.cpu_seconds, (SELECT count(*) FROM outcome o WHERE o.execution_id = e.id), "
      + "json_extract(e.params, '$.steps') FROM run_model v JOIN execution e ON e.id = v.execution_id "
      + "WHERE v.run_id = \(data.quotedRun) AND v.kind = 'evaluate' AND v.arm = 'none'"
  }

  init(_ data: RunData) throws {
    let kMax = try data.kMax().filter { $0.evaluated.isPlain }
    networks = kMax.filter { $0.evaluated.network != "analytic" }
    var costs: [String: Double] = [:]
    for row in try data.store.query(Self.costQuery(data)).rows {
      guard let model = row[0].text, let seconds = row[1].number, let pictures = row[2].number,
        let steps = row[3].number, pictures > 0
      else { continue }
      costs[model] = seconds / (pictures * (2 * steps - 1))
    }
    let scenes = try data.store.query(
      """
      SELECT max(json_extract(e.params, '$.size')), max(json_extract(e.params, '$.count'))
      FROM stage s JOIN execution e ON e.id = s.execution_id
      WHERE s.run_id = ? AND s.kind = 'generate'
      """, [.text(data.run.id)])
    size = scenes.rows.first?[0].integer ?? 0
    let count = scenes.rows.first?[1].integer ?? 0

    var found: [Machine] = []
    for row in try data.store.query(Self.query(data)).rows {
      guard let name = row[0].text, let metric = row[2].text, let value = row[3].number else {
        continue
      }
      if found.last?.name != name {
        let parameters = try? JSONValue.parse(Data((row[1].text ?? "").utf8))
        let radius = parameters?["radius"]?.integer ?? 0
        let labels = parameters?["label_radius"]?.integer ?? -1
        found.append(
          Machine(
            name: name, schedule: parameters?["schedule"]?.string ?? "?", radii: [],
            labelRadius: labels < 0 ? radius : labels,
            places: parameters?["places"]?.string ?? "?", pictures: 0, isWhole: false,
            unmatched: [:], kMax: kMax.first { $0.evaluated.model == name },
            passSeconds: costs[name]))
      }
      let last = found.count - 1
      switch metric {
      case "pictures":
        found[last].pictures = Int(value)
        found[last].isWhole = Int(value) == count
      case "window_radius": found[last].radii.append(Int(value))
      default:
        found[last].unmatched[row[5].integer ?? 0] = Estimate(
          value: value, low: nil, high: nil, n: row[6].integer)
      }
    }
    machines = found

    let dilations = try data.store.query(
      """
      SELECT json_extract(e.params, '$.network.dilations') FROM stage s
      JOIN execution e ON e.id = s.execution_id
      WHERE s.run_id = ? AND s.kind = 'train' AND json_extract(e.params, '$.network.type') = 'local'
      ORDER BY s.id LIMIT 1
      """, [.text(data.run.id)])
    localRadius = dilations.rows.first?.first?.text.flatMap { text in
      try? JSONValue.parse(Data(text.utf8)).array?.compactMap(\.integer).reduce(1, +)
    }
  }

  /// Machines that differ in nothing but the window, by window.
  var byWindow: [Machine] {
    machines.filter { $0.isPlain && $0.isWhole }.sorted { $0.side < $1.side }
  }

  func sideText(_ machine: Machine) -> String {
    let sides = machine.radii.map { $0 >= size - 1 ? "picture" : "\(2 * $0 + 1)" }
    return sides.count > 1 ? "\(sides.first ?? "") … \(sides.last ?? "")" : sides.first ?? "–"
  }

  /// By role and window, never by outcome.
  var verdict: AnalyticVerdict {
    func model(_ machine: Machine?) -> AnalyticVerdict.Model? {
      guard let machine, let found = machine.kMax else { return nil }
      return AnalyticVerdict.Model(
        name: machine.name, side: machine.side, kMax: found.estimate,
        recallBeyond: found.recallBeyond)
    }
    let local = networks.first { $0.evaluated.network == "local" }
    return AnalyticVerdict(
      matching: model(byWindow.first { $0.radii.last == localRadius }),
      whole: model(byWindow.first { ($0.radii.last ?? 0) >= size - 1 }),
      local: local.map {
        AnalyticVerdict.Model(
          name: $0.evaluated.title, side: 2 * (localRadius ?? 0) + 1, kMax: $0.estimate,
          recallBeyond: $0.recallBeyond)
      })
  }
}
