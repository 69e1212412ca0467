import Foundation

/// What the program was started with, and where it lies.
///
/// As the system hands it over: Swift's `CommandLine.arguments` looks for it from /proc/self/maps and the
/// place of the environment on, and has nothing where there is no /proc or a preloaded library got in the
/// way; and what is no text it repairs, which then names another file.
struct ProgramArguments {
  /// The program's name, then the words after it, as bytes.
  private let given: [[CChar]]

  /// - Parameters: as `main` has them.
  init(_ count: Int32, _ words: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) {
    given = (0..<Int(count)).compactMap { place in
      words[place].map { Array(UnsafeBufferPointer(start: $0, count: strlen($0) + 1)) }
    }
  }

  /// The words after the program's name. Throws at the first that is no text.
  func words() throws(UsageError) -> [String] {
    var words: [String] = []
    for argument in given.dropFirst() {
      guard
        let word = String(
          validating: argument.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
      else { throw .notText(Self.shown(argument), place: words.count + 1) }
      words.append(word)
    }
    return words
  }

  /// The program's own file; `nil` where neither the system nor the words tell. Foundation's `Bundle.main`
  /// ends a process that sees no /proc.
  func executable(_ environment: [String: String]) -> URL? {
    if let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") {
      return URL(filePath: path)
    }
    guard let bytes = given.first?.dropLast().map(UInt8.init(bitPattern:)),
      let name = String(validating: bytes, as: UTF8.self)
    else { return nil }
    if name.contains("/") { return URL(filePath: name) }
    let folders = environment["PATH"]?.split(separator: ":") ?? []
    return folders.map { URL(filePath: String($0)).appending(path: name) }
      .first { FileManager.default.isExecutableFile(atPath: $0.path) }
  }

  /// Bytes that are not printable ASCII as `\xff`, as shells write them in `$'…'`.
  private static func shown(_ argument: [CChar]) -> String {
    argument.dropLast().map(UInt8.init(bitPattern:)).map {
      (32..<127).contains($0) ? String(UnicodeScalar($0)) : String(format: "\\x%02x", $0)
    }.joined()
  }
}
