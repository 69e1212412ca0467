/// How many of a claim's results there were already when a run of its pipeline first stated it.
struct Afterthought: Hashable {
  var known: Int
  var all: Int

  /// Of the results; `nil` of what was stated beforehand.
  var share: String? { known == 0 ? nil : known == all ? "all" : "\(known) of \(all)" }
}

/// What a run has of a claim, a number a replicate.
struct RecallFinding: Hashable {
  var claim: Claims.Recall
  var low = Side()
  var high = Side()
  /// The K that it rests on.
  var counts: [Int] = []
  /// The same, where not all were tested for both.
  var common: [Int]?
  /// The model's recall less the other's, on the same layouts and noise, by either detector.
  var difference = Replicates([])
  var backgroundDifference = Replicates([])
  /// What it is more precise.
  var precisionDifference = Replicates([])
  /// Recall from which a model composes.
  var threshold: Double?
  /// Among the claims of its family.
  var test: FamilyTest?
  /// Why the two cannot be compared, where they cannot.
  var missing: String?
  /// Executions whose pictures were pooled for it.
  var pooled: [String] = []
  /// The evaluations that it rests on, where a side has further ones of the same replicate.
  var chosen: [String] = []
  var afterthought: Afterthought?

  struct Side: Hashable {
    /// Recall beyond chance, averaged over the K of the claim.
    var recall = Replicates([])
    /// Of mean recall over seeds, where there are several; `nil` of what was not evaluated.
    var kMax: Estimate?
    /// Recall over the same K as the background detector sees it; none where it was not kept.
    var background = Replicates([])
    /// Recall over the K of the training range, which the model has to have learned first.
    var within = Replicates([])
    var isEvaluated: Bool { kMax != nil }
  }
}

struct LocalFinding: Hashable {
  var claim: Claims.Local
  /// The number of objects that the claim is about.
  var count: Int
  /// Share of squared sensitivity within the window.
  var model = Replicates([])
  var against = Replicates([])
  /// The probes that it rests on, where a side has further ones of the same replicate.
  var chosen: [String] = []
}

struct RemoteFinding: Hashable {
  var claim: Claims.Remote
  /// What was probed on both.
  var count: Int?
  var sigmas: [Double] = []
  /// The effect of the claim's change, over that of an object's own label, or of all pixels.
  var model = Replicates([])
  var against = Replicates([])
  /// The model's less the other's, on the same layouts and noise.
  var difference = Replicates([])
  /// Removing the model's remote labels against moving them, on the same layouts and noise: whether their number
  /// counts for more than their places.
  var channel: PairedReplicates { PairedReplicates(modelMoved, model) }
  /// The effect of remote labels that move.
  var modelMoved = Replicates([])
  var againstMoved = Replicates([])
  /// Among the claims of its family.
  var test: FamilyTest?
  /// The probes that it rests on.
  var probes: [String] = []
  var afterthought: Afterthought?
}

struct RepairFinding: Hashable {
  var claim: Claims.Repair
  /// Change of recall over the K of the claim.
  var recall = Replicates([])
  var precision = Replicates([])
  /// Change of recall as the background detector sees it; none where it was not kept.
  var background = Replicates([])
  /// Of the change of recall, by exchange within layouts; none over seeds.
  var p: Double?
  /// The same, corrected for all masks, or for the claims of its family.
  var pHolm: Double?
  var test: FamilyTest?
  /// The control's change of recall, and what the mask's exceeds it by.
  var control = Replicates([])
  var contrast = Replicates([])
  /// The same as the background detector sees it.
  var controlBackground = Replicates([])
  var contrastBackground = Replicates([])
  /// Of the contrast, corrected for all that are claimed with it.
  var contrastHolm: Double?
  /// Recall behind the mask, and that from which a model composes.
  var reached = Replicates([])
  /// Within the training range: recall without the mask, which the model has to have learned first, and how much
  /// the mask changes it.
  var within = Replicates([])
  var withinChange = Replicates([])
  var threshold: Double?
  /// Whether the control leaves another number of labels or pixels: then that, too, may be what differs.
  var isControlUnequal = false
  /// Whether the control is another way to put together what labels or words do alone: then it tells which of the
  /// two does more, and nothing of what the mask keeps.
  var isControlRival = false
  /// The K that it rests on.
  var counts: [Int] = []
  /// Why the control is none, where it is not.
  var controlFault: String?
  /// Why there is no effect, where there is none.
  var missing: String?
  /// Executions whose pictures were pooled for it.
  var pooled: [String] = []
  /// The evaluations that it rests on, where the mask or its control has further ones of the same replicate.
  var chosen: [String] = []
  var afterthought: Afterthought?
}
