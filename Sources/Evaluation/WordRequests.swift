import Diffusion
import Scenes
import Streams

/// Which words are asked for.
package enum AskedWords: String, Sendable, CaseIterable, Codable {
  /// Without a combination that training held out, as long as so many words can do without.
  case seen
  /// With one of them: alone, or among others.
  case heldOut = "held-out"
  /// That nothing is there.
  case nothing
}

extension PictureWords {
  /// The numbers of the words that can be asked for together: all but that nothing is there.
  package var askable: [Int] { meanings.indices.filter { !meanings[$0].isNothing } }

  /// The number of the word that nothing is there; `nil` where training pictures always had objects.
  package var nothing: Int? { meanings.firstIndex(where: \.isNothing) }

  /// The standard request (`k`, `layout`) of a seed for K words.
  ///
  /// - Throws: where so many words cannot be asked for so.
  package func request(
    k: Int, layout: Int, asked: AskedWords, seed: UInt64
  ) throws(EvaluationError) -> RequestedLayout {
    let chosen: Set<Int>
    switch asked {
    case .nothing:
      guard k == 0, let nothing else {
        throw .setting(
          name: "asked", found: asked.rawValue, accepted: "K = 0 of words with \"nothing\"")
      }
      chosen = [nothing]
    case .seen, .heldOut:
      guard k <= askable.count else {
        throw .setting(name: "counts", found: "\(k)", accepted: "up to \(askable.count) words")
      }
      var stream = RandomStream(
        seed: seed, purpose: .askedWords, index: UInt64(k) << 32 + UInt64(layout))
      chosen =
        asked == .seen
        ? apart(k, &stream) : try combined(k, layout, &stream)
    }
    return RequestedLayout(
      k: k, layout: layout, labels: texts.indices.map { chosen.contains($0) ? 1 : 0 }, places: [])
  }

  /// Tries for words without a combination that is held out.
  private static let tries = 256

  private func apart(_ k: Int, _ stream: inout RandomStream) -> Set<Int> {
    var chosen: Set<Int> = []
    for _ in 0..<Self.tries {
      var order = askable
      stream.shuffle(&order)
      chosen = Set(order.prefix(k))
      if !isHeldOut(chosen.contains) { break }
    }
    return chosen
  }

  private func combined(_ k: Int, _ layout: Int, _ stream: inout RandomStream)
    throws(EvaluationError) -> Set<Int>
  {
    let fitting = heldOut.filter { $0.count <= k }
    if fitting.isEmpty {
      throw .setting(
        name: "counts", found: "\(k)", accepted: "as many words as a combination of held_out has")
    }
    // In turn, so that each is asked for as often.
    let combination = Set(fitting[layout % fitting.count])
    var others = askable.filter { !combination.contains($0) }
    stream.shuffle(&others)
    return combination.union(others.prefix(k - combination.count))
  }
}

extension RequestedLayout {
  /// The numbers of the entries that are asked for.
  package var asked: Set<Int> { Set(labels.indices.filter { labels[$0] > 0 }) }
}
