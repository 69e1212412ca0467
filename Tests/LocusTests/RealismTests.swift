// Proves that real pictures are held against renders of the same scenes, and of no others.
import Formats
import Foundation
import Lineage
import Measures
import Testing

@testable import Scenes

@Suite("Real pictures beside renders")
struct RealismTests {
  /// Where nothing stands, as CLEVR's camera sees it: (320, 480, 3).
  private static func ground() -> [UInt8] {
    let side = 320
    var square = [UInt8](repeating: 0, count: side * side * 3)
    square.withUnsafeMutableBufferPointer {
      render(
        Scene(objects: [], camera: CameraKind.whole.camera(at: CLEVRView.position)),
        SceneSettings(camera: .whole, size: side, cells: 1, rules: LayoutRules(objects: 0...0)),
        into: $0)
    }
    return (0..<side).flatMap { row in
      (0..<480).flatMap { column in
        let i = 3 * (row * side + column * side / 480)
        return square[i..<i + 3]
      }
    }
  }

  @Test(
    "equal pictures differ in nothing, pictures of nothing have nothing to find, others are refused"
  )
  func control() throws {
    try withFolder { folder in
      let clevr = try SmallCLEVR(in: folder.appending(path: "clevr"))
      let ground = Self.ground()
      for scene in clevr.scenes {
        try PNGImage(width: 480, height: 320, pixels: ground).pngData()
          .write(to: clevr.images.appending(path: scene.picture))
      }
      let pipeline = """
        { pipeline: "p", question: "q", seed: 1, stages: {
          real: { kind: "import-clevr", scenes: "clevr/scenes/CLEVR_train_scenes.json",
            images: "clevr/images/train", size: 32, cells: 8 },
          rendered: { kind: "import-clevr", scenes: "clevr/scenes/CLEVR_train_scenes.json", size: 32, cells: 8 },
          few: { kind: "import-clevr", scenes: "clevr/scenes/CLEVR_train_scenes.json", size: 32, cells: 8,
            objects: [1, 3] },
          judge: { kind: "judge", camera: "clevr-whole", size: 32, cells: 8, renders: 400, pictures: 3200, held_out: 5 },
          same: { kind: "realism", inputs: { pictures: "rendered", renders: "rendered", judge: "judge" },
            renders: 8, dimensions: 2, splits: 20, resamples: 20 },
          empty: { kind: "realism", inputs: { pictures: "real", renders: "rendered", judge: "judge" },
            renders: 8, dimensions: 2, splits: 20, resamples: 20 },
          others: { kind: "realism", inputs: { pictures: "few", renders: "rendered", judge: "judge" },
            renders: 8, dimensions: 2, splits: 20, resamples: 20 } } }
        """
      try Data(pipeline.utf8).write(to: folder.appending(path: "p.json5"))
      let result = try Executable.run(["run", "p.json5", "--quiet"], in: folder)
      #expect(result.code == 65)
      #expect(result.error.contains("are not of the same scenes"), "\(result.error)")
      let page = try #require(
        try FileManager.default.contentsOfDirectory(
          at: folder.appending(path: "reports/p"), includingPropertiesForKeys: nil
        ).first { $0.pathExtension == "md" })
      // Equal pictures: neither less nor more.
      #expect(
        try String(contentsOf: page, encoding: .utf8).contains(
          "\n**Not shown: that the judge finds less, or more, in real pictures"))
      let store = try Store.open(folder.appending(path: "data"), .readOnly, .locus)
      func value(_ stage: String, _ name: String, _ detector: String? = nil) throws -> Double {
        try #require(
          store.query(
            """
            SELECT m.value FROM stage s JOIN metric m USING (execution_id)
            WHERE s.name = ? AND m.name = ? AND m.k IS NULL AND m.detector IS ?
            """, [.text(stage), .text(name), detector.map { .text($0) } ?? .null]
          ).rows.first?.first?.number)
      }
      for detector in ["trained", "background"] {
        #expect(
          try value("same", "real_recall", detector) == value("same", "rendered_recall", detector))
        #expect(try value("same", "real_recall_difference", detector) == 0)
      }
      #expect(try value("same", "real_frechet") == value("same", "rendered_frechet"))
      let rendered = try value("empty", "rendered_recall", "trained")
      #expect(rendered > 0.5)
      #expect(try value("empty", "real_recall", "trained") < rendered / 2)
      #expect(
        try abs(
          value("empty", "real_recall_difference", "trained")
            - (value("empty", "real_recall", "trained") - rendered)) < 1e-12)
      #expect(
        try value("empty", "real_frechet") > value("empty", "rendered_frechet"))
    }
  }
}
