import Formats
import Foundation
import Lineage

/// What a run, or an artifact, came from, as a W3C PROV document.
enum ProvExport {
  static func document(of run: ExportedRun) -> JSONValue {
    var document = empty
    add(run.history, run.makers, to: &document)
    addRun(run.run, to: &document)
    return document.json
  }

  /// - Parameter reference: an artifact or an execution.
  static func document(of reference: StoreReference, in store: Store) throws -> JSONValue {
    let ids =
      switch reference {
      case .execution(let id), .run(let id): [id]
      case .artifact(let hash): [try store.producer(of: hash)].compactMap { $0 }
      }
    let history = try History(of: ids, in: store)
    var document = empty
    add(history, try ExportedRun.makers(of: history, in: store), to: &document)
    return document.json
  }

  private static var empty: ProvenanceDocument {
    ProvenanceDocument(prefixes: [
      "locus": "urn:locus:", "run": "urn:locus:run:", "execution": "urn:locus:execution:",
      "pipeline": "urn:locus:pipeline:", "sha256": "urn:sha256:",
    ])
  }

  private static func add(
    _ history: History, _ makers: [String: (run: RunRecord, stage: String)],
    to document: inout ProvenanceDocument
  ) {
    for artifact in history.artifacts.values {
      document.add(
        .entity, "sha256:" + artifact.sha256,
        [
          "prov:type": ProvenanceDocument.name("locus:artifact"),
          "locus:kind": .string(artifact.kind), "locus:mediaType": .string(artifact.mediaType),
          "locus:bytes": ProvenanceDocument.literal("\(artifact.bytes)", "long"),
        ])
    }
    for execution in history.executions {
      let name = "execution:" + execution.id
      let read = Set(execution.inputs.map(\.sha256))
      document.add(.activity, name, facts(execution, makers[execution.id]?.stage))
      for input in execution.inputs {
        document.relate(
          .used,
          [
            "prov:activity": .string(name), "prov:entity": .string("sha256:" + input.sha256),
            "prov:role": .string(input.role),
          ])
      }
      // What it only passed on was not made by it.
      for output in execution.outputs where !read.contains(output.sha256) {
        document.relate(
          .wasGeneratedBy,
          [
            "prov:activity": .string(name), "prov:entity": .string("sha256:" + output.sha256),
            "prov:role": .string(output.role),
            "prov:time": .string(execution.finishedAt),
          ])
      }
      if let maker = makers[execution.id] {
        addRun(maker.run, to: &document)
        document.relate(
          .wasInformedBy,
          ["prov:informed": .string(name), "prov:informant": .string("run:" + maker.run.id)])
        associate(name, with: maker.run, in: &document)
      }
    }
  }

  private static func facts(_ execution: ExecutionRecord, _ stage: String?) -> [String: JSONValue] {
    var facts: [String: JSONValue] = [
      "prov:type": ProvenanceDocument.name("locus:execution"),
      "prov:label": .string(stage ?? execution.id),
      "prov:startTime": .string(execution.startedAt), "prov:endTime": .string(execution.finishedAt),
      "locus:kind": .string(execution.kind), "locus:key": .string(execution.key),
      "locus:status": .string(execution.status),
      "locus:parameters": .string(execution.parameters.canonicalText()),
      "locus:seed": ProvenanceDocument.literal("\(execution.seed)", "unsignedLong"),
      "locus:wallSeconds": ProvenanceDocument.literal("\(execution.wallSeconds)", "double"),
    ]
    facts["locus:error"] = execution.error.map(JSONValue.string)
    facts["locus:instructions"] = execution.instructions.map(JSONValue.string)
    facts["locus:kindVersion"] = execution.kindVersion.map {
      ProvenanceDocument.literal("\($0)", "long")
    }
    return facts
  }

  private static func addRun(_ run: RunRecord, to document: inout ProvenanceDocument) {
    var facts: [String: JSONValue] = [
      "prov:type": ProvenanceDocument.name("locus:run"), "prov:label": .string(run.pipeline),
      "prov:startTime": .string(run.startedAt), "locus:status": .string(run.status),
      "locus:trigger": .string(run.trigger), "locus:host": .string(run.host),
      "locus:seed": ProvenanceDocument.literal("\(run.seed)", "unsignedLong"),
    ]
    facts["prov:endTime"] = run.finishedAt.map(JSONValue.string)
    facts["locus:gitCommit"] = run.gitCommit.map(JSONValue.string)
    if let options = run.options, !options.isEmpty {
      facts["locus:options"] = .string(
        JSONValue.array(options.map(JSONValue.string)).canonicalText())
    }
    document.add(.activity, "run:" + run.id, facts)
    document.add(
      .agent, program(run),
      [
        "prov:type": ProvenanceDocument.name("prov:SoftwareAgent"),
        "prov:label": .string("Locus \(run.locusVersion)"),
      ])
    document.add(
      .entity, plan(run),
      [
        "prov:type": ProvenanceDocument.name("prov:Plan"), "prov:label": .string(run.pipeline),
        "locus:path": .string(run.path), "locus:source": .string(run.source),
      ])
    associate("run:" + run.id, with: run, in: &document)
  }

  private static func associate(
    _ activity: String, with run: RunRecord, in document: inout ProvenanceDocument
  ) {
    document.relate(
      .wasAssociatedWith,
      [
        "prov:activity": .string(activity), "prov:agent": .string(program(run)),
        "prov:plan": .string(plan(run)),
      ])
  }

  private static func program(_ run: RunRecord) -> String { "locus:program-\(run.locusVersion)" }

  private static func plan(_ run: RunRecord) -> String {
    "pipeline:" + SHA256.hash(Data(run.source.utf8))
  }
}
