import Streams

/// What the kernels of a graph cost: seconds of one picture, kernel by kernel, in the place where they run.
///
/// Timed on the way of whole pictures through the graph, all threads busy: a kernel alone in a loop
/// would find its data in the caches.
public struct KernelTimes: Sendable {
  public enum Pass: String, Sendable, CaseIterable {
    case forward
    case backward
    case backwardData = "backward-data"
    case backwardWeights = "backward-weights"
  }

  public struct Entry: Sendable {
    public var label: String
    public var pass: Pass
    /// Layers of this shape in the graph.
    public var layers: Int
    /// Floating-point operations of all of them for one picture, by definition; 0 where none are counted.
    public var operations: Int
    /// Seconds of a thread for all of them, one value a round.
    public var seconds: [Double]
  }

  /// In the order in which a picture meets them.
  public private(set) var entries: [Entry] = []

  /// Takes a picture of noise forward and back on each of `threads` threads, `rounds` times after one to warm up.
  public init(_ graph: Graph, threads: Int, rounds: Int) {
    let weights = graph.makeWeights()
    weights.initialize(seed: 1, purpose: .kernelTimes)
    let workers = (0..<max(threads, 1)).map { _ in KernelTimer(graph, weights) }
    var places: [String: Int] = [:]
    for round in 0...rounds {
      parallel(workers.count, threads: workers.count) { item, _ in workers[item].run(weights) }
      if round == 0 { continue }
      var sums: [Int: Double] = [:]
      for (index, record) in workers[0].records.enumerated() {
        let key = record.label + record.pass.rawValue
        let place = places[key] ?? entries.count
        if place == entries.count {
          places[key] = place
          entries.append(
            Entry(
              label: record.label, pass: record.pass, layers: 0, operations: 0, seconds: []))
        }
        if round == 1 {
          entries[place].layers += 1
          entries[place].operations += record.operations
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
  struct Record {
    var label: String
    var pass: KernelTimes.Pass
    var operations: Int
    var seconds: Double
  }

  private(set) var records: [Record] = []
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
    let graph = workspace.graph
    let frame = workspace.frame(weights, weightGradients: gradients.values.pointer)
    for layer in graph.layers {
      record(layer, .forward, 1) { layer.forward(frame) }
    }
    for (layer, accumulate) in zip(graph.layers, graph.accumulate).reversed() {
      if let convolution = layer as? ConvolutionLayer {
        record(layer, .backwardWeights, 1) { convolution.weightGradient(frame) }
        // The input of the graph needs no gradient.
        guard frame.gradientField(convolution.input) != nil else { continue }
        record(layer, .backwardData, 1) {
          convolution.residualGradient(frame, accumulate: accumulate[0])
          convolution.inputGradient(
            frame, accumulate: accumulate[convolution.residual == nil ? 0 : 1])
        }
      } else {
        record(layer, .backward, 2) { layer.backward(frame, accumulate: accumulate) }
      }
    }
  }

  private func record(
    _ layer: any Layer, _ pass: KernelTimes.Pass, _ passes: Int, _ body: () -> Void
  ) {
    let start = ContinuousClock.now
    body()
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    records.append(
      Record(
        label: layer.label, pass: pass, operations: 2 * passes * layer.multiplyAdds,
        seconds: seconds))
  }
}
