import Formats
import Foundation
import Lineage

/// A run in MLflow's file store: an experiment a pipeline, a run a run, and below it one a stage, with parameters,
/// metrics, tags and files.
struct MLflowExport {
  private let exported: ExportedRun
  private let folder: OutputFolder
  /// Bytes; larger files are named by their hash alone.
  private let largest: Int

  init(_ exported: ExportedRun, into folder: OutputFolder, largest: Int) {
    self.exported = exported
    self.folder = folder
    self.largest = largest
  }

  private var run: RunRecord { exported.run }
  private var runID: String { Self.id("run " + run.id) }

  /// - Returns: how many files were too large.
  func write() throws -> Int {
    let experiment = Self.experiment(run.pipeline)
    let place = folder.url.appending(path: experiment)
    // The pipeline's first run made the experiment: later ones find its facts as they are.
    let first = try exported.store.texts(
      """
      SELECT r.started_at FROM run r JOIN pipeline p ON p.id = r.pipeline_id WHERE p.name = ?
      ORDER BY r.sequence, r.id LIMIT 1
      """, [.text(run.pipeline)]
    ).first
    let facts = MLflowRun.experiment(
      id: experiment, name: run.pipeline, artifacts: place.absoluteString,
      time: milliseconds(first ?? run.startedAt))
    try folder.append(Data(facts.utf8), to: "\(experiment)/meta.yaml")
    let parent = runFolder(runID, experiment)
    try write(whole, experiment)
    try folder.append(Data(run.source.utf8), to: "\(parent)/artifacts/pipeline.json5")
    var left = 0
    for stage in run.stages {
      var (child, files) = child(stage)
      let place = runFolder(child.id, experiment)
      for (role, artifact) in files {
        let url = exported.store.objectURL(artifact.sha256)
        if artifact.bytes > largest || !FileManager.default.fileExists(atPath: url.path) {
          left += 1
          continue
        }
        child.tags.removeValue(forKey: "locus.file.\(role)")
        try folder.copy(
          url, to: "\(place)/artifacts/\(MLflowRun.key(role)).\(artifact.fileExtension)")
      }
      try write(child, experiment)
    }
    return left
  }

  private func runFolder(_ id: String, _ experiment: String) -> String { "\(experiment)/\(id)" }

  private func write(_ run: MLflowRun, _ experiment: String) throws {
    let place = runFolder(run.id, experiment)
    let artifacts = folder.url.appending(path: place).appending(path: "artifacts").absoluteString
    for (name, text) in run.files(experiment: experiment, artifacts: artifacts) {
      try folder.append(Data(text.utf8), to: "\(place)/\(name)")
    }
  }

  private var whole: MLflowRun {
    var whole = MLflowRun(
      id: runID, name: run.id, status: Self.status(run.status), start: milliseconds(run.startedAt),
      end: run.finishedAt.map(milliseconds), user: run.host)
    whole.parameters["seed"] = "\(run.seed)"
    for (place, option) in (run.options ?? []).enumerated() {
      whole.parameters["option.\(place)"] = option
    }
    whole.tags = [
      "locus.run": run.id, "locus.pipeline": run.pipeline, "locus.trigger": run.trigger,
      "locus.version": run.locusVersion, "mlflow.source.name": run.path,
      "mlflow.source.type": "LOCAL",
    ]
    whole.tags["mlflow.source.git.commit"] = run.gitCommit
    let notes = run.events.filter { $0.level == EventRecord.note }.map(\.message)
    if !notes.isEmpty { whole.tags["mlflow.note.content"] = notes.joined(separator: "; ") }
    for (name, value) in run.machine ?? [:] { whole.tags["locus.machine.\(name)"] = value }
    return whole
  }

  private func child(_ stage: StageRecord) -> (MLflowRun, [(role: String, ArtifactRecord)]) {
    let execution = exported.execution(of: stage)
    var child = MLflowRun(
      id: Self.id("run \(run.id) stage \(stage.name)"), name: stage.name,
      status: Self.status(execution?.status ?? stage.status),
      start: milliseconds(execution?.startedAt ?? run.startedAt),
      end: (execution?.finishedAt ?? run.finishedAt).map(milliseconds), user: run.host)
    child.tags = [
      "mlflow.parentRunId": runID, "locus.run": run.id, "locus.kind": stage.kind,
      "locus.status": stage.status, "locus.reason": stage.reason,
    ]
    child.tags["locus.key"] = stage.key
    child.tags["locus.execution"] = stage.executionID
    guard let execution else { return (child, []) }
    child.tags["locus.error"] = execution.error
    child.parameters = Dictionary(
      flattened(execution.parameters).map { ($0.name, $0.value.plainText) },
      uniquingKeysWith: { $1 }
    )
    child.parameters["stage_seed"] = "\(execution.seed)"
    let time = milliseconds(execution.finishedAt)
    for row in execution.metrics {
      let (name, step) = place(of: row)
      for (suffix, value) in [
        ("", row.value), (".ci_low", row.ciLow), (".ci_high", row.ciHigh),
        (".n", row.n.map(Double.init)),
      ] {
        guard let value else { continue }
        child.metrics[name + suffix, default: []].append(
          MLflowRun.Point(time: time, value: value, step: step))
      }
    }
    let read = Set(execution.inputs.map(\.sha256))
    let files = execution.outputs.filter { !read.contains($0.sha256) }.compactMap { output in
      exported.history.artifacts[output.sha256].map { (role: output.role, $0) }
    }
    for (role, artifact) in files { child.tags["locus.file.\(role)"] = "sha256:" + artifact.sha256 }
    return (child, files)
  }

  /// A metric's name with the conditions that it was measured under; the axis of a curve is its step.
  private func place(of row: MetricRow) -> (name: String, step: Int) {
    var name = row.name
    var step = 0
    for dimension in exported.store.vocabulary.dimensions {
      guard let value = row.dimensions[dimension.name] else { continue }
      if dimension.role == .axis, let whole = value.integer {
        step = whole
        continue
      }
      let text = value.text ?? value.integer.map(String.init) ?? value.number.map { "\($0)" } ?? ""
      name += ".\(dimension.name)_\(text)"
    }
    if let subject = row.subject { name += ".of_" + subject.prefix(12) }
    return (name, step)
  }

  private static func status(_ word: String) -> MLflowRun.Status {
    switch word {
    case "succeeded", "replaced", "executed", "reused": .finished
    case "failed": .failed
    default: .killed
    }
  }

  private static func id(_ name: String) -> String {
    String(SHA256.hash(Data(name.utf8)).prefix(32))
  }

  /// Eighteen digits, as MLflow's own are.
  private static func experiment(_ pipeline: String) -> String {
    let digits = SHA256.hash(Data("pipeline \(pipeline)".utf8)).prefix(14)
    let number = (Int(digits, radix: 16) ?? 0) % 900_000_000_000_000_000
    return "\(100_000_000_000_000_000 + number)"
  }
}
