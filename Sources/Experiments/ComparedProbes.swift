import Artifacts
import Lineage
import Measures
import Probing
import Workflow

/// Probes side by side: how much more the output of one denoiser depends on remote labels than that of
/// another, picture by picture.
struct ComparedProbes {
  private struct Probe {
    /// SHA-256 of the manifest, which names the probe in the metrics.
    var name: String
    var conditions: LocalityManifest.Conditions
    var sigmas: Set<Double>
    /// By K, over all noise levels.
    var averages: [Int: RemoteAverage]
  }
  private let probes: [Probe]

  private static let inputs = ProbeInputs.trajectory.rawValue

  init(_ context: StageContext) throws {
    probes = try (context.inputs["probes"] ?? []).map { input in
      let file = try input.manifest
      let manifest = try LocalityManifest(file)
      let table = try SensitivityTable(context.object(manifest.changes))
      let sigmas = table.sigmas(of: Self.inputs)
      return Probe(
        name: file.sha256, conditions: manifest.conditions, sigmas: sigmas,
        averages: Dictionary(
          uniqueKeysWithValues: table.counts(of: Self.inputs).map {
            ($0, table.average(of: Self.inputs, k: $0, sigmas: sigmas))
          }))
    }.filter { !$0.averages.isEmpty }
  }

  var names: [String] { probes.map(\.name).sorted() }

  /// Each probe beside every other one of the same layouts and noise, once, at every K and over all noise
  /// levels that both have.
  func differences(_ context: StageContext) throws -> [MetricRow] {
    try probes.indices.flatMap { i in
      try probes[(i + 1)...].flatMap { other -> [MetricRow] in
        try context.checkCancellation()
        return differences(probes[i], other, seed: context.seed)
      }
    }
  }

  private func differences(_ probe: Probe, _ other: Probe, seed: UInt64) -> [MetricRow] {
    guard probe.conditions == other.conditions, probe.sigmas == other.sigmas else { return [] }
    return probe.averages.sorted { $0.key < $1.key }.compactMap { k, average in
      other.averages[k].flatMap { average.difference(.removed, from: $0, seed: seed) }.map {
        Measure.differenceRemote.row($0, .k(k), .subject(probe.name), .against(other.name))
      }
    }
  }
}
