// Proves that what other programs are told of a run is what the store says of it.
import Foundation
import Measures
import Testing

@testable import Formats
@testable import Lineage
@testable import locus

@Suite("exported runs")
struct RunExportTests {
  private func ran(_ stages: String = Bench.stages) throws -> (Bench, Store) {
    let bench = try Bench()
    let path = try bench.pipeline(stages)
    _ = bench.locus("run", path)
    return (bench, try Store.open(bench.folder.appending(path: "data"), .readOnly, .locus))
  }

  private func export(_ bench: Bench, _ words: String...) throws -> URL {
    let place = bench.folder.appending(path: "out-\(UUID().uuidString)")
    let found = bench.locus(words: ["export"] + words + ["--to", place.path])
    #expect(found.code == 0, "\(found.error)")
    #expect(found.output == place.path + "\n")
    return place
  }

  private func json(_ url: URL) throws -> JSONValue { try JSONValue.parse(Data(contentsOf: url)) }

  @Test("PROV: every execution, what it used, what it made, under which plan")
  func prov() throws {
    let (bench, store) = try ran()
    let document = try json(export(bench, "prov"))
    let executions = try store.texts("SELECT id FROM execution")
    let runs = try store.texts("SELECT id FROM run")
    let run = try #require(runs.first)
    #expect(
      Set(document["activity"]?.object?.keys.map { $0 } ?? [])
        == Set(executions.map { "execution:" + $0 } + ["run:" + run]))
    func relations(_ name: String) -> [[String: JSONValue]] {
      (document[name]?.object?.values.compactMap(\.object)) ?? []
    }
    let used = relations("used").compactMap { $0["prov:entity"]?.string }
    let (read, made) = (
      try store.texts("SELECT sha256 FROM execution_input").map { "sha256:" + $0 },
      try store.texts("SELECT sha256 FROM execution_output").map { "sha256:" + $0 }
    )
    #expect(used.sorted() == read.sorted())
    let generated = relations("wasGeneratedBy").compactMap { $0["prov:entity"]?.string }
    #expect(Set(generated) == Set(made))
    // Each execution and the run itself, by the program, with the pipeline as the plan.
    #expect(relations("wasAssociatedWith").count >= executions.count + 1)
    for hash in try store.texts("SELECT sha256 FROM artifact") {
      #expect(document["entity"]?["sha256:" + hash]?["locus:kind"] != nil)
    }
    // Of one thing only what it came from.
    let one = try json(export(bench, "prov", "scenes"))
    #expect(one["used"] == nil && one["wasGeneratedBy"]?.object?.count == 1)
  }

  private func events(_ url: URL) throws -> [JSONValue] {
    try String(contentsOf: url, encoding: .utf8).split(separator: "\n")
      .map { try JSONValue.parse(Data($0.utf8)) }
  }

  @Test("OpenLineage: one START and exactly one end a run, with parents, schemas, sources, errors")
  func openLineage() throws {
    let (bench, store) = try ran(
      """
      scenes: { kind: "generate", count: 3 },
      good: { kind: "train", inputs: { scenes: "scenes" } },
      bad: { kind: "train", inputs: { scenes: "scenes" }, fails: true },
      """)
    let place = try export(bench, "openlineage")
    let events = try self.events(place)
    var states: [String: [String]] = [:]
    for event in events {
      let run = try #require(event["run"]?["runId"]?.string)
      #expect(UUID(uuidString: run) != nil)
      states[run, default: []].append(try #require(event["eventType"]?.string))
    }
    #expect(states.count == 4)
    for (run, found) in states {
      #expect(found.count == 2 && found[0] == "START", "\(run)")
      #expect(["COMPLETE", "FAIL", "ABORT"].contains(found[1]))
    }
    func last(_ job: String) -> JSONValue? {
      events.last { $0["job"]?["name"]?.string == job }
    }
    let whole = try #require(last("study"))
    #expect(events.last == whole && whole["eventType"] == .string("FAIL"))
    let bad = try #require(last("study.bad"))
    #expect(bad["eventType"] == .string("FAIL"))
    #expect(bad["run"]?["facets"]?["errorMessage"]?["message"] == .string("no such luck"))
    #expect(bad["run"]?["facets"]?["parent"]?["run"]?["runId"] == whole["run"]?["runId"])
    let good = try #require(last("study.good"))
    #expect(good["eventType"] == .string("COMPLETE"))
    #expect(good["inputs"]?.array?.first?["name"] == .string("study/scenes/pixels"))
    let output = try #require(good["outputs"]?.array?.first)
    let hashes = try store.texts(
      "SELECT o.sha256 FROM execution_output o JOIN artifact a USING (sha256) WHERE a.kind = 'weights'"
    )
    let hash = try #require(hashes.first)
    #expect(output["facets"]?["version"]?["datasetVersion"] == .string(hash))
    #expect(output["facets"]?["dataSource"]?["uri"]?.string?.hasPrefix("file:///") == true)
    #expect(output["facets"]?["schema"]?["fields"] != nil)
    // A run that reuses a stage tells it under the id that it had.
    let path = try bench.pipeline("scenes: { kind: \"generate\", count: 3 },")
    #expect(bench.locus("run", path).code == 0)
    let again = try self.events(export(bench, "openlineage"))
    let scenes = again.filter { $0["job"]?["name"] == .string("study.scenes") }
    #expect(scenes == events.filter { $0["job"]?["name"] == .string("study.scenes") })
  }

  @Test("MLflow: parameters, curves with their steps, intervals, tags and files, a run a stage")
  func mlflow() throws {
    let (bench, store) = try ran()
    let place = try export(bench, "mlflow")
    let folders = try FileManager.default.contentsOfDirectory(atPath: place.path)
    let first = try #require(folders.first)
    let experiment = place.appending(path: first)
    #expect(folders.count == 1)
    func text(_ path: String) throws -> String {
      try String(contentsOf: experiment.appending(path: path), encoding: .utf8)
    }
    #expect(try text("meta.yaml").contains("name: \"study\"\n"))
    let runs = try FileManager.default.contentsOfDirectory(atPath: experiment.path)
      .filter { $0 != "meta.yaml" }
    #expect(runs.count == 4)
    let named = try runs.first { try text("\($0)/tags/mlflow.runName") == "baseline[width=8]" }
    let child = try #require(named)
    #expect(try text("\(child)/params/width") == "8")
    #expect(try text("\(child)/meta.yaml").contains("status: 3\n"))
    let curve = try text("\(child)/metrics/loss").split(separator: "\n").map {
      $0.split(separator: " ")
    }
    #expect(curve.map { $0[1] } == ["0.5", "0.25", "0.75", "0.3125", "0.3333333333333333"])
    #expect(curve.map { $0[2] } == ["0", "64", "128", "192", "256"])
    #expect(try text("\(child)/metrics/accuracy.ci_low").contains(" 0.4 0\n"))
    let parent = try text("\(child)/tags/mlflow.parentRunId")
    #expect(runs.contains(parent))
    let run = try store.texts("SELECT id FROM run").first
    #expect(try text("\(parent)/tags/locus.run") == run)
    #expect(try text("\(parent)/artifacts/pipeline.json5").hasPrefix("{ pipeline: \"study\""))
    #expect(try text("\(child)/artifacts/weights.bin").hasPrefix("weights "))
    // The largest size that is copied: what is left out is named.
    let bare = bench.locus(
      words: [
        "export", "mlflow", "--largest", "0", "--to", bench.folder.appending(path: "bare").path,
      ])
    #expect(bare.code == 0 && bare.error.contains("named by their hashes"))
    // A second run of the pipeline goes beside the first.
    #expect(bench.locus("run", try bench.pipeline(), "--force", "scenes").code == 0)
    let more = bench.locus(words: ["export", "mlflow", "--to", place.path])
    #expect(more.code == 0, "\(more.error)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: experiment.path).count == 9)
  }

  @Test("RO-Crate: whatever is named is there, and every file of the crate lies where it says")
  func crate() throws {
    let (bench, store) = try ran()
    let place = try export(bench, "rocrate", "latest", "--license", "https://spdx.org/licenses/MIT")
    let crate = try json(place.appending(path: "ro-crate-metadata.json"))
    let graph = try #require(crate["@graph"]?.array)
    let ids = Set(graph.compactMap { $0["@id"]?.string })
    #expect(ids.count == graph.count)
    func check(_ value: JSONValue, _ key: String) {
      switch value {
      case .array(let values): for value in values { check(value, key) }
      case .object(let members):
        if members.count == 1, let id = members["@id"]?.string, !id.hasPrefix("http") {
          #expect(ids.contains(id), "\(key): \(id)")
        }
        for (key, value) in members { check(value, key) }
      default: break
      }
    }
    check(.array(graph), "")
    var files = 0
    for thing in graph
    where thing["@type"]?.array?.contains(.string("File")) ?? (thing["@type"] == .string("File")) {
      let id = try #require(thing["@id"]?.string)
      let data = try Data(contentsOf: place.appending(path: id))
      #expect(thing["sha256"] == .string(SHA256.hash(data)))
      files += 1
    }
    let artifacts = try store.texts("SELECT sha256 FROM artifact")
    #expect(files == artifacts.count + 1)
    let actions = graph.filter { $0["@type"] == .string("CreateAction") }
    #expect(actions.count == 4)
    #expect(graph.filter { $0["@type"] == .string("ControlAction") }.count == 3)
    let root = try #require(graph.first { $0["@id"] == .string("./") })
    #expect(root["mainEntity"]?["@id"] == .string("pipeline.json5"))
    #expect(root["license"]?["@id"] == .string("https://spdx.org/licenses/MIT"))
  }

  @Test("tables: every one is there, with a description of each of its columns")
  func tables() throws {
    let (bench, store) = try ran()
    let place = try export(bench, "tables")
    let package = try json(place.appending(path: "datapackage.json"))
    let resources = try #require(package["resources"]?.array)
    let relations = try store.relations()
    #expect(Set(resources.compactMap { $0["name"]?.string }) == Set(relations.keys))
    for resource in resources {
      let name = try #require(resource["name"]?.string)
      let fields = try #require(resource["schema"]?["fields"]?.array)
      let text = try String(contentsOf: place.appending(path: name + ".csv"), encoding: .utf8)
      let head = text.split(separator: "\n").first.map(String.init)
      #expect(head == fields.compactMap { $0["name"]?.string }.joined(separator: ","), "\(name)")
      for field in fields { #expect(field["description"]?.string?.isEmpty == false, "\(name)") }
      #expect(resource["description"]?.string?.isEmpty == false, "\(name)")
      let types = try store.rows("SELECT name, type FROM pragma_table_info(?)", [.text(name)])
      for (row, field) in zip(types, fields) {
        let (column, type) = (try row.text("name"), try row.text("type"))
        let wanted = ["INTEGER": "integer", "REAL": "number", "TEXT": "string"][type]
        // What a view computes has no type of its own there.
        if let wanted {
          #expect(field["type"]?.string == wanted, "\(name).\(column)")
        }
      }
    }
    let one = try export(bench, "tables", "latest")
    let cost = try String(contentsOf: one.appending(path: "stage_cost.csv"), encoding: .utf8)
    #expect(cost.split(separator: "\n").count == 4)
    #expect(!FileManager.default.fileExists(atPath: one.appending(path: "execution.csv").path))
  }

  @Test("Datasette's metadata is what the store says of itself")
  func datasette() throws {
    let url = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../Foreign/metadata.json").standardizedFileURL
    let wanted = Datasette.metadata(of: .locus).prettyText()
    if ProcessInfo.processInfo.environment["LOCUS_GOLDEN"] == "write" {
      try Data(wanted.utf8).write(to: url)
    }
    #expect(try String(contentsOf: url, encoding: .utf8) == wanted)
  }
}

/// What Datasette shows beside a store's tables (https://docs.datasette.io/en/stable/metadata.html).
private enum Datasette {
  static func metadata(of vocabulary: Vocabulary) -> JSONValue {
    var tables: [String: JSONValue] = [:]
    for relation in vocabulary.relations {
      let notes = relation.columns.map { ($0.name, JSONValue.string($0.sentence)) }
      tables[relation.name] = .object([
        "description": .string(relation.about),
        "columns": .object(Dictionary(notes, uniquingKeysWith: { $1 })),
      ])
    }
    let queries = vocabulary.allQueries.map {
      (
        $0.name,
        JSONValue.object(["title": .string($0.summary), "sql": .string($0.sql)])
      )
    }
    return .object([
      "title": .string("Locus"),
      "description": .string(
        "Results of studies of conditional diffusion models, with all that they came from."),
      "databases": .object([
        "locus": .object([
          "description": .string("A store of Locus; queries below are those of `locus query`."),
          "tables": .object(tables),
          "queries": .object(Dictionary(queries, uniquingKeysWith: { $1 })),
        ])
      ]),
    ])
  }
}
