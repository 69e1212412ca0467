// Proves that a file which a person named is written where it leads, whatever it is.
import Foundation
import Testing

@testable import Lineage

@Suite("Files that a person named")
struct OutputFileTests {
  private let content = Data((0..<200_000).map { UInt8(truncatingIfNeeded: $0) })

  private func inFolder(_ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "locus-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder)
  }

  private func mode(_ url: URL) -> mode_t {
    var found = stat()
    return lstat(url.path, &found) == 0 ? found.st_mode : 0
  }

  @Test(
    "a new name and a plain file are replaced at once; the file keeps its mode",
    arguments: [
      0o600, 0o640, 0o777, 0o4711,
    ] as [mode_t])
  func plain(_ bits: mode_t) throws {
    try inFolder { folder in
      let url = folder.appending(path: "a")
      try OutputFile.write(Data("old".utf8), to: url)
      try #require(chmod(url.path, bits) == 0)
      let reader = try FileHandle(forReadingFrom: url)
      try OutputFile.write(content, to: url)
      #expect(try Data(contentsOf: url) == content)
      #expect(mode(url) == S_IFREG | bits)
      // Whoever had it open goes on reading the old one.
      #expect(try reader.readToEnd() == Data("old".utf8))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a"])
    }
  }

  @Test("what cannot be written is known before anything is written")
  func known() throws {
    try inFolder { folder in
      func code(_ body: () throws(StoreError) -> Void) -> String {
        do {
          try body()
          return "fine"
        } catch .cannotWrite(_, let reason) {
          return reason
        } catch { return "\(error)" }
      }
      func url(_ name: String) -> URL { folder.appending(path: name) }
      try Data().write(to: url("file"))
      try FileManager.default.createSymbolicLink(
        atPath: url("dangling").path, withDestinationPath: "nowhere")
      for (name, said) in [
        ("new", "fine"), ("file", "fine"), ("dangling", "fine"),
        ("none/new", "No such file or dir"),
        ("file/new", "Not a directory"), (".", "Is a directory"),
      ] {
        let found = code { () throws(StoreError) in try OutputFile.check(url(name)) }
        #expect(found.hasPrefix(said), "\(name): \(found)")
        // As the writing itself has it.
        let written = code { () throws(StoreError) in
          try OutputFile.write(Data(), to: url(name))
        }
        #expect((found == "fine") == (written == "fine"), "\(name): \(written)")
      }
      for (name, said) in [
        (".", "fine"), ("a/b/c", "fine"), ("file", "Not a directory"),
        ("file/a", "Not a directory"),
        ("gone", "fine"),
      ] {
        let found = code { () throws(StoreError) in try OutputFile.check(filesIn: url(name)) }
        #expect(found.hasPrefix(said), "\(name): \(found)")
      }
      try FileManager.default.createSymbolicLink(
        atPath: url("lost").path, withDestinationPath: "none/nowhere")
      #expect(
        code { () throws(StoreError) in try OutputFile.check(filesIn: url("lost/a")) }
          .hasPrefix("No such file or dir"))
    }
  }

  @Test("links are followed and stay links, also to what is not there yet")
  func links() throws {
    try inFolder { folder in
      let names = ["target", "link", "chain", "dangling", "made"].map { folder.appending(path: $0) }
      try Data("much longer than what comes".utf8).write(to: names[0])
      try #require(chmod(names[0].path, 0o600) == 0)
      for (link, target) in [("link", "target"), ("chain", "link"), ("dangling", "made")] {
        try FileManager.default.createSymbolicLink(
          atPath: folder.appending(path: link).path, withDestinationPath: target)
      }
      for (place, end) in [(1, 0), (2, 0), (3, 4)] {
        try OutputFile.write(Data("\(place)".utf8), to: names[place])
        #expect(mode(names[place]) & S_IFMT == S_IFLNK)
        #expect(try Data(contentsOf: names[end]) == Data("\(place)".utf8))
      }
      #expect(mode(names[0]) == S_IFREG | 0o600)
    }
  }

  @Test("a FIFO's reader gets all of it, and the FIFO stays")
  func pipe() throws {
    try inFolder { folder in
      let url = folder.appending(path: "fifo")
      try #require(mkfifo(url.path, 0o600) == 0)
      let reader = Process()
      reader.executableURL = URL(filePath: "/bin/sh")
      reader.arguments = ["-c", "cat fifo > copy"]
      reader.currentDirectoryURL = folder
      try reader.run()
      try OutputFile.write(content, to: url)
      reader.waitUntilExit()
      #expect(try Data(contentsOf: folder.appending(path: "copy")) == content)
      #expect(mode(url) & S_IFMT == S_IFIFO)
    }
  }

  @Test(
    "what cannot be written is an error that says which",
    .enabled(if: FileManager.default.fileExists(atPath: "/dev/full"), "there is no /dev/full"))
  func refused() throws {
    try inFolder { folder in
      // By a link, so that nothing is lost if it were replaced.
      let full = folder.appending(path: "full")
      try FileManager.default.createSymbolicLink(
        atPath: full.path, withDestinationPath: "/dev/full")
      for (url, code) in [
        (full, 74), (folder, 73), (folder.appending(path: "none/x"), 73),
      ] as [(URL, Int32)] {
        let error = #expect(throws: StoreError.self) { try OutputFile.write(content, to: url) }
        #expect(error?.exitCode == code, "\(url)")
      }
      #expect(mode(full) & S_IFMT == S_IFLNK)
      #expect(mode(URL(filePath: "/dev/full")) & S_IFMT == S_IFCHR)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["full"])
    }
  }
}
