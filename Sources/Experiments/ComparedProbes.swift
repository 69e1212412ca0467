import Artifacts
import Lineage
import Measures
import Probing
import Workflow

/// Probes side by side: how much more the output of one denoiser depends on remote labels than that of
/// another, picture by picture.
struct ComparedProbes {
  private struct Probe {
    var table: SensitivityTable
    /// SHA-256 of the manifest, which names the probe in the metrics.
    var name: String
    var conditions: LocalityManifest.Conditions
  }
  private let probes: [Probe]

  private static let inputs = ProbeInputs.trajectory.rawValue

  init(_ context: StageContext) throws {
    probes = try (context.inputs["probes"] ?? []).map { input in
      let file = try input.manifest
      let manifest = try LocalityManifest(file)
      return Probe(
        table: try SensitivityTable(context.object(manifest.changes)), name: file.sha256,
        conditions: manifest.conditions)
    }.filter { !$0.table.counts(of: Self.inputs).isEmpty }
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
    guard probe.conditions == other.conditions else { return [] }
    let sigmas = probe.table.sigmas(of: Self.inputs)
    guard other.table.sigmas(of: Self.inputs) == sigmas else { return [] }
    let counts = probe.table.counts(of: Self.inputs)
      .intersection(other.table.counts(of: Self.inputs))
    return counts.sorted().compactMap { k in
      let sides = [probe, other].map { $0.table.average(of: Self.inputs, k: k, sigmas: sigmas) }
      return sides[0].difference(.removed, from: sides[1], seed: seed).map {
        Measure.differenceRemote.row($0, .k(k), .subject(probe.name), .against(other.name))
      }
    }
  }
}
