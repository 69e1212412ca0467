// Proves that memory and threads which cannot be had are one sentence and 74, before work where it can be
// known.
import Foundation
import Testing
import Workflow

@Suite("Resources", .serialized, .timeLimit(.minutes(5)))
struct ResourceTests {
  private func pipeline(width: Int) -> String {
    """
    { pipeline: "big", question: "q", seed: 1, stages: {
      scenes: { kind: "generate", size: 16, cells: 8, objects: [1, 2], count: 16 },
      model: { kind: "train", inputs: { scenes: "scenes" }, pictures: 16, batch: 8,
               network: { type: "unet", width: \(width) } } } }
    """
  }

  @Test("a stage that needs more memory than there is says so before its work, and the run goes on")
  func planned() throws {
    try withFolder { folder in
      try Data(pipeline(width: 64).utf8).write(to: folder.appending(path: "p.json5"))
      let found = try Executable.run(
        ["run", "p.json5", "--threads", "1"], in: folder, memory: 300_000)
      #expect(found.code == 74, "\(found.error)")
      #expect(found.error.contains("[2/2] model failed: this needs "), "\(found.error)")
      #expect(found.error.contains(" MiB of memory at least, and ulimit -v leaves "))
      #expect(found.error.contains("1 executed, 1 failed"))
      #expect(try Executable.run(["verify"], in: folder).code == 0)
    }
  }

  @Test(
    "so do stages that hold their pictures",
    arguments: [
      "big: { kind: \"generate\", size: 64, cells: 16, objects: [1, 2], count: 20000 }",
      "big: { kind: \"judge\", size: 64, cells: 16, renders: 40000, pictures: 640 }",
    ])
  func pictures(_ stage: String) throws {
    try withFolder { folder in
      try Data("{ pipeline: \"p\", question: \"q\", seed: 1, stages: { \(stage) } }".utf8)
        .write(to: folder.appending(path: "p.json5"))
      let found = try Executable.run(
        ["run", "p.json5", "--threads", "1"], in: folder, memory: 400_000)
      #expect(found.code == 74, "\(found.error)")
      #expect(found.error.contains("big failed: this needs "), "\(found.error)")
    }
  }

  @Test("and every other kind that could hold more than there is")
  func kinds() throws {
    let stages = """
      scenes: { kind: "generate", size: 64, cells: 16, objects: [1, 2], count: 8 },
      judge: { kind: "judge", size: 64, cells: 16, renders: 100, pictures: 640, held_out: 12 },
      machine: { kind: "analytic", inputs: { scenes: "scenes" }, labelling: "single", counts: [1] },
      probe: { kind: "probe", inputs: { denoiser: "machine", scenes: "scenes" }, pictures: 10000 },
      agree: { kind: "agree", inputs: { denoiser: "machine", reference: "machine", scenes: "scenes" },
               layouts: 10000 },
      mask: { kind: "intervene", inputs: { denoiser: "machine", scenes: "scenes" }, mask: "pixel",
              fill: "resampled", fill_pictures: 10000 },
      draw: { kind: "evaluate", inputs: { denoiser: "machine", judge: "judge" }, layouts: 10000 },
      cells: { kind: "theory", family: "copied-color", cells: [2, 4], patterns: [[1]],
               draws: 10000000 },
      """
    try withFolder { folder in
      try Data("{ pipeline: \"p\", question: \"q\", seed: 1, stages: { \(stages) } }".utf8)
        .write(to: folder.appending(path: "p.json5"))
      let found = try Executable.run(
        ["run", "p.json5", "--threads", "1"], in: folder, memory: 450_000)
      #expect(found.code == 74, "\(found.error)")
      for stage in ["probe", "agree", "mask", "draw", "cells"] {
        #expect(found.error.contains("\(stage) failed: this needs "), "\(stage): \(found.error)")
      }
      #expect(found.error.contains("3 executed, 5 failed"), "\(found.error)")
    }
  }

  @Test("with too little memory for anything a run ends with a sentence, and never spins")
  func little() throws {
    try withFolder { folder in
      try Data(pipeline(width: 8).utf8).write(to: folder.appending(path: "p.json5"))
      for memory in stride(from: 100_000, through: 180_000, by: 20_000) {
        let found = try Executable.run(
          ["run", "p.json5", "--threads", "2", "--store", "d\(memory)"], in: folder, memory: memory)
        // Below this not even the libraries can be loaded and made ready.
        #expect([0, 74].contains(found.code), "\(memory): \(found)")
        #expect(!found.error.contains("Backtrac"), "\(memory): \(found)")
      }
    }
  }

  @Test("memory that nobody planned for is one sentence too")
  func unplanned() throws {
    try withFolder { folder in
      let found = try Executable.run(
        ["bench", "--kernels", "--width", "512", "--threads", "1", "--rounds", "1"], in: folder,
        memory: 400_000)
      #expect(found.code == 74, "\(found)")
      #expect(found.error.hasPrefix("locus: there is not enough memory: "), "\(found.error)")
      #expect(found.error.split(separator: "\n").count == 1, "\(found.error)")
    }
  }

  @Test("threads that cannot be made are told of, with how many there are")
  func threads() throws {
    #expect(throws: Never.self) { try Resources.check(threads: 4) }
    let error = WorkflowError.noThreads(wanted: 4, made: 1, reason: "no room")
    #expect(
      error.description.hasPrefix("only 1 of 4 threads can be made (no room): take --threads 1"))
    #expect(throws: WorkflowError.self) { try Resources.check(memory: .max / 2) }
    #expect(throws: Never.self) { try Resources.check(memory: 1 << 20) }
  }
}
