// Receipts and journals are the truth: a run goes on while another program holds the database, and the
// rows come in when it lets go, at the latest when the store is next opened to write.

extension Store {
  /// Seconds to wait for a program that holds the database, when nothing else waits yet.
  static let patience = 10.0

  /// Puts rows into the database that a receipt or a journal already holds; while another program holds it,
  /// they wait in their order for the next ones.
  func index(_ rows: @escaping () throws(StoreError) -> Void) throws(StoreError) {
    backlog.append(rows)
    do {
      try bringIn(patience: backlog.count == 1 ? patience : 0.1)
    } catch {
      // The others are not to blame.
      backlog.removeLast()
      throw error
    }
  }

  /// Brings in what waits; what still cannot, goes on waiting.
  func bringIn(patience seconds: Double) throws(StoreError) {
    if backlog.isEmpty { return }
    database.wait(seconds)
    defer { database.wait(Self.patience) }
    do {
      try database.transaction { () throws(StoreError) in
        for rows in backlog { try rows() }
      }
      backlog = []
    } catch .busy {
    }
  }

  /// Whether the database lacks something that the receipts have.
  package var isBehind: Bool { !backlog.isEmpty }

  /// The store itself or, while its database is behind, one to read whose database is made in memory from
  /// the receipts.
  ///
  /// - Throws: as `open`.
  package func upToDate() throws(StoreError) -> Store {
    if !isBehind { return self }
    return try Store(
      folder, try Receipts(in: folder, vocabulary).index(vocabulary).database, vocabulary)
  }
}
