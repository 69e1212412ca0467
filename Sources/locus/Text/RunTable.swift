import Formats
import Foundation
import Lineage
import Workflow

/// Any number of runs beside each other, a column a run.
struct RunTable {
  private let runs: [RunContents]
  /// Numbers of the runs, as they were given: heads of columns.
  private let labels: [String]
  private let places: [String]
  private let all: Bool

  /// - Parameter all: parameters and metrics that are the same in every run too, and points of curves.
  init(_ ids: [String], in store: Store, all: Bool) throws {
    runs = try ids.map { try RunContents($0, in: store, all: all) }
    labels = ids.indices.map { "\($0 + 1)" }
    places = RunContents.places(store)
    self.all = all
  }

  func text(for console: Console) -> String {
    var sheet = Sheet()
    sheet.add("runs", facts)
    sheet.add("parameters", parameters)
    sheet.add("metrics", metrics)
    let text = String(sheet.text(for: console).drop { $0 == "\n" })
    return sheet.sections.count == 1 ? text + "\nnothing else differs\n" : text
  }

  /// Metrics are a row a run here, with all digits.
  var json: String {
    var sheet = Sheet()
    sheet.add("runs", facts)
    sheet.add("parameters", parameters)
    sheet.add("metrics", longMetrics)
    return sheet.json
  }

  /// A row a run: when and how, as far as they differ.
  private var facts: TextTable {
    let names = runs.first?.facts.columns ?? []
    let shown = names.indices.filter { column in
      ["run", "started_at", "status"].contains(names[column])
        || Set(runs.map { $0.facts.rows.first?[column] }).count > 1
    }
    return TextTable(
      columns: ["number"] + shown.map { names[$0] },
      rows: zip(labels, runs).map { label, run in
        [.string(label)] + shown.map { run.facts.rows.first?[$0] ?? .null }
      })
  }

  /// Every stage's parameters that are not the same in all runs that have it.
  private var parameters: TextTable {
    var rows: [[JSONValue]] = []
    for name in stageNames {
      let stages = runs.map { run in run.stages.first { $0.name == name } }
      guard let reference = stages.compactMap({ $0 }).first else { continue }
      // By path: the first run's value and, where it is another one, each run's own.
      var paths: [String] = []
      var common: [String: String?] = [:]
      var own: [[String: String?]] = []
      for stage in stages {
        var found: [String: String?] = [:]
        let differences = stage.map {
          ParameterDifference.all(from: reference.parameters, to: $0.parameters)
        }
        for difference in differences ?? [] {
          if common[difference.path] == nil { paths.append(difference.path) }
          common[difference.path] = difference.old
          found[difference.path] = difference.new
        }
        own.append(found)
      }
      rows += paths.map { path in
        [.string(name), .string(path)]
          + zip(stages, own).map { stage, own in
            guard stage != nil else { return .string("—") }
            let value = own.keys.contains(path) ? own[path] : common[path]
            return ((value ?? nil) ?? nil).map(JSONValue.string) ?? .string("—")
          }
      }
      let seeds = stages.map { $0?.seed }
      if Set(seeds.compactMap { $0 }).count > 1 {
        rows.append([.string(name), .string("seed")] + seeds.map { $0 ?? .string("—") })
      }
    }
    return TextTable(columns: ["stage", "parameter"] + labels, rows: rows)
  }

  private var stageNames: [String] {
    runs.flatMap { $0.stages.map(\.name) }.withoutRepetition
  }

  private var keys: [RunContents.Key] {
    runs.flatMap(\.keys).withoutRepetition.filter { key in
      all || Set(runs.map { $0.values[key] }).count > 1
    }
  }

  /// For people: values with their intervals, a column a run.
  private var metrics: TextTable {
    TextTable(
      columns: ["stage", "metric"] + places + ["about"] + labels,
      rows: keys.map { key in
        [.string(key.stage), .string(key.name)] + key.place.map(JSONValue.init)
          + [key.about.map(JSONValue.string) ?? .null]
          + runs.map { run in
            .string(run.values[key]?.text { String(format: "%.4g", $0) } ?? "—")
          }
      }
    ).without(empty: places + ["about"])
  }

  private var longMetrics: TextTable {
    func number(_ value: Double?) -> JSONValue { value.map(JSONValue.number) ?? .null }
    return TextTable(
      columns: ["run", "stage", "metric"] + places + ["about", "value", "ci_low", "ci_high", "n"],
      rows: keys.flatMap { key in
        runs.compactMap { run in
          run.values[key].map { value in
            [.string(run.id), .string(key.stage), .string(key.name)]
              + key.place.map(JSONValue.init)
              + [
                key.about.map(JSONValue.string) ?? .null, number(value.value), number(value.low),
                number(value.high), value.n.map(JSONValue.integer) ?? .null,
              ]
          }
        }
      })
  }
}
