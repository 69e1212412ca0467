import Analytic
import Diffusion
import Formats
import Foundation
import Testing
import Workflow

@testable import Experiments

@Suite("Stages of analytic denoisers")
struct AnalyticStageTests {
  @Test("patches of all places ask for a stated subset of pictures")
  func subset() {
    func problems(_ places: String, _ pictures: Int) -> [ParameterProblem] {
      AnalyticStage.kind.check(
        .object(["places": .string(places), "pictures": .integer(pictures)]))
    }
    #expect(problems("all", 0).map(\.path) == ["pictures"])
    #expect(problems("all", 0).first?.message.contains("accepted: 1 or more") == true)
    #expect(problems("all", 64).isEmpty && problems("same", 0).isEmpty)
  }

  @Test("a machine's file keeps what it sees; a damaged one is refused by path")
  func machineFile() throws {
    let settings = MachineSettings(
      schedule: try WindowSchedule(sigmas: [0.5, 5], radii: [2, 9]), labelRadius: 3, places: .all,
      labelling: .single, labelDropout: 0.25)
    let url = FileManager.default.temporaryDirectory.appending(
      path: "locus-machine-\(UUID().uuidString).json")
    defer { try? FileManager.default.removeItem(at: url) }
    let written = MachineFile(settings, windows: "calibrated", objects: 1...3, pixels: "ab")
    try written.data.write(to: url)
    let file = StageFile(url: url, sha256: "cd")
    let read = try MachineFile(file)
    #expect(try read.settings(file) == settings)
    #expect(try read.origin(file) == TrainingOrigin(labelling: .single, objects: 1...3))

    for damage in ["{}", "[", #"{"schedule": []}"#] {
      try Data(damage.utf8).write(to: url)
      #expect(throws: ArtifactError.self) { try MachineFile(file) }
    }
    var other = written
    other.places = "somewhere"
    try other.data.write(to: url)
    let strange = try MachineFile(file)
    #expect(throws: ArtifactError.self) { try strange.settings(file) }
  }
}
