import Streams
import Tensors

/// What the kernels of a graph cost: seconds of one picture, kernel by kernel, in the place where they run.
///
/// Timed on the way of whole pictures through the graph, all threads busy: a kernel alone in a loop
/// would find its data in the caches.
package struct KernelTimes: Sendable {
  package struct Entry: Sendable {
    package var label: String
    package var pass: Kernel.Pass
    /// Layers of this shape in the graph.
    package var layers: Int
    /// Floating-point operations of all of them for one picture, by definition; 0 where none are counted.
    package var operations: Int
    /// Seconds of a thread for all of them, one value a round.
    package var seconds: [Double]
  }

  /// In the order in which a picture meets them.
  package private(set) var entries: [Entry] = []

  /// Takes a picture of noise forward and back on each of `threads` threads, `rounds` times after one to warm up.
  package init(_ graph: Graph, threads: Int, rounds: Int) {
    let weights = graph.makeWeights()
    weights.initialize(seed: 1, purpose: .kernelTimes)
    let workers = (0..<max(threads, 1)).map { _ in KernelTimer(graph, weights) }
    var places: [String: Int] = [:]
    for round in 0...rounds {
      parallel(workers.count, threads: workers.count) { item, _ in workers[item].run(weights) }
      if round == 0 { continue }
      var sums: [Int: Double] = [:]
      for (index, record) in workers[0].records.enumerated() {
        let kernel = record.kernel
        let key = kernel.label + kernel.pass.rawValue
        let place = places[key] ?? entries.count
        if place == entries.count {
          places[key] = place
          entries.append(
            Entry(
              label: kernel.label, pass: kernel.pass, layers: 0, operations: 0, seconds: []))
        }
        if round == 1 {
          entries[place].layers += 1
          entries[place].operations += kernel.operations
        }
        let mean = workers.reduce(0) { $0 + $1.records[index].seconds } / Double(workers.count)
        sums[place, default: 0] += mean
      }
      for (place, sum) in sums { entries[place].seconds.append(sum) }
    }
  }
}

/// One thread's memory; `parallel` gives each to one thread at a time.
private final class KernelTimer: @unchecked Sendable {
  private(set) var records: [(kernel: Kernel, seconds: Double)] = []
  private let workspace: Workspace
  private let gradients: Gradients

  init(_ graph: Graph, _ weights: Weights) {
    workspace = graph.makeWorkspace(gradients: true)
    gradients = Gradients(for: weights)
    let output = graph.output
    var stream = RandomStream(seed: 1, purpose: .kernelTimes, index: 1)
    let noise = (0..<output.height * output.width * output.channels).map { _ in stream.gaussian() }
    workspace.writeOutputGradient(noise)
  }

  func run(_ weights: Weights) {
    records = []
    workspace.visitKernels(weights, into: gradients) { kernel, work in
      let start = ContinuousClock.now
      work()
      records.append((kernel, (ContinuousClock.now - start) / .seconds(1)))
    }
  }
}
