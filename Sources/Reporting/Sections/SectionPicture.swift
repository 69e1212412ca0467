import Foundation

/// A picture that a stage left and that is still there.
struct SectionPicture {
  var stage: String
  var content: Data

  static func all(_ data: RunData, kind: String, role: String) throws -> [SectionPicture] {
    try data.ask(StageFileRow.question(data.run.id, kind: kind, role: role)).compactMap { file in
      (try? Data(contentsOf: data.store.objectURL(file.sha256))).map {
        SectionPicture(stage: file.stage, content: $0)
      }
    }
  }
}
