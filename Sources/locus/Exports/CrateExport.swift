import Formats
import Foundation
import Lineage

/// A run as an RO-Crate by the profiles Process, Workflow and Provenance Run Crate 0.5
/// (https://w3id.org/ro/wfrun/provenance/0.5): the pipeline is the workflow, kinds of stages are its tools, executions
/// what was run.
struct CrateExport {
  private let exported: ExportedRun
  private let folder: OutputFolder
  private let largest: Int
  private let license: String
  private var crate: ResearchCrate
  /// The thing that an artifact is, by its hash.
  private var places: [String: String] = [:]
  /// What each formal parameter was in executions.
  private var values: [String: [String]] = [:]
  private var left = 0

  private static let workflow = "pipeline.json5"
  private static let engine = "#locus"
  private static let language = "#pipeline-file"
  private static let profiles = [
    ("process", "Process Run Crate"), ("workflow", "Workflow Run Crate"),
    ("provenance", "Provenance Run Crate"),
  ].map { (id: "https://w3id.org/ro/wfrun/\($0.0)/0.5", name: $0.1, version: "0.5") }
  private static let workflowCrate = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"

  init(
    _ exported: ExportedRun, into folder: OutputFolder, largest: Int, license: String?
  ) {
    self.exported = exported
    self.folder = folder
    self.largest = largest
    self.license = license ?? "None is stated: ask whoever made this run."
    crate = ResearchCrate(
      profiles: Self.profiles + [(Self.workflowCrate, "Workflow RO-Crate", "1.0")],
      described: [Self.workflowCrate])
  }

  private var run: RunRecord { exported.run }

  /// - Returns: how many files were too large.
  mutating func write() throws -> Int {
    try folder.append(Data(run.source.utf8), to: Self.workflow)
    for artifact in exported.history.artifacts.values.sorted(by: { $0.sha256 < $1.sha256 }) {
      try add(artifact)
    }
    for execution in exported.history.executions { add(execution) }
    addTools()
    addWorkflow()
    addRun()
    try folder.append(Data(crate.json.prettyText().utf8), to: ResearchCrate.fileName)
    return left
  }

  private mutating func add(_ artifact: ArtifactRecord) throws {
    let url = exported.store.objectURL(artifact.sha256)
    let isHere =
      artifact.bytes <= largest && FileManager.default.fileExists(atPath: url.path)
    let place =
      isHere
      ? "artifacts/\(artifact.sha256.prefix(16)).\(artifact.fileExtension)"
      : "urn:sha256:\(artifact.sha256)"
    if isHere { try folder.copy(url, to: place) } else { left += 1 }
    places[artifact.sha256] = place
    crate.addFile(
      place,
      members: [
        "name": .string(artifact.kind), "encodingFormat": .string(artifact.mediaType),
        "contentSize": .string("\(artifact.bytes)"), "sha256": .string(artifact.sha256),
        "dateCreated": .string(artifact.createdAt),
      ])
  }

  private mutating func add(_ execution: ExecutionRecord) {
    let read = Set(execution.inputs.map(\.sha256))
    var objects = execution.inputs.compactMap { places[$0.sha256] }
    for (name, value) in flattened(execution.parameters) {
      let parameter = Self.parameter(execution.kind, name)
      let id = "#value/\(Self.escaped(execution.id))/\(Self.escaped(name))"
      values[parameter, default: []].append(id)
      crate.add(
        id, "PropertyValue",
        members: [
          "name": .string(name), "value": .string(value.plainText),
          "exampleOfWork": ResearchCrate.link(parameter),
        ])
      crate.add(
        parameter, "FormalParameter",
        members: [
          "name": .string(name), "additionalType": .string(Self.type(of: value)),
          "workExample": ResearchCrate.links(values[parameter] ?? []),
          "conformsTo": ResearchCrate.link(
            "https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"),
        ])
      objects.append(id)
    }
    let usage = addUsage(of: execution)
    var members: [String: JSONValue] = [
      "name": .string(exported.makers[execution.id]?.stage ?? execution.id),
      "instrument": ResearchCrate.link(Self.tool(execution.kind)),
      "startTime": .string(execution.startedAt), "endTime": .string(execution.finishedAt),
      "object": ResearchCrate.links(objects.withoutRepetition),
      "result": ResearchCrate.links(
        execution.outputs.filter { !read.contains($0.sha256) }.compactMap { places[$0.sha256] }
          .withoutRepetition), "actionStatus": Self.status(Outcome(execution.status)),
      "resourceUsage": ResearchCrate.links(usage),
    ]
    members["error"] = execution.error.map(JSONValue.string)
    crate.add(Self.action(execution.id), "CreateAction", members: members)
  }

  private mutating func addUsage(of execution: ExecutionRecord) -> [String] {
    [
      ("cpu", "\(execution.cpuSeconds)", "https://qudt.org/vocab/unit/SEC"),
      ("memory", "\(execution.peakRSSBytes)", "https://qudt.org/vocab/unit/BYTE"),
    ].map { name, value, unit in
      let id = "#usage/\(Self.escaped(execution.id))/\(name)"
      crate.add(
        id, "PropertyValue",
        members: [
          "name": .string(name), "propertyID": .string("urn:locus:\(name)"),
          "value": .string(value), "unitCode": .string(unit),
        ])
      return id
    }
  }

  private var kinds: [String] {
    Set(exported.history.executions.map(\.kind)).sorted()
  }

  private mutating func addTools() {
    for kind in kinds {
      let prefix = "#parameter/\(Self.escaped(kind))/"
      crate.add(
        Self.tool(kind), "SoftwareApplication",
        members: [
          "name": .string(kind), "description": .string("`locus help \(kind)` describes it."),
          "version": .string(run.locusVersion),
          "input": ResearchCrate.links(values.keys.filter { $0.hasPrefix(prefix) }.sorted()),
        ])
    }
  }

  private mutating func addWorkflow() {
    let steps = run.stages.filter { exported.execution(of: $0) != nil }
    crate.add(
      Self.language, "ComputerLanguage",
      members: [
        "name": .string("Locus pipeline file"), "alternateName": .string("JSON5"),
        "url": ResearchCrate.link("https://json5.org"),
      ])
    crate.addFile(
      Self.workflow, ["SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
      members: [
        "name": .string(run.pipeline), "encodingFormat": .string("application/json5"),
        "sha256": .string(SHA256.hash(Data(run.source.utf8))),
        "contentSize": .string("\(run.source.utf8.count)"),
        "programmingLanguage": ResearchCrate.link(Self.language),
        "hasPart": ResearchCrate.links(kinds.map(Self.tool)),
        "step": ResearchCrate.links(steps.map { Self.step($0.name) }),
      ])
    for (place, stage) in steps.enumerated() {
      crate.add(
        Self.step(stage.name), "HowToStep",
        members: [
          "name": .string(stage.name), "position": .string("\(place + 1)"),
          "workExample": ResearchCrate.link(Self.tool(stage.kind)),
        ])
    }
  }

  private mutating func addRun() {
    let steps = run.stages.filter { exported.execution(of: $0) != nil }
    let made = Set(steps.compactMap(\.executionID))
    let results = exported.history.executions.filter { made.contains($0.id) }
      .flatMap(\.outputs).compactMap { places[$0.sha256] }.withoutRepetition
    let times: [String: JSONValue] = [
      "startTime": .string(run.startedAt),
      "endTime": .string(run.finishedAt ?? run.startedAt),
    ]
    crate.add(
      Self.engine, "SoftwareApplication",
      members: [
        "name": .string("Locus"), "softwareVersion": .string(run.locusVersion),
      ])
    var whole = times.merging(
      [
        "name": .string("run \(run.id)"), "instrument": ResearchCrate.link(Self.workflow),
        "object": .array([]), "result": ResearchCrate.links(results),
        "actionStatus": Self.status(Outcome(run.status)),
      ]) { $1 }
    whole["error"] = run.events.last { $0.level == "error" }.map { .string($0.message) }
    crate.add("#run", "CreateAction", members: whole)
    for stage in steps {
      guard let id = stage.executionID else { continue }
      crate.add(
        Self.control(stage.name), "ControlAction",
        members: [
          "name": .string("\(stage.name): \(stage.status)"),
          "description": .string(stage.reason),
          "instrument": ResearchCrate.link(Self.step(stage.name)),
          "object": ResearchCrate.link(Self.action(id)),
        ])
    }
    crate.add(
      "#orchestration", "OrganizeAction",
      members: times.merging(
        [
          "name": .string("Locus \(run.locusVersion) ran \(run.pipeline)"),
          "instrument": ResearchCrate.link(Self.engine), "result": ResearchCrate.link("#run"),
          "object": ResearchCrate.links(steps.map { Self.control($0.name) }),
        ]) { $1 })
    crate.describe([
      "name": .string("Run of the pipeline \(run.pipeline)"),
      "description": .string(
        "The run \(run.id) of Locus \(run.locusVersion): every stage with what it read and made."),
      "datePublished": .string(run.finishedAt ?? run.startedAt),
      "license": license.hasPrefix("https://") ? ResearchCrate.link(license) : .string(license),
      "mainEntity": ResearchCrate.link(Self.workflow),
      "mentions": ResearchCrate.links(
        ["#run", "#orchestration"] + exported.history.executions.map { Self.action($0.id) }),
    ])
  }

  // MARK: - Names

  private static func tool(_ kind: String) -> String { "#tool/" + escaped(kind) }
  private static func step(_ stage: String) -> String { "#step/" + escaped(stage) }
  private static func control(_ stage: String) -> String { "#control/" + escaped(stage) }
  private static func action(_ execution: String) -> String { "#execution/" + escaped(execution) }
  private static func parameter(_ kind: String, _ name: String) -> String {
    "#parameter/\(escaped(kind))/\(escaped(name))"
  }

  private static func escaped(_ name: String) -> String {
    let plain = CharacterSet(
      charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
    return name.addingPercentEncoding(withAllowedCharacters: plain) ?? "_"
  }

  private static func type(of value: JSONValue) -> String {
    switch value {
    case .bool: "Boolean"
    case .integer: "Integer"
    case .number: "Float"
    case .null, .string, .array, .object: "Text"
    }
  }

  private static func status(_ outcome: Outcome) -> JSONValue {
    ResearchCrate.link(
      "http://schema.org/\(outcome == .success ? "CompletedActionStatus" : "FailedActionStatus")")
  }
}
