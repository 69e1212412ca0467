import Formats
import Foundation
import Vectors

/// Whether the processor has what the kernels were compiled for.
package enum Processor {
  /// Before the first kernel.
  ///
  /// - Parameter cpuinfo: the beginning of `/proc/cpuinfo`, which is empty where there is none.
  /// - Throws: `ProcessorError`.
  package static func check(_ cpuinfo: String = information) throws(ProcessorError) {
    let missing = missingInstructions(cpuinfo)
    if !missing.isEmpty { throw ProcessorError(built: instructionSet, missing: missing) }
  }

  /// An entry a processor; the first is enough.
  package static let information: String = {
    guard let file = FileHandle(forReadingAtPath: "/proc/cpuinfo") else { return "" }
    // Its size is 0 in its folder.
    return ((try? file.read(upToCount: 4096)) ?? nil).map { String(decoding: $0, as: UTF8.self) }
      ?? ""
  }()
}

/// A program that was built for another processor.
package struct ProcessorError: CategorizedError, Hashable, CustomStringConvertible {
  package var built: String
  package var missing: [String]

  package var category: ErrorCategory { .unavailable }

  package var description: String {
    "this program was built for \(built), and the processor here lacks \(missing.joined(separator: ", "));"
      + " build it here, or with LOCUS_CPU=x86-64-v2 for any"
  }
}
