import Formats
import Testing
import Vectors

@testable import Experiments

@Suite("The processor")
struct ProcessorTests {
  @Test("one without the instructions of the kernels is named before the first of them runs")
  func missing() throws {
    // It is these tests' own, and where nothing is said nothing is missing.
    try Processor.check()
    try Processor.check("")
    let old = "processor\t: 0\nflags\t\t: fpu sse sse2 sse4_2 avx\n"
    if ["avx2", "avx512"].contains(instructionSet) {
      let error = #expect(throws: ProcessorError.self) { try Processor.check(old) }
      #expect(error?.exitCode == 69)
      #expect(error?.missing.contains("fma") == true)
      #expect(error?.description.contains("built for \(instructionSet)") == true)
    } else {
      try Processor.check(old)
    }
  }
}
