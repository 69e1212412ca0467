import Experiments
import Foundation
import Lineage

#if canImport(Glibc)
  import Glibc
#endif

/// What a result may depend on besides its pipeline file: recorded with each run.
enum Machine {
  /// The processor, the system, the versions of what the program runs with, and where it was built.
  static var facts: [String: String] {
    var facts = ["sqlite": Store.sqliteVersion]
    facts["cpu"] = member("model name", of: Processor.information, separator: ":")
    facts["os"] = member(
      "PRETTY_NAME",
      of: (try? String(contentsOfFile: "/etc/os-release", encoding: .utf8)) ?? "", separator: "=")
    facts["libc"] = Experiments.mathematicalLibrary
    var name = utsname()
    if uname(&name) == 0 {
      facts["kernel"] = withUnsafeBytes(of: &name.release) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
    }
    return facts
  }

  /// The first `name : value` of a text, without quotation marks.
  private static func member(_ name: String, of text: String, separator: Unicode.Scalar) -> String?
  {
    // By bytes: every run asks.
    for line in text.utf8.split(separator: UInt8(ascii: "\n")) where line.starts(with: name.utf8) {
      let sides = line.split(separator: UInt8(ascii: separator), maxSplits: 1)
      guard sides.count == 2 else { return nil }
      return String(decoding: sides[1], as: UTF8.self)
        .trimmingCharacters(in: CharacterSet(charactersIn: " \t\""))
    }
    return nil
  }
}
