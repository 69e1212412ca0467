import Formats
import Foundation

/// What a receipt holds, and what it was in earlier formats.
protocol ReceiptContent: Codable {
  /// Completes what was decoded from the content of an older format.
  mutating func upgrade(from format: Int, content: Data, by upgrade: Upgrade) throws
  /// The names of stages in it, which pages, graphs and terminals show.
  var stageNames: [String] { get }
}

extension ReceiptContent {
  mutating func upgrade(from format: Int, content: Data, by upgrade: Upgrade) throws {}
  var stageNames: [String] { [] }
}

/// What has a receipt of its own: its id is the name of the file.
protocol Receipted: ReceiptContent, Sendable {
  /// Where receipts of its kind lie, a path within the store.
  static var folder: String { get }
  var id: String { get }
}

extension Receipted {
  static func receiptURL(_ id: String, in store: URL) -> URL {
    store.appending(path: "\(folder)/\(id).json")
  }

  /// - Throws: `StoreError.damaged` where its id is no name, or why it cannot be written.
  func writeReceipt(in store: URL) throws(StoreError) {
    guard isPlainName(id, most: 128) else {
      throw .damaged(path: store.path, reason: "an id in it is no name")
    }
    let url = Self.receiptURL(id, in: store)
    try AtomicFile.write(try Receipt.data(self, path: url.path), to: url, in: store)
  }
}

extension ExecutionRecord: Receipted {
  static var folder: String { Receipt.executions }

  /// The beginning of the key, the attempt, and a hash of all that the record says: no two executions have
  /// one id, of whichever stores they come, and none that was lost has its id given away.
  func ownID() throws(StoreError) -> String {
    var record = self
    record.id = ""
    return "\(key.prefix(16))-\(attempt)-\(try Receipt.mark(record))"
  }

  mutating func upgrade(from format: Int, content: Data, by upgrade: Upgrade) throws {
    if format >= 2 { return }
    let old = try JSONDecoder().decode(FirstFormat.self, from: content)
    metrics = try (old.rows["metrics"] ?? []).map(upgrade.metric)
    for (member, table) in upgrade.tables {
      guard let rows = old.rows[member], let first = rows.first else { continue }
      let columns = first.keys.sorted()
      tables[table] = TableRows(
        columns: columns, rows: rows.map { row in columns.compactMap { row[$0] } })
    }
  }

  /// Every member of a receipt of format 1 that is a list of rows.
  private struct FirstFormat: Decodable {
    var rows: [String: [[String: ColumnValue]]] = [:]

    private struct Member: CodingKey {
      var stringValue: String
      var intValue: Int? { nil }
      init(stringValue: String) { self.stringValue = stringValue }
      init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: Member.self)
      for member in container.allKeys {
        rows[member.stringValue] = try? container.decode(
          [[String: ColumnValue]].self, forKey: member)
      }
    }
  }
}

extension RunRecord: Receipted {
  static var folder: String { Receipt.runs }

  mutating func upgrade(from format: Int, content: Data, by upgrade: Upgrade) throws {
    if format >= 3 { return }
    sequence = Self.sequence(ofStart: startedAt)
    (options, machine) = ([], [:])
  }

  var stageNames: [String] { stages.map(\.name) }
}

/// A receipt: a record with its hash, so that a changed one is noticed. Receipts and objects are the
/// truth; the database is their index.
enum Receipt {
  static let executions = "receipts/executions"
  static let runs = "receipts/runs"

  /// History, as the schema's: an older format is upgraded when it is read, a newer one refused.
  ///
  /// 1. `{"sha256":…,"content":…}`; a metric has `step` and `arm`, rows of further tables are members
  ///    of the content.
  /// 2. `{"format":2,"sha256":…,"content":…}`; a metric stands `at` its dimensions and may have a
  ///    `subject`, `tables` holds the rows of further tables, an artifact may have its `manifest`, an
  ///    execution its `kindVersion` and `instructions`.
  /// 3. A run has its `sequence`, its `options` and its `machine`.
  static let format = 3

  static let mostAttempts = 1_000_000_000
  /// The year 9999.
  static let lastSequence = 253_402_300_799_999

  private static let head = Data("{\"format\":".utf8)
  private static let middle = Data("\"sha256\":\"".utf8)
  private static let tail = Data("\",\"content\":".utf8)
  private static let end = Data("}\n".utf8)

  /// One for many records.
  static var encoder: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return encoder
  }

  /// The file's content: `{"format": …, "sha256": hash of content, "content": …}`, keys sorted.
  static func data(
    _ record: some Encodable, path: String, by encoder: JSONEncoder = encoder
  ) throws(StoreError) -> Data {
    do {
      let content = try encoder.encode(record)
      let hash = Data(SHA256.hash(content).utf8)
      return head + Data("\(format),".utf8) + middle + hash + tail + content + end
    } catch {
      throw .inputOutput(path: path, reason: "the receipt cannot be encoded: \(error)")
    }
  }

  /// Twelve hexadecimal digits that stand for all of a record.
  static func mark(_ record: some Encodable) throws(StoreError) -> String {
    do {
      return String(SHA256.hash(try encoder.encode(record)).prefix(12))
    } catch {
      throw .inputOutput(path: "receipt", reason: "it cannot be encoded: \(error)")
    }
  }

  static func read<T: ReceiptContent>(_ type: T.Type, from url: URL, by upgrade: Upgrade = .none)
    throws(StoreError) -> T
  {
    let data: Data?
    do {
      data = try StoreFile.read(url)
    } catch .link, .wrongKind {
      throw .damaged(path: url.path, reason: "is no ordinary file")
    }
    guard let data else { throw .damaged(path: url.path, reason: "missing") }
    let record = try decode(type, data, path: url.path, by: upgrade)
    // Ids and names of pipelines become names of files.
    guard let receipted = record as? any Receipted else { return record }
    let names = [receipted.id] + ((record as? RunRecord).map { [$0.pipeline] } ?? [])
    guard receipted.id == url.deletingPathExtension().lastPathComponent,
      names.allSatisfy({ isPlainName($0, most: 128) })
    else { throw .damaged(path: url.path, reason: "is of another execution or run") }
    return record
  }

  /// `nil` for what is damaged; whatever else keeps it from being read is an error.
  static func readIfWhole<T: ReceiptContent>(_ type: T.Type, from url: URL) throws(StoreError) -> T?
  {
    do {
      return try read(type, from: url)
    } catch .damaged {
      return nil
    }
  }

  static func decode<T: ReceiptContent>(
    _ type: T.Type, _ data: Data, path: String, by upgrade: Upgrade = .none
  ) throws(StoreError) -> T {
    let found = try refuseNewer(data, path: path)
    let rest = data.dropFirst(found.length)
    // `"sha256":"` + 64 digits + `","content":` + content + `}\n`
    let hash = rest.dropFirst(middle.count).prefix(64)
    let content = rest.dropFirst(middle.count + 64 + tail.count).dropLast(end.count)
    guard rest.starts(with: middle), rest.dropFirst(middle.count + 64).starts(with: tail),
      rest.suffix(end.count) == end, !content.isEmpty
    else { throw .damaged(path: path, reason: "not a receipt") }
    guard SHA256.hash(Data(content)) == String(decoding: hash, as: UTF8.self) else {
      throw .damaged(path: path, reason: "its content does not have its hash")
    }
    var record: T
    do {
      record = try JSONDecoder().decode(type, from: content)
      try record.upgrade(from: found.format, content: content, by: upgrade)
    } catch {
      throw .damaged(path: path, reason: "its content is not a record of this version")
    }
    if let name = record.stageNames.first(where: { !isInstanceName($0) }) {
      throw .damaged(path: path, reason: "\(Escape.message(name)) is no name of a stage")
    }
    return record
  }

  /// Whether a file begins as receipts of any format do.
  static func isBegun(_ data: some Collection<UInt8>) -> Bool {
    data.starts(with: head) || data.starts(with: [UInt8(ascii: "{")] + middle)
  }

  /// The format that a receipt says it has, and how many bytes come before its hash.
  ///
  /// - Throws: `StoreError.newerReceipt`. Whatever else such a file holds is for the version that made
  ///   it: it is neither damaged nor missing.
  @discardableResult
  static func refuseNewer(_ data: Data, path: String) throws(StoreError) -> (
    format: Int, length: Int
  ) {
    guard data.starts(with: head) else { return (1, 1) }
    let digits = data.dropFirst(head.count).prefix {
      (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
    }
    guard let found = Int(String(decoding: digits, as: UTF8.self)), found > 1 else { return (1, 1) }
    if found > format { throw .newerReceipt(path: path, format: found, known: format) }
    return (found, head.count + digits.count + 1)
  }
}
