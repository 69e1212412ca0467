import Diffusion
import Foundation
import Streams
import Synchronization
import Tensors

/// What a local-score machine sees; together with its training pictures it is the denoiser.
package struct MachineSettings: Sendable, Hashable {
  package enum Places: String, Sendable, Codable, CaseIterable {
    /// Training patches from the output's own place.
    case same
    /// From every place, a whole number of cells away, that has the same border class.
    case all
  }

  package var schedule: WindowSchedule
  /// Reach in pixels of the labels that an output sees: cells that overlap the square of side
  /// 2 · labelRadius + 1.
  package var labelRadius: Int
  package var places: Places
  /// Of the training conditioners that labels are compared with.
  package var labelling: Labelling
  /// Share of training conditioners that are blanked, 0 … 1.
  package var labelDropout: Double

  package init(
    schedule: WindowSchedule, labelRadius: Int, places: Places, labelling: Labelling,
    labelDropout: Double
  ) {
    self.schedule = schedule
    self.labelRadius = labelRadius
    self.places = places
    self.labelling = labelling
    self.labelDropout = labelDropout
  }
}

/// A denoiser that needs no training: the exact posterior mean over training patches.
///
/// D(x, σ, c)_i = Σ_n w_n,i φ_n,i with w_n,i ∝ P_n,i exp(−‖x_{N_i} − φ_n,{N_i}‖² / (2 σ²)): the minimiser
/// of the denoising loss among all functions of x on N_i and c on L_i, which is the local-score machine
/// of Kamb & Ganguli 2024 (arXiv 2412.20292) made conditional; P_n,i is the probability that the training
/// conditioner of φ_n agrees with c on L_i (`LabelPlan`). With places `all`, n runs over the patches of
/// every place with the same border class: their boundary-broken equivariant machine. When N_i and L_i
/// are the picture it is the optimal denoiser, which memorises.
///
/// Patches whose weight is below e^−cut of the largest are left out, with cut chosen so that all of them
/// together change the weights by less than 10⁻⁷, and D by less than 2 · 10⁻⁷: a rounding error.
package final class AnalyticDenoiser: Denoiser {
  package let shape: PictureShape
  package let settings: MachineSettings
  private let patches: PatchSet
  private let coverage: LabelCoverage
  /// By the reach that decides border classes, of pixels or labels; places `same` have none: 0.
  private let matchers: [Int: LabelMatcher]
  private let cut: Float
  // A sampler asks for the same labels dozens of times in a row.
  private let plans = Mutex<[PlanKey: LabelPlan]>([:])

  private struct PlanKey: Hashable {
    var margin: Int
    var labels: [Float]
  }

  private static let mostPlans = 1024
  private static let leftOut = 1e-7

  /// - Throws: `AnalyticError.setting` for a reach below 0 or a dropout outside 0 … 1,
  ///   `AnalyticError.places` for conditioners without places, which no window of labels can hold.
  package init(_ training: TrainingSet, _ settings: MachineSettings) throws(AnalyticError) {
    if settings.labelRadius < 0 {
      throw .setting(
        name: "label_radius", found: "\(settings.labelRadius)", accepted: "0 or more")
    }
    guard (0...1).contains(settings.labelDropout) else {
      throw .setting(
        name: "label_dropout", found: "\(settings.labelDropout)", accepted: "0 to 1")
    }
    shape = training.shape
    self.settings = settings
    do {
      patches = try PatchSet(training)
    } catch {
      throw .places(error)
    }
    coverage = LabelCoverage(patches, radius: settings.labelRadius)
    var matchers: [Int: LabelMatcher] = [:]
    for step in settings.schedule.steps {
      let margin = Self.margin(settings, radius: step.radius)
      if matchers[margin] != nil { continue }
      matchers[margin] = LabelMatcher(
        set: patches, labelling: settings.labelling, dropout: Float(settings.labelDropout),
        radius: settings.labelRadius,
        shifts: settings.places == .same
          ? [Shift.none(shape)] : Shift.all(patches.grid, margin: margin))
    }
    self.matchers = matchers
    let most = Double(max(patches.totals.max() ?? 1, 1))
    let q = settings.labelDropout
    // How many conditioners a picture may be drawn with, blanks aside.
    let choices =
      switch settings.labelling {
      case .single: most
      case .subset: pow(2, most)
      case .all, .none: 1.0
      }
    let least = [q, (1 - q) / choices].filter { $0 > 0 }.min()
    let places = matchers.values.map(\.shifts.count).max() ?? 1
    cut = Float(log(Double(patches.count * places) / ((least ?? 1) * Self.leftOut)))
  }

  private static func margin(_ settings: MachineSettings, radius: Int) -> Int {
    settings.places == .same ? 0 : max(radius, settings.labelRadius)
  }

  /// Training pictures.
  package var count: Int { patches.count }

  package var labelWindowArea: Double {
    let side = Double(min(2 * settings.labelRadius + 1, shape.size))
    return side * side
  }

  /// D(x, σ, c); costs a comparison with every training patch.
  ///
  /// - Throws: `DenoiserError` for a batch that does not fit, `AnalyticError.label` for labels that
  ///   are no counts.
  package func denoise(_ batch: NoisedBatch, threads: Int) throws -> [Float] {
    try batch.validate(shape)
    let queries = try queries(batch, regions: nil)
    var results = [[Float]](repeating: [], count: batch.count)
    let workers = workers(threads, gradients: false)
    results.withUnsafeMutableBufferPointer { results in
      nonisolated(unsafe) let results = results
      parallel(batch.count, threads: threads) { item, worker in
        results[item] = workers[worker].worker.denoise(queries[item])
      }
    }
    return results.flatMap { $0.map { $0 / 127.5 - 1 } }
  }

  /// The gradient with respect to x is exact; that with respect to labels is 0: agreement is yes or no,
  /// and what labels do is seen by knocking them out.
  package func vectorJacobian(_ batch: NoisedBatch, cotangent: [Float], threads: Int) throws
    -> (x: [Float], labels: [Float])
  {
    try batch.validate(shape, cotangent: cotangent)
    let count = shape.pictureCount
    let regions = (0..<batch.count).map { n in
      nonZero(cotangent[n * count..<(n + 1) * count])
    }
    let queries = try queries(batch, regions: regions)
    var results = [[Float]](repeating: [], count: batch.count)
    let workers = workers(threads, gradients: true)
    results.withUnsafeMutableBufferPointer { results in
      nonisolated(unsafe) let results = results
      parallel(batch.count, threads: threads) { item, worker in
        if regions[item] == nil {
          results[item] = [Float](repeating: 0, count: count)
          return
        }
        let worker = workers[worker].worker
        let denoised = worker.denoise(queries[item])
        results[item] = worker.gradient(
          queries[item],
          cotangent: Array(cotangent[item * count..<(item + 1) * count]), denoised: denoised)
      }
    }
    return (results.flatMap { $0 }, [Float](repeating: 0, count: batch.labels.count))
  }

  /// How the windows of a picture agree with training.
  package struct WindowAgreement: Sendable, Hashable {
    /// Windows that hold a label.
    package var labelled: Int
    /// Those for which no training conditioner is equal and the nearest decides.
    package var unmatched: Int
  }

  /// Counts over the S² windows of a conditioner (G, G) at a noise level; only with places `all` does
  /// it depend on σ.
  package func agreement(labels: [Float], sigma: Float) throws(AnalyticError) -> WindowAgreement {
    let plan = try plan(labels, radius: radius(at: sigma)).plan
    return WindowAgreement(
      labelled: plan.isLabelled.count { $0 },
      unmatched: zip(plan.isLabelled, plan.isUnmatched).count { $0 && $1 })
  }

  private func radius(at sigma: Float) -> Int { settings.schedule.radius(at: sigma) }

  private func plan(_ labels: [Float], radius: Int) throws(AnalyticError) -> (
    plan: LabelPlan, shifts: [Shift]
  ) {
    for (index, value) in labels.enumerated()
    where !(value >= 0 && value.isFinite && value == value.rounded()) {
      throw .label(index: index, value: value)
    }
    let key = PlanKey(margin: Self.margin(settings, radius: radius), labels: labels)
    guard let matcher = matchers[key.margin] else {
      throw .schedule("without a step of radius \(radius)")
    }
    if let plan = plans.withLock({ $0[key] }) { return (plan, matcher.shifts) }
    let plan = matcher.plan(labels)
    plans.withLock {
      if $0.count >= Self.mostPlans { $0.removeAll() }
      $0[key] = plan
    }
    return (plan, matcher.shifts)
  }

  private func queries(_ batch: NoisedBatch, regions: [Region?]?) throws -> [PatchQuery] {
    let count = shape.pictureCount
    let cells = shape.conditionerCount
    return try (0..<batch.count).map { n in
      let labels = Array(batch.labels[n * cells..<(n + 1) * cells])
      let sigma = batch.sigma[n] * 127.5
      let radius = radius(at: batch.sigma[n])
      let (plan, shifts) = try plan(labels, radius: radius)
      return PatchQuery(
        x: batch.x[n * count..<(n + 1) * count].map { 127.5 * ($0 + 1) },
        kappa: 1 / (2 * sigma * sigma),
        radius: min(radius, shape.size - 1), labels: labels, plan: plan, shifts: shifts,
        region: regions?[n] ?? Shift.none(shape).valid)
    }
  }

  /// The smallest region outside of which a cotangent is 0; `nil` when all of it is.
  private func nonZero(_ cotangent: ArraySlice<Float>) -> Region? {
    var rows: [Int] = []
    var columns: [Int] = []
    for (i, value) in cotangent.enumerated() where value != 0 {
      rows.append(i / 3 / shape.size)
      columns.append(i / 3 % shape.size)
    }
    guard let top = rows.min(), let bottom = rows.max(), let left = columns.min(),
      let right = columns.max()
    else { return nil }
    return Region(rows: top...bottom, columns: left...right)
  }

  private func workers(_ threads: Int, gradients: Bool) -> [SendableWorker] {
    (0..<max(threads, 1)).map { _ in
      SendableWorker(
        worker: PatchWorker(
          set: patches, coverage: coverage, labelling: settings.labelling,
          dropout: Float(settings.labelDropout), labelRadius: settings.labelRadius, cut: cut,
          gradients: gradients))
    }
  }
}

/// A worker on its way between threads; `parallel` gives each to one thread at a time.
private struct SendableWorker: @unchecked Sendable {
  let worker: PatchWorker
}
