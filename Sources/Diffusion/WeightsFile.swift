import Formats
import Foundation
import Tensors
import Vectors

/// What a weights file says about its training, beside the network itself.
package struct TrainingOrigin: Sendable, Hashable {
  package var labelling: Labelling
  /// Fewest and most objects in a training picture.
  package var objects: ClosedRange<Int>

  package init(labelling: Labelling, objects: ClosedRange<Int>) {
    self.labelling = labelling
    self.objects = objects
  }
}

/// Why a file of weights was refused.
package enum WeightsFileError: CategorizedError, CustomStringConvertible {
  case metadata(key: String, found: String?, accepted: String)
  /// Keys that neither the file nor whoever reads it states.
  case unstated([String])
  case contradiction(key: String, file: String, stated: String)
  /// A network that goes by places, of conditioners without.
  case places(NoPlaces)
  case tensors(ParameterMismatch)
  case notFinite(tensor: String)
  case format(FormatError)

  package var category: ErrorCategory { .data }

  package var description: String {
    switch self {
    case .metadata(let key, let found, let accepted):
      "the weights' metadata has \(key) = \(found.map { "\"\($0)\"" } ?? "nothing"), accepted: \(accepted)"
    case .unstated(let keys): "the weights' metadata lacks \(keys.joined(separator: ", "))"
    case .contradiction(let key, let file, let stated):
      "the weights' metadata has \(key) = \"\(file)\", not \"\(stated)\""
    case .places(let error): "the weights' metadata does not fit itself: \(error.description)"
    case .tensors(let mismatch): mismatch.description
    case .notFinite(let tensor): "weight \(tensor) holds a value that is no finite number"
    case .format(let error): error.description
    }
  }
}

/// Weights on disk: safetensors with PyTorch's names and layouts, the network in the metadata.
package struct WeightsFile: Sendable {
  package var denoiser: NetworkDenoiser
  package var origin: TrainingOrigin
  /// What the weights were trained with; `nil` where another program did not say.
  package var instructions: String?

  package init(denoiser: NetworkDenoiser, origin: TrainingOrigin) {
    self.denoiser = denoiser
    self.origin = origin
    instructions = instructionSet
  }

  package func data() -> Data {
    var tensors: [String: Safetensors.Tensor] = [:]
    for tensor in denoiser.weights.tensors() {
      tensors[tensor.name] = Safetensors.Tensor(shape: tensor.shape, values: tensor.values)
    }
    let description = denoiser.network.description
    var metadata = [
      "size": "\(description.shape.size)", "labelling": origin.labelling.rawValue,
      "objects_min": "\(origin.objects.lowerBound)", "objects_max": "\(origin.objects.upperBound)",
    ]
    switch description.shape.space {
    case .grid(let cells): metadata["cells"] = "\(cells)"
    case .set(let words): metadata["words"] = wordList(words)
    }
    metadata["instructions"] = instructions
    switch description.architecture {
    case .unet(let width, let conditioning, let normalization, let attention, let middle):
      metadata["network"] = "unet"
      metadata["width"] = "\(width)"
      metadata["conditioning"] = conditioning.rawValue
      metadata["normalization"] = normalization.rawValue
      metadata["attention"] = "\(attention)"
      if middle > 0 { metadata["middle"] = "\(middle)" }
    case .local(let width, let dilations):
      metadata["network"] = "local"
      metadata["width"] = "\(width)"
      metadata["dilations"] = dilations.map(String.init).joined(separator: ",")
    case .patchwise(let width, let reach, let normalization, let attention):
      metadata["network"] = "patchwise"
      metadata["width"] = "\(width)"
      metadata["reach"] = "\(reach)"
      metadata["normalization"] = normalization.rawValue
      metadata["attention"] = "\(attention)"
    }
    return Safetensors(tensors: tensors, metadata: metadata).data()
  }

  /// - Parameter stated: metadata for a file that another program wrote without it; where the file
  ///   has some of it, both must agree.
  package init(data: Data, stated: [String: String] = [:]) throws(WeightsFileError) {
    let file: Safetensors
    do {
      file = try Safetensors(data: data)
    } catch {
      throw .format(error)
    }
    let reader = try MetadataReader(file: file.metadata, stated: stated)
    let network: Network
    let description = try reader.description()
    do {
      network = try Network(description)
    } catch {
      throw .places(error)
    }
    let weights: Weights
    do {
      weights = try network.graph.makeWeights(
        file.tensors.map {
          NamedTensor(name: $0.key, shape: $0.value.shape, values: $0.value.values)
        })
    } catch {
      throw .tensors(error)
    }
    let odd = file.tensors.filter { !$0.value.values.allSatisfy(\.isFinite) }.keys.min()
    if let odd { throw .notFinite(tensor: odd) }
    denoiser = NetworkDenoiser(network: network, weights: weights)
    origin = try reader.origin()
    instructions = file.metadata["instructions"]
  }
}

/// A JSON list, since a word may hold any character.
private func wordList(_ words: [String]) -> String {
  JSONValue.array(words.map(JSONValue.string)).canonicalText()
}

private struct MetadataReader {
  let metadata: [String: String]

  init(file: [String: String], stated: [String: String]) throws(WeightsFileError) {
    for (key, value) in stated.sorted(by: { $0.key < $1.key }) {
      if let own = file[key], own != value {
        throw .contradiction(key: key, file: own, stated: value)
      }
    }
    metadata = file.merging(stated) { own, _ in own }
    var needed = ["network", "width", "size", "labelling", "objects_min", "objects_max"]
    // Of the two ways to say what conditioners are, files of other programs have known only this one.
    if metadata["words"] == nil { needed.insert("cells", at: 3) }
    switch metadata["network"] {
    case "unet": needed += ["conditioning", "normalization", "attention"]
    case "local": needed.append("dilations")
    case "patchwise": needed += ["reach", "normalization", "attention"]
    default: break
    }
    let absent = needed.filter { metadata[$0] == nil }
    if !absent.isEmpty { throw .unstated(absent) }
  }

  func description() throws(WeightsFileError) -> NetworkDescription {
    let size = try integer("size", 8...512)
    let shape = PictureShape(size: size, space: try space(size: size))
    if size % 4 != 0 {
      throw .metadata(key: "size", found: "\(size)", accepted: "a multiple of 4")
    }
    let width = try integer("width", 4...512)
    if width % 4 != 0 {
      throw .metadata(key: "width", found: "\(width)", accepted: "a multiple of 4")
    }
    switch metadata["network"] {
    case "unet":
      return NetworkDescription(
        .unet(
          width: width, conditioning: try choice("conditioning"),
          normalization: try choice("normalization"), attention: try flag("attention"),
          middle: metadata["middle"] == nil ? 0 : try integer("middle", NetworkDescription.middles)),
        shape: shape)
    case "local":
      return NetworkDescription(.local(width: width, dilations: try dilations()), shape: shape)
    case "patchwise":
      return NetworkDescription(
        .patchwise(
          width: width, reach: try integer("reach", NetworkDescription.reaches),
          normalization: try choice("normalization"), attention: try flag("attention")),
        shape: shape)
    default:
      throw .metadata(
        key: "network", found: metadata["network"], accepted: "unet, local, patchwise")
    }
  }

  private func space(size: Int) throws(WeightsFileError) -> ConditionerSpace {
    guard let list = metadata["words"] else {
      let cells = try integer("cells", 1...512)
      if size % cells != 0 {
        throw .metadata(key: "cells", found: "\(cells)", accepted: "a divisor of size \(size)")
      }
      return .grid(cells: cells)
    }
    if let cells = metadata["cells"] {
      throw .metadata(key: "cells", found: cells, accepted: "nothing beside words")
    }
    let words = (try? JSONDecoder().decode([String].self, from: Data(list.utf8))) ?? []
    guard (1...Self.mostWords).contains(words.count), Set(words).count == words.count,
      !words.contains("")
    else {
      throw .metadata(
        key: "words", found: list,
        accepted:
          "a JSON list of 1 to \(Self.mostWords) different words, such as [\"red\",\"blue\"]")
    }
    return .set(words: words)
  }

  private static let mostWords = 4096

  func origin() throws(WeightsFileError) -> TrainingOrigin {
    let low = try integer("objects_min", 0...1000)
    let high = try integer("objects_max", low...1000)
    return TrainingOrigin(labelling: try choice("labelling"), objects: low...high)
  }

  private func integer(_ key: String, _ range: ClosedRange<Int>) throws(WeightsFileError) -> Int {
    guard let value = metadata[key].flatMap({ Int($0) }), range.contains(value) else {
      throw .metadata(
        key: key, found: metadata[key],
        accepted: "a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  private func choice<T: RawRepresentable & CaseIterable>(_ key: String) throws(WeightsFileError)
    -> T where T.RawValue == String
  {
    guard let value = metadata[key].flatMap({ T(rawValue: $0) }) else {
      let accepted = T.allCases.map(\.rawValue).joined(separator: ", ")
      throw .metadata(key: key, found: metadata[key], accepted: accepted)
    }
    return value
  }

  private func flag(_ key: String) throws(WeightsFileError) -> Bool {
    guard let value = metadata[key].flatMap({ Bool($0) }) else {
      throw .metadata(key: key, found: metadata[key], accepted: "true, false")
    }
    return value
  }

  private func dilations() throws(WeightsFileError) -> [Int] {
    let parts = (metadata["dilations"] ?? "").split(separator: ",").map { Int($0) }
    let values = parts.compactMap { $0 }
    guard !values.isEmpty, values.count == parts.count, values.count <= 32,
      values.allSatisfy({ (1...16).contains($0) })
    else {
      throw .metadata(
        key: "dilations", found: metadata["dilations"],
        accepted: "1 to 32 whole numbers from 1 to 16, with commas between")
    }
    return values
  }
}
