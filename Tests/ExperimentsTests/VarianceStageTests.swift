import Formats
import Foundation
import Lineage
import Testing
import Workflow

@testable import Experiments

/// Proves that the design is crossed: told nothing, a denoiser draws the same from the same noise.
@Suite("Variance of layout and noise")
struct VarianceStageTests {
  private static func pipeline(_ stages: String, judged: Int = 640, in folder: URL) throws
    -> Pipeline
  {
    let file = folder.appending(path: "crossed.json5")
    try Data(
      """
      {
        pipeline: "crossed", question: "Are the noises shared?", seed: 5,
        stages: {
          scenes: { kind: "generate", size: 16, cells: 8, objects: [1, 2], count: 60 },
          judge: { kind: "judge", size: 16, cells: 8, renders: 400, pictures: \(judged), held_out: 5 },
          model: {
            kind: "train", inputs: { scenes: "scenes" }, pictures: 320, batch: 16,
            network: { type: "unet", width: 4 }, snapshots: [160],
          },
          other: {
            kind: "train", inputs: { scenes: "scenes" }, labelling: "single", pictures: 160, batch: 16,
            network: { type: "local", width: 4, dilations: [1, 1] },
          },
          \(stages)
        },
      }
      """.utf8
    ).write(to: file)
    return try Pipeline.read(path: file.path, kinds: Experiments.stageKinds, overrides: [])
  }

  private struct Drawn: Hashable {
    var k: Int
    var layout: Int
    var noise: Int
    var digest: String
  }

  /// The rows of a table that a stage left, by the columns named.
  private static func rows(_ store: Store, _ stage: String, _ role: String) throws -> [(
    _ column: String
  ) -> JSONValue?] {
    let hash = try #require(
      try store.query(
        """
        SELECT o.sha256 FROM stage s JOIN execution_output o USING (execution_id)
        WHERE s.name = ? AND o.role = ?
        """, [.text(stage), .text(role)]
      ).rows.first?.first?.text)
    let table = try JSONValue.parse(Data(contentsOf: store.objectURL(hash)))
    let columns = table["columns"]?.array?.compactMap(\.string) ?? []
    return (table["rows"]?.array ?? []).map { row in
      { name in columns.firstIndex(of: name).flatMap { row.array?[$0] } }
    }
  }

  private static func drawn(_ store: Store, _ stage: String) throws -> [Drawn] {
    try rows(store, stage, "table").map { row in
      Drawn(
        k: row("k")?.integer ?? -1, layout: row("layout")?.integer ?? -1,
        noise: row("noise")?.integer ?? -1, digest: row("digest")?.string ?? "")
    }
  }

  /// How many pictures are different among those of one noise, and over all.
  private static func different(_ drawn: [Drawn]) -> (ofOneNoise: Int, overall: Int) {
    let byNoise = Dictionary(grouping: drawn, by: \.noise).mapValues {
      Set($0.map(\.digest)).count
    }
    return (byNoise.values.max() ?? 0, Set(drawn.map(\.digest)).count)
  }

  @Test(
    "all layouts of every K start from the same noises, where evaluate starts each from its own; any denoiser is taken"
  )
  func shared() throws {
    try withTemporaryFolder { folder in
      let settings = "counts: [2, 3], layouts: 3, noises: 4, steps: 4"
      let pipeline = try Self.pipeline(
        """
        untold: {
          kind: "variance", inputs: { denoiser: "model", judge: "judge" }, guidance: 0, \(settings) },
        told: {
          kind: "variance", inputs: { denoiser: "model", judge: "judge", scenes: "scenes" }, \(settings) },
        evaluated: {
          kind: "evaluate", inputs: { denoiser: "model", judge: "judge" }, guidance: 0,
          counts: [2, 3], layouts: 6, steps: 4, shown: 0 },
        early: { kind: "snapshot", inputs: { denoiser: "model" }, pictures: 160 },
        masked: {
          kind: "intervene", inputs: { denoiser: "other", scenes: "scenes" }, mask: "conditioner", radius: 4 },
        early_split: { kind: "variance", inputs: { denoiser: "early", judge: "judge" }, \(settings) },
        masked_split: { kind: "variance", inputs: { denoiser: "masked", judge: "judge" }, \(settings) },
        """, in: folder)
      let (store, _) = try runWhole(pipeline, in: folder.appending(path: "data"))
      let untold = try Self.drawn(store, "untold")
      #expect(untold.count == 2 * 3 * 4)
      #expect(Self.different(untold) == (1, 4))
      // The same design, had each layout noise of its own: one picture a layout, all of them different.
      let own = try Self.rows(store, "evaluated", "outcomes").map {
        Drawn(
          k: $0("k")?.integer ?? -1, layout: $0("layout")?.integer ?? -1, noise: 0,
          digest: $0("digest")?.string ?? "")
      }
      #expect(own.count == 12 && Self.different(own) == (12, 12))
      // Told of its layout, every pair has a picture of its own.
      #expect(Self.different(try Self.drawn(store, "told")) == (6, 24))
      for stage in ["early_split", "masked_split"] {
        #expect(try Self.drawn(store, stage).count == 24)
      }
      // A layout that is ignored makes none of the variance.
      let layouts = try store.query(
        """
        SELECT m.name, m.value FROM stage s JOIN metric m USING (execution_id)
        WHERE s.name = 'untold' AND m.name IN ('count_variance.layout', 'count_variance.rest')
        """)
      #expect(!layouts.rows.isEmpty)
      #expect(layouts.rows.allSatisfy { abs($0[1].number ?? 1) < 1e-9 || ($0[1].number ?? 1) < 0 })
    }
  }

  @Test(
    "what an evaluation drew is looked at as it is stored, and the training picture that is named is the nearest"
  )
  func quality() throws {
    try withTemporaryFolder { folder in
      let pipeline = try Self.pipeline(
        """
        evaluated: {
          kind: "evaluate", inputs: { denoiser: "model", judge: "judge", scenes: "scenes" },
          counts: [0, 2, 3], layouts: 5, steps: 4, shown: 0 },
        looked: {
          kind: "quality", inputs: { outcomes: "evaluated", judge: "judge", scenes: "scenes" },
          dimensions: 3, renders: 20, splits: 40, resamples: 40 },
        copying: {
          kind: "analytic", inputs: { scenes: "scenes" }, places: "all", pictures: 60, radius: 16,
          counts: [1, 2] },
        copied: {
          kind: "evaluate", inputs: { denoiser: "copying", judge: "judge" }, counts: [1, 2],
          layouts: 6, steps: 8, shown: 0 },
        copies: {
          kind: "quality", inputs: { outcomes: "copied", judge: "judge", scenes: "scenes" },
          dimensions: 3, renders: 20, splits: 40, resamples: 40 },
        """, judged: 3000, in: folder)
      let (store, _) = try runWhole(pipeline, in: folder.appending(path: "data"))
      func bytes(_ stage: String, _ role: String) throws -> [UInt8] {
        let hash = try #require(
          try store.query(
            """
            SELECT o.sha256 FROM stage s JOIN execution_output o USING (execution_id)
            WHERE s.name = ? AND o.role = ?
            """, [.text(stage), .text(role)]
          ).rows.first?.first?.text)
        let array = try NPYArray(npy: Data(contentsOf: store.objectURL(hash)))
        guard case .uint8(let bytes) = array.elements else { return [] }
        return bytes
      }
      let (drawn, training) = (try bytes("evaluated", "samples"), try bytes("scenes", "pixels"))
      let count = 16 * 16 * 3
      let rows = try Self.rows(store, "looked", "table")
      // The blank requests, which come first, are not looked at.
      #expect(rows.count == 10)
      for (n, row) in rows.enumerated() {
        let own = drawn[(n + 5) * count..<(n + 6) * count]
        let sums = (0..<60).map { m in
          zip(own, training[m * count..<(m + 1) * count]).reduce(0) {
            $0 + (Int($1.0) - Int($1.1)) * (Int($1.0) - Int($1.1))
          }
        }
        let nearest = try #require(row("training_picture")?.integer)
        #expect(sums[nearest] == sums.min())
        let distance = (Double(sums[nearest]) / Double(count)).squareRoot() / 127.5
        #expect(abs((row("distance")?.number ?? 0) - distance) < 1e-9)
      }
      // A network that has hardly learned does not draw what renders show.
      let found = try store.query(
        """
        SELECT f.value, n.ci_high FROM stage s JOIN metric f USING (execution_id)
        JOIN metric n USING (execution_id) WHERE s.name = 'looked' AND f.name = 'frechet_beyond' AND n.name = 'frechet_beyond_null'
        """
      ).rows
      #expect(found.count == 1)
      #expect((found.first?[0].number ?? 0) > (found.first?[1].number ?? .infinity))
      // The exact posterior of few pictures draws these, and is found out.
      let copies = try store.query(
        """
        SELECT m.value, m.n FROM stage s JOIN metric m USING (execution_id)
        WHERE s.name = 'copies' AND m.name LIKE 'training_near%' ORDER BY m.name
        """
      ).rows
      #expect(copies.reduce(0) { $0 + ($1[1].integer ?? 0) } == 12)
      #expect(copies.allSatisfy { ($0[0].number ?? 0) > 0.9 }, "\(copies)")
    }
  }
}
