import Formats
import Foundation
import Lineage

/// A picture that a stage left.
struct SectionPicture {
  var stage: String
  /// `nil` when it is not what its hash says, or not there any more.
  private var content: Data?

  /// More are looked at by nobody.
  static let most = 10

  /// Of several replicates the first alone, and of more than can be looked at those of what the claims are
  /// about: a study has hundreds of pictures.
  static func all(_ data: RunData, kind: String, role: String) throws -> [SectionPicture] {
    let memory = HashMemory(data.store)
    var shown: Set<String> = []
    var files = try data.ask(StageFileRow.question(data.run.id, kind: kind, role: role)).filter {
      shown.insert(Findings.withoutSeed($0.stage)).inserted
    }
    if files.count > most {
      let claims = try ClaimsOfRun(data).claims
      let titles = Dictionary(
        try data.ask(PicturedRow.question(data.run.id, kind: kind)).map { ($0.stage, $0.title) },
        uniquingKeysWith: { first, _ in first })
      let claimed = files.filter { file in
        titles[file.stage].map { title in
          claims.names.contains {
            data.naming.replicate(of: $0, title: title, stage: file.stage) != nil
          }
        } ?? false
      }
      files = Array((claimed.isEmpty ? files : claimed).prefix(most))
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

/// Which denoiser a stage with a picture was about.
struct PicturedRow {
  var stage: String
  var title: String

  static func question(_ runID: String, kind: String) -> Question<PicturedRow> {
    Question(
      """
      SELECT v.name AS stage, coalesce(v.intervention, v.model) AS title FROM run_model v
      WHERE v.run_id = \(Escape.sql(runID)) AND v.kind = \(Escape.sql(kind)) ORDER BY v.position
      """
    ) { PicturedRow(stage: try $0.text("stage"), title: try $0.text("title")) }
  }
}
