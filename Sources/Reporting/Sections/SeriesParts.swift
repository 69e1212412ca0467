/// Charts of what is too much for one.
extension Array {
  /// So many lines can be told apart.
  private static var most: Int { 12 }

  /// In order, as many as one chart can have in each.
  var parts: [[Element]] {
    stride(from: 0, to: count, by: Self.most).map {
      Array(self[$0..<Swift.min($0 + Self.most, count)])
    }
  }
}
