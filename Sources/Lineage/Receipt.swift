import Formats
import Foundation

/// What a receipt holds: its id is the name of its file.
protocol Receipted: Codable {
  var id: String { get }
}

extension ExecutionRecord: Receipted {}
extension RunRecord: Receipted {}

/// A receipt: a record with its hash, so that a changed one is noticed. Receipts and objects are the
/// truth; the database is their index.
enum Receipt {
  static let executions = "receipts/executions"
  static let runs = "receipts/runs"

  /// The file's content: `{"sha256": hash of content, "content": …}`, keys sorted.
  static func data(_ record: some Encodable, path: String) throws(StoreError) -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
      let content = try encoder.encode(record)
      let hash = SHA256.hash(content)
      return Data("{\"sha256\":\"\(hash)\",\"content\":".utf8) + content + Data("}\n".utf8)
    } catch {
      throw .inputOutput(path: path, reason: "the receipt cannot be encoded: \(error)")
    }
  }

  static func read<T: Decodable>(_ type: T.Type, from url: URL) throws(StoreError) -> T {
    // A link leads elsewhere, and a device may have no end.
    guard Store.size(of: url) != nil else {
      throw .damaged(path: url.path, reason: "is no ordinary file")
    }
    guard let data = try? Data(contentsOf: url) else {
      throw .damaged(path: url.path, reason: "cannot be read")
    }
    let record = try decode(type, data, path: url.path)
    // Ids and names of pipelines become names of files.
    guard let receipted = record as? any Receipted else { return record }
    let names = [receipted.id] + ((record as? RunRecord).map { [$0.pipeline] } ?? [])
    guard receipted.id + ".json" == url.lastPathComponent,
      names.allSatisfy({ isPlainName($0, most: 128) })
    else { throw .damaged(path: url.path, reason: "is of another execution or run") }
    return record
  }

  static func decode<T: Decodable>(_ type: T.Type, _ data: Data, path: String) throws(StoreError)
    -> T
  {
    // `{"sha256":"` + 64 digits + `","content":` + content + `}\n`
    let head = Data("{\"sha256\":\"".utf8)
    let middle = Data("\",\"content\":".utf8)
    let start = head.count + 64 + middle.count
    guard data.count > start + 2, data.starts(with: head),
      data[head.count + 64..<start] == middle, data.suffix(2) == Data("}\n".utf8)
    else { throw .damaged(path: path, reason: "not a receipt") }
    let content = data[start..<data.count - 2]
    guard
      SHA256.hash(Data(content))
        == String(decoding: data[head.count..<head.count + 64], as: UTF8.self)
    else { throw .damaged(path: path, reason: "its content does not have its hash") }
    do {
      return try JSONDecoder().decode(type, from: content)
    } catch {
      throw .damaged(path: path, reason: "its content is not a record of this version")
    }
  }
}
