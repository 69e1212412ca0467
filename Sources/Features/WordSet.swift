/// Which of at most 64 words are told, by their numbers.
package struct WordSet: Sendable, Hashable, Comparable {
  package let bits: UInt64

  package init(bits: UInt64) { self.bits = bits }

  package init(_ words: some Sequence<Int>) { bits = words.reduce(0) { $0 | 1 << UInt64($1) } }

  /// Nothing is told: ∅.
  package static let none = WordSet(bits: 0)

  package static let mostWords = 64

  package var count: Int { bits.nonzeroBitCount }
  package func contains(_ word: Int) -> Bool { bits >> UInt64(word) & 1 == 1 }
  package func with(_ word: Int) -> WordSet { WordSet(bits: bits | 1 << UInt64(word)) }
  package func without(_ word: Int) -> WordSet { WordSet(bits: bits & ~(1 << UInt64(word))) }
  /// Ascending.
  package var words: [Int] { (0..<Self.mostWords).filter(contains) }

  package static func < (a: WordSet, b: WordSet) -> Bool { (a.count, a.bits) < (b.count, b.bits) }
}
