import Streams

/// Times one product of n × n matrices on each of `threads` threads at once, by OpenBLAS: what the machine
/// itself can do, for speeds to be compared with. Returns floating-point operations; the caller times it.
public struct MatrixPeak: Sendable {
  private let size: Int
  private let operands: [[AlignedBuffer]]

  public init(size: Int = 1024, threads: Int) {
    self.size = size
    operands = (0..<max(threads, 1)).map { _ in
      (0..<3).map { _ in
        let buffer = AlignedBuffer(count: size * size)
        buffer.pointer.update(repeating: 0.5, count: size * size)
        return buffer
      }
    }
  }

  public func run() -> Int {
    _ = singleThreadedBLAS
    parallel(operands.count, threads: operands.count) { item, _ in
      let panels = operands[item].map { Panel(base: $0.pointer, stride: size) }
      multiply(panels[0], panels[1], into: panels[2], rows: size, columns: size, inner: size)
    }
    return 2 * size * size * size * operands.count
  }
}
