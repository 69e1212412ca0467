import Artifacts
import Diffusion
import Features
import Scenes
import Streams
import Workflow

/// Renders of the training law that have exactly some words, none of them a training picture; pairs that
/// training held out are drawn by the same law without that.
struct WordedRenders {
  struct Pictures {
    /// (N, S, S, 3), in [−1, 1], and normal noise for each.
    var clean: [Float] = []
    var noise: [Float] = []
    var count = 0
  }
  /// Those of one word, and of two, of which enough were found.
  private(set) var groups: [WordSet: Pictures] = [:]
  /// What ∅ stands for: any picture that training might have shown.
  private(set) var base = Pictures()

  /// Scenes that are laid out for each picture of a group.
  private static let tries = 400

  init(_ words: PictureWords, _ scenes: PictureSet, count: Int, _ context: StageContext) throws {
    let settings = SceneSettings(
      camera: scenes.camera, size: scenes.shape.size, cells: 1,
      rules: LayoutRules(objects: scenes.objects))
    let askable = Set(words.askable)
    var found: [WordSet: [Scene]] = [:]
    var any: [Scene] = []
    for index in 0..<count * Self.tries {
      if index % 256 == 0 { try context.checkCancellation() }
      let scene = try makeScene(
        settings, seed: context.seed, index: index, purpose: .wordedScenes)
      let flags = words.flags(scene.objects)
      let set = WordSet(flags.indices.filter { flags[$0] > 0 })
      if any.count < count, !words.isHeldOut(set.contains) { any.append(scene) }
      if set.count < 3, set.words.allSatisfy(askable.contains), found[set]?.count ?? 0 < count {
        found[set, default: []].append(scene)
      }
    }
    // By their words, so that each picture has the same noise whatever else was found.
    for (set, scenes) in found.sorted(by: { $0.key < $1.key })
    where set.count > 0 && scenes.count >= min(count, 2) {
      groups[set] = Self.rendered(scenes, settings, stream: set.bits, context)
    }
    base = Self.rendered(any, settings, stream: 0, context)
  }

  private static func rendered(
    _ scenes: [Scene], _ settings: SceneSettings, stream words: UInt64, _ context: StageContext
  ) -> Pictures {
    let size = settings.size * settings.size * PictureShape.channels
    var bytes = [UInt8](repeating: 0, count: scenes.count * size)
    bytes.withUnsafeMutableBufferPointer { buffer in
      nonisolated(unsafe) let buffer = buffer
      parallel(scenes.count, threads: context.threads) { item, _ in
        render(
          scenes[item], settings,
          into: UnsafeMutableBufferPointer(
            rebasing: buffer[item * size..<(item + 1) * size]))
      }
    }
    var pictures = Pictures(clean: bytes.map(TrainingSet.value), count: scenes.count)
    var stream = RandomStream(seed: context.seed, purpose: .featureNoise, index: words)
    for _ in pictures.clean.indices { pictures.noise.append(stream.gaussian()) }
    return pictures
  }
}
