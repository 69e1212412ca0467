import Artifacts
import Diffusion
import Evaluation
import Scenes
import Workflow

extension EvaluateStage {
  /// Faults of what is asked for in words.
  static func checkWords(_ options: Options, _ texts: [String], _ upstream: Upstream)
    -> [ParameterProblem]
  {
    let denoiser = Foreseen(upstream, "denoiser")
    let names = texts.joined(separator: ", ")
    guard let words = PictureWords(texts, heldOut: denoiser.heldOut ?? []),
      !words.meanings.contains(where: { $0.material != nil })
    else {
      return [
        ParameterProblem(
          path: "inputs.denoiser",
          message: "its words (\(names)) are not told in a picture; accepted: words of colours and"
            + " shapes (materials are not told apart)")
      ]
    }
    var problems: [ParameterProblem] = []
    if upstream.one("scenes") != nil {
      problems.append(
        ParameterProblem(
          path: "inputs.scenes",
          message: "layouts of places are passed over, and the denoiser's conditioners are"
            + " \(ConditionerSpace.set(words: texts).text); accepted: none, with `held_out` of `generate`"
        ))
    }
    if options.spacing != .clevr {
      problems.append(
        ParameterProblem(
          path: "spacing",
          message:
            "found \"\(options.spacing.rawValue)\", and words ask for no places; accepted: \"clevr\""
        ))
    }
    return problems + checkAsked(options, words)
  }

  private static func checkAsked(_ options: Options, _ words: PictureWords) -> [ParameterProblem] {
    func problem(_ path: String, _ message: String) -> [ParameterProblem] {
      [ParameterProblem(path: path, message: message)]
    }
    let most = options.counts.max() ?? 0
    let least = options.counts.min() ?? 0
    switch options.asked {
    case .nothing:
      if words.nothing == nil {
        return problem(
          "asked",
          "found \"nothing\", and training pictures always have objects; accepted: pictures of 0 objects and more"
        )
      }
      return most == 0 ? [] : problem("counts", "found \(most), accepted of \"nothing\": [0]")
    case .heldOut:
      guard let smallest = words.heldOut.map(\.count).min() else {
        return problem(
          "asked",
          "found \"held-out\", and training held nothing out; accepted: `held_out` of `generate`, or \"seen\""
        )
      }
      if least < smallest {
        return problem(
          "counts", "found \(least), accepted: \(smallest) and more, as a combination has")
      }
    case .seen: break
    }
    return most <= words.askable.count
      ? []
      : problem(
        "counts",
        "found \(most), accepted: up to \(words.askable.count), all words of \(ConditionerSpace.set(words: words.texts).text)"
      )
  }
}
