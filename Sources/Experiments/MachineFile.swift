import Analytic
import Diffusion
import Formats
import Foundation
import Workflow

/// An analytic denoiser on disk: what it sees, beside its training pictures and their conditioners.
struct MachineFile: Codable {
  /// Where the windows come from: `fixed`, `calibrated` or a published schedule.
  var windows: String
  var schedule: WindowSchedule
  var labelRadius: Int
  var places: String
  var labelling: String
  var labelDropout: Double
  /// Fewest and most objects in a training picture.
  var objects: [Int]
  /// SHA-256 of the training pictures: machines on different sets are different artifacts.
  var pixels: String

  enum CodingKeys: String, CodingKey {
    case windows
    case schedule
    case labelRadius = "label_radius"
    case places
    case labelling
    case labelDropout = "label_dropout"
    case objects
    case pixels
  }

  init(
    _ settings: MachineSettings, windows: String, objects: ClosedRange<Int>, pixels: String
  ) {
    self.windows = windows
    schedule = settings.schedule
    labelRadius = settings.labelRadius
    places = settings.places.rawValue
    labelling = settings.labelling.rawValue
    labelDropout = settings.labelDropout
    self.objects = [objects.lowerBound, objects.upperBound]
    self.pixels = pixels
  }

  var data: Data {
    get throws {
      Data(try JSONValue.parse(try JSONEncoder().encode(self)).prettyText().utf8)
    }
  }

  /// - Throws: `ArtifactError` for a file that is no machine.
  init(_ file: StageFile) throws {
    let data = try file.data()
    do {
      self = try JSONDecoder().decode(MachineFile.self, from: data)
    } catch {
      throw ArtifactError(file: file, reason: "is no analytic machine: \(error)")
    }
  }

  func settings(_ file: StageFile) throws -> MachineSettings {
    guard let places = MachineSettings.Places(rawValue: places),
      let labelling = Labelling(rawValue: labelling)
    else {
      throw ArtifactError(
        file: file, reason: "has places \(places) and labelling \(labelling), which do not exist")
    }
    return MachineSettings(
      schedule: schedule, labelRadius: labelRadius, places: places, labelling: labelling,
      labelDropout: labelDropout)
  }

  func origin(_ file: StageFile) throws -> TrainingOrigin {
    guard objects.count == 2, objects[0] <= objects[1] else {
      throw ArtifactError(file: file, reason: "has objects \(objects), accepted: fewest and most")
    }
    return TrainingOrigin(
      labelling: try settings(file).labelling, objects: objects[0]...objects[1])
  }
}
