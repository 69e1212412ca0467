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
        "kind: 'probe', inputs: { denoiser: 'model', scenes: 'scenes' }, counts: [3, 3]",
        "counts: a K stands twice, accepted: each once"
      ),
    ])
  func refused(stage: String, message: String) {
    let found = problems(stage)
    #expect(found.count == 1, "\(found)")
    #expect(found.first?.contains("stages.last.\(message)") == true, "\(found)")
    #expect(found.first?.hasPrefix("p.json5:") == true)
  }

  @Test("judge and denoiser with other cameras")
  func camera() {
    let evaluate = "kind: 'evaluate', inputs: { denoiser: 'model', judge: 'judge' }"
    #expect(problems(evaluate) == [])
    let found = problems(judge: "camera: 'clevr'", evaluate)
    #expect(found.count == 1)
    #expect(found.first?.contains("camera \"clevr\" and \"overhead\"") == true, "\(found)")
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
