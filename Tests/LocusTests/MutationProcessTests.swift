// Proves that the program ends with a documented exit code on mutated and crafted files, within
// memory of their size.
import Foundation
import Mutations
import Testing

@testable import Formats
@testable import Lineage

/// Proves of the program itself what MutationTests proves of its readers: a documented exit code and
/// words, whatever the file.
@Suite("The program survives mutated files", .serialized, .timeLimit(.minutes(5)))
struct MutationProcessTests {
  /// Of each kind; a process takes some hundredths of a second.
  static let count = min(mutationCount, 25)

  /// Nothing is a fault of Locus (70), nothing a signal, nothing stays without words.
  private func check(
    _ result: Executable.Result, _ input: Data, accepted: Set<Int32> = [0, 64, 65, 66]
  ) {
    #expect(accepted.contains(result.code), "\(result) \(input.base64EncodedString())")
    if result.code != 0 { #expect(!(result.output + result.error).isEmpty) }
  }

  @Test("pipeline files")
  func pipelines() throws {
    try withFolder { folder in
      let file = folder.appending(path: "p.json5")
      let tiny = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Pipelines/tiny.json5")
      let inputs = try MutationTests.cases("pipeline")
      func plan(_ input: Data) throws {
        try input.write(to: file)
        check(try Executable.run(["run", "p.json5", "--dry-run"], in: folder), input)
      }
      for input in inputs { try plan(input) }
      try forEachMutation(
        of: [try Data(contentsOf: tiny)], kind: "pipeline", count: Self.count, seed: 2, plan)
    }
  }

  @Test("checkpoints, with little memory: a file that claims more than it holds gets none")
  func safetensors() throws {
    try withFolder { folder in
      let file = folder.appending(path: "w.safetensors")
      func bring(_ input: Data) throws {
        try input.write(to: file)
        check(
          try Executable.run(
            ["import", "weights", "w.safetensors"], in: folder, memory: 3_000_000),
          input)
      }
      for input in try MutationTests.cases("safetensors") { try bring(input) }
      // 4000 tensors that share the same 4 MB would fill 16 GB.
      let side = 1 << 20
      let entry = "{\"dtype\":\"F32\",\"shape\":[\(side)],\"data_offsets\":[0,\(4 * side)]}"
      let header = "{" + (0..<4000).map { "\"t\($0)\":\(entry)" }.joined(separator: ",") + "}"
      var shared = Data()
      withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { shared.append(contentsOf: $0) }
      shared.append(contentsOf: header.utf8)
      shared.append(Data(count: 4 * side))
      try bring(shared)
      // Some hundred bytes that claim a network of gigabytes.
      try bring(
        Safetensors(
          tensors: [:],
          metadata: [
            "network": "unet", "width": "512", "size": "512", "cells": "512",
            "conditioning": "vector", "normalization": "group", "attention": "true",
            "labelling": "all", "objects_min": "1", "objects_max": "3",
          ]
        ).data())
      try forEachMutation(
        of: [MutationTests.weights()], kind: "safetensors", count: Self.count, seed: 2, bring)
    }
  }

  @Test("arrays")
  func arrays() throws {
    try withFolder { folder in
      let words = ["import", "weights", ImportTests.checkpoint, "--name", "m"] + ImportTests.stated
      #expect(try Executable.run(words, in: folder).code == 0)
      let golden = ImportTests.golden
      let file = folder.appending(path: "x.npy")
      func denoise(_ input: Data) throws {
        try input.write(to: file)
        let result = try Executable.run(
          [
            "denoise", "m", "--x", "x.npy", "--sigma", golden.appending(path: "sigma.npy").path,
            "--labels", golden.appending(path: "c.npy").path, "--output", "D.npy",
          ], in: folder, memory: 3_000_000)
        check(result, input)
      }
      for input in try MutationTests.cases("npy") { try denoise(input) }
      try forEachMutation(
        of: [try Data(contentsOf: golden.appending(path: "x.npy"))], kind: "npy",
        count: Self.count, seed: 2, denoise)
    }
  }

  @Test("receipts, sealed anew, to rebuild and to run with")
  func receipts() throws {
    try withFolder { folder in
      let words = ["import", "weights", ImportTests.checkpoint, "--name", "m"] + ImportTests.stated
      #expect(try Executable.run(words, in: folder).code == 0)
      for kind in [Receipt.executions, Receipt.runs] {
        let place = folder.appending(path: "data/\(kind)")
        let name = try #require(
          try FileManager.default.contentsOfDirectory(atPath: place.path).first)
        let file = place.appending(path: name)
        let whole = try Data(contentsOf: file)
        let start = try #require(whole.range(of: Data("\"content\":".utf8))).upperBound
        try forEachMutation(
          of: [Data(whole[start...].dropLast(2))], kind: "receipt", count: Self.count, seed: 2
        ) { content in
          let hash = SHA256.hash(content)
          try Data(
            "{\"sha256\":\"\(hash)\",\"content\":\(String(decoding: content, as: UTF8.self))}\n"
              .utf8
          )
          .write(to: file)
          check(try Executable.run(["rebuild"], in: folder), content)
          // Faults that verify finds are its result.
          check(try Executable.run(["verify"], in: folder), content, accepted: [0, 1, 65])
        }
        try whole.write(to: file)
      }
      #expect(try Executable.run(["rebuild"], in: folder).code == 0)
      let verified = try Executable.run(["verify"], in: folder)
      #expect(verified.code == 0, "\(verified)")
    }
  }
}
