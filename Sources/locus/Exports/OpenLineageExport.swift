import Formats
import Foundation
import Lineage

/// A run and its stages as events of OpenLineage, in the order in which they happened.
///
/// A stage that the run reused has the events of the run that made it, under the same ids: told again they are
/// the same events, and what reads them sees where every dataset came from.
struct OpenLineageExport {
  private let exported: ExportedRun
  private let facets = OpenLineageEvent.Facets(producer: Self.producer)
  /// A dataset's name, by the hash of its content: the instance that made it, and the role there.
  private var names: [String: String] = [:]

  static let namespace = "locus"
  /// How much of a file is looked at for its fields.
  private static let begin = 1 << 16
  private static var producer: String { "urn:locus:\(locusVersion)" }

  init(_ exported: ExportedRun) {
    self.exported = exported
    for execution in exported.history.executions {
      guard let maker = exported.makers[execution.id] else { continue }
      let read = Set(execution.inputs.map(\.sha256))
      for output in execution.outputs
      where !read.contains(output.sha256) && names[output.sha256] == nil {
        names[output.sha256] = "\(maker.run.pipeline)/\(maker.stage)/\(output.role)"
      }
    }
  }

  /// JSON, an event a line.
  var text: String {
    var told: [(time: String, rank: Int, event: OpenLineageEvent)] = []
    func add(_ pair: [OpenLineageEvent], ranks: (Int, Int)) {
      for event in pair {
        told.append((event.time, event.state == .start ? ranks.0 : ranks.1, event))
      }
    }
    // A run begins before its stages and ends after them, also within one millisecond.
    add(events(of: exported.run), ranks: (0, 4))
    for execution in exported.history.executions {
      guard let maker = exported.makers[execution.id] else { continue }
      add(events(of: execution, maker), ranks: (2, 3))
    }
    let ordered = told.enumerated().sorted {
      ($0.element.time, $0.element.rank, $0.offset) < ($1.element.time, $1.element.rank, $1.offset)
    }
    return ordered.map {
      $0.element.event.json(namespace: Self.namespace, producer: Self.producer).canonicalText()
        + "\n"
    }.joined()
  }

  private func events(of run: RunRecord) -> [OpenLineageEvent] {
    let jobFacets = [
      "jobType": jobType("PIPELINE"),
      "sourceCode": facets.facet(
        "SourceCodeJobFacet", "1-0-1",
        ["language": .string("json5"), "sourceCode": .string(run.source)]),
    ]
    let failure = run.events.last { $0.level == "error" }?.message
    return pair(
      id: Self.id(run), from: run.startedAt, to: run.finishedAt ?? run.startedAt,
      Outcome(run.status), error: failure, runFacets: engine(run), job: run.pipeline,
      jobFacets: jobFacets)
  }

  private func events(
    of execution: ExecutionRecord, _ maker: (run: RunRecord, stage: String)
  ) -> [OpenLineageEvent] {
    let parent = facets.facet(
      "ParentRunFacet", "1-2-0",
      [
        "run": .object(["runId": .string(Self.id(maker.run))]),
        "job": .object([
          "namespace": .string(Self.namespace), "name": .string(maker.run.pipeline),
        ]),
      ])
    let read = Set(execution.inputs.map(\.sha256))
    return pair(
      id: Self.id("execution " + execution.id), from: execution.startedAt,
      to: execution.finishedAt, Outcome(execution.status), error: execution.error,
      runFacets: engine(maker.run).merging(["parent": parent]) { $1 },
      job: "\(maker.run.pipeline).\(maker.stage)", jobFacets: ["jobType": jobType("STAGE")],
      inputs: execution.inputs.map { dataset($0.sha256) },
      outputs: execution.outputs.filter { !read.contains($0.sha256) }.map { dataset($0.sha256) })
  }

  /// The beginning and the one end. Inputs and outputs are told at both: some readers look at the end alone.
  private func pair(
    id: String, from start: String, to end: String, _ outcome: Outcome, error: String?,
    runFacets: [String: JSONValue], job: String, jobFacets: [String: JSONValue],
    inputs: [OpenLineageEvent.Dataset] = [], outputs: [OpenLineageEvent.Dataset] = []
  ) -> [OpenLineageEvent] {
    var endFacets = runFacets
    let state: OpenLineageEvent.State =
      switch outcome {
      case .success: .complete
      case .failure: .fail
      case .interruption: .abort
      }
    if outcome != .success {
      endFacets["errorMessage"] = facets.facet(
        "ErrorMessageRunFacet", "1-0-1",
        [
          "message": .string(error ?? "it was interrupted"),
          "programmingLanguage": .string("Swift"),
        ])
    }
    return [
      OpenLineageEvent(
        .start, at: start, run: id, runFacets: runFacets, job: job, jobFacets: jobFacets,
        inputs: inputs),
      OpenLineageEvent(
        state, at: end, run: id, runFacets: endFacets, job: job, jobFacets: jobFacets,
        inputs: inputs, outputs: outputs),
    ]
  }

  private func dataset(_ sha256: String) -> OpenLineageEvent.Dataset {
    var own = [
      "dataSource": facets.facet(
        "DatasourceDatasetFacet", "1-0-1",
        [
          "name": .string("locus store"),
          "uri": .string(exported.store.folder.standardizedFileURL.absoluteString),
        ]),
      "version": facets.facet(
        "DatasetVersionDatasetFacet", "1-0-1", ["datasetVersion": .string(sha256)]),
    ]
    let handle = try? FileHandle(forReadingFrom: exported.store.objectURL(sha256))
    if let artifact = exported.history.artifacts[sha256],
      let begin = try? handle?.read(upToCount: Self.begin)
    {
      own["schema"] = facets.schema(
        DataField.fields(mediaType: artifact.mediaType, begin: begin))
    }
    return OpenLineageEvent.Dataset(name: names[sha256] ?? "sha256/\(sha256)", facets: own)
  }

  private func engine(_ run: RunRecord) -> [String: JSONValue] {
    [
      "processing_engine": facets.facet(
        "ProcessingEngineRunFacet", "1-1-1",
        ["name": .string("Locus"), "version": .string(run.locusVersion)])
    ]
  }

  private func jobType(_ type: String) -> JSONValue {
    facets.facet(
      "JobTypeJobFacet", "2-0-4",
      [
        "processingType": .string("BATCH"), "integration": .string("LOCUS"),
        "jobType": .string(type),
      ])
  }

  private static func id(_ run: RunRecord) -> String { id("run " + run.id) }

  private static func id(_ name: String) -> String {
    OpenLineageEvent.uuid(SHA256.hash(Data(name.utf8))) ?? name
  }
}
