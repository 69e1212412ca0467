import Foundation

/// What a run has done since its receipt was written, a line a stage or event, each with its hash.
///
/// The receipt of a finished run holds it all and ends its journal; that of a killed run is completed
/// from it.
enum Journal {
  struct Entry: ReceiptContent {
    var stage: StageRecord?
    var event: EventRecord?

    var stageNames: [String] { stage.map { [$0.name] } ?? [] }
  }

  static func url(_ runID: String, in folder: URL) -> URL {
    folder.appending(path: "\(Receipt.runs)/\(runID).journal")
  }

  /// Adds lines; what a full disk took of them is taken back.
  static func append(_ entries: [Entry], to runID: String, in store: URL) throws(StoreError) {
    let url = url(runID, in: store)
    let path = url.path
    var data = Data()
    let encoder = Receipt.encoder
    for entry in entries { data += try Receipt.data(entry, path: path, by: encoder) }
    let folder = try StoreFolder(store).makeFolder(Receipt.runs)
    let descriptor = try folder.openFile(
      url.lastPathComponent, O_RDWR | O_CREAT | O_APPEND, needed: data.count)
    defer { close(descriptor) }
    let before = try endOfLines(descriptor, url)
    let fault = AtomicFile.injection(.write, url)
    let code = AtomicFile.send(fault == 0 ? data : data.prefix(data.count / 2), to: descriptor)
    if fault != 0 || code != 0 {
      _ = ftruncate(descriptor, before)
      throw StoreError(fault == 0 ? code : fault, writing: url, needed: data.count)
    }
  }

  /// Takes off a line that a crash cut off: what came after it would be read as its end.
  private static func endOfLines(_ descriptor: Int32, _ url: URL) throws(StoreError) -> off_t {
    var end = lseek(descriptor, 0, SEEK_END)
    let size = end
    var byte: UInt8 = 0
    while end > 0 {
      guard pread(descriptor, &byte, 1, end - 1) == 1 else { throw StoreError(errno, writing: url) }
      if byte == UInt8(ascii: "\n") { break }
      end -= 1
    }
    if end < size, ftruncate(descriptor, end) != 0 { throw StoreError(errno, writing: url) }
    return end
  }

  /// A receipt with what its journal adds. A line that a crash cut off ends it.
  ///
  /// - Throws: `StoreError.newerReceipt`, `.cannotRead`.
  static func completed(_ record: RunRecord, in folder: URL) throws(StoreError) -> RunRecord {
    let url = url(record.id, in: folder)
    guard record.status == "running", let data = try StoreFile.read(url) else { return record }
    var record = record
    for line in [UInt8](data).split(separator: UInt8(ascii: "\n")) {
      let line = Data(line + [UInt8(ascii: "\n")])
      let entry: Entry
      do {
        entry = try Receipt.decode(Entry.self, line, path: url.path)
      } catch .damaged {
        break
      }
      if let stage = entry.stage { record.add(stage) }
      if let event = entry.event { record.events.append(event) }
    }
    return record
  }
}
