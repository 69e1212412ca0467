import Analytic
import Artifacts
import Diffusion
import Evaluation
import Foundation
import Lineage
import Measures
import Scenes
import Statistics
import Streams
import Workflow

/// Chooses a window a noise level by agreement with a trained network, as Kamb & Ganguli 2024 do.
struct WindowCalibration {
  let set: TrainingSet
  /// All but the schedule.
  let settings: MachineSettings
  let origin: TrainingOrigin
  let scenes: PictureSet
  let options: AnalyticStage.Options
  let context: StageContext

  /// The radius of largest median r² over held-out pictures of the training range; the smaller of equals.
  func run() throws -> (schedule: WindowSchedule, metrics: [MetricRow]) {
    let teacher = try DenoiserArtifact("teacher", of: context).denoiser
    if teacher.shape != scenes.shape {
      throw MismatchError(
        "teacher and scenes differ in size or conditioners: \(teacher.shape), \(scenes.shape)")
    }
    let sigmas = options.sigmas.sorted()
    let candidates = Array(Set(options.candidates)).sorted()
    let batches = try noised(sigmas, count: options.calibrationPictures)
    let told = try batches.map {
      try requireFinite(teacher.denoise($0, threads: context.threads), teacher.shape)
    }
    let mean = scenes.meanPicture
    var best = [(radius: Int, r2: Double)?](repeating: nil, count: sigmas.count)
    var metrics: [MetricRow] = []
    for (index, radius) in candidates.enumerated() {
      var settings = settings
      settings.schedule = WindowSchedule(radius: radius)
      let machine = try AnalyticDenoiser(set, settings)
      for (i, sigma) in sigmas.enumerated() {
        try context.checkCancellation()
        let denoised = try machine.denoise(batches[i], threads: context.threads)
        let agreement = PictureAgreement.each(denoised, told[i], mean: mean)
        let r2 = medianInterval(agreement.map(\.r2), seed: context.seed)
        metrics.append(Measure.calibrationR2.row(r2, .radius(radius), .sigma(sigma)))
        if best[i].map({ r2.value > $0.r2 }) ?? true { best[i] = (radius, r2.value) }
        context.progress(
          StageProgress(
            done: index * sigmas.count + i + 1, total: candidates.count * sigmas.count,
            unit: "windows"))
      }
    }
    return (
      try WindowSchedule(sigmas: sigmas, radii: best.map { $0?.radius ?? 0 }), metrics
    )
  }

  /// The counts of the training range in turn.
  private func noised(_ sigmas: [Double], count: Int) throws -> [NoisedBatch] {
    let counts = Array(max(origin.objects.lowerBound, 1)...max(origin.objects.upperBound, 1))
    var batches = sigmas.map { _ in NoisedBatch(x: [], sigma: [], labels: []) }
    for (position, k) in counts.enumerated() {
      let share = count / counts.count + (position < count % counts.count ? 1 : 0)
      if share == 0 { continue }
      let pictures = try HeldOutPictures(
        k, count: share, origin: origin, shape: scenes.shape, camera: scenes.camera,
        purpose: .calibrationScenes, context)
      for (i, sigma) in sigmas.enumerated() {
        batches[i].append(pictures.noised(sigma))
      }
    }
    return batches
  }
}
