import Foundation
import Lineage

/// A picture that a stage left.
struct SectionPicture {
  var stage: String
  /// `nil` when it is not what its hash says, or not there any more.
  private var content: Data?

  /// Of several replicates the first alone: a study has hundreds of pictures.
  static func all(_ data: RunData, kind: String, role: String) throws -> [SectionPicture] {
    let memory = HashMemory(data.store)
    var shown: Set<String> = []
    let files = try data.ask(StageFileRow.question(data.run.id, kind: kind, role: role)).filter {
      shown.insert(Findings.withoutSeed($0.stage)).inserted
    }
    return try files.map { file in
      do {
        return SectionPicture(
          stage: file.stage, content: try Data(contentsOf: memory.intactObject(file.sha256)))
      } catch StoreError.damaged {
        return SectionPicture(stage: file.stage, content: nil)
      }
    }
  }

  /// The picture, or that it is damaged.
  func block(name: String, alternative: String) -> Block {
    guard let content else {
      return .paragraph(
        "**Missing or damaged:** the store has no such picture as was made; `locus verify` says more."
      )
    }
    return .picture(name: name, content: content, stage: stage, alternative: alternative)
  }
}
