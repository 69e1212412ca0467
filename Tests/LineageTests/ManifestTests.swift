// Proves that what a manifest says stands in the store, and leads from an evaluation to its denoiser.
import Formats
import Foundation
import Measures
import Testing

@testable import Lineage

@Suite("Manifests")
struct ManifestTests {
  private static let trained = """
    {"camera":"overhead","form":"trained","format":1,"labelling":"single",\
    "network":{"type":"unet"},"objects":[1,3],"size":32,"space":{"grid":16},"type":"denoiser",\
    "weights":"aa","window":32}
    """

  private func masked(_ base: String) -> String {
    """
    {"base":"\(base)","form":"masked","format":1,"mask":{"mask":"conditioner","radius":7},\
    "type":"denoiser"}
    """
  }

  /// A run with a model, a mask before it, and an evaluation of each.
  private func study() throws -> StoreFixture {
    let fixture = try StoreFixture()
    let run = try fixture.begin()
    let plain = fixture.hash(Self.trained)
    let mask = masked(plain)
    let hidden = fixture.hash(mask)
    try fixture.stage(
      run, "model", "train", files: [("weights", "w")], manifests: [("manifest", Self.trained)])
    try fixture.stage(
      run, "masked", "intervene",
      inputs: [("denoiser/manifest", plain), ("denoiser/weights", fixture.hash("w"))],
      files: [], manifests: [("manifest", mask)])
    for (name, denoiser, role) in [("plain", plain, "o1"), ("behind", hidden, "o2")] {
      try fixture.stage(
        run, name, "evaluate", inputs: [("denoiser/manifest", denoiser)], files: [("rows", role)],
        metrics: [Measure.recall.row(0.5, .k(5), .seed(1))])
    }
    try fixture.stage(
      run, "comparison", "compare", inputs: [("evaluations[0]/manifest", fixture.hash("o1"))],
      files: [("table", "t")])
    return fixture
  }

  @Test("each denoiser has a row, a masked one with the facts of its base")
  func denoisers() throws {
    let fixture = try study()
    let plain = fixture.hash(Self.trained)
    let rows = try fixture.store.rows("SELECT * FROM denoiser ORDER BY form")
    #expect(
      try rows.map { try $0.text("sha256") } == [fixture.hash(masked(plain)), plain])
    for row in rows {
      #expect(try row.text("labelling") == "single")
      #expect(try row.text("network") == "unet")
      #expect(try row.integer("objects_min") == 1 && row.integer("objects_max") == 3)
      #expect(try row.integer("window") == 32 && row.integer("cells") == 16)
      #expect(try row.text("camera") == "overhead" && row.text("weights") == "aa")
    }
    #expect(try rows.map { try $0.optionalText("mask") } == ["conditioner", nil])
    #expect(try rows.map { try $0.optionalText("base") } == [plain, nil])
  }

  @Test("an evaluation leads to its model and its mask")
  func models() throws {
    let fixture = try study()
    let found = try fixture.store.query(
      "SELECT model, labelling, arm, intervention FROM run_length_generalization ORDER BY arm")
    #expect(
      found.rows == [
        [.text("model"), .text("single"), .text("conditioner"), .text("masked")],
        [.text("model"), .text("single"), .text("none"), .null],
      ])
  }

  @Test("the database can be made again from receipts alone, and is verified")
  func rebuilt() throws {
    let fixture = try study()
    let before = try StoreFixture.rows(fixture.store.database)
    #expect(before["manifest"]?.count == 2)
    #expect(try Store.verify(fixture.folder, .locus).isEmpty)
    try fixture.store.database.execute("DELETE FROM manifest WHERE type = 'denoiser'")
    #expect(try Store.verify(fixture.folder, .locus).map(\.place) == [.database, .database])
    _ = try Store.rebuild(fixture.folder, .locus)
    #expect(
      try StoreFixture.rows(Store.open(fixture.folder, .readWrite, .locus).database) == before)
  }

  @Test(
    "what is no manifest is not published as one",
    arguments: ["[]", "{\"form\":1}", "{\"type\":3}", "not json", "{\"type\": \"x\"}"])
  func refused(_ text: String) throws {
    let fixture = try StoreFixture()
    let run = try fixture.begin()
    #expect(throws: StoreError.self) {
      try fixture.stage(run, "a", "train", files: [], manifests: [("manifest", text)])
    }
    #expect(try fixture.store.texts("SELECT id FROM execution").isEmpty)
  }

  @Test("a receipt whose manifest is not its artifact is damaged")
  func disagreeing() throws {
    let fixture = try study()
    let id = try #require(
      fixture.store.texts("SELECT id FROM execution WHERE kind = 'train'").first)
    let url = fixture.store.receiptURL(execution: id)
    var record = try Receipt.read(ExecutionRecord.self, from: url)
    record.artifacts = record.artifacts.map { artifact in
      var artifact = artifact
      if artifact.manifest != nil { artifact.manifest = .object(["type": .string("denoiser")]) }
      return artifact
    }
    try Receipt.data(record, path: url.path).write(to: url)
    let faults = try Store.verify(fixture.folder, .locus)
    #expect(faults.first?.problem == "has a manifest that is not its artifact")
  }
}
