import Foundation
import Lineage
import Testing
import Workflow

@testable import Experiments

/// Proves that a training goes the same way however long it is, and that what is asked for is what is kept.
@Suite("Snapshots of trainings")
struct SnapshotTests {
  private static func pipeline(_ folder: URL, _ early: String) throws -> Pipeline {
    let file = folder.appending(path: "snapshots.json5")
    try Data(
      """
      {
        pipeline: "snapshots", question: "Is the middle of a training a shorter one?", seed: 3,
        stages: {
          scenes: { kind: "generate", size: 16, cells: 8, objects: [1, 2], count: 40 },
          long: {
            kind: "train", inputs: { scenes: "scenes" }, labelling: "single", pictures: 100, batch: 16,
            network: { type: "unet", width: 4 }, snapshots: [33, 90],
          },
          short: {
            kind: "train", inputs: { scenes: "scenes" }, labelling: "single", pictures: 33, batch: 16,
            network: { type: "unet", width: 4 },
          },
          early: { kind: "snapshot", inputs: { denoiser: "long" }, \(early) },
        },
      }
      """.utf8
    ).write(to: file)
    return try Pipeline.read(path: file.path, kinds: Experiments.stageKinds, overrides: [])
  }

  @Test("a snapshot is, bit for bit, the denoiser that a training of so many pictures gives")
  func prefix() throws {
    try withTemporaryFolder { folder in
      let pipeline = try Self.pipeline(folder, "matrix: { pictures: [33, 90] }")
      let (store, _) = try runWhole(pipeline, in: folder.appending(path: "data"), threads: 1)
      func file(_ name: String, _ role: String) throws -> SQLValue? {
        try store.query(
          """
          SELECT o.sha256 FROM stage s JOIN execution_output o USING (execution_id)
          WHERE s.name = ? AND o.role = ?
          """, [.text(name), .text(role)]
        ).rows.first?.first
      }
      let early = try #require(try file("early[pictures=33]", "weights"))
      #expect(try file("short", "weights") == early)
      #expect(try file("long", "snapshot-33") == early)
      let late = try #require(try file("early[pictures=90]", "weights"))
      #expect(late != early)
      #expect(try file("long", "weights") != late)
      // The manifest says the same of both, so that nothing tells a snapshot from the shorter training.
      #expect(try file("short", "manifest") == file("early[pictures=33]", "manifest"))
    }
  }

  @Test(
    "what no training kept is refused before any work, with what it kept",
    arguments: [
      ("pictures: 34", "found 34, accepted: 33, 90"), ("pictures: 100", "accepted: 33, 90"),
    ])
  func refused(_ early: String, _ message: String) throws {
    _ = try withTemporaryFolder { folder in
      #expect {
        try Self.pipeline(folder, early)
      } throws: {
        "\($0)".contains(message)
      }
    }
  }
}
