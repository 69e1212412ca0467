// Proves that `denoise` and `import` take what other programs write, however it reaches them, and tell what
// they do not take for what it is.
import Formats
import Foundation
import Testing

@Suite("Arrays and weights from other programs", .serialized, .timeLimit(.minutes(5)))
struct DenoiseInputTests {
  /// A folder with a store that knows the model `m`, and the golden arrays in it.
  private func withModel(_ body: (URL) throws -> Void) throws {
    try withFolder { folder in
      let words = ["import", "weights", ImportTests.checkpoint, "--name", "m"] + ImportTests.stated
      #expect(try Executable.run(words, in: folder).code == 0)
      for name in ["x.npy", "sigma.npy", "c.npy"] {
        try FileManager.default.copyItem(
          at: ImportTests.golden.appending(path: name), to: folder.appending(path: name))
      }
      try body(folder)
    }
  }

  private func denoise(
    _ folder: URL, x: String = "x.npy", sigma: String = "sigma.npy", labels: String = "c.npy",
    starter: [String] = []
  ) throws -> Executable.Result {
    try Executable.run(
      ["denoise", "m", "--x", x, "--sigma", sigma, "--labels", labels, "--output", "D.npy"],
      in: folder, starter: starter)
  }

  private func floats(_ url: URL) throws -> (shape: [Int], values: [Float]) {
    let array = try NPYArray(npy: Data(contentsOf: url))
    guard case .float32(let values) = array.elements else { throw CancellationError() }
    return (array.shape, values)
  }

  @Test("the same numbers in other types, orders and streams give the same bytes")
  func spellings() throws {
    try withModel { folder in
      func url(_ name: String) -> URL { folder.appending(path: name) }
      func save(_ name: String, _ shape: [Int], _ elements: NPYArray.Elements) throws {
        try NPYArray(shape: shape, elements: elements).npyData().write(to: url(name))
      }
      #expect(try denoise(folder).code == 0)
      let expected = try Data(contentsOf: url("D.npy"))
      func check(_ result: Executable.Result, _ what: String) throws {
        #expect(result.code == 0, "\(what): \(result.error)")
        #expect(try Data(contentsOf: url("D.npy")) == expected, "\(what)")
        try FileManager.default.removeItem(at: url("D.npy"))
      }
      let x = try floats(url("x.npy"))
      try save("x64.npy", x.shape, .float64(x.values.map(Double.init)))
      try check(denoise(folder, x: "x64.npy"), "float64")

      let strides = x.shape.indices.map { x.shape[..<$0].reduce(1, *) }
      var turned = x.values
      for place in x.values.indices {
        var rest = place
        var target = 0
        for dimension in x.shape.indices.reversed() {
          target += rest % x.shape[dimension] * strides[dimension]
          rest /= x.shape[dimension]
        }
        turned[target] = x.values[place]
      }
      var data = try NPYArray(shape: x.shape, elements: .float32(turned)).npyData()
      data.replaceSubrange(
        try #require(data.range(of: Data("False".utf8))), with: Data("True ".utf8))
      try data.write(to: url("xF.npy"))
      try check(denoise(folder, x: "xF.npy"), "Fortran order")

      let labels = try floats(url("c.npy"))
      #expect(labels.values.allSatisfy { $0 == $0.rounded() && $0 >= 0 })
      try save("c1.npy", labels.shape, .uint8(labels.values.map { UInt8($0) }))
      try check(denoise(folder, labels: "c1.npy"), "labels of uint8")
      try save("c8.npy", labels.shape, .int64(labels.values.map { Int64($0) }))
      try check(denoise(folder, labels: "c8.npy"), "labels of int64")

      try check(
        denoise(folder, x: "/dev/stdin", starter: ["sh", "-c", "cat x.npy | \"$0\" \"$@\""]),
        "/dev/stdin")
      try check(
        denoise(
          folder, x: "fifo",
          starter: ["sh", "-c", "mkfifo fifo && { cat x.npy > fifo & } && \"$0\" \"$@\""]), "a FIFO"
      )
    }
  }

  @Test("pictures of uint8 are taken as in training: byte b is b / 127.5 - 1")
  func bytes() throws {
    try withModel { folder in
      let shape = try floats(folder.appending(path: "x.npy")).shape
      let bytes = (0..<shape.reduce(1, *)).map { UInt8($0 * 7 % 256) }
      for (name, elements) in [
        ("a.npy", NPYArray.Elements.uint8(bytes)),
        ("b.npy", .float32(bytes.map { Float($0) / 127.5 - 1 })),
      ] {
        try NPYArray(shape: shape, elements: elements).npyData()
          .write(to: folder.appending(path: name))
      }
      let results = try ["a.npy", "b.npy"].map { name in
        #expect(try denoise(folder, x: name).code == 0)
        return try Data(contentsOf: folder.appending(path: "D.npy"))
      }
      #expect(results[0] == results[1])
      let integers = NPYArray.Elements.int64(bytes.map(Int64.init))
      try NPYArray(shape: shape, elements: integers).npyData()
        .write(to: folder.appending(path: "i.npy"))
      let refused = try denoise(folder, x: "i.npy")
      #expect(refused.code == 65 && refused.error.contains("i.npy: elements are int64"))
    }
  }

  @Test("what does not fit is 65, with its file and its place, and nothing is written")
  func refused() throws {
    try withModel { folder in
      let x = try floats(folder.appending(path: "x.npy"))
      var large = x.values.map(Double.init)
      large[x.shape[3] + 2] = 1e300
      try NPYArray(shape: x.shape, elements: .float64(large)).npyData()
        .write(to: folder.appending(path: "large.npy"))
      let overflow = try denoise(folder, x: "large.npy")
      #expect(overflow.code == 65, "\(overflow)")
      #expect(
        overflow.error.contains("large.npy: element [0, 0, 1, 2] is inf; finite float32 numbers"))
      let shape = try denoise(folder, labels: "x.npy")
      #expect(shape.code == 65 && shape.error.contains("x.npy: shape [2, 3, 8, 8]; 3 or 2 dim"))
      #expect(try denoise(folder, x: "none.npy").code == 66)
      #expect(try denoise(folder, x: ".").code == 66)
      #expect(
        !FileManager.default.fileExists(atPath: folder.appending(path: "D.npy").path))
      // One spelling.
      let old = try Executable.run(
        ["denoise", "m", "--x", "x", "--sigma", "s", "--labels", "c", "--out", "D"], in: folder)
      #expect(old.code == 64 && old.error.contains("has no option `--out`"), "\(old.error)")
    }
  }

  @Test("a file of another format is told for what it is, with the line that converts it")
  func foreign() throws {
    try withModel { folder in
      let archive = Data([0x50, 0x4B, 3, 4] + [UInt8](repeating: 0, count: 22) + [15, 0, 0, 0])
      try (archive + Data("it's m/data.pkl".utf8)).write(to: folder.appending(path: "it's m.pt"))
      let weights = try Executable.run(
        ["import", "weights", "it's m.pt"] + ImportTests.stated, in: folder)
      #expect(weights.code == 65)
      #expect(
        weights.error.hasPrefix(
          "locus: it's m.pt: this is a file of PyTorch's `torch.save`; a .safetensors file is read:"
            + " python3 -c 'import sys, torch;"), "\(weights.error)")
      #expect(
        weights.error.hasSuffix(" 'it'\\''s m.pt' 'it'\\''s m.safetensors'\n"), "\(weights.error)")
      try PNGImage(width: 1, height: 1, pixels: [0, 0, 0]).pngData()
        .write(to: folder.appending(path: "x.png"))
      let picture = try denoise(folder, x: "x.png")
      #expect(picture.code == 65 && picture.error.contains("x.png: this is a PNG picture; a .npy"))
      #expect(picture.error.hasSuffix(" x.png x.npy\n"))
      // Nothing to convert: one array is no network.
      let array = try Executable.run(
        ["import", "weights", "x.npy"] + ImportTests.stated, in: folder)
      #expect(
        array.error
          == "locus: x.npy: this is one array of NumPy (.npy); a .safetensors file is read\n")
      #expect(array.code == 65)
      // The right format with a fault in it is told of its fault.
      var double = try Data(contentsOf: URL(filePath: ImportTests.checkpoint))
      double.replaceSubrange(
        try #require(double.range(of: Data("\"F32\"".utf8))), with: Data("\"F64\"".utf8))
      try double.write(to: folder.appending(path: "double.safetensors"))
      let faulty = try Executable.run(
        ["import", "weights", "double.safetensors"] + ImportTests.stated, in: folder)
      #expect(faulty.error.contains("not a valid safetensors file: tensor "), "\(faulty.error)")
      #expect(faulty.error.contains("has dtype F64; F32, F16, BF16 are read: save it as `tensor"))
    }
  }

  @Test("weights of half precision are imported as the float32 that they are")
  func halves() throws {
    try withModel { folder in
      // The golden weights, cut to bfloat16: the upper half of each number.
      let whole = try Safetensors(data: Data(contentsOf: URL(filePath: ImportTests.checkpoint)))
      var cut = whole
      for (name, tensor) in whole.tensors {
        cut.tensors[name]?.values = tensor.values.map {
          Float(bitPattern: $0.bitPattern & 0xFFFF_0000)
        }
      }
      try cut.data().write(to: folder.appending(path: "float.safetensors"))
      try Self.bfloat16(cut).write(to: folder.appending(path: "half.safetensors"))
      let hashes = try ["float", "half"].map { name in
        let found = try Executable.run(
          ["import", "weights", "\(name).safetensors"] + ImportTests.stated, in: folder)
        #expect(found.code == 0, "\(found.error)")
        return found.output.split(whereSeparator: \.isWhitespace).last
      }
      #expect(hashes[0] == hashes[1] && hashes[0] != nil)
    }
  }

  /// As PyTorch's `save_file` writes tensors of bfloat16.
  private static func bfloat16(_ file: Safetensors) -> Data {
    var header: [String: JSONValue] = [:]
    var body = Data()
    for (name, tensor) in file.tensors {
      let start = body.count
      for value in tensor.values {
        withUnsafeBytes(of: UInt16(value.bitPattern >> 16).littleEndian) {
          body.append(contentsOf: $0)
        }
      }
      header[name] = .object([
        "dtype": .string("BF16"), "shape": .array(tensor.shape.map(JSONValue.integer)),
        "data_offsets": .array([.integer(start), .integer(body.count)]),
      ])
    }
    let text = Data(JSONValue.object(header).canonicalText().utf8)
    var data = Data()
    withUnsafeBytes(of: UInt64(text.count).littleEndian) { data.append(contentsOf: $0) }
    return data + text + body
  }
}
