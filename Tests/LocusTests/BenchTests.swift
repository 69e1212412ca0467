import Benchmarks
import Formats
import Foundation
import Measures
import Testing

/// `locus bench` measures what it says; how fast is no matter of a test.
@Suite("bench")
struct BenchTests {
  private let small = ["--width", "4", "--size", "8", "--batch", "2", "--rounds", "1"]

  private func json(_ words: [String]) throws -> JSONValue {
    let result = try Bench().locus(words: ["bench", "--threads", "1", "--json"] + words + small)
    #expect(result.code == 0, "\(result.error)")
    let last = try #require(result.output.split(separator: "\n").last)
    return try JSONValue.parse(Data(last.utf8))
  }

  @Test("--json has the keys of the PyTorch reference", arguments: ["unet", "local", "patchwise"])
  func keys(network: String) throws {
    let object = try json(["--network", network])
    for key in [
      "width", "batch", "threads", "train_images_per_second", "denoise_images_per_second",
      "sgemm_gflops", "peak_rss_mib",
    ] {
      #expect((object[key]?.number ?? 0) > 0, "\(key)")
    }
    #expect(object["network"] == .string(network))
  }

  @Test("only bench loads OpenBLAS; without one it says what to install and ends with 69")
  func library() throws {
    let error = #expect(throws: OpenBLAS.Missing.self) { try OpenBLAS(["libnone-at-all.so.0"]) }
    #expect(error?.exitCode == 69)
    #expect(error?.description.contains("apt-get install libopenblas0") == true)
    #expect(throws: OpenBLAS.Missing.self) { try OpenBLAS(["libc.so.6"]) }
    let script = "ldd '\(Executable.url.path)' | grep -c -i blas"
    #expect(try Program.shell(script) == 1)
  }

  @Test("--kernels names every pass of every layer, and their shares of the time make a whole")
  func kernels() throws {
    let object = try json(["--kernels", "--conditioning", "vector"])
    let rows = try #require(object["kernels"]?.array)
    let total = rows.reduce(0.0) { $0 + ($1["% of time"]?.number ?? 0) }
    #expect(abs(total - 100) < 1)
    let passes = Set(rows.compactMap { $0["pass"]?.string })
    #expect(passes == ["forward", "backward", "backward-data", "backward-weights"])
    let convolutions = rows.filter { $0["kernel"]?.string?.hasPrefix("convolution 3×3") == true }
    #expect(convolutions.count > 6)
    // The stem's input needs no gradient: a pass of nothing would have any speed.
    #expect(convolutions.count % 3 == 2)
  }
}
