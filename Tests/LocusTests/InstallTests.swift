// Proves that the program installs itself whole: what is on the PATH then runs, and says how to be found.
import Foundation
import Testing

@testable import locus

@Suite("locus install")
struct InstallTests {
  @Test("the program, its completions and its manual page are in place, and it runs from there")
  func installs() throws {
    try withFolder { folder in
      let prefix = folder.appending(path: "a prefix").path
      let done = try Executable.run(
        ["install", "--prefix", prefix], in: folder,
        environment: ["PATH": "/usr/bin:/bin", "HOME": folder.path])
      #expect(done.code == 0, "\(done.error)")
      let files = done.output.split(separator: "\n").map(String.init)
      #expect(files.count == 5 && files.allSatisfy { $0.hasPrefix(prefix + "/") }, "\(files)")
      for file in files { #expect(FileManager.default.fileExists(atPath: file)) }
      #expect(done.error.contains("export PATH=\"\(prefix)/bin:$PATH\""))

      let process = Process()
      process.executableURL = URL(filePath: prefix + "/bin/locus")
      process.arguments = ["install", "--prefix", prefix]
      process.environment = ["PATH": prefix + "/bin:/usr/bin:/bin"]
      let (out, err) = (Pipe(), Pipe())
      (process.standardOutput, process.standardError) = (out, err)
      try process.run()
      // Over itself it writes everything but itself.
      let text = String(decoding: out.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      let told = String(decoding: err.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      process.waitUntilExit()
      #expect(process.terminationStatus == 0 && told.isEmpty, "\(told)")
      #expect(text.split(separator: "\n").count == 4, "\(text)")
    }
  }

  @Test("where nothing can be written it says so, and nobody's home is guessed")
  func refused() throws {
    try withFolder { folder in
      try Data().write(to: folder.appending(path: "file"))
      let file = try Executable.run(["install", "--prefix", "file"], in: folder)
      #expect(file.code == 73, "\(file.error)")
      let homeless = try Executable.run(
        ["install"], in: folder, environment: ["PATH": "/usr/bin:/bin"])
      #expect(homeless.code == 64 && homeless.error.contains("--prefix"), "\(homeless.error)")
    }
  }
}
