// Proves that the catalogue says each name once.
import Foundation
import Testing

@testable import Measures

@Suite("The catalogue of measures")
struct CatalogueTests {
  @Test("every measure has a name of its own, and a sentence")
  func names() {
    #expect(Set(Measure.all.map(\.name)).count == Measure.all.count)
    for measure in Measure.all {
      #expect(measure.sentence.hasSuffix(".") && !measure.kinds.isEmpty, "\(measure.name)")
    }
  }
}
