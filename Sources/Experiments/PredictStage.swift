import Artifacts
import Formats
import Foundation
import Measures
import Probing
import Statistics
import Workflow

/// `predict`: writes down, from probes alone, which denoiser is expected to compose better than which.
///
/// The paper's claim as a bet: the less the output at an object depends on labels remote to it, the more
/// objects a denoiser can be asked for. Whoever evaluates afterwards can lose it.
enum PredictStage {
  struct Options: Settings {
    @Setting(
      default: .trajectory,
      "of which inputs: the training law's (law), or the denoiser's own way to pictures (trajectory)"
    )
    var at: ProbeInputs
    @Setting(
      0...12, default: 0,
      "objects in the probed pictures; 0: the largest number that every probe has")
    var objects: Int
  }

  static let kind = StageKind(
    name: "predict", version: 1,
    summary: "Writes down in which order denoisers are expected to compose, by their remote index.",
    settings: Options.self,
    inputs: [
      InputDeclaration(
        "probes", accepts: [.locality], arity: .many, help: "probes of the denoisers to be ordered")
    ], produces: .prediction, isSeeded: false,
    memory: { _, context in
      try context.inputs.values.joined().flatMap(\.files.values).reduce(0) { $0 + (try $1.size) }
    }, run: run)

  private struct Probe {
    var name: String
    var table: SensitivityTable
    var conditions: LocalityManifest.Conditions
  }

  private static func run(_ options: Options, _ context: StageContext) throws -> StageOutput {
    let probes = try (context.inputs["probes"] ?? []).map { input in
      let file = try input.manifest
      let manifest = try LocalityManifest(file)
      return Probe(
        name: file.sha256, table: try SensitivityTable(context.object(manifest.changes)),
        conditions: manifest.conditions)
    }
    let inputs = options.at.rawValue
    if Set(probes.map(\.conditions)).count > 1 {
      throw MismatchError(
        "the probes are of other layouts, noise or windows than each other; probe all with the same settings"
      )
    }
    let counts = common(probes.map { $0.table.counts(of: inputs) })
    let sigmas = common(probes.map { $0.table.sigmas(of: inputs) })
    let wanted = options.objects == 0 ? counts.max() : counts.first { $0 == options.objects }
    guard let k = wanted, !sigmas.isEmpty else {
      throw MismatchError(
        "the probes have no K and noise level in common at inputs of kind `\(inputs)`"
          + (options.objects == 0 ? "" : " with \(options.objects) objects")
          + "; common K: \(counts.sorted().map(String.init).joined(separator: ", "))")
    }
    let indices = try probes.map { probe in
      let average = probe.table.average(of: inputs, k: k, sigmas: sigmas)
      let weights = [Int](repeating: 1, count: average.pictures)
      guard let index = average.value(.removed, weights) else {
        throw MismatchError(
          "probe \(probe.name.prefix(12)) has no remote index at K = \(k) and inputs of kind `\(inputs)`: no"
            + " labels are remote there, as of a model that is told of one; choose `at: \"trajectory\"`"
        )
      }
      return index
    }
    let order = probes.indices.sorted {
      (indices[$0], probes[$0].name) < (indices[$1], probes[$1].name)
    }
    let manifest = PredictionManifest(
      order: order.map { probes[$0].name }, indices: order.map { indices[$0] }, inputs: inputs, k: k
    )
    return StageOutput(
      files: [try context.output(manifest)],
      metrics: zip(order, RankCorrelation.ranks(order.map { indices[$0] })).map { place, rank in
        Measure.predictedRank.row(
          rank, .k(k), .inputs(options.at), .subject(probes[place].name), n: probes.count)
      })
  }

  private static func common<Value: Hashable>(_ sets: [Set<Value>]) -> Set<Value> {
    sets.dropFirst().reduce(sets.first ?? []) { $0.intersection($1) }
  }
}
