import Benchmarks
import Diffusion
import Formats
import Tensors

/// `locus bench --kernels`: speed of each kernel beside the machine's matrix product, and its share of the time.
struct KernelTable {
  private let times: KernelTimes
  private let matrix: Benchmark.Spread
  private let threads: Int

  init(_ description: NetworkDescription, threads: Int, rounds: Int) throws {
    let peak = try MatrixPeak(threads: threads)
    var products: [Double] = []
    // Before and after: a machine whose speed drifts shows it in the spread.
    func product() {
      for _ in 0..<5 { products.append(Benchmark.gigaflops { peak.run() }) }
    }
    product()
    times = KernelTimes(try Network(description).graph, threads: threads, rounds: 10 * rounds)
    product()
    matrix = Benchmark.Spread(products)
    self.threads = threads
  }

  private var rows: [[JSONValue]] {
    let medians = times.entries.map { Benchmark.Spread($0.seconds) }
    let total = medians.reduce(0) { $0 + $1.median }
    return zip(times.entries, medians).sorted { $0.1.median > $1.1.median }.map { entry, spread in
      func speed(_ seconds: Double) -> Double {
        seconds > 0 ? Double(entry.operations * threads) / seconds / 1e9 : 0
      }
      let counted = entry.operations > 0
      return [
        .string(entry.label), .string(entry.pass.rawValue), .integer(entry.layers),
        rounded(100 * spread.median / total), counted ? rounded(speed(spread.median)) : .null,
        counted ? rounded(speed(spread.high)) : .null,
        counted ? rounded(speed(spread.low)) : .null,
        counted ? rounded(100 * speed(spread.median) / matrix.median) : .null,
      ]
    }
  }

  private var table: TextTable {
    TextTable(
      columns: [
        "kernel", "pass", "layers", "% of time", "GFLOPS", "least", "largest", "% of sgemm",
      ], rows: rows)
  }

  func text(for console: Console) -> String {
    table.text(for: console)
      + "sgemm 1024³ on \(threads) threads: \(Int(matrix.median)) GFLOPS "
      + "(\(Int(matrix.low)) to \(Int(matrix.high))); operations counted as the direct form has them\n"
  }

  /// One object on one line.
  var json: String {
    JSONValue.object([
      "sgemm_gflops": rounded(matrix.median), "threads": .integer(threads),
      "kernels": .array(table.objects),
    ]).canonicalText()
  }

  private func rounded(_ value: Double) -> JSONValue { .number((value * 100).rounded() / 100) }
}
