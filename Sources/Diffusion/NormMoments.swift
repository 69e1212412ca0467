import Formats
import Foundation
import Tensors

/// Mean and variance of every group of every norm of a network, noise level by noise level.
package struct NormMoments: Sendable, Hashable {
  /// Ascending, one at least.
  package let sigmas: [Float]
  /// In the order of the network's graph.
  private let norms: [Norm]

  private struct Norm: Hashable {
    var name: String
    /// For each σ.
    var moments: [GroupMoments]
  }

  /// The means over noised pictures, as the network finds them without any cut.
  ///
  /// - Parameter sigmas: ascending, one at least.
  package init(
    of denoiser: NetworkDenoiser, on law: NoisedLaw, sigmas: [Float], threads: Int,
    checkCancellation: () throws -> Void = {}
  ) throws {
    let norms = denoiser.network.graph.groupNorms
    var found = norms.map { Norm(name: $0.name, moments: []) }
    for sigma in sigmas {
      try checkCancellation()
      let pictures = try denoiser.moments(law.batch(sigma: sigma), threads: threads)
      for norm in norms.indices {
        func mean(_ part: (GroupMoments) -> [Float]) -> [Float] {
          (0..<norms[norm].groups).map { g in
            Float(pictures.reduce(0.0) { $0 + Double(part($1[norm])[g]) } / Double(pictures.count))
          }
        }
        found[norm].moments.append(
          GroupMoments(means: mean(\.means), variances: mean(\.variances)))
      }
    }
    self.sigmas = sigmas
    self.norms = found
  }

  /// - Throws: for moments of other norms than a network has.
  func validate(_ norms: [GroupNorm]) throws(NetworkPathError) {
    if norms.map(\.name) != self.norms.map(\.name) {
      throw .moments("are those of another network")
    }
    for (norm, own) in zip(norms, self.norms)
    where own.moments.contains(where: { $0.means.count != norm.groups }) {
      throw .moments("of \(norm.name) have another number of groups than \(norm.groups)")
    }
  }

  /// Of each norm at a noise level: linear in ln σ between the levels that were measured, beyond them those
  /// of the last one.
  package func at(logSigma: Float) -> [GroupMoments] {
    let upper = sigmas.firstIndex { Foundation.log($0) >= logSigma } ?? sigmas.count - 1
    let lower = max(upper - 1, 0)
    let (low, high) = (Foundation.log(sigmas[lower]), Foundation.log(sigmas[upper]))
    let share = high > low ? min(max((logSigma - low) / (high - low), 0), 1) : 1
    func between(_ a: [Float], _ b: [Float]) -> [Float] {
      zip(a, b).map { $0 + share * ($1 - $0) }
    }
    return norms.map { norm in
      let (a, b) = (norm.moments[lower], norm.moments[upper])
      return GroupMoments(
        means: between(a.means, b.means), variances: between(a.variances, b.variances))
    }
  }

  // MARK: - On disk: σ, and of each norm its means and variances, (S, groups)

  package func data() -> Data {
    var tensors = ["sigma": Safetensors.Tensor(shape: [sigmas.count], values: sigmas)]
    func tensor(_ norm: Norm, _ part: (GroupMoments) -> [Float]) -> Safetensors.Tensor {
      let values = norm.moments.flatMap(part)
      return Safetensors.Tensor(
        shape: [sigmas.count, values.count / sigmas.count], values: values)
    }
    for norm in norms {
      tensors[norm.name + ".mean"] = tensor(norm, \.means)
      tensors[norm.name + ".variance"] = tensor(norm, \.variances)
    }
    // Tensors lie by name; norms have an order.
    return Safetensors(
      tensors: tensors, metadata: ["norms": norms.map(\.name).joined(separator: " ")]
    ).data()
  }

  package init(data: Data) throws(FormatError) {
    let file = try Safetensors(data: data)
    func error(_ reason: String) -> FormatError { FormatError("moments of norms", reason) }
    guard let sigmas = file.tensors["sigma"]?.values, !sigmas.isEmpty,
      sigmas.allSatisfy({ $0 > 0 && $0.isFinite }), zip(sigmas, sigmas.dropFirst()).allSatisfy(<)
    else { throw error("`sigma` is not a list of noise levels, ascending") }
    let names = (file.metadata["norms"] ?? "").split(separator: " ").map(String.init)
    if names.isEmpty { throw error("its metadata do not name the `norms`") }
    var norms: [Norm] = []
    for name in names {
      guard let means = file.tensors[name + ".mean"], means.shape.count == 2,
        means.shape[0] == sigmas.count, means.values.allSatisfy(\.isFinite),
        let variances = file.tensors[name + ".variance"], variances.shape == means.shape,
        variances.values.allSatisfy({ $0 >= 0 && $0.isFinite })
      else { throw error("`\(name)` lacks means or variances of each σ") }
      let groups = means.shape[1]
      norms.append(
        Norm(
          name: name,
          moments: sigmas.indices.map { i in
            let place = i * groups..<(i + 1) * groups
            return GroupMoments(
              means: Array(means.values[place]), variances: Array(variances.values[place]))
          }))
    }
    self.sigmas = sigmas
    self.norms = norms
  }
}
