import Experiments
import Foundation
import Reporting
import Testing
import Workflow

@Suite("The pipelines that are kept")
struct PipelinesTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../Pipelines").standardizedFileURL

  private static let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
    .filter { $0.hasSuffix(".json5") }.sorted()

  @Test("each can be run as it stands", arguments: names ?? [])
  func parses(_ name: String) throws {
    let url = Self.folder.appending(path: name)
    let pipeline = try Pipeline.parse(
      bytes: Array(Data(contentsOf: url)), path: url.path, kinds: Experiments.stageKinds,
      extensions: [.claims])
    #expect(pipeline.instances.count > 5)
  }

  @Test(
    "each has a small version, of as many instances with the same names", arguments: names ?? [])
  func scales(_ name: String) throws {
    let url = Self.folder.appending(path: name)
    func read(_ overrides: [String]) throws -> [String] {
      try Pipeline.parse(
        bytes: Array(Data(contentsOf: url)), path: url.path, kinds: Experiments.stageKinds,
        overrides: overrides, extensions: [.claims]
      ).instances.map(\.name)
    }
    #expect(try read(["scale=0.02"]) == read([]))
  }

  @Test("none is forgotten")
  func all() {
    #expect(Self.names?.contains("length-generalization.json5") == true)
    #expect((Self.names?.count ?? 0) >= 6)
  }
}
