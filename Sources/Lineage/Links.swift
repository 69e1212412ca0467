import Foundation

/// A store lies in its folder: a symbolic link in it would let writing lead out of it.
enum Links {
  /// Whatever is written to by name.
  private static let places = [
    "checkpoints", "locus.sqlite", "lock", "objects", "receipts", Receipt.executions, Receipt.runs,
    "tmp",
  ]

  static func refuse(in folder: URL) throws(StoreError) {
    for place in places { try refuse(folder.appending(path: place)) }
  }

  static func refuse(_ url: URL) throws(StoreError) {
    let attributes = try? FileManager.default.attributesOfItem(atPath: url.path)
    if attributes?[.type] as? FileAttributeType == .typeSymbolicLink {
      throw .link(path: url.path)
    }
  }
}

extension Store {
  /// Refuses a folder out of which writing would lead.
  package static func refuseLinks(in folder: URL) throws(StoreError) {
    try Links.refuse(in: folder)
  }
}
