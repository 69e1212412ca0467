import Analytic
import Artifacts
import Diffusion
import Formats
import Foundation
import Scenes
import Testing
import Workflow

@testable import Experiments

@Suite("Stages of analytic denoisers")
struct AnalyticStageTests {
  @Test("patches of all places ask for a stated subset of pictures")
  func subset() {
    func problems(_ places: String, _ pictures: Int) -> [ParameterProblem] {
      var reader: [String: JSONValue] = [:]
      for parameter in AnalyticStage.kind.parameters {
        reader[parameter.name] = parameter.defaultValue
      }
      reader["places"] = .string(places)
      reader["pictures"] = .integer(pictures)
      return AnalyticStage.kind.check(.object(reader))
    }
    #expect(problems("all", 0).map(\.path) == ["pictures"])
    #expect(problems("all", 0).first?.message.contains("accepted: 1 or more") == true)
    #expect(problems("all", 64).isEmpty && problems("same", 0).isEmpty)
  }

  @Test("a machine's manifest keeps what it sees; a damaged one is refused by path")
  func machineManifest() throws {
    let settings = MachineSettings(
      schedule: try WindowSchedule(sigmas: [0.5, 5], radii: [2, 9]), labelRadius: 3, places: .all,
      labelling: .single, labelDropout: 0.25)
    let url = FileManager.default.temporaryDirectory.appending(
      path: "locus-machine-\(UUID().uuidString).json")
    defer { try? FileManager.default.removeItem(at: url) }
    let training = DenoiserManifest.Training(
      camera: .overhead, size: 32, space: .grid(cells: 16), labelling: .single, objects: 1...3)
    let written = DenoiserManifest.machine(
      training,
      .init(settings, windows: "calibrated", size: 32, pixels: "ab", conditioners: "ef"))
    let text = String(decoding: try written.data(), as: UTF8.self)
    try Data(text.utf8).write(to: url)
    let file = StageFile(url: url, sha256: "cd")
    guard case .machine(training, let read) = try DenoiserManifest(file) else {
      Issue.record("another form")
      return
    }
    #expect(read.settings(training) == settings && read.window == 19)

    for damage in [
      "{}", "[", text.replacingOccurrences(of: "\"all\"", with: "\"somewhere\""),
      text.replacingOccurrences(of: "\"format\":1", with: "\"format\":2"),
      text.replacingOccurrences(of: "\"denoiser\"", with: "\"judge\""),
    ] {
      #expect(damage != text)
      try Data(damage.utf8).write(to: url)
      #expect(throws: ArtifactError.self) { try DenoiserManifest(file) }
    }
  }
}
