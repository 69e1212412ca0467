// Proves that formats which only go out hold what their specifications ask, whatever the names.
import Foundation
import Testing

@testable import Formats

@Suite("formats of exports")
struct ExportFormatTests {
  @Test(
    "a name becomes a file's name that MLflow takes, and leads nowhere else",
    arguments: [
      ("recall.k_4", "recall.k_4"), ("../../x", ".._.._x"), ("..", "_"), (".", "_"),
      ("a/b\nc", "a_b_c"), ("σ=0.5", "__0.5"), ("two words", "two words"),
    ])
  func keys(_ name: String, _ key: String) { #expect(MLflowRun.key(name) == key) }

  @Test("a UUID follows from a hash, with its version and variant")
  func uuid() throws {
    let made = try #require(OpenLineageEvent.uuid("00112233445566778899AABBCCDDEEFF00"))
    #expect(made == "00112233-4455-8677-a899-aabbccddeeff")
    #expect(UUID(uuidString: made) != nil)
    #expect(
      OpenLineageEvent.uuid("short") == nil
        && OpenLineageEvent.uuid("run of a study, not a hash, but long") == nil)
  }

  @Test("a file's fields are told from its beginning; one that is cut off or false has none")
  func fields() throws {
    let array = try NPYArray(shape: [2, 3], elements: .uint8([0, 1, 2, 3, 4, 5])).npyData()
    let weights = Safetensors(
      tensors: ["w": .init(shape: [2], values: [1, 2])], metadata: ["a": "b"]
    ).data()
    let cases: [(String, Data, [DataField])] = [
      ("application/x-npy", array, [DataField("value", "|u1", "of 2 × 3 elements")]),
      ("application/x-safetensors", weights, [DataField("w", "F32", "a tensor of 2 elements")]),
      (
        "text/csv", Data("a,b\n1,2\n".utf8),
        [DataField("a", "string", "a column"), DataField("b", "string", "a column")]
      ),
      (
        "application/vnd.locus.manifest+json", Data("{\"n\":1,\"list\":[]}".utf8),
        [DataField("list", "array", "a member"), DataField("n", "integer", "a member")]
      ),
    ]
    for (type, data, fields) in cases {
      #expect(DataField.fields(mediaType: type, begin: data) == fields)
      for count in 0..<min(data.count, 12) where type != "text/csv" || count < 4 {
        #expect(
          DataField.fields(mediaType: type, begin: data.prefix(count)).isEmpty, "\(type) \(count)")
      }
      #expect(DataField.fields(mediaType: type, begin: Data("no".utf8)).isEmpty)
    }
    #expect(DataField.fields(mediaType: "image/png", begin: array).isEmpty)
  }
}
