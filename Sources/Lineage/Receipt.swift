import Formats
import Foundation

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
    guard let data = try? Data(contentsOf: url) else {
      throw .damaged(path: url.path, reason: "cannot be read")
    }
    return try decode(type, data, path: url.path)
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
