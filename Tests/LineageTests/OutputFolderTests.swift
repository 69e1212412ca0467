// Proves that of a folder of files all is seen or nothing, and that what was there is not lost.
import Foundation
import Testing

@testable import Lineage

@Suite("folders that a person named")
struct OutputFolderTests {
  private func withFolder(_ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "locus-out-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder)
  }

  private func names(_ folder: URL) throws -> Set<String> {
    Set(try FileManager.default.subpathsOfDirectory(atPath: folder.path))
  }

  @Test("nothing is seen before the end, and nothing stays of what was given up")
  func draft() throws {
    try withFolder { folder in
      let place = folder.appending(path: "a/b")
      do {
        let output = try OutputFolder(place)
        try output.append(Data("half".utf8), to: "in/x")
        #expect(!FileManager.default.fileExists(atPath: place.path))
      }
      #expect(try names(folder) == ["a"])
      let output = try OutputFolder(place)
      try output.append(Data("one ".utf8), to: "in/x")
      try output.append(Data("two".utf8), to: "in/x")
      #expect(try output.finish(replaces: false) == 0)
      #expect(try names(folder) == ["a", "a/b", "a/b/in", "a/b/in/x"])
      #expect(try String(contentsOf: place.appending(path: "in/x"), encoding: .utf8) == "one two")
    }
  }

  @Test("one file that differs keeps all others from being written, too")
  func foreign() throws {
    try withFolder { folder in
      try Data("mine".utf8).write(to: folder.appending(path: "x"))
      func write(replaces: Bool) throws -> Int {
        let output = try OutputFolder(folder)
        try output.append(Data("first".utf8), to: "a")
        try output.append(Data("other".utf8), to: "x")
        return try output.finish(replaces: replaces)
      }
      #expect(throws: StoreError.self) { try write(replaces: false) }
      #expect(try names(folder) == ["x"])
      #expect(try write(replaces: true) == 1)
      #expect(try names(folder) == ["a", "x"])
      // The same again is no change, and needs no permission.
      #expect(try write(replaces: false) == 0)
      // A folder in the place of a file is not replaced.
      try FileManager.default.removeItem(at: folder.appending(path: "x"))
      try FileManager.default.createDirectory(
        at: folder.appending(path: "x"), withIntermediateDirectories: true)
      #expect(throws: StoreError.self) { try write(replaces: true) }
    }
  }

  @Test("a full disk leaves nothing behind", arguments: [AtomicFile.Step.write, .synchronize])
  func full(_ step: AtomicFile.Step) throws {
    try withFolder { folder in
      let place = folder.appending(path: "out")
      let failure = AtomicFile.$injection.withValue({ found, _ in found == step ? ENOSPC : 0 }) {
        () -> StoreError? in
        do {
          let output = try OutputFolder(place)
          try output.append(Data("x".utf8), to: "x")
          _ = try output.finish(replaces: false)
          return nil
        } catch { return error as? StoreError }
      }
      let isFull = if case .full = failure { true } else { false }
      #expect(isFull, "\(String(describing: failure))")
      let left = try names(folder)
      #expect(left.isEmpty)
    }
  }
}
