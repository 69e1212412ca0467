import Artifacts
import Diffusion
import Foundation
import Testing
import Workflow

@testable import Experiments

/// Proves that what cannot fit is refused before any work, with the place in the file.
@Suite("Checks against what is upstream")
struct PlanCheckTests {
  /// Messages for a pipeline whose stages are a small sound one with one change.
  private func problems(
    scenes: String = "", others: String = "", judge: String = "", network: String = "",
    _ last: String
  ) -> [String] {
    let text = """
      { pipeline: 'p', question: 'q', seed: 1, stages: {
        scenes: { kind: 'generate', size: 16, cells: 8, objects: [1, 2], count: 20, \(scenes) },
        others: { kind: 'generate', size: 32, cells: 8, objects: [1, 2], count: 20, \(others) },
        judge: { kind: 'judge', size: 16, cells: 8, \(judge) },
        model: { kind: 'train', inputs: { scenes: 'scenes' }, pictures: 64,
          network: { type: 'local', \(network) } },
        large: { kind: 'train', inputs: { scenes: 'others' }, pictures: 64, network: { type: 'unet' } },
        last: { \(last) },
      } }
      """
    do {
      _ = try Pipeline.parse(
        bytes: Array(text.utf8), path: "p.json5", kinds: Experiments.stageKinds)
      return []
    } catch {
      return "\(error)".components(separatedBy: "\n")
    }
  }

  @Test(
    "size, camera, cells, blocks, teachers and masks",
    arguments: [
      (
        "kind: 'evaluate', inputs: { denoiser: 'large', judge: 'judge' }",
        "inputs.judge: judge and denoiser look at different pictures: 16 px and 32 px"
      ),
      (
        "kind: 'evaluate', inputs: { denoiser: 'model', judge: 'judge' }, guidance: 2, guidance_sigmas: [3, 1]",
        "guidance_sigmas: found [3.0, 1.0], accepted: the lowest first, then the highest"
      ),
      (
        "kind: 'evaluate', inputs: { denoiser: 'model', judge: 'judge' }, guidance_sigmas: [1, 3]",
        "guidance_sigmas: there is no guidance, `guidance` is 1; accepted: another `guidance`"
      ),
      (
        "kind: 'variance', inputs: { denoiser: 'model', judge: 'judge', scenes: 'others' }",
        "inputs.scenes: pictures and denoiser differ: 32 px and 16 px"
      ),
      (
        "kind: 'variance', inputs: { denoiser: 'model', judge: 'judge' }, counts: [2, 2]",
        "counts: a K stands twice"
      ),
      (
        "kind: 'intervene', inputs: { denoiser: 'model', scenes: 'scenes' }, mask: 'pixel', block: 5",
        "block: found 5, accepted: a divisor of size 16: 1, 2, 4, 8, 16"
      ),
      (
        "kind: 'intervene', inputs: { denoiser: 'model', scenes: 'others' }, mask: 'identity'",
        "inputs.scenes: denoiser and scenes differ: 16 px and 32 px"
      ),
      (
        "kind: 'analytic', inputs: { scenes: 'scenes' }, schedule: 'calibrated'",
        "schedule: \"calibrated\" needs the network to agree with; add `teacher`"
      ),
      (
        "kind: 'analytic', inputs: { scenes: 'scenes', teacher: 'large' }, schedule: 'calibrated'",
        "inputs.teacher: teacher and scenes differ: 32 px and 16 px"
      ),
      (
        "kind: 'agree', inputs: { denoiser: 'model', reference: 'large', scenes: 'scenes' }",
        "inputs.reference: denoiser and reference differ: 16 px and 32 px"
      ),
      (
        "kind: 'probe', inputs: { denoiser: 'model', scenes: 'others' }",
        "inputs.scenes: denoiser and scenes differ: 16 px and 32 px"
      ),
      (
        "kind: 'intervene', inputs: { denoiser: 'large', scenes: 'others' }, mask: 'pixel', block: 16,"
          + " margin: 16",
        "mask: found \"pixel\", which cuts nothing that the denoiser depends on: a block of 16 px sees"
          + " 16 px around it; accepted: a narrower mask"
      ),
      (
        "kind: 'intervene', inputs: { denoiser: 'model', scenes: 'scenes' }, mask: 'pixel', margin: 6",
        "mask: found \"pixel\", which cuts nothing that the denoiser depends on: a block of 4 px sees 6"
          + " px around it, pixels matter up to 6 px away"
      ),
      (
        "kind: 'intervene', inputs: { denoiser: 'large', scenes: 'others' }, mask: 'window',"
          + " keep: 'far', at: 'ground'",
        "mask: found \"window\", which cuts nothing that the denoiser depends on: labels are seen from 7.0"
          + " px away, hidden at ground alone; accepted: a narrower mask"
      ),
      (
        "kind: 'evaluate', inputs: { denoiser: 'model', judge: 'judge' }, counts: [1, 1]",
        "counts: a K stands twice"
      ),
      (
        "kind: 'analytic', inputs: { scenes: 'scenes' }, label_dropout: 1",
        "label_dropout: found 1: no training conditioner would have a label"
      ),
      (
        "kind: 'theory', family: 'exclusion', patterns: [[1, 0], [0, 0]]",
        "patterns[1]: shows zeros, as an empty cell does"
      ),
      (
        "kind: 'probe', inputs: { denoiser: 'model', scenes: 'scenes' }, counts: [3, 3]",
        "counts: a K stands twice, accepted: each once"
      ),
      (
        "kind: 'train', inputs: { scenes: 'scenes' }, network: { type: 'unet' }, pictures: 90, cool_down: 91",
        "cool_down: found 91, accepted: up to pictures, 90"
      ),
      (
        "kind: 'train', inputs: { scenes: 'scenes' }, network: { type: 'unet' }, pictures: 90, cool_down: 9,"
          + " snapshots: [20]",
        "snapshots: are shorter trainings, and one with `cool_down` does not go the way of a longer one"
      ),
    ])
  func refused(stage: String, message: String) {
    let found = problems(stage)
    #expect(found.count == 1, "\(found)")
    #expect(found.first?.contains("stages.last.\(message)") == true, "\(found)")
    #expect(found.first?.hasPrefix("p.json5:") == true)
  }

  @Test("a path that a denoiser has not got is refused with those that it has")
  func paths() {
    func found(_ network: String, _ path: String = "", _ base: String = "model") -> [String] {
      let text = """
        { pipeline: 'p', question: 'q', seed: 1, stages: {
          scenes: { kind: 'generate', size: 16, cells: 8, objects: [1, 2], count: 20 },
          model: { kind: 'train', inputs: { scenes: 'scenes' }, pictures: 64,
            network: { \(network) } },
          machine: { kind: 'analytic', inputs: { scenes: 'scenes' }, radius: 2 },
          last: { kind: 'intervene', inputs: { denoiser: '\(base)', scenes: 'scenes' },
            mask: 'path'\(path) },
        } }
        """
      do {
        _ = try Pipeline.parse(
          bytes: Array(text.utf8), path: "p.json5", kinds: Experiments.stageKinds)
        return []
      } catch {
        return "\(error)".components(separatedBy: "\n")
      }
    }
    #expect(found("type: 'unet'") == [])
    #expect(found("type: 'unet', attention: false", ", path: 'statistics'") == [])
    for (problems, message) in [
      (
        found("type: 'unet', attention: false"),
        "path: path \"both\" is none that the denoiser has; accepted: \"statistics\""
      ),
      (
        found("type: 'unet', normalization: 'pixel'", ", path: 'statistics'"),
        "path: path \"statistics\" is none that the denoiser has; accepted: \"attention\""
      ),
      (
        found("type: 'local'"),
        "mask: path \"both\" is none that the denoiser has; accepted: none: only a U-Net"
      ),
      (
        found("type: 'unet'", "", "machine"),
        "mask: path \"both\" is none that the denoiser has; accepted: none: only a U-Net"
      ),
    ] {
      #expect(problems.count == 1, "\(problems)")
      #expect(problems.first?.contains("stages.last.\(message)") == true, "\(problems)")
    }
  }

  /// The key of an intervention that the quickstart had before there was `at`.
  @Test("what a mask acts on is in its key only where it is not everywhere")
  func keys() throws {
    func parameters(_ more: String) throws -> [String] {
      let text = """
        { pipeline: 'p', question: 'q', seed: 1, stages: {
          scenes: { kind: 'generate', size: 16, cells: 8, objects: [1, 2], count: 20 },
          model: { kind: 'train', inputs: { scenes: 'scenes' }, pictures: 64,
            network: { type: 'unet' } },
          last: { kind: 'intervene', inputs: { denoiser: 'model', scenes: 'scenes' },
            mask: 'conditioner', \(more) },
        } }
        """
      let pipeline = try Pipeline.parse(
        bytes: Array(text.utf8), path: "p.json5", kinds: Experiments.stageKinds)
      return try #require(pipeline.instances.last?.parameters.object).keys.sorted()
    }
    let known = [
      "amplitude", "block", "fill", "fill_pictures", "keep", "labels", "margin", "mask", "radius",
      "ring", "sigma_high", "sigma_low",
    ]
    #expect(try parameters("") == known && parameters("at: 'everywhere'") == known)
    #expect(try parameters("at: 'ground'") == (known + ["at"]).sorted())
  }

  @Test("judge and denoiser with other cameras")
  func camera() {
    let evaluate = "kind: 'evaluate', inputs: { denoiser: 'model', judge: 'judge' }"
    #expect(problems(evaluate) == [])
    let found = problems(judge: "camera: 'clevr'", evaluate)
    #expect(found.count == 1)
    #expect(found.first?.contains("camera \"clevr\" and \"overhead\"") == true, "\(found)")
  }

  @Test("more objects than there are cells for, wherever they are asked for")
  func cells() {
    func found(_ camera: String, _ cells: Int, _ last: String) -> [String] {
      problems(
        others: "", network: "",
        """
        kind: 'generate', size: 16, cells: \(cells), camera: '\(camera)', objects: [1, 2], count: 20 },
        model2: { kind: 'train', inputs: { scenes: 'last' }, pictures: 64, network: { type: 'unet' } },
        judge2: { kind: 'judge', size: 16, cells: \(cells), camera: '\(camera)' },
        asks: { \(last)
        """)
    }
    let evaluate = "kind: 'evaluate', inputs: { denoiser: 'model2', judge: 'judge2' }"
    let analytic = "kind: 'analytic', inputs: { scenes: 'last' }"
    let agree =
      "kind: 'agree', inputs: { denoiser: 'model2', reference: 'model2', scenes: 'last' }"
    for (camera, cells, most) in [("overhead", 2, 4), ("overhead", 1, 1), ("clevr", 4, 7)] {
      for (stage, counts) in [
        (evaluate, ""), (evaluate, ", counts: [12]"), (analytic, ""), (agree, ", counts: [9]"),
      ] {
        let found = found(camera, cells, stage + counts)
        #expect(found.count == 1, "\(camera) \(cells): \(found)")
        #expect(found.first?.contains("accepted: up to \(most), or scenes") == true, "\(found)")
      }
      let fitting = found(camera, cells, evaluate + ", counts: [\(most)]")
      #expect(fitting == [])
    }
    #expect(found("clevr", 4, agree + ", counts: [9], layouts: 0") == [])
    #expect(found("overhead", 4, evaluate) == [])
  }

  @Test("a study that would grow by what none of its stages measures")
  func replication() throws {
    func fault(_ until: String) throws -> String {
      let text = """
        { pipeline: 'p', question: 'q', seed: 1,
          replicate: { axis: 'seed', from: 2, to: 4, until: { \(until), width: 0.1 } }, stages: {
          scenes: { kind: 'generate', size: 16, cells: 8, objects: [1, 2], count: 20 },
          judge: { kind: 'judge', size: 16, cells: 8, seed: 1 },
          model: { kind: 'train', inputs: { scenes: 'scenes' }, pictures: 64,
            network: { type: 'local' } },
          drawn: { kind: 'evaluate', inputs: { denoiser: 'model', judge: 'judge' }, counts: [1, 2] },
          told: { kind: 'compare', inputs: { evaluations: ['drawn'] } } } }
        """
      let pipeline = try Pipeline.parse(
        bytes: Array(text.utf8), path: "p.json5", kinds: Experiments.stageKinds)
      do {
        try Experiments.checkReplication(pipeline)
        return ""
      } catch { return error.description }
    }
    #expect(try fault("metric: 'recall', k: 2") == "")
    // What comparisons are made of is for the run to say.
    #expect(try fault("metric: 'effect_recall', k: 9") == "")
    #expect(try fault("metric: 'k_max', stage: 'told'") == "")
    #expect(
      try fault("metric: 'recall', k: 9").hasSuffix(
        "replicate.until: no stage that counts measures `recall` at k = 9; measured at: 1, 2"))
    for (until, said) in [
      (
        "metric: 'recal', k: 2",
        "measures \"recal\" (did you mean `recall`?); measured: `pictures`,"
      ),
      ("metric: 'agreement.r2', k: 2", "no stage that counts measures \"agreement.r2\""),
      ("metric: 'recall', k: 2, stage: 'told'", "no stage that counts measures \"recall\""),
    ] {
      let found = try fault(until)
      #expect(found.contains(said), "\(until): \(found)")
    }
  }

  @Test("evaluations at different K, of which the comparison does not say which it is about")
  func counts() {
    func found(_ plain: String, _ masked: String, _ compared: String = "threshold: 0.9") -> [String]
    {
      problems(
        """
        kind: 'intervene', inputs: { denoiser: 'model', scenes: 'scenes' }, mask: 'identity' },
        plain: { kind: 'evaluate', inputs: { denoiser: 'model', judge: 'judge' }, counts: \(plain) },
        behind: { kind: 'evaluate', inputs: { denoiser: 'last', judge: 'judge' }, counts: \(masked) },
        told: { kind: 'compare', inputs: { evaluations: ['plain', 'behind'] }, \(compared)
        """)
    }
    #expect(found("[0, 1, 2]", "[2, 1]") == [])
    #expect(found("[0, 1, 2]", "[2, 3]", "counts: [2]") == [])
    let other = found("[0, 1, 2]", "[2, 3]")
    #expect(other.count == 1)
    #expect(
      other.first?.contains(
        "stages.told.inputs.evaluations: one evaluation is made at K = 1, 2 and another evaluation at K = 2, 3:"
      ) == true, "\(other)")
    let stated = found("[0, 1, 2]", "[2, 3]", "counts: [2, 3]")
    #expect(
      stated.first?.contains("stages.told.counts: one evaluation is not made at K = 3") == true,
      "\(stated)")
  }

  @Test("what is known of scenes reaches a judge through train, analytic and intervene")
  func handedOn() {
    for maker in [
      "kind: 'train', inputs: { scenes: 'others' }, pictures: 64, network: { type: 'unet' }",
      "kind: 'analytic', inputs: { scenes: 'others' }",
      "kind: 'intervene', inputs: { denoiser: 'large', scenes: 'others' }, mask: 'identity'",
    ] {
      let found = problems(
        "\(maker) }, seen: { kind: 'evaluate', inputs: { denoiser: 'last', judge: 'judge' }")
      #expect(found.count == 1, "\(found)")
      #expect(found.first?.contains("stages.seen.inputs.judge: ") == true, "\(found)")
    }
  }

  @Test("a mask before a masked denoiser, and inputs of another type")
  func types() {
    let masked =
      "kind: 'intervene', inputs: { denoiser: 'model', scenes: 'scenes' }, mask: 'identity'"
    let twice = problems(
      "\(masked) }, again: { kind: 'intervene', mask: 'identity',"
        + " inputs: { denoiser: 'last', scenes: 'scenes' }")
    #expect(twice.first?.contains("stages.again.inputs.denoiser: is behind a mask") == true)
    let wrong = problems(
      "kind: 'train', inputs: { scenes: 'judge' }, pictures: 1,"
        + " network: { type: 'unet' }")
    #expect(
      wrong.first?.contains("`judge` is of kind `judge`; accepted: a stage of kind `generate`")
        == true, "\(wrong)")
  }
}
