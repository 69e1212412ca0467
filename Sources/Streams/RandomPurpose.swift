/// What a random stream is used for: streams of different purposes never overlap.
///
/// The one list of them. The numbers are part of what makes results reproducible: a purpose keeps its
/// number for ever, and two with one number do not compile.
package enum RandomPurpose: UInt32, Sendable, CaseIterable {
  // For tests alone: those that draw several things at once need more than one.
  case test = 0x0001
  case test2 = 0x0002
  case test3 = 0x0003
  case test4 = 0x0004
  case test9 = 0x0009
  /// Operands of kernels that are only timed.
  case kernelTimes = 0x0101
  case benchmark = 0x0102

  // Training
  case initialization = 0x1001
  case training = 0x1002
  /// Where training would begin with 0, of a network that is not trained.
  case untrained = 0x1003
  /// Of a network that was trained before.
  case tuning = 0x1004
  /// Which patches of a training picture a patchwise network sees.
  case patches = 0x1005

  // Scenes
  case scenes = 0x2001

  // Statistics
  case bootstrap = 0x4001
  case permutation = 0x4002

  // Evaluation
  case layouts = 0x4003
  case noise = 0x4004
  case judgeScenes = 0x4005
  case judgeHeldOut = 0x4006
  case judgeCalibration = 0x4007
  case judgeTraining = 0x4008
  case judgeWeights = 0x4009
  case judgeBackground = 0x400A
  /// What names a layout to what draws anew for each.
  case layoutDraws = 0x400B
  /// Words that are asked for, and renders on which telling them is tried.
  case askedWords = 0x400D
  case wordRenders = 0x400E
  /// Noise that layouts share.
  case sharedNoise = 0x400F
  /// Mean squares of a crossed design, had its components been the true ones.
  case varianceParts = 0x4010
  /// Renders whose features are held against those of drawn pictures, and how they are halved.
  case featureRenders = 0x4011
  case renderHalves = 0x4012
  case frechetBootstrap = 0x4013

  // Masks
  case fill = 0x5001
  /// From a layout to the seed of its fills.
  case fillDraw = 0x5002
  case keptLabels = 0x5003
  /// How strongly a label tells, where that is drawn.
  case strengths = 0x5004
  /// Pictures on which a network's norms are measured.
  case normMoments = 0x5005
  /// Which other word's subspace a word is given.
  case tradedSubspaces = 0x5006
  /// Noise on which it is found where an entry of a conditioner acts, and how far its region is moved.
  case regionNoise = 0x5007
  case movedRegions = 0x5008

  // Probing
  case probeNoise = 0x6001
  case probePixels = 0x6002
  case probeBootstrap = 0x6003
  case movedLabels = 0x6004
  /// Places at which a model of any shape is probed, with the signs of their channels.
  case fieldPlaces = 0x6005
  /// Two noises on one picture, on one of which it is found where a concept is.
  case conceptNoise = 0x6006
  /// Noise on drawn pictures at which a model tells which entries they show.
  case shownNoise = 0x6007

  // Stages
  case maskCheck = 0x7001
  case fillPictures = 0x7002
  case probeScenes = 0x7003
  case calibrationScenes = 0x7004
  case agreementScenes = 0x7005
  case heldOutLabels = 0x7006
  case heldOutNoise = 0x7007
  case subset = 0x7008
  case ground = 0x7009
  case blindTiles = 0x700A
  /// Renders of a conditional law that an exact posterior is a mean of, others that are noised, and the noise.
  case posteriorScenes = 0x700B
  case posteriorInputs = 0x700C
  case posteriorNoise = 0x700D
  /// Pictures whose features are looked at, renders with given words, the noise, and the places.
  case featurePictures = 0x700E
  case wordedScenes = 0x700F
  case featureNoise = 0x7010
  case featurePlaces = 0x7011
  /// Pictures on which it is tried whether a model that lives elsewhere keeps what it says.
  case externalCheck = 0x7012
  /// What a model that lives elsewhere is asked to draw, the noise that it begins with, and that which is added anew.
  case fieldConcepts = 0x7013
  case fieldNoise = 0x7014
  case fieldNoising = 0x7015

  // Finite worlds
  case featureMap = 0x8001
  /// Pictures noised to measure violations on: drawn from p(x ∣ c) …
  case exactDraws = 0x8002
  /// … and from what is composed, by windows of cells …
  case composedDraws = 0x8003
  /// … or of blocks.
  case blockDraws = 0x8004
  case sampler = 0x8005
  /// Noised pictures whose features are looked at.
  case worldInputs = 0x8006

  // Features
  /// Words exchanged among inputs, as if it did not matter which is told.
  case wordExchange = 0x9001
  case randomSubspaces = 0x9002
}
