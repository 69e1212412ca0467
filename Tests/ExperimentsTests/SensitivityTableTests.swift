import Artifacts
import Formats
import Foundation
import Probing
import Testing
import Workflow

@Suite("The table of a probe")
struct SensitivityTableTests {
  private static func table(_ text: String) throws -> SensitivityTable {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "changes.json")
      try Data(text.utf8).write(to: url)
      return try SensitivityTable(StageFile(url: url, sha256: "0"))
    }
  }

  private static let whole: SensitivityTable = {
    var changes = RemoteChanges()
    (changes.labels, changes.own, changes.swapped, changes.replaced) = (3, 0.1, 1 / 3, 2)
    (changes.remoteLabels, changes.remoteOwn, changes.single) = (2, 1e-30, 0.25)
    (changes.removed, changes.moved) = (4, 0.125)
    return SensitivityTable(
      [("law", 3, 0.5, 0), ("trajectory", 9, 80, 1)].map {
        .init(inputs: $0.0, k: $0.1, sigma: $0.2, picture: $0.3, changes: changes)
      })
  }()

  @Test("comes back as it was written, to the last bit")
  func roundTrip() throws {
    #expect(try Self.table(Self.whole.json.canonicalText()).pictures == Self.whole.pictures)
  }

  @Test("refuses what it has not written")
  func damaged() throws {
    let text = Self.whole.json.canonicalText()
    for (from, to) in [
      ("\"own\"", "\"owned\""), ("\"law\",3", "\"law\",\"3\""), ("0.125", "-0.125"),
      ("\"law\",3,", "\"law\","), ("\"rows\"", "\"row\""),
    ] {
      #expect(text.contains(from))
      #expect(throws: ArtifactError.self) { try Self.table(text.replacing(from, with: to)) }
    }
  }
}
