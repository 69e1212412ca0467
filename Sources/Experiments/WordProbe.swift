import Artifacts
import Diffusion
import Evaluation
import Formats
import Foundation
import Lineage
import Measures
import Probing
import Scenes
import Streams
import Workflow

/// `probe` of a denoiser that is told of words: where in its own pictures each word acts, and whether others act there.
///
/// A word has no place, so that what is remote to it is what others change where it acts, found on other noise.
struct WordProbe {
  let options: ProbeStage.Options
  let artifact: DenoiserArtifact
  let words: PictureWords
  let context: StageContext

  func output() throws -> StageOutput {
    var metrics: [MetricRow] = []
    let counts = options.counts.sorted()
    let checkpointing = try context.checkpointing()
    for (place, k) in counts.enumerated() {
      metrics += try rows(k, checkpointing)
      context.progress(
        StageProgress(done: place + 1, total: counts.count, unit: "numbers of words"))
    }
    let content = metricTable(metrics)
    return StageOutput(
      files: [
        try context.output(
          FieldProbeManifest(denoiser: artifact.sha256, table: SHA256.hash(content))),
        try context.output("probe", kind: "probe", .json, content),
      ], metrics: metrics)
  }

  private func rows(_ k: Int, _ checkpointing: Checkpointing) throws -> [MetricRow] {
    let denoiser = artifact.denoiser
    let layouts = 0..<options.pictures
    let asked = try layouts.map {
      try words.request(k: k, layout: $0, asked: .seen, seed: context.seed)
    }
    let drawn = try options.pathSampler.states(
      denoiser, labels: asked.flatMap(\.labels),
      noise: layouts.flatMap {
        startingNoise(k: k, layout: $0, shape: denoiser.shape, seed: context.seed)
      }, draws: layouts.map { layoutDraw(k: k, layout: $0, seed: context.seed) }, at: [],
      threads: context.threads, checkCancellation: context.checkCancellation)
    let field = PictureField(denoiser, threads: context.threads)
    let clean = field.channelsFirst(drawn.pictures)
    return try options.sigmas.sorted().flatMap { sigma in
      let found = try ConceptLocality(
        field, clean: clean, told: asked.map { $0.asked.sorted() }, sigma: sigma,
        seed: context.seed, checkpointing: checkpointing.scoped("\(k)-\(sigma)"))
      let at = (Coordinate.k(k), Coordinate.sigma(sigma))
      return [
        Measure.wordInside.row(found.inside, at.0, at.1),
        Measure.wordArea.row(found.area, at.0, at.1),
      ]
        + (found.remote.map { [Measure.wordRemote.row($0, at.0, at.1)] } ?? [])
        + found.effects.map { entry, effect in
          Measure.wordEffect.row(effect, at.0, at.1, .attribute(words.texts[entry]))
        }
    }
  }
}
