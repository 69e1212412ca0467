import Evaluation
import Lineage
import Measures

/// What became of a training as it went on: its snapshots and its end, evaluated and probed.
struct TrainingMoments {
  struct Moment {
    var pictures: Int
    /// Every label remote to an object going at once, over its own: at states of the model's own trajectory.
    var remote = Replicates([], areShared: true)
    /// Beyond chance, over the compared K within the training range, and over those beyond it.
    var within = Replicates.recalls([])
    var beyond = Replicates.recalls([])
    var background = Replicates.recalls([])
    /// The evaluations, by seed.
    fileprivate(set) var stages: [(seed: String?, stage: String)] = []
  }
  /// A training without its seed.
  struct Course {
    var name: String
    /// In the order of pictures.
    var moments: [Moment]
  }
  private(set) var courses: [Course] = []
  /// K at which all were probed; `nil` where none was.
  let count: Int?
  private let contrasts: Contrasts

  init(_ data: RunData) throws {
    let run = data.run.id
    let taken = Set(
      data.compared.compactMap { one in
        one.evaluated.training.flatMap { $0.isSnapshot ? Labels.withoutSeed($0.stage) : nil }
      })
    let members = data.compared.filter { one in
      guard let training = one.evaluated.training, one.evaluated.isPlain else { return false }
      return taken.contains(Labels.withoutSeed(training.stage))
    }
    let probes = try data.ask(ProbedModel.question(run))
    let indices = try data.ask(RemoteIndexRow.question(run)).filter {
      $0.inputs == .trajectory && $0.change == .removed
    }
    let titles = Set(members.map(\.evaluated.title))
    let probed = probes.filter { titles.contains($0.title) }
    let tested = probed.map { probe in
      Set(indices.filter { $0.stage == probe.stage }.map(\.k))
    }
    count = tested.dropFirst().reduce(tested.first ?? []) { $0.intersection($1) }.max()
    contrasts = Contrasts(
      members.isEmpty ? [] : try data.ask(ContrastRow.question(run, .models)))
    for one in members {
      guard let training = one.evaluated.training else { continue }
      let probe = probed.first { $0.title == one.evaluated.title }
      let index = probe.flatMap { probe in
        count.flatMap { indices.index(of: probe.stage, k: $0, .removed) }
      }
      add(one, training, index)
    }
    for place in courses.indices { courses[place].moments.sort { $0.pictures < $1.pictures } }
  }

  private mutating func add(
    _ one: ComparedEvaluation, _ training: EvaluatedModel.Training, _ index: Estimate?
  ) {
    let name = Labels.withoutSeed(training.stage)
    let course = courses.firstIndex { $0.name == name } ?? courses.endIndex
    if course == courses.endIndex { courses.append(Course(name: name, moments: [])) }
    let moment =
      courses[course].moments.firstIndex { $0.pictures == training.pictures }
      ?? courses[course].moments.endIndex
    if moment == courses[course].moments.endIndex {
      courses[course].moments.append(Moment(pictures: training.pictures))
    }
    let seed = one.evaluated.seed
    if courses[course].moments[moment].stages.contains(where: { $0.seed == seed }) { return }
    courses[course].moments[moment].stages.append((seed, one.evaluated.stage))
    func write(_ part: WritableKeyPath<Moment, Replicates>, _ value: Replicates.Value?) {
      guard let value else { return }
      courses[course].moments[moment][keyPath: part].values.append(value)
    }
    write(\.remote, index.map { .init(seed: seed, estimate: $0) })
    write(\.within, one.value(.within))
    write(\.beyond, one.value(.beyond))
    write(\.background, one.value(.background))
  }

  /// What one training recalls beyond another after as many pictures, on the same layouts and noise, a seed
  /// at a time.
  func difference(_ first: Moment, _ second: Moment, _ measure: EffectMeasure) -> Replicates {
    Replicates(
      pairedBySeed(first.stages, second.stages, \.seed).compactMap { one, other in
        contrasts.difference(one.stage, other.stage, measure).map {
          .init(seed: one.seed ?? other.seed, estimate: $0)
        }
      }, areShared: true)
  }
}
