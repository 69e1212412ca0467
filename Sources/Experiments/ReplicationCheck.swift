import Formats
import Measures
import Workflow

extension Experiments {
  /// Refuses a study that would grow until something is narrow which none of its stages measures.
  ///
  /// - Throws: `WorkflowError.invalid`.
  package static func checkReplication(_ pipeline: Pipeline) throws(WorkflowError) {
    guard let target = pipeline.replication?.until,
      let message = fault(
        of: target, among: pipeline.instances.filter { [$0.stage, nil].contains(target.stage) })
    else { return }
    throw .invalid(
      file: pipeline.path,
      problems: [
        PipelineProblem(
          position: target.position, path: "replicate.until", fault: .checkFailed(message))
      ])
  }

  private static func fault(of target: Replication.Target, among instances: [StageInstance])
    -> String?
  {
    let kinds = Set(instances.map(\.kind.name))
    let measured = Measure.all.filter { !kinds.isDisjoint(with: $0.kinds) }.map(\.name)
    guard let measure = Measure.named(target.metric), measured.contains(measure.name) else {
      let hint = closestMatch(target.metric, in: measured).map { " (did you mean `\($0)`?)" } ?? ""
      return "no stage that counts measures \(Escape.message(target.metric))\(hint); measured: "
        + measured.map { "`\($0)`" }.joined(separator: ", ")
    }
    guard let k = target.k else { return nil }
    // A stage says at which K it measures, or goes by what it is given.
    let measuring = instances.filter { measure.kinds.contains($0.kind.name) }
    let counts = measuring.map { instance -> [Int]? in
      let stated = instance.parameters["counts"]?.array?.compactMap(\.integer) ?? []
      return stated.isEmpty ? nil : stated
    }
    let known = Set(counts.compactMap { $0 }.joined())
    if counts.contains(where: { $0 == nil }) || known.contains(k) { return nil }
    return "no stage that counts measures `\(measure.name)` at k = \(k); measured at: "
      + known.sorted().map(String.init).joined(separator: ", ")
  }
}
