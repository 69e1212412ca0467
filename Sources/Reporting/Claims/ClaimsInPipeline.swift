import Artifacts
import Formats
import Measures
import Workflow

extension PipelineExtension {
  /// `claims:` of a pipeline file.
  package static let claims = PipelineExtension(
    key: "claims",
    parameters: [
      list("fails", [model, against, counts], "models that fail where others compose"),
      list("composes", [model, against, counts], "models that compose where others fail"),
      list(
        "local",
        [
          model, against,
          Parameter(
            "space", .choice([Measure.Space.pixel, .conditioner].map(\.rawValue)),
            default: .string(Measure.Space.pixel.rawValue),
            help: "sensitivity to what"),
          Parameter(
            "window", .integer(1...4096), default: .integer(Claims.window),
            help: "side of the window in px"),
          Parameter(
            "sigma", .number(1e-6...1e6), default: .number(Claims.sigma),
            help: "the noise level that was probed"),
          Parameter(
            "objects", .integer(0...4096), default: .null,
            help: "the K that was probed; the largest in training when left out"),
        ], "models whose score is more local than others'"),
      list(
        "repairs",
        [
          Parameter("mask", .text, help: "the intervention, named beforehand"),
          Parameter("of", .text, help: "the denoiser that it masks"),
          Parameter(
            "control", .text, default: .null,
            help: "the intervention that keeps the mechanism and must do less"),
          counts,
        ], "masks that repair models without training them"),
    ], check: check)

  private static let model = Parameter("model", .text, help: "an instance that makes a denoiser")
  private static let against = Parameter("against", .text, help: "the instance to compare it with")
  private static let counts = Parameter(
    "k", .list(.integer(1...4096), count: 2...2), default: .null,
    help: "the least and the most K; all beyond the training range when left out")

  private static func list(_ name: String, _ members: [Parameter], _ help: String) -> Parameter {
    Parameter(name, .list(.object(members), count: 0...1000), default: .array([]), help: help)
  }

  private static func check(_ value: JSONValue, _ instances: StageInstances) -> [Problem] {
    var problems: [Problem] = []
    func add(_ path: String, _ message: String) {
      problems.append(Problem(path: path, fault: .checkFailed(message)))
    }
    /// The replicates of the one instance that is named; `nil` after a problem.
    func replicates(_ claim: JSONValue, _ path: String, _ key: String) -> [Int]? {
      guard let text = claim[key]?.string else { return nil }
      switch instances.named(text) {
      case .fault(let fault):
        problems.append(Problem(path: "\(path).\(key)", fault: fault))
        return nil
      case .found(let found):
        var names: [String] = []
        for position in found {
          let instance = instances.all[position]
          let name = StageReference(stage: instance.stage, bindings: instance.bindings)
            .withoutSeed.name
          if !names.contains(name) { names.append(name) }
        }
        let made = instances.all[found[0]].kind.produces
        if made != .denoiser {
          add("\(path).\(key)", "makes a \(made); accepted: what makes a \(ArtifactType.denoiser)")
          return nil
        }
        if names.count == 1 { return found }
        add(
          "\(path).\(key)",
          "names \(names.count) instances; accepted: one of "
            + names.prefix(12).map { "\"\($0)\"" }.joined(separator: ", "))
        return nil
      }
    }
    func differ(_ a: [Int]?, _ b: [Int]?, _ path: String, _ keys: (String, String)) {
      guard let a, let b, !Set(a).isDisjoint(with: b) else { return }
      add("\(path).\(keys.1)", "is the same instance as `\(keys.0)`; accepted: another one")
    }
    func isMade(_ mask: [Int]?, from base: [Int]?, _ path: String, _ key: String) {
      guard let mask, let base else { return }
      let stray = mask.first { mask in
        !base.contains { instances.takes(mask, from: $0, as: MaskRow.role) }
      }
      guard let stray, let first = base.first else { return }
      add(
        "\(path).\(key)",
        "`\(instances.all[stray].name)` does not take `\(instances.all[first].name)` as an input;"
          + " accepted: what is made from the denoiser in `of`")
    }
    for (key, claim, path) in claims(of: value) {
      if let ends = claim["k"]?.array?.compactMap(\.integer), ends.count == 2, ends[0] > ends[1] {
        add("\(path).k", "the least, \(ends[0]), exceeds the most, \(ends[1]); swap them")
      }
      if key == "repairs" {
        let base = replicates(claim, path, "of")
        let mask = replicates(claim, path, "mask")
        isMade(mask, from: base, path, "mask")
        let control = replicates(claim, path, "control")
        isMade(control, from: base, path, "control")
        differ(mask, control, path, ("mask", "control"))
      } else {
        let model = replicates(claim, path, "model")
        differ(model, replicates(claim, path, "against"), path, ("model", "against"))
      }
    }
    return problems
  }

  /// Every claim with its list's name and its path.
  private static func claims(of value: JSONValue) -> [(String, JSONValue, String)] {
    ["fails", "composes", "local", "repairs"].flatMap { key in
      (value[key]?.array ?? []).enumerated().map { (key, $1, "\(key)[\($0)]") }
    }
  }
}
