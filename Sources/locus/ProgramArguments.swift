import CArguments
import Foundation

/// What the program was started with, and where it lies.
enum ProgramArguments {
  /// The words after the program's name. Throws at the first that is no text: repaired, it would name
  /// another file.
  static func words() throws(UsageError) -> [String] {
    guard !given.isEmpty else { return Array(CommandLine.arguments.dropFirst()) }
    var words: [String] = []
    for argument in given.dropFirst() {
      guard let word = String(validatingCString: argument) else {
        throw .notText(shown(argument), place: words.count + 1)
      }
      words.append(word)
    }
    return words
  }

  /// The program's own file; `nil` where neither the system nor the words tell. Foundation's `Bundle.main`
  /// ends a process that sees no /proc.
  static var executable: URL? {
    if let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") {
      return URL(filePath: path)
    }
    guard let name = given.first.flatMap({ String(validatingCString: $0) }) else { return nil }
    if name.contains("/") { return URL(filePath: name) }
    let folders = ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":") ?? []
    return folders.map { URL(filePath: String($0)).appending(path: name) }
      .first { FileManager.default.isExecutableFile(atPath: $0.path) }
  }

  private static var given: UnsafeBufferPointer<UnsafeMutablePointer<CChar>> {
    UnsafeBufferPointer(start: locus_arguments(), count: Int(locus_argument_count()))
  }

  /// Bytes that are not printable ASCII as `\xff`, as shells write them in `$'…'`.
  private static func shown(_ argument: UnsafePointer<CChar>) -> String {
    let bytes = UnsafeRawBufferPointer(start: argument, count: strlen(argument))
    return bytes.map {
      (32..<127).contains($0) ? String(UnicodeScalar($0)) : String(format: "\\x%02x", $0)
    }.joined()
  }
}
