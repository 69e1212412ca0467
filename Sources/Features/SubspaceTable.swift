import Formats
import Foundation

/// Subspaces of words at levels of a network and noise levels, as a file holds them.
package struct SubspaceTable: Sendable, Hashable {
  /// In the order of a conditioner's entries.
  package let words: [String]
  /// Ascending, one at least.
  package let sigmas: [Double]
  /// Of each level, one for each of `sigmas`.
  package let levels: [String: [WordSubspaces]]

  /// - Throws: `FeatureError` for levels that are not told of at every σ, or of other words.
  package init(words: [String], sigmas: [Double], levels: [String: [WordSubspaces]])
    throws(FeatureError)
  {
    for subspaces in levels.values {
      if subspaces.count != sigmas.count {
        throw .rows(found: subspaces.count, expected: sigmas.count)
      }
      for one in subspaces where one.bases.count != words.count {
        throw .rows(found: one.bases.count, expected: words.count)
      }
    }
    self.words = words
    self.sigmas = sigmas
    self.levels = levels
  }

  /// Of a level at the noise level nearest in ln σ; of two equally near the lower.
  package func subspaces(level: String, sigma: Double) -> WordSubspaces? {
    guard let all = levels[level] else { return nil }
    let nearest = sigmas.indices.min {
      abs(log(sigmas[$0] / sigma)) < abs(log(sigmas[$1] / sigma))
    }
    return nearest.map { all[$0] }
  }

  // MARK: - On disk: σ, and of each level, σ and word a basis, (r, D), by `LEVEL/σ/WORD` counted from 0

  package func data() -> Data {
    var tensors = [
      "sigma": Safetensors.Tensor(shape: [sigmas.count], values: sigmas.map { Float($0) })
    ]
    for (level, all) in levels {
      for (place, subspaces) in all.enumerated() {
        for (word, basis) in subspaces.bases.enumerated() {
          tensors["\(level)/\(place)/\(word)"] = Safetensors.Tensor(
            shape: [basis.count, basis.dimension], values: basis.values.map { Float($0) })
        }
      }
    }
    return Safetensors(
      tensors: tensors,
      metadata: [
        "words": Self.list(words), "levels": Self.list(levels.keys.sorted()),
      ]
    ).data()
  }

  private static func list(_ texts: [String]) -> String {
    JSONValue.array(texts.map(JSONValue.string)).canonicalText()
  }

  package init(data: Data) throws(FormatError) {
    let file = try Safetensors(data: data)
    func error(_ reason: String) -> FormatError { FormatError("subspaces of words", reason) }
    func list(_ key: String) throws(FormatError) -> [String] {
      let texts = try? JSONDecoder().decode(
        [String].self, from: Data((file.metadata[key] ?? "").utf8))
      guard let texts, !texts.isEmpty else { throw error("its metadata do not name the `\(key)`") }
      return texts
    }
    words = try list("words")
    guard let sigmas = file.tensors["sigma"]?.values, !sigmas.isEmpty,
      sigmas.allSatisfy({ $0 > 0 && $0.isFinite }), zip(sigmas, sigmas.dropFirst()).allSatisfy(<)
    else { throw error("`sigma` is not a list of noise levels, ascending") }
    self.sigmas = sigmas.map { Double($0) }
    var levels: [String: [WordSubspaces]] = [:]
    for level in try list("levels") {
      var all: [WordSubspaces] = []
      for place in sigmas.indices {
        var bases: [FeatureRows] = []
        for word in words.indices {
          let name = "\(level)/\(place)/\(word)"
          guard let basis = file.tensors[name], basis.shape.count == 2, basis.shape[1] > 0,
            basis.values.allSatisfy(\.isFinite),
            bases.first.map({ $0.dimension == basis.shape[1] }) ?? true
          else { throw error("`\(name)` is no basis of finite numbers") }
          bases.append(
            FeatureRows(dimension: basis.shape[1], values: basis.values.map { Double($0) }))
        }
        all.append(WordSubspaces(dimension: bases[0].dimension, bases: bases))
      }
      levels[level] = all
    }
    self.levels = levels
  }
}
